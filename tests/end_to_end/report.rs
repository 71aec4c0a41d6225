//! The page of a run, and of several.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::program::{Place, Run, goldens, weights};

/// Two folds, two subjects, and names that a page must not take for markup.
fn place() -> Place {
    let place = Place::new();
    place.face("Fold0/S01_sem_dor_01.png", "faces/A/S01_sem_dor_01.png");
    place.face("Fold0/S02_dor_01.png", "faces/A/S02_dor_01.png");
    place.face("Fold0/S02_dor_01.png", "faces/B/S02_dor_01.png");
    place.face("Fold0/S01_sem_dor_01.png", "faces/B/S01_sem_dor '&amp;.png");
    for name in ["NCNN_k2.h5", "NCNN_k2_dead.h5"] {
        place.write(&format!("nets/{name}"), &fs::read(weights(name)).expect("a checkpoint"));
    }
    place
}

fn explain(place: &Place, more: &[&str]) -> Run {
    let fixed = ["explain", "--weights", "nets/NCNN_k2.h5"];
    let run = place.burncam(&[&fixed[..], more].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    run
}

fn report(place: &Place, folder: &str) -> Value {
    serde_json::from_str(&place.read(&format!("{folder}/report.json"))).expect("JSON")
}

/// The data of the page's script.
fn gallery(place: &Place, folder: &str) -> Value {
    let page = place.read(&format!("{folder}/index.html"));
    let data = page.split_once("id=\"data\">").expect("the data").1;
    serde_json::from_str(data.split_once("</script>").expect("its end").0).expect("JSON")
}

#[test]
fn a_page_that_is_made_again_keeps_its_seed() {
    let place = place();
    explain(&place, &["--data", "faces", "--out", "out", "--seed", "7"]);
    let settings = report(&place, "out")["settings"].clone();
    assert_eq!(settings["resampling"]["seed"], 7);
    assert_eq!(place.burncam(&["report", "out", "--lang", "pt-BR"]).code, 0);
    assert_eq!(report(&place, "out")["settings"], settings);
    assert_eq!(place.burncam(&["report", "out", "--seed", "8"]).code, 0);
    assert_eq!(report(&place, "out")["settings"]["resampling"]["seed"], 8);
}

#[test]
fn a_report_does_not_go_into_a_run_without_one() {
    let place = place();
    explain(&place, &["--data", "faces", "--out", "out"]);
    explain(&place, &["--data", "faces", "--out", "other", "--no-report"]);
    let table = place.read("other/predictions.csv");
    let run = place.burncam(&["report", "out", "--out", "other"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("already holds predictions.csv"), "{}", run.stderr);
    assert_eq!(place.read("other/predictions.csv"), table);
}

#[test]
fn a_run_ends_with_a_page_whose_pictures_are_there() {
    let place = place();
    let run = explain(&place, &["nets/NCNN_k2_dead.h5", "--data", "faces", "--out", "out"]);
    assert!(run.stdout.trim_end().ends_with("its numbers in report.json"), "{}", run.stdout);
    assert!(run.stdout.contains("index.html"));
    let (report, gallery) = (report(&place, "out"), gallery(&place, "out"));
    let rows = place.predictions();
    let in_table: BTreeSet<(String, String)> =
        rows.iter().map(|row| (row["model"].clone(), row["path"].clone())).collect();
    let mut shown = BTreeSet::new();
    for image in gallery["images"].as_array().expect("images") {
        for result in image["r"].as_array().expect("results") {
            let model = &gallery["models"][result["m"].as_u64().expect("a model") as usize]["name"];
            let name = |value: &Value| value.as_str().expect("a name").to_owned();
            shown.insert((name(model), name(&image["n"])));
            for picture in ["h", "v"] {
                let path = name(&result[picture]);
                let picture = crate::program::picture(&place.path(&format!("out/{path}")));
                assert!(picture.width() >= 120, "{path}");
            }
        }
    }
    assert_eq!(shown, in_table);
    let maps = &report["models"][1]["explanations"][0];
    assert_eq!(maps["by_status"]["all_nonpositive"], 4);
    assert_eq!(report["models"][0]["judged"], 4);
    assert_eq!(report["runs"][0]["run"]["models"], {
        let run: Value = serde_json::from_str(&place.read("out/run.json")).expect("JSON");
        run["models"].clone()
    });
}

#[test]
fn what_the_page_is_asked_for() {
    let place = place();
    let more = ["--data", "faces", "--out", "out", "--subject", "(S[0-9]+)_", "--lang", "pt-BR"];
    explain(&place, &[&more[..], &["--positive", "No_pain"]].concat());
    let written = report(&place, "out");
    assert_eq!(written["models"][0]["unit"], "subject");
    assert_eq!(written["models"][0]["units"], 2);
    assert_eq!(written["models"][0]["positive"], "No_pain");
    assert_eq!(written["settings"]["subject"], "(S[0-9]+)_");
    assert!(place.read("out/index.html").contains("A classe positiva é No_pain."));

    let run = place.burncam(&["report", "out", "--positive", "Pain", "--seed", "5"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let again = report(&place, "out");
    assert_eq!(again["models"][0]["positive"], "Pain");
    assert_eq!(again["models"][0]["unit"], "subject", "subjects stay known");
    let scores = |report: &Value, name: &str| report["models"][0]["scores"][name].clone();
    assert_eq!(scores(&again, "sensitivity"), scores(&written, "specificity"));
    assert!(place.read("out/index.html").contains("The positive class is Pain."));
}

#[test]
fn subjects_from_a_column_of_the_label_file() {
    let place = place();
    let table = "image,class,baby\nA/S01_sem_dor_01.png,No_pain,1\nS02_dor_01.png,Pain,2\n\
        B/S01_sem_dor '&amp;.png,No_pain,3\n";
    place.write("labels.csv", table.as_bytes());
    let more = ["--data", "faces", "--out", "out", "--labels", "labels.csv"];
    explain(&place, &[&more[..], &["--subject", "column:baby"]].concat());
    let written = report(&place, "out");
    assert_eq!(
        (&written["models"][0]["unit"], &written["models"][0]["units"]),
        (&"subject".into(), &3.into())
    );
    let run = place.burncam(
        &[
            &["explain", "--weights", "nets/NCNN_k2.h5"][..],
            &more,
            &["--subject", "column:child", "--overwrite"],
        ]
        .concat(),
    );
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("no column `child`") && run.stderr.contains("image, class, baby"),
        "{}",
        run.stderr
    );
}

#[test]
fn folds_computed_apart_and_models_computed_apart_become_one_page() {
    let place = place();
    explain(&place, &["--data", "faces", "--out", "whole"]);
    for fold in ["A", "B"] {
        for file in fs::read_dir(place.path(&format!("faces/{fold}"))).expect("a fold") {
            let file = file.expect("a file").path();
            let to = format!("part{fold}/{fold}/{}", file.file_name().expect("a name").display());
            place.write(&to, &fs::read(&file).expect("an image"));
        }
        explain(&place, &["--data", &format!("part{fold}"), "--out", &format!("out{fold}")]);
    }
    let run = place.burncam(&["report", "outA", "outB", "--out", "all"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let (whole, all) = (report(&place, "whole"), report(&place, "all"));
    for key in ["scores", "folds", "intervals", "confusion", "mean_maps"] {
        assert_eq!(whole["models"][0][key], all["models"][0][key], "{key}");
    }
    let gallery = gallery(&place, "all");
    assert_eq!(gallery["folders"], serde_json::json!(["../outA", "../outB"]));
    for image in gallery["images"].as_array().expect("images") {
        let result = &image["r"][0];
        let folder = &gallery["folders"][result["r"].as_u64().expect("a run") as usize];
        let path = [folder, &result["h"]].map(|part| part.as_str().expect("a path")).join("/");
        assert!(place.path("all").join(&path).is_file(), "{path}");
    }
    let dead = ["explain", "--weights", "nets/NCNN_k2_dead.h5", "--data", "faces", "--out", "dead"];
    assert_eq!(place.burncam(&dead).code, 0);
    let run = place.burncam(&["report", "all", "dead", "--out", "both"]);
    assert_eq!(run.code, 2, "one name, one architecture: the same model twice");
    assert!(run.stderr.contains("two results of NCNN"), "{}", run.stderr);
}

#[test]
fn whether_each_fold_has_its_own_network_is_said() {
    let place = place();
    for fold in ["A", "B"] {
        place.write(&format!("of/{fold}.h5"), &fs::read(weights("NCNN_k2.h5")).expect("weights"));
    }
    let arguments = ["explain", "--data", "faces", "--out", "out", "--weights", "of/{fold}.h5"];
    let run = place.burncam(&arguments);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let note = "One network explained all folds.";
    assert_eq!(report(&place, "out")["models"][0]["network_per_fold"], true);
    assert!(!place.read("out/index.html").contains(note));
    explain(&place, &["--data", "faces", "--out", "one"]);
    assert_eq!(report(&place, "one")["models"][0]["network_per_fold"], false);
    assert!(place.read("one/index.html").contains(note));
}

#[test]
fn what_cannot_be_a_report_is_named() {
    let place = place();
    explain(&place, &["--data", "faces", "--out", "out", "--no-report"]);
    assert!(!place.path("out/index.html").exists() && !place.path("out/thumbs").exists());
    for (arguments, says) in [
        (&["report", "out"][..], "holds no report.json"),
        (&["report", "nothing"], "cannot open the folder"),
        (&["report"], "required"),
    ] {
        let run = place.burncam(arguments);
        assert_eq!(run.code, 2, "{arguments:?}");
        assert!(run.stderr.contains(says), "{arguments:?}: {}", run.stderr);
    }
    explain(&place, &["--data", "faces", "--out", "out", "--overwrite"]);
    let text = place.read("out/report.json");
    place.write("bad/report.json", &text.as_bytes()[..text.len() / 2]);
    let run = place.burncam(&["report", "bad"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("no report: EOF"), "{}", run.stderr);
    let run = place.burncam(&["report", "out", "bad", "--out", "out"]);
    assert!(run.stderr.contains("would replace that of out"), "{}", run.stderr);
    let run = place.burncam(&["explain", "--subject", "S[0-9]+"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("one group in round brackets"), "{}", run.stderr);
}

#[cfg(unix)]
#[test]
fn a_page_is_called_by_its_data_folder_and_shows_no_home() {
    let place = place();
    let home = place.path("people/ana").display().to_string();
    for image in fs::read_dir(place.path("faces/A")).expect("a fold") {
        let image = image.expect("a file").path();
        let to = format!("people/ana/faces/A/{}", image.file_name().expect("a name").display());
        place.write(&to, &fs::read(&image).expect("an image"));
    }
    let run = |arguments: &[&str], inside: &str| {
        let mut command = place.command(arguments);
        let run = command.env("HOME", &home).current_dir(place.path(inside)).output();
        let run = Run::of(run.expect("the program starts"));
        assert_eq!(run.code, 0, "{}", run.stderr);
    };
    let title = || {
        let page = place.read("out/index.html");
        let title = page.split_once("<title>").expect("a title").1;
        title.split_once("</title>").expect("its end").0.to_owned()
    };
    let [data, out, nets] = [format!("{home}/faces"), "out".to_owned(), "nets".to_owned()]
        .map(|folder| place.path(&folder).display().to_string());
    let weights = format!("{nets}/NCNN_k2.h5");
    run(&["explain", "--weights", &weights, "--data", &data, "--out", &out], "nets");
    assert!(place.read("out/run.json").contains(&data), "the run's record has the whole path");
    assert!(!place.read("out/report.json").contains(&home));
    assert_eq!(report(&place, "out")["runs"][0]["run"]["data"]["path"], "~/faces");
    assert!(!place.read("out/index.html").replace("&#x2f;", "/").contains(&home));
    assert_eq!(title(), "What the networks looked at: faces");
    for (arguments, expected) in [
        (&["report", "out", "--title", "Unit 3"][..], "Unit 3"),
        (&["report", "out", "--lang", "pt-BR"], "Unit 3"),
        (&["report", "out", "--title", ""], "What the networks looked at: faces"),
    ] {
        run(arguments, ".");
        assert_eq!(title(), expected, "{arguments:?}");
    }
    let there = ["explain", "--weights", &weights, "--data", ".", "--out", &out, "--overwrite"];
    run(&[&there[..], &["--title", "Here"]].concat(), "people/ana/faces");
    assert_eq!(title(), "Here");
    run(&[&there[..7], &["--resume"]].concat(), "people/ana/faces");
    assert_eq!(title(), "What the networks looked at: faces", "a title is no part of a run");
}

/// The demo's network is right on all of these faces, so with its names exchanged it is always wrong.
#[test]
fn names_that_seem_swapped_are_told_on_screen_and_page() {
    let place = Place::new();
    let demo = goldens().join("../../assets/demo");
    let [weights, data] =
        ["NCNN.h5", "faces/Fold0"].map(|path| demo.join(path).display().to_string());
    let fixed = ["explain", "--weights", &weights, "--data", &data, "--out"];
    let remedy = "probably the other way round: --classes Pain,No_pain";
    let run = place.burncam(&[&fixed[..], &["a", "--classes", "No_pain,Pain"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains(remedy), "{}", run.stdout);
    assert!(place.read("a/index.html").contains(remedy));
    assert_eq!(report(&place, "a")["models"][0]["scores"]["accuracy"], 0.0, "nothing is exchanged");
    let run = place.burncam(&[&fixed[..], &["b", "--classes", "Pain,No_pain"]].concat());
    assert!(!run.stdout.contains("the other way round"), "{}", run.stdout);
    let (page, numbers) = (place.read("b/index.html"), report(&place, "b"));
    assert!(!page.contains("the other way round") && !page.contains("100.0\u{a0}% – 100.0"));
    // statsmodels 0.15.0: proportion_confint(9, 9, method="wilson")
    let accuracy = &numbers["models"][0]["intervals"]["accuracy"];
    assert_eq!((&accuracy["method"], &accuracy["units"]), (&"wilson".into(), &9.into()));
    assert!((accuracy["low"].as_f64().expect("a number") - 0.700_854_951_580_456).abs() < 1e-12);
    assert_eq!(accuracy["high"], 1.0);
}
