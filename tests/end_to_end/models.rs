//! Several models in one run, and a network of its own for each fold.

use std::collections::HashMap;
use std::fs;

use crate::program::{Place, Run, files, weights};

/// Two folds with an image each, and a folder of weights.
fn place() -> Place {
    let place = Place::new();
    place.face("Fold0/S01_sem_dor_01.png", "faces/A/S01_sem_dor_01.png");
    place.face("Fold0/S02_dor_01.png", "faces/B/S02_dor_01.png");
    for (golden, to) in [
        ("NCNN_k2.h5", "nets/NCNN_A.h5"),
        ("NCNN_k2_dead.h5", "nets/NCNN_B.h5"),
        ("NCNN_k3.keras", "one.keras"),
    ] {
        place.write(to, &fs::read(weights(golden)).expect("a checkpoint"));
    }
    place
}

fn explain(place: &Place, weights: &[&str], more: &[&str]) -> Run {
    let fixed = ["explain", "--data", "faces", "--out", "out"];
    let run = place.burncam(&[&fixed[..], &["--weights"], weights, more].concat());
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    run
}

/// Model, path and status of each row.
fn rows(place: &Place) -> Vec<(String, String, String)> {
    let cell = |row: &HashMap<String, String>, column: &str| row[column].clone();
    let rows = place.predictions();
    rows.iter().map(|r| (cell(r, "model"), cell(r, "path"), cell(r, "map_status"))).collect()
}

fn record(place: &Place) -> serde_json::Value {
    serde_json::from_str(&place.read("out/run.json")).expect("a record")
}

const ONE_FOR_ALL: &str = "one network explains the images of all 2 folds";

#[test]
fn each_model_has_its_tree_and_all_are_in_the_reports() {
    let place = place();
    let run = explain(&place, &["nets", "one.keras"], &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    insta::assert_snapshot!("several_models", crate::results::stable(&run.stdout));
    let models: Vec<String> = rows(&place).into_iter().map(|(model, ..)| model).collect();
    assert_eq!(models, ["NCNN_A", "NCNN_A", "NCNN_B", "NCNN_B", "NCNN_one", "NCNN_one"]);
    for model in ["NCNN_A", "NCNN_B", "NCNN_one"] {
        let report = place.read(&format!("out/{model}_GradCAM/{model}.csv"));
        assert_eq!(report.lines().count(), 3, "{report}");
        let overlays = files(&place.path(&format!("out/{model}_GradCAM/All")));
        assert!(overlays.iter().all(|path| path.contains(&format!("{model}_S0"))), "{overlays:?}");
        assert_eq!(overlays.len(), 2);
    }
    let record = record(&place);
    let names: Vec<&str> = (record["models"].as_array().expect("models").iter())
        .map(|model| model["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["NCNN_A", "NCNN_B", "NCNN_one"]);
    assert_eq!(record["counts"]["explained"], 6);
    assert_eq!(record["models"][1]["counts"]["explained"], 2);
    assert_eq!(record["status"], "complete");
    assert_eq!(run.stderr.matches(ONE_FOR_ALL).count(), 1, "{}", run.stderr);
}

#[test]
fn each_fold_is_explained_with_its_own_network() {
    let place = place();
    let run = explain(&place, &["nets/NCNN_{fold}.h5"], &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    // The network of fold B is dead: its maps are zero.
    let expected =
        [("NCNN", "A/S01_sem_dor_01.png", "ok"), ("NCNN", "B/S02_dor_01.png", "all_nonpositive")];
    let found = rows(&place);
    let found: Vec<_> =
        found.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str())).collect();
    assert_eq!(found, expected);
    let record = record(&place);
    let weights = record["models"][0]["weights"].as_array().expect("weights").iter();
    let weights: Vec<_> = weights
        .map(|file| (file["fold"].as_str().unwrap_or(""), file["path"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(weights, [("A", "nets/NCNN_A.h5"), ("B", "nets/NCNN_B.h5")]);
    assert!(!run.stderr.contains(ONE_FOR_ALL), "{}", run.stderr);
}

#[test]
fn one_network_for_several_folds_is_told_once_and_recorded() {
    let place = place();
    let run = explain(&place, &["one.keras"], &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.stderr.matches(ONE_FOR_ALL).count(), 1, "{}", run.stderr);
    assert!(record(&place)["warnings"].to_string().contains(ONE_FOR_ALL));

    fs::remove_dir_all(place.path("faces/B")).expect("a fold");
    let run = explain(&place, &["one.keras"], &["--overwrite"]);
    assert!(!run.stderr.contains(ONE_FOR_ALL), "{}", run.stderr);
}

#[test]
fn mistakes_with_several_models_are_explained() {
    let place = place();
    place.write("nets/notes.txt", b"");
    place.write("ill/VGG_A.h5", b"no checkpoint");
    fs::create_dir(place.path("empty")).expect("a folder");
    let cases: [(&[&str], &[&str]); 5] = [
        (&["nets/N_{fold}.h5"], &["nets/N_A.h5 (for A)", "nets/N_B.h5 (for B)", "hint:"]),
        (&["empty"], &["no checkpoint in the folder empty", ".keras"]),
        (&["nets", "nets/NCNN_A.h5"], &["nets/NCNN_A.h5 is given twice"]),
        (&["one.keras", "ill"], &["ill/VGG_A.h5"]),
        (&["one.keras", "nowhere.h5"], &["cannot open nowhere.h5"]),
    ];
    for (weights, words) in cases {
        let run = explain(&place, weights, &[]);
        assert_eq!(run.code, 2, "{weights:?}: {}", run.stderr);
        for word in words {
            assert!(run.stderr.contains(word), "{weights:?}: no `{word}` in {}", run.stderr);
        }
    }
    assert!(!place.path("out").exists(), "a mistake leaves nothing behind");
}

/// The first model's results stay when the second's weights turn out to be unusable.
#[test]
fn a_model_that_fails_later_leaves_the_earlier_results() {
    let place = place();
    place.burncam(&["convert", "--weights", "one.keras", "--out", "spoilt.safetensors"]);
    let mut spoilt = fs::read(place.path("spoilt.safetensors")).expect("a converted file");
    let end = spoilt.len();
    spoilt[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    place.write("spoilt.safetensors", &spoilt);
    let run = explain(&place, &["one.keras", "spoilt.safetensors"], &[]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("NaN"), "{}", run.stderr);
    assert_eq!(rows(&place).len(), 2);
    assert!(place.path("out/NCNN_one_GradCAM/NCNN_one.csv").is_file());
    assert_eq!(record(&place)["status"], "partial");
}

#[test]
fn another_runs_models_are_replaced_too() {
    let place = place();
    assert_eq!(explain(&place, &["nets"], &[]).code, 0);
    assert_eq!(explain(&place, &["one.keras"], &[]).code, 2);
    assert_eq!(explain(&place, &["one.keras"], &["--overwrite"]).code, 0);
    assert!(!place.path("out/NCNN_A_GradCAM").exists());
    assert!(place.path("out/NCNN_GradCAM/NCNN.csv").is_file());
}
