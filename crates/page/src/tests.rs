//! The report of two small made-up runs.

use serde_json::{Value, json};

use super::markup::{Element, elements};
use super::{
    ImageReport, Images, Language, Report, Settings, compute, gather, index_html, merge,
    read_report, report_json,
};
use burncam_evaluation::{Grid, Method, Outcome, Remark, Values};
use burncam_record::{
    Attribution, Classification, Failure, MapMeasures, Prediction, Predictions, Rows, Run, Stage,
};

/// Names that would be markup, or end a string, if they were not written as text.
pub(super) const HOSTILE: [&str; 8] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</script><b>&amp;",
    "a'b\\\"{{ c }}",
    "<!--gallery--><!-- <script>",
    "=cmd()|' /C calc'!A0",
    "a\u{2028}b\u{202e}c\u{7f}\r\n\t\u{1b}[2J",
    "&lt;b&gt;\u{fffd}",
];

fn run(models: &[&str], classes: &[String], folds: &[String]) -> Run {
    let model = |name: &&str| {
        json!({
            "name": name, "architecture": "ncnn", "variant": "keras",
            "weights": [{ "fold": null, "path": "N.h5", "sha256": "00ff", "bytes": 12, "format": "h5" }],
            "input": {}, "target": "predicted", "classes": classes,
            "explanations": [{ "name": "GradCAM", "title": "Grad-CAM", "--method": "grad-cam", "--layer": ["conv_2x2_"] }],
            "labels": "notebook", "head": "Dense 2", "parameters": 14,
            "counts": { "explained": 1, "failed": 0, "right": 1, "wrong": 0, "unknown": 0, "by_status": {} },
            "accuracy": [], "seconds": 0.25,
        })
    };
    let value = json!({
        "burncam": "0.1.0", "status": "complete", "arguments": ["explain", HOSTILE[0]],
        "started": "2026-02-28T23:59:59Z", "finished": "2026-03-01T00:00:03Z",
        "models": models.iter().map(model).collect::<Vec<_>>(),
        "devices": [{
            "requested": "auto", "used": "cpu", "name": "cpu", "backend": "flex", "precision": "f32",
            "reason": "no GPU", "verified": null,
        }],
        "options": { "--resize": "nearest", "--alpha": 0.5 },
        "data": { "path": HOSTILE[1], "images": 1, "folds": folds },
        "warnings": [{ "text": HOSTILE[0], "items": [HOSTILE[2]] }],
        "counts": { "explained": 1, "failed": 0, "right": 1, "wrong": 0, "unknown": 0, "by_status": {} },
        "seconds": 4.5, "platform": { "os": "linux", "arch": "x86_64", "cpus": 2 },
    });
    serde_json::from_value(value).expect("a record")
}

/// A row whose probability of the first class, and map, follow from a number.
fn row(model: &str, fold: &str, image: usize, classes: &[String]) -> Prediction {
    let name = HOSTILE
        .get(image)
        .map_or_else(|| format!("S{}_{image}.png", image / 3), |n| (*n).to_owned());
    let image = image + fold.len();
    let seed = image * 7 + model.len() * 5;
    let first = (seed % 19) as f32 / 19.0;
    let predicted = usize::from(first < 0.5);
    let label = (image % 11 != 5).then(|| classes[image % 2].clone());
    let status = if image % 9 == 4 { "all_nonpositive" } else { "ok" };
    let raw: Vec<f32> = (0..144).map(|cell| ((cell * (seed % 7 + 3)) % 17) as f32 - 4.0).collect();
    let failed = image % 13 == 12;
    let attribution = Attribution {
        explanation: "GradCAM".to_owned(),
        method: "grad-cam".to_owned(),
        layers: vec!["conv_2x2_".to_owned()],
        target: classes[predicted].clone(),
        map: MapMeasures {
            height: 12,
            width: 12,
            min: -4.0,
            max: 12.0,
            argmax: Some((0, 4)),
            own_top: None,
            status: status.to_owned(),
        },
        grid: if status == "ok" { Grid::from_map(&raw, (12, 12), Values::Positive) } else { None },
        cell_max: None,
        top: None,
        overlay: Some(format!("{model}_GradCAM/{name}")),
        thumbnail: Some(format!("{model}_GradCAM/thumbs/{name}.jpg")),
        file: None,
    };
    Prediction {
        model: model.to_owned(),
        path: format!("{fold}/{name}"),
        fold: fold.to_owned(),
        label,
        classification: (!failed).then(|| Classification {
            predicted: classes[predicted].clone(),
            confidence: first.max(1.0 - first),
            logits: vec![first, 1.0 - first],
            probabilities: vec![first, 1.0 - first],
            milliseconds: 1.0,
        }),
        attributions: if failed { Vec::new() } else { vec![attribution] },
        measurements: Vec::new(),
        eyes_and_mouth: None,
        error: failed.then(|| Failure { stage: Stage::Read, reason: HOSTILE[1].to_owned() }),
    }
}

