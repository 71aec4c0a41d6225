//! Pages of made-up measures.

use super::*;
use crate::tests::{HOSTILE, changed, html, report};
use crate::{Language, Report, compute, merge};
use burncam_trust::regions::{FIVE_REGIONS, MEAN_EYES_AND_MOUTH};
use burncam_trust::{Observation, Tally};

/// A grey picture of one pixel.
const GREY: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";

/// What twelve subjects give, around a mean.
fn add(tally: &mut Tally, one: Observation<'_>, mean: f64) {
    for subject in 0..12 {
        let unit = format!("S{subject}");
        let value = mean + f64::from(subject % 4) * 0.01;
        tally.add(Observation { unit: &unit, value: Some(value), ..one });
    }
}

fn observation<'a>(explanation: &'a str, control: &'a str, measure: &'a str) -> Observation<'a> {
    Observation {
        unit: "",
        explanation,
        control,
        measure,
        condition: "",
        group: ("Pain", "Right"),
        value: None,
        chance: None,
    }
}

/// Maps that insertion and deletion say are better or not, beside edges and chance.
fn trust(explanation: &str, insertion: f64, deletion: f64) -> Trust {
    let mut tally = Tally::default();
    for (measure, own, sobel, random) in
        [("insertion", insertion, 0.4, 0.3), ("deletion", deletion, 0.5, 0.6)]
    {
        add(&mut tally, observation(explanation, "", measure), own);
        add(&mut tally, observation("", "sobel", measure), sobel);
        add(&mut tally, observation("", "random", measure), random);
        for (baseline, shift) in [("mean", 0.0), ("black", -0.3), ("0.0500", 0.1)] {
            let own_value =
                Observation { condition: baseline, ..observation(explanation, "", measure) };
            add(&mut tally, own_value, own + shift);
            let control = Observation { condition: baseline, ..observation("", "sobel", measure) };
            add(&mut tally, control, sobel);
        }
    }
    for (measure, value) in [("head-down", 0.2), ("other-class", 0.9)] {
        add(&mut tally, observation(explanation, "", measure), value);
    }
    for (layer, value) in [("dense", 0.8), ("conv2", 0.3), (HOSTILE[1], 0.1)] {
        let step = Observation { condition: layer, ..observation(explanation, "", "head-down") };
        add(&mut tally, step, value);
    }
    for (region, share) in FIVE_REGIONS.into_iter().zip([0.1, 0.4, 0.2, 0.2, 0.1]) {
        let of = |measure| Observation {
            condition: region,
            chance: Some(0.21),
            ..observation(explanation, "", measure)
        };
        add(&mut tally, of("region-mass"), share);
        add(&mut tally, of("region-peak"), share);
    }
    let pair = format!("{explanation} ~ LayerCAM");
    add(&mut tally, observation(&pair, "", "spearman"), 0.7);
    tally.add(Observation { unit: "S1", ..observation(explanation, "", "insertion") });
    tally.finish("subjects")
}

fn with_trust(insertion: f64, deletion: f64) -> Report<'static> {
    let mut report = report(&["VGG16"], &["A"], ["Pain", "No_pain"]);
    report.models[0].trust = Some(trust("GradCAM", insertion, deletion));
    report
}

/// The section of trust as plain text.
fn section(report: &Report<'_>, language: Language) -> String {
    let page = html(report, language);
    crate::markup::elements(&page);
    let from = page.split_once("<section id=\"mean-maps\">").expect("a section").1;
    let section = from.split_once("<section id=\"unreadable\">").expect("its end").0;
    let mut text = String::new();
    for part in section.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, text)| text));
    }
    text.replace('\u{a0}', " ").replace("&#x27;", "'")
}

#[test]
fn the_sections_are_there_where_trust_is() {
    let without = html(&report(&["VGG16"], &["A"], ["Pain", "No_pain"]), Language::English);
    for id in ["id=\"trust\"", "id=\"regions\"", "#trust", "#regions"] {
        assert!(!without.contains(id), "{id}");
    }
    assert!(without.contains("--regions landmarks.csv"));
    let with = html(&with_trust(0.9, 0.1), Language::English);
    for id in ["id=\"trust\"", "id=\"regions\"", "#trust", "#regions"] {
        assert!(with.contains(id), "{id}");
    }
    assert!(!with.contains("--regions landmarks.csv"));
    let mut some = with_trust(0.9, 0.1);
    some.models[0].trust.as_mut().expect("trust").profiles.clear();
    let some = html(&some, Language::English);
    assert!(some.contains("id=\"trust\"") && some.contains("--regions landmarks.csv"));
    let mut nothing = report(&["VGG16"], &["A"], ["Pain", "No_pain"]);
    nothing.models[0].trust = Some(Trust::default());
    assert!(section(&nothing, Language::English).contains("VGG16"));
}

