//! The notebook's results, from real `.h5` files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::program::{Place, faces, files, goldens, pixels_crc32, weights};

/// `(fold, image, CRC-32 of the overlay)` and the report row of each golden image.
fn rows() -> Vec<serde_json::Value> {
    let text = fs::read_to_string(goldens().join("NCNN/rows.json")).expect("rows.json");
    serde_json::from_str(&text).expect("rows")
}

fn is_jpeg(name: &str) -> bool {
    let name = name.to_lowercase();
    name.ends_with(".jpg") || name.ends_with(".jpeg")
}

fn explain(place: &Place, checkpoint: &str) {
    let (weights, data) = (weights(checkpoint), faces().display().to_string());
    let arguments = ["explain", "--weights", &weights, "--data", &data, "--out", "out"];
    let run = place.burncam(&[&arguments[..], &["--labels", "notebook", "--overwrite"]].concat());
    assert_eq!(run.code, 0, "{checkpoint}: {}", run.stderr);
}

#[test]
fn every_kind_of_file_gives_the_notebooks_report() {
    let place = Place::new();
    let expected = fs::read_to_string(goldens().join("NCNN/NCNN.csv")).expect("the report");
    for checkpoint in [
        "NCNN_k2.h5",
        "NCNN_k2.weights_legacy.h5",
        "NCNN_fixed_strings.h5",
        "NCNN_k3.h5",
        "NCNN_k2.keras",
        "NCNN_k3.keras",
        "NCNN_k2.weights.h5",
        "NCNN_k3.weights.h5",
        "../onnx/NCNN_13.onnx",
    ] {
        explain(&place, checkpoint);
        assert_eq!(place.read("out/NCNN_GradCAM/NCNN.csv"), expected, "{checkpoint}");
    }
}

#[test]
fn overlays_are_the_notebooks() {
    let place = Place::new();
    explain(&place, "NCNN_k2.h5");
    // Made by `tests/reference/pillow_jpegs.py`.
    let jpegs = parity::jpeg_table("overlays.tsv");
    let mut compared = [0, 0];
    for row in rows() {
        let [fold, image, outcome] = [&row["fold"], &row["image"], &row["csv_row"][5]]
            .map(|cell| cell.as_str().expect("a string").to_owned());
        for folder in ["All", &fold] {
            let file = format!("out/NCNN_GradCAM/{folder}/{outcome}/NCNN_{image}");
            if is_jpeg(&image) {
                let name = ["NCNN", &fold, &image];
                let (_, crc) = jpegs.iter().find(|(cells, _)| *cells == name).expect("a file");
                let bytes = fs::read(place.path(&file)).expect("an overlay");
                assert_eq!(crc32fast::hash(&bytes), *crc, "{file}");
            } else {
                assert_eq!(row["overlay_crc32"], pixels_crc32(&place.path(&file)), "{file}");
            }
            compared[usize::from(is_jpeg(&image))] += 1;
        }
    }
    assert_eq!(compared, [28, 12]);
}

/// `.jfif` is JPEG, in the data folder and as the ending of an overlay.
#[test]
fn a_jfif_is_a_jpeg() {
    let place = Place::new();
    place.face("Fold0/C04_stick.jpeg", "faces/Fold0/C04_stick.jpeg");
    place.face("Fold0/C04_stick.jpeg", "faces/Fold0/C05_stick.JFIF");
    let weights = weights("NCNN_k2.h5");
    let run = place.burncam(&["explain", "--weights", &weights, "--data", "faces", "--out", "out"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let rows = place.predictions();
    assert_eq!(rows.len(), 2);
    let overlay = |row: usize| fs::read(place.path(&format!("out/{}", rows[row]["overlay"])));
    assert!(rows[1]["overlay"].ends_with("NCNN_C05_stick.JFIF"), "{}", rows[1]["overlay"]);
    assert_eq!(overlay(0).expect("an overlay"), overlay(1).expect("an overlay"));
}

#[test]
fn the_tree_is_the_notebooks_and_nothing_else() {
    let place = Place::new();
    explain(&place, "NCNN_k2.h5");
    let files_of_a_run = [
        "run.json",
        "images.jsonl",
        "predictions.csv",
        "maps.csv",
        "failures.csv",
        "report.json",
        "index.html",
        "NCNN_GradCAM/NCNN.csv",
    ];
    let mut expected = BTreeSet::from(files_of_a_run.map(str::to_owned));
    for row in rows() {
        let [fold, image, outcome] = [&row["fold"], &row["image"], &row["csv_row"][5]]
            .map(|cell| cell.as_str().expect("a string").to_owned());
        for folder in ["All", &fold] {
            expected.insert(format!("NCNN_GradCAM/{folder}/{outcome}/NCNN_{image}"));
        }
        expected.insert(format!("thumbs/NCNN/{fold}/{image}.jpg"));
    }
    let found: BTreeSet<String> = files(&place.path("out")).into_iter().collect();
    assert_eq!(found, expected);
}

/// The first dense layer is dead, so every gradient is 0 and every map all zero.
#[test]
fn a_dead_network_gets_a_status_and_the_blue_wash() {
    let place = Place::new();
    explain(&place, "NCNN_k2_dead.h5");
    for row in place.predictions() {
        assert_eq!(row["map_status"], "all_nonpositive", "{}", row["path"]);
    }
    let zeros = fs::read_to_string(goldens().join("edge/rows.json")).expect("rows.json");
    let zeros: Vec<serde_json::Value> = serde_json::from_str(&zeros).expect("rows");
    let zeros = zeros.iter().find(|row| row["name"] == "zeros").expect("the zero map");
    let out = place.path("out/NCNN_GradCAM/Fold0");
    let found = ["Right", "Wrong"].map(|outcome| out.join(outcome).join("NCNN_S02_dor_01.png"));
    let found = found.iter().find(|file| file.exists()).expect("the overlay");
    assert_eq!(zeros["overlay_crc32"], pixels_crc32(found));
    assert_no_nan(&place.path("out"));
}

fn assert_no_nan(out: &Path) {
    for file in files(out) {
        if file.ends_with(".csv") || file.ends_with(".json") {
            let text = fs::read_to_string(out.join(&file)).expect("a text");
            let nan = text
                .split(|c: char| !c.is_alphanumeric())
                .any(|word| ["nan", "inf", "infinity"].contains(&word.to_lowercase().as_str()));
            assert!(!nan, "{file} holds a NaN or an infinity");
        }
    }
}