/// The page of a run, whose rows are read one by one; and the report, whose images are held.
pub(super) fn report(models: &[&str], folds: &[&str], classes: [&str; 2]) -> Report<'static> {
    let classes = classes.map(str::to_owned).to_vec();
    let folds: Vec<String> = folds.iter().map(|fold| (*fold).to_owned()).collect();
    let rows = |model: &&str| -> Vec<Prediction> {
        let images = folds.iter().flat_map(|fold| (0..15).map(move |image| (fold, image)));
        images.map(|(fold, image)| row(model, fold, image, &classes)).collect()
    };
    let rows: Vec<Vec<Prediction>> = models.iter().map(rows).collect();
    let tables: Vec<Predictions<'_>> =
        rows.iter().map(|rows| Predictions { classes: &classes, rows: Rows::held(rows) }).collect();
    let subject = |path: &str| Some(path.split_once("/S")?.1.split_once('_')?.0.to_owned());
    let mut report =
        gather(run(models, &classes, &folds), &tables, Settings::default(), subject).expect("rows");
    compute(&mut report).expect("rows");
    let streamed = html(&report, Language::English);
    let images = report.compared_images().collect::<Result<_, _>>().expect("rows");
    let mut held = Report { images: Images::held(images), ..report };
    compute(&mut held).expect("images");
    assert_eq!(html(&held, Language::English), streamed);
    held
}

pub(super) fn json_of(report: &Report<'_>) -> String {
    let mut bytes = Vec::new();
    report_json(report, &mut bytes).expect("images");
    String::from_utf8(bytes).expect("UTF-8")
}

pub(super) fn html(report: &Report<'_>, language: Language) -> String {
    let mut bytes = Vec::new();
    index_html(report, language, &mut bytes).expect("images");
    String::from_utf8(bytes).expect("UTF-8")
}

fn images(report: &Report<'_>) -> Vec<ImageReport> {
    report.compared_images().collect::<Result<_, _>>().expect("images")
}

fn two() -> Report<'static> {
    report(&["NCNN", HOSTILE[0]], &["Fold0", HOSTILE[1], "F<2>"], [HOSTILE[2], "No_pain"])
}

/// What the page's script knows.
pub(super) fn gallery(page: &str) -> Value {
    let start = "<script type=\"application/json\" id=\"data\">";
    let json =
        page.split_once(start).expect("the data").1.split_once("</script>").expect("its end").0;
    serde_json::from_str(json).expect("JSON")
}

fn attribute<'a>(found: &'a [Element], element: &str, name: &str) -> Vec<&'a str> {
    let of = found.iter().filter(|(tag, _)| tag == element);
    of.filter_map(|(_, attributes)| attributes.get(name).map(String::as_str)).collect()
}