#[test]
fn a_verdict_on_the_first_screen_has_its_reason() {
    let reason = |report: &Report<'_>| {
        let all = headlines(&report.models[0], Language::English);
        all.into_iter().map(|one| one.reason).collect::<Vec<String>>()
    };
    let mut report = with_trust(0.9, 0.1);
    let insane = "stays the same for the other class";
    assert_eq!(reason(&with_trust(0.9, 0.5)), [insane]);
    let assessments = &mut report.models[0].trust.as_mut().expect("trust").assessments;
    assessments.iter_mut().for_each(|one| one.is_sane = one.is_sane.map(|_| true));
    assert_eq!(reason(&report), ["beats every control by 2 of 2 measures"]);
    let page = html(&with_trust(0.9, 0.1), Language::English);
    assert!(page.contains(insane));
}

#[test]
fn verdicts_are_in_words() {
    for (insertion, deletion, english, portuguese) in [
        (
            0.9,
            0.1,
            "Better than every control by 2 of 2 measures of faithfulness and ground truth. Ahead of the best control: \
             Deletion by 0.400 (0.400 – 0.400) over Edges (Sobel); Insertion by 0.500 (0.500 – 0.500) over Edges (Sobel).",
            "Melhor que todos os controles em 2 de 2 medidas",
        ),
        (
            0.9,
            0.5,
            "VGG16, Grad-CAM: in doubt. Better than every control by 1 of 2 measures of faithfulness and ground truth. \
             Not better by the other 1: there the maps say no more than edges of the picture do.",
            "Não é melhor nas demais (1): nelas os mapas não dizem mais do que os contornos da imagem.",
        ),
        (
            0.2,
            0.7,
            "VGG16, Grad-CAM: not better than its controls. Better than every control by none of 2 measures of \
             faithfulness and ground truth: the maps say no more than edges of the picture do.",
            "VGG16, Grad-CAM: não é melhor que os seus controles.",
        ),
    ] {
        let report = with_trust(insertion, deletion);
        let text = section(&report, Language::English);
        assert!(text.contains(english), "{text}");
        assert!(
            text.contains("The maps change when the network forgets what it has learned: yes.")
        );
        assert!(text.contains("The maps change with the class: no."));
        let text = section(&report, Language::Portuguese);
        assert!(text.contains(portuguese), "{text}");
        assert!(text.contains("Os mapas mudam com a classe: não."));
    }
    let mut sane = with_trust(0.9, 0.5);
    let other_class = |one: &Assessment| one.measure != "other-class";
    sane.models[0].trust.as_mut().expect("trust").assessments.retain(other_class);
    assert!(section(&sane, Language::English).contains("VGG16, Grad-CAM: believed in part."));
}

#[test]
fn numbers_are_shown_with_their_intervals() {
    let text = section(&with_trust(0.9, 0.1), Language::English);
    for says in [
        "over 12 subjects",
        "0.915 (0.908 – 0.922)best control: Edges (Sobel) 0.415; advantage 0.500 (0.500 – 0.500)",
        "not defined for 1 images",
        "0.415 (rank 2)",
        "The order of the method and its controls is the same",
        "Grad-CAM, LayerCAM0.715",
        "41.5 % (40.8 % – 42.2 %)21.0 %1.9841.5 %",
        "Pain, right",
    ] {
        assert!(text.contains(says), "{says}\n{text}");
    }
    let changes = section(&with_trust(0.5, 0.1), Language::English);
    assert!(changes.contains("and its controls depends on what removed places become"));
    assert!(section(&with_trust(0.9, 0.1), Language::Portuguese).contains("0,915 (0,908 – 0,922)"));
}

#[test]
fn hostile_names_are_text() {
    let mut report = report(&[HOSTILE[0]], &["A"], [HOSTILE[2], "No_pain"]);
    for (place, name) in HOSTILE.iter().enumerate() {
        let mut trust = trust(name, 0.9, 0.1);
        trust.unit = (*name).to_owned();
        for one in &mut trust.assessments {
            one.controls.iter_mut().for_each(|control| control.control = (*name).to_owned());
            one.verdict.iter_mut().for_each(|verdict| verdict.control = (*name).to_owned());
        }
        let mut unknown = trust.assessments[0].clone();
        unknown.measure = HOSTILE[(place + 1) % HOSTILE.len()].to_owned();
        trust.assessments.push(unknown);
        for one in &mut trust.profiles {
            one.points.iter_mut().for_each(|point| {
                if one.measure.starts_with("region") {
                    point.condition = format!("{}{name}", point.condition);
                }
            });
            if !one.class.is_empty() {
                (one.class, one.outcome) = ((*name).to_owned(), (*name).to_owned());
            }
        }
        report.models[0].trust = Some(trust);
        for language in Language::ALL {
            let page = html(&report, language);
            let found = crate::markup::elements(&page);
            let count = |name: &str| found.iter().filter(|(tag, _)| tag == name).count();
            assert_eq!((count("script"), count("b")), (2, 0));
            assert!(!found.iter().any(|(_, attributes)| attributes.contains_key("onerror")));
        }
    }
}