#[test]
fn the_page_is_valid_whatever_names_hold() {
    for language in Language::ALL {
        let page = html(&two(), language);
        let found = elements(&page);
        let count = |name: &str| found.iter().filter(|(tag, _)| tag == name).count();
        assert_eq!(count("script"), 2, "only the page's own");
        assert_eq!(count("b"), 0);
        assert!(attribute(&found, "img", "onerror").is_empty());
        assert_eq!(attribute(&found, "html", "lang"), [language.tag()]);
        assert_eq!(count("svg"), 6);
        assert!(!page.contains("{{ t(") && !page.contains("{%"), "a template is left over");
    }
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    let page = html(&two(), Language::English);
    let found = elements(&page);
    for (element, name) in [("img", "src"), ("link", "href"), ("script", "src"), ("iframe", "src")]
    {
        for url in attribute(&found, element, name) {
            assert!(url.starts_with("data:"), "{element} {name}={url}");
        }
    }
    let policy = attribute(&found, "meta", "content").join(" ");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    let css = include_str!("style.css");
    assert!(!css.contains("url(") && !css.contains("@import"));
}

#[test]
fn names_reach_the_script_unchanged() {
    let report = two();
    let data = gallery(&html(&report, Language::English));
    assert_eq!(data["models"][1]["name"], HOSTILE[0]);
    assert_eq!(data["classes"][0], HOSTILE[2]);
    let shown = data["images"].as_array().expect("images");
    assert_eq!(shown.len(), report.images.len());
    for (shown, image) in shown.iter().zip(images(&report)) {
        assert_eq!(shown["n"], image.path.as_str());
        assert_eq!(shown["r"].as_array().expect("results").len(), image.results.len());
    }
}

#[test]
fn images_without_label_or_result_do_not_count() {
    let report = two();
    let images = images(&report);
    for model in &report.models {
        assert_eq!(model.images, 45);
        assert_eq!(model.judged + model.unknown + model.failed, 45);
        assert!(model.unknown > 0 && model.failed > 0);
        let right = images.iter().flat_map(|image| &image.results).filter(|result| {
            report.models[result.model].name == model.name && result.outcome == Some(Outcome::Right)
        });
        let accuracy = right.count() as f64 / model.judged as f64;
        assert!((model.scores.accuracy.expect("judged") - accuracy).abs() < 1e-12);
        let cells: usize = model.confusion.counts.iter().flatten().sum();
        assert_eq!(cells, model.judged);
        assert_eq!(model.folds.iter().map(|fold| fold.judged).sum::<usize>(), model.judged);
        assert_eq!(model.unit, "image", "some images have no subject");
        let [maps] = model.explanations.as_slice() else { panic!("one explanation") };
        let count: usize = maps.by_status.values().sum();
        assert_eq!(count, model.images - model.failed);
        let averaged = maps.mean_maps.iter().filter(|map| map.fold.is_none());
        assert_eq!(averaged.map(|map| map.maps).sum::<usize>(), maps.by_status["ok"]);
    }
    let pairs = images.iter().filter(|image| !image.agreement.is_empty()).count();
    assert_eq!(report.agreement[0].overlap.folds, pairs);
    assert_eq!(report.comparisons.len(), 3);
}

#[test]
fn the_positive_class_is_pain_or_as_asked() {
    let mut report = report(&["NCNN"], &["Fold0"], ["No_pain", "Pain"]);
    assert_eq!(report.models[0].positive.as_deref(), Some("Pain"));
    let of_pain = report.models[0].scores;
    report.settings.positive = Some("no_pain".to_owned());
    compute(&mut report).expect("images");
    assert_eq!(report.models[0].positive.as_deref(), Some("No_pain"));
    assert_eq!(report.models[0].scores.sensitivity, of_pain.specificity);
    report.settings.positive = Some("Hunger".to_owned());
    compute(&mut report).expect("images");
    assert_eq!(report.models[0].positive, None);
    let page = html(&report, Language::English);
    elements(&page);
    assert!(page.contains("do not include Hunger"), "it says so");
}

#[test]
fn the_file_is_read_back_equal_and_mistakes_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.json");
    let report = two();
    let text = json_of(&report);
    std::fs::write(&path, &text).expect("a file");
    let mut read = read_report(&path).expect("a report");
    // JSON's numbers may come back with another last digit.
    compute(&mut read).expect("images");
    assert!(json_of(&read) == text);
    for (from, to, says) in [
        ("{\"schema\":2", "{\"schema\":1", "layout 1"),
        ("{\"explanation\":0,", "{\"explanation\":9,", "an explanation that is none"),
        ("\"model\":1", "\"model\":7", "no model"),
        ("\"sources\":[[0,0]]", "\"sources\":[[0,9]]", "no run"),
        ("\"predicted\":\"No_pain\"", "\"predicted\":\"Hunger\"", "does not fit"),
        ("\"resamples\":2000", "\"resamples\":10001", "at most 10000"),
        ("\"resamples\":2000", "\"resamples\":9000000000", "are not made"),
        ("{\"model\":1,", "{\"model\":0,", "two results of NCNN"),
        ("{", "[", "no report"),
    ] {
        assert!(text.contains(from), "{from}");
        std::fs::write(&path, text.replacen(from, to, 1)).expect("a file");
        let error = read_report(&path).expect_err(from).to_string();
        assert!(error.contains(says), "{error}");
    }
    assert!(read_report(folder.path()).is_err());
}

#[test]
fn folds_that_were_run_apart_come_together() {
    let classes = ["Pain", "No_pain"];
    let whole = report(&["NCNN", "VGG16"], &["A", "BB", "CCC"], classes);
    let parts = vec![
        ("x/one".to_owned(), report(&["NCNN", "VGG16"], &["A", "CCC"], classes)),
        ("../two".to_owned(), report(&["VGG16", "NCNN"], &["BB"], classes)),
    ];
    let mut merged = merge(parts).expect("one report");
    compute(&mut merged).expect("images");
    assert_eq!(merged.models.len(), 2);
    assert_eq!(
        merged.runs.iter().map(|run| run.folder.as_str()).collect::<Vec<_>>(),
        ["x/one", "../two"]
    );
    for (a, b) in whole.models.iter().zip(&merged.models) {
        assert_eq!(a.name, b.name);
        assert_eq!((a.scores, &a.folds, &a.intervals), (b.scores, &b.folds, &b.intervals));
        assert_eq!(a.explanations, b.explanations);
        assert_eq!(b.sources.len(), 2);
    }
    assert_eq!(whole.comparisons, merged.comparisons);
    assert_eq!(whole.agreement, merged.agreement);
    let data = gallery(&html(&merged, Language::English));
    assert_eq!(data["folders"], json!(["x/one", "../two"]));
}

#[test]
fn different_models_of_one_name_stay_apart_and_a_result_counts_once() {
    let one = || report(&["NCNN"], &["A"], ["Pain", "No_pain"]);
    let error = merge(vec![("a".to_owned(), one()), ("b".to_owned(), one())]).expect_err("twice");
    assert!(error.to_string().contains("two results of NCNN"), "{error}");
    let other = report(&["NCNN"], &["A"], ["Hunger", "No_pain"]);
    let merged = merge(vec![("a".to_owned(), one()), ("b".to_owned(), other)]).expect("one report");
    let names: Vec<&str> = merged.models.iter().map(|model| model.name.as_str()).collect();
    assert_eq!(names, ["NCNN", "NCNN (2)"]);
    assert!(merge(Vec::new()).is_err());
}

/// A `report.json` as text after a change of its JSON, read.
pub(super) fn changed(
    report: &Report<'_>,
    change: impl Fn(&mut Value),
) -> Result<Report<'static>, burncam_record::Error> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.json");
    let mut json: Value = serde_json::from_str(&json_of(report)).expect("JSON");
    change(&mut json);
    std::fs::write(&path, json.to_string()).expect("a file");
    read_report(&path)
}