#[test]
fn a_model_of_several_reports_loses_its_trust() {
    let classes = ["Pain", "No_pain"];
    let part = |folds: &[&str]| {
        let mut report = report(&["VGG16", "NCNN"], folds, classes);
        report.models[0].trust = Some(trust("GradCAM", 0.9, 0.1));
        report
    };
    let alone = merge(vec![("a".to_owned(), part(&["A"]))]).expect("one report");
    assert_eq!(alone.models[0].trust, part(&["A"]).models[0].trust);
    let mut other = part(&["BB"]);
    other.models[0].name = "ResNet50".to_owned();
    other.mean_face = Some(GREY.to_owned());
    let merged = merge(vec![("a".to_owned(), part(&["A"])), ("b".to_owned(), other)]);
    let merged = merged.expect("one report");
    let names = merged.models.iter().map(|model| (model.name.as_str(), model.trust.is_some()));
    let wanted = [("VGG16", true), ("NCNN", false), ("ResNet50", true)];
    assert_eq!(names.collect::<Vec<_>>(), wanted);
    assert_eq!(merged.mean_face.as_deref(), Some(GREY));
    let parts = vec![("a".to_owned(), part(&["A"])), ("b".to_owned(), part(&["BB"]))];
    assert!(merge(parts).expect("one report").models.iter().all(|model| model.trust.is_none()));
}

#[test]
fn trust_is_read_back_and_bounded() {
    let report = with_trust(0.9, 0.1);
    let read = changed(&report, |_| {}).expect("a report");
    let both = [&read, &report].map(|report| section(report, Language::English));
    assert!(both[0] == both[1], "{}", both[0]);
    let error = changed(&report, |json| {
        let controls = &mut json["models"][0]["trust"]["assessments"][0]["controls"];
        let one = serde_json::json!({
            "control": "c", "mean": null, "undefined": 0, "advantage": null,
        });
        *controls = vec![one; 200_000].into();
    });
    let error = error.expect_err("too much").to_string();
    assert!(error.contains("a report has at most 200000"), "{error}");
}

#[test]
fn a_mean_face_is_a_small_png_and_nothing_else() {
    let report = report(&["VGG16"], &["A"], ["Pain", "No_pain"]);
    let face = |text: &str| changed(&report, |json| json["mean_face"] = text.into());
    assert_eq!(face(GREY).expect("a face").mean_face.as_deref(), Some(GREY));
    let prefix = "data:image/png;base64,";
    for wrong in [
        "https://example.org/face.png".to_owned(),
        "data:image/svg+xml;base64,AAAA".to_owned(),
        "data:image/png,AAAA".to_owned(),
        prefix.to_owned(),
        format!("{prefix}===="),
        format!("{prefix}AA===="),
        format!("{prefix}AA\");}}*{{color:red"),
        format!("{prefix}{}", "A".repeat(1 << 16)),
    ] {
        let error = face(&wrong).expect_err(&wrong).to_string();
        assert!(error.contains("its mean face is no small PNG"), "{error}");
        let mut made = changed(&report, |_| {}).expect("a report");
        made.mean_face = Some(wrong);
        assert!(
            !html(&made, Language::English).contains("background-image"),
            "not in the page either"
        );
    }
}

#[test]
fn mean_maps_on_the_face_take_the_place_of_plain_ones() {
    let plain = report(&["VGG16"], &["A", "BB"], ["Pain", "No_pain"]);
    let points = serde_json::to_value(MEAN_EYES_AND_MOUTH).expect("numbers");
    let mut placed = changed(&plain, |json| {
        let images = json["images"].as_array_mut().expect("images");
        images.iter_mut().for_each(|image| image["eyes_and_mouth"] = points.clone());
    })
    .expect("a report");
    compute(&mut placed).expect("images");
    let maps = &placed.models[0].explanations[0].mean_maps;
    assert!(maps.iter().all(|map| map.on_face.is_some() == map.fold.is_none()));
    assert!(maps.iter().all(|map| map.on_face.as_ref().is_none_or(|face| face.maps == map.maps)));
    let alone = html(&placed, Language::English);
    crate::markup::elements(&alone);
    assert!(
        alone.contains("brought together by eyes and mouth") && alone.contains("class=\"on-face\"")
    );
    assert!(!alone.contains("The photograph is the mean") && !alone.contains(GREY));
    placed.mean_face = Some(GREY.to_owned());
    let over = html(&placed, Language::Portuguese);
    crate::markup::elements(&over);
    assert!(over.contains("A fotografia é a média") && over.contains(GREY));
    let again = changed(&placed, |_| {}).expect("a report");
    assert_eq!(again.models[0].explanations, placed.models[0].explanations);
    let merged = merge(vec![("a".to_owned(), again)]).expect("one report");
    let images: Vec<_> = merged.images.plain().collect::<Result<_, _>>().expect("images");
    assert!(images.iter().all(|image| image.eyes_and_mouth == Some(MEAN_EYES_AND_MOUTH)));
    let many = changed(&placed, |json| {
        let mut model = json["models"][0].clone();
        model["explanations"][0]["mean_maps"] = serde_json::json!([]);
        json["models"] = vec![model; 160].into();
        json["models"].as_array_mut().expect("models").iter_mut().for_each(|model| {
            model["classes"] = (0..40).map(|class| class.to_string()).collect();
        });
    });
    assert!(many.expect_err("too much").to_string().contains("mean maps by eyes and mouth"));
}