/// An image whose map can be read, with the results of `count` models that are all alike.
fn of_models(json: &mut Value, count: usize) {
    let model = json["models"][0].take();
    json["models"] = (0..count)
        .map(|number| {
            let mut model = model.clone();
            model["name"] = format!("m{number}").into();
            model
        })
        .collect();
    let images = json["images"].as_array().expect("images");
    let status = |image: &Value| image["results"][0]["attributions"][0]["status"] == "ok";
    let readable = images.iter().find(|image| status(image));
    let mut image = readable.expect("an image with a map").clone();
    let result = image["results"][0].take();
    image["results"] = (0..count)
        .map(|number| {
            let mut result = result.clone();
            result["model"] = number.into();
            result
        })
        .collect();
    json["images"] = json!([image]);
}

#[test]
fn what_is_there_twice_or_too_often_is_refused() {
    let report = two();
    let twice = |json: &mut Value| {
        let images = json["images"].as_array_mut().expect("images");
        images.push(images[3].clone());
    };
    let runs = |json: &mut Value| json["runs"] = vec![json["runs"][0].take(); 10_001].into();
    for (change, says) in [
        (&twice as &dyn Fn(&mut Value), "is there twice"),
        (&runs, "it has 10001 runs"),
        (&|json: &mut Value| of_models(json, 1001), "it has 1001 models"),
    ] {
        let error = changed(&report, change).expect_err(says).to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn pairs_of_many_models_are_not_compared() {
    let report = two();
    for (count, pairs) in [(64, 64 * 63 / 2), (65, 0)] {
        let mut many = changed(&report, |json| of_models(json, count)).expect("a report");
        compute(&mut many).expect("images");
        assert_eq!((many.agreement.len(), images(&many)[0].agreement.len()), (pairs, pairs));
        let page = html(&many, Language::English);
        elements(&page);
        assert_eq!(page.contains("There are 65 models, and pairs"), pairs == 0);
        assert_eq!(
            gallery(&page)["models"].as_array().map(Vec::len),
            Some(count),
            "all are listed"
        );
    }
}

/// Its networks were trained on that fold's images all the same.
#[test]
fn a_fold_without_the_measure_still_counts_as_training_images() {
    let whole = report(&["NCNN", "VGG16"], &["A", "B", "C"], ["Pain", "No_pain"]);
    let mut one_class = changed(&whole, |json| {
        let images = json["images"].as_array_mut().expect("images").iter_mut();
        for image in images.filter(|image| image["fold"] == "C") {
            let results = image["results"].as_array_mut().expect("results").iter_mut();
            for result in results.filter(|result| !result["label"].is_null()) {
                result["label"] = "Pain".into();
            }
        }
    })
    .expect("a report");
    compute(&mut one_class).expect("images");
    let test = |measure: &str| {
        let mut tests = one_class.comparisons.iter();
        tests.find(|one| one.measure == measure).expect("a comparison").test
    };
    assert_eq!((test("accuracy").folds, test("auc").folds), (3, 2));
    // All three have as many images.
    assert_eq!((test("accuracy").ratio, test("auc").ratio), (0.5, 0.5));
}

/// Each had its pictures.
#[test]
fn twenty_thousand_folds_make_a_page_that_opens() {
    const FOLDS: usize = 20_000;
    let one = report(&["NCNN", "VGG16"], &["A"], ["Pain", "No_pain"]);
    let mut many = changed(&one, |json| {
        let image = json["images"][0].take();
        json["images"] = (0..FOLDS)
            .map(|fold| {
                let mut image = image.clone();
                image["fold"] = format!("fold {fold}").into();
                image
            })
            .collect();
    })
    .expect("a report");
    many.settings.resampling.resamples = 1;
    compute(&mut many).expect("images");
    let page = html(&many, Language::English);
    assert_eq!(many.models[1].folds.len(), FOLDS);
    assert_eq!(many.comparisons[0].test.folds, FOLDS);
    assert!(page.contains("Mean maps are left out where"));
    assert!(page.len() < 60_000_000, "{} bytes", page.len());
}

#[test]
fn a_report_of_nothing_is_a_page_too() {
    let classes = vec!["Pain".to_owned(), "No_pain".to_owned()];
    let tables = [Predictions { classes: &classes, rows: Rows::held(&[]) }];
    let mut report = gather(run(&["NCNN"], &classes, &[]), &tables, Settings::default(), |_| None)
        .expect("no rows");
    compute(&mut report).expect("images");
    elements(&html(&report, Language::Portuguese));
}

/// Changes every result of a `report.json` that has a prediction.
fn each_result(json: &mut Value, change: impl Fn(usize, &mut Value)) {
    let images = json["images"].as_array_mut().expect("images").iter_mut();
    let results = images.flat_map(|image| image["results"].as_array_mut().expect("results"));
    let explained = results.filter(|result| !result["predicted"].is_null());
    explained.enumerate().for_each(|(place, result)| change(place, result));
}

/// A report of one model whose results are changed, with its measures.
fn of_results(change: impl Fn(usize, &mut Value)) -> Report<'static> {
    let one = report(&["NCNN"], &["A", "B"], ["Pain", "No_pain"]);
    let mut report = changed(&one, |json| each_result(json, &change)).expect("a report");
    compute(&mut report).expect("images");
    report
}

/// Texts of the cells of the table of measures, row by row.
fn measures(page: &str) -> Vec<Vec<String>> {
    let model = page.split_once("<section class=\"model\">").expect("a model").1;
    let table = model.split_once("<tbody>").expect("a table").1.split_once("</tbody>");
    let rows = table.expect("its end").0.split("<tr>").skip(1);
    let text = |cell: &str| {
        let cell = cell.split_once('>').expect("a cell").1;
        cell.split('<').next().unwrap_or_default().replace('\u{a0}', " ")
    };
    let cells = |row: &str| row.split("<t").skip(1).take(5).map(text).collect();
    rows.map(cells).collect()
}

#[test]
fn no_interval_of_a_perfect_network_looks_certain() {
    let right = |_: usize, result: &mut Value| result["label"] = result["predicted"].clone();
    for language in Language::ALL {
        let page = html(&of_results(right), language);
        let rows = measures(&page);
        assert_eq!(rows.len(), 8);
        for row in &rows {
            let ends: Vec<&str> = row[2].split(" – ").collect();
            assert!(ends.len() == 1 || ends[0] != ends[1], "{row:?}");
        }
        let number = |text: &str| match language {
            Language::English => text.to_owned(),
            Language::Portuguese => text.replace('.', ","),
        };
        // statsmodels: proportion_confint(28, 28, method="wilson") = (0.8793551, 1.0)
        assert_eq!(rows[0][1..3], ["100.0 %", "87.9 % – 100.0 %"].map(number));
        assert!(rows[0][3].starts_with("Wilson, 28"), "{:?}", rows[0]);
        let none = match language {
            Language::English => "none: all draws give 1.000",
            Language::Portuguese => "nenhum: todas as reamostragens dão 1,000",
        };
        assert_eq!(rows[4][2], none);
    }
}

#[test]
fn intervals_of_few_subjects_say_so() {
    let mut report = of_results(|_, result| result["label"] = result["predicted"].clone());
    report.images.name_subjects(|path| Some((path.len() % 7).to_string()));
    compute(&mut report).expect("images");
    let model = &report.models[0];
    assert_eq!(model.unit, "subject");
    assert!(model.units < 10);
    let accuracy = model.intervals["accuracy"];
    assert_eq!((accuracy.method, accuracy.units), (Method::Wilson, model.units));
    assert_eq!(accuracy.remark, Some(Remark::FewUnits));
    assert_eq!(model.intervals["brier"].remark, Some(Remark::FewUnits));
    let page = html(&report, Language::English);
    let rows = measures(&page);
    assert_eq!(rows[0][3], format!("Wilson, {} subjects", model.units));
    assert_eq!(rows[6][3], format!("bootstrap, only {} subjects", model.units));
    assert!(page.contains("Fewer than 10 subjects are too few to be drawn from"));
}

#[test]
fn true_classes_are_counted_at_the_top() {
    let report = two();
    let counts = &report.true_classes;
    let labelled = |class: &str| {
        let images = images(&report);
        images.iter().filter(|image| image.results[0].label.as_deref() == Some(class)).count()
    };
    assert_eq!(counts.images["No_pain"], labelled("No_pain"));
    assert_eq!(counts.images.values().sum::<usize>() + counts.unknown, report.images.len());
    let page = html(&report, Language::English);
    let top = page.split_once("<main>").expect("the results").0;
    assert!(
        top.contains(&format!(
            "<span>No_pain <strong>{}</strong></span>",
            counts.images["No_pain"]
        ))
    );
    assert!(
        top.contains(&format!("<span>no true class <strong>{}</strong></span>", counts.unknown))
    );
    assert!(!top.contains("All images with a true class are"));
    let one = of_results(|_, result| result["label"] = "Pain".into());
    assert_eq!(one.true_classes.images["Pain"], 30, "an image that failed has a class too");
    assert!(html(&one, Language::English).contains("All images with a true class are Pain."));
}

#[test]
fn names_that_seem_swapped_are_told_with_the_remedy() {
    let says = |wrong: usize, names: [&str; 2]| {
        let other = |name: &Value| if name == "Pain" { "No_pain" } else { "Pain" };
        let mut report = of_results(|place, result| {
            let predicted = result["predicted"].clone();
            result["label"] = if place < wrong { other(&predicted).into() } else { predicted };
        });
        report.models[0].classes = names.map(str::to_owned).to_vec();
        report.models[0].confusion.classes = names.map(str::to_owned).to_vec();
        html(&report, Language::English).replace('\u{a0}', " ")
    };
    let page = says(24, ["Pain", "No_pain"]);
    let sentence = "NCNN: 14.3 % of the images are right; if the two classes had each other&#x27;s \
                    names, 85.7 % would be. The order of the names is probably the other way round: \
                    --classes No_pain,Pain";
    assert!(page.contains(sentence), "{}", page.split_once("<main>").expect("results").0);
    assert!(says(24, ["a b", "c"]).contains("--classes &#x27;c,a b&#x27;"));
    for wrong in [0, 14, 15] {
        assert!(!says(wrong, ["Pain", "No_pain"]).contains("the other way round"), "{wrong}");
    }
}

#[test]
fn maps_that_peak_at_the_border_are_counted() {
    let report = of_results(|place, result| {
        result["attributions"][0]["map_peak"] =
            if place % 4 == 0 { json!([5, 6]) } else { json!([11, 6]) };
    });
    let peaks = report.models[0].explanations[0].peaks;
    let maps = report.models[0].explanations[0].by_status["ok"];
    assert_eq!(peaks.maps, maps, "maps that cannot be read do not count");
    let inner = images(&report).into_iter().filter(|image| {
        let mut maps = image.results[0].attributions.iter();
        maps.any(|map| map.map_peak == Some([5, 6]) && map.status == "ok")
    });
    assert_eq!(peaks.border, maps - inner.count());
    assert!((peaks.border_cells - 44.0 / 144.0).abs() < 1e-12);
    let page = html(&report, Language::English);
    let says = format!("{} of {maps} maps peak in a border cell; 31\u{a0}%", peaks.border);
    let maps = page.split_once("id=\"mean-maps\"").expect("maps").1;
    assert!(maps.contains(&says) && maps.contains("Such maps often show background or padding."));
    for section in ["id=\"mean-maps\"", "id=\"gallery\"", "id=\"large\""] {
        let text = page.split_once(section).expect(section).1;
        let text = text.split("</section>").next().expect("its end");
        assert!(text.contains("not why. It is no medical finding."), "{section}");
    }
    let outside = |json: &mut Value| {
        each_result(json, |_, result| result["attributions"][0]["map_peak"] = json!([12, 0]));
    };
    let error = changed(&report, outside).expect_err("a peak outside").to_string();
    assert!(error.contains("does not fit"), "{error}");
}

#[test]
fn a_page_shows_no_home_folder_and_a_title_of_its_own() {
    let mut report = report(&["NCNN"], &["A"], ["Pain", "No_pain"]);
    let run = &mut report.runs[0].run;
    run.arguments = ["explain", "--data=/home/ana/faces", "--labels", "/opt/ana/labels.csv"]
        .map(str::to_owned)
        .to_vec();
    run.data.path = "/home/ana/faces".to_owned();
    run.models[0].weights[0].path = r"C:\Users\ana\N.h5".to_owned();
    run.warnings[0].items = vec!["/Users/ana/faces/a.txt".to_owned()];
    report.hide_homes(Some("/opt/ana"));
    let (json, page) = (json_of(&report), html(&report, Language::English));
    let page = page.replace("&#x2f;", "/");
    for text in [&json, &page] {
        assert!(!text.contains("ana/") && !text.contains(r"ana\"), "{text}");
        assert!(text.contains("--data=~/faces") && text.contains("~/labels.csv"));
    }
    assert!(page.contains("<title>What the networks looked at: faces</title>"));
    assert!(page.contains("<h1>What the networks looked at: faces</h1>"));
    report.settings.title = Some("Unit 3 <b>".to_owned());
    let page = html(&report, Language::Portuguese);
    assert!(page.contains("<h1>Unit 3 &lt;b&gt;</h1>"));
    assert!(json_of(&report).contains("\"title\":\"Unit 3 <b>\""));
}

/// Two explanations of each model: maps are counted, averaged and compared by explanation.
#[test]
fn explanations_stand_side_by_side() {
    let classes = ["Pain", "No_pain"].map(str::to_owned).to_vec();
    let mut run = run(&["NCNN", "VGG16"], &classes, &["A".to_owned()]);
    let both = |model: &str| -> Vec<Prediction> {
        let rows = (0..15).map(|image| row(model, "A", image, &classes));
        let twice = rows.map(|mut row| {
            let second = row.attributions.first().cloned().map(|first| Attribution {
                explanation: "HiResCAM".to_owned(),
                map: MapMeasures { argmax: Some((5, 5)), ..first.map.clone() },
                ..first
            });
            row.attributions.extend(second);
            row
        });
        twice.collect()
    };
    for model in &mut run.models {
        let mut second = model.explanations[0].clone();
        (second.name, second.title) = ("HiResCAM".to_owned(), "HiResCAM".to_owned());
        model.explanations.push(second);
    }
    let rows = ["NCNN", "VGG16"].map(both);
    let tables =
        rows.each_ref().map(|rows| Predictions { classes: &classes, rows: Rows::held(rows) });
    let mut report = gather(run, &tables, Settings::default(), |_| None).expect("rows");
    compute(&mut report).expect("rows");
    assert_eq!(report.explanations, ["Grad-CAM", "HiResCAM"]);
    for model in &report.models {
        let [first, second] = model.explanations.as_slice() else { panic!("two explanations") };
        assert_eq!(first.by_status, second.by_status);
        assert_eq!((first.peaks.border, second.peaks.border), (first.peaks.maps, 0));
    }
    let pairs: Vec<_> =
        report.agreement.iter().map(|a| (a.explanation, a.first, a.second)).collect();
    assert_eq!(pairs, [(0, 0, 1), (1, 0, 1)]);
    let page = html(&report, Language::English);
    for text in ["NCNN, Grad-CAM", "VGG16, HiResCAM", "id=\"f-explanation\""] {
        assert!(page.contains(text), "{text}");
    }
    let again = changed(&report, |_| {}).expect("a report");
    let merged = merge(vec![("a".to_owned(), again)]).expect("one report");
    assert_eq!(merged.explanations, report.explanations);
}
