//! Networks that Burncam does not know, run as their files describe them.

use std::collections::HashMap;
use std::fs::{self, File};

use zip::ZipArchive;

use crate::program::{Place, goldens, weights};

fn place() -> Place {
    let place = Place::new();
    place.face("Fold0/S01_sem_dor_01.png", "faces/Fold0/S01_sem_dor_01.png");
    place.face("Fold0/S02_dor_01.png", "faces/Fold1/S02_dor_01.png");
    let archive = File::open(goldens().join("described.zip")).expect("the archive");
    ZipArchive::new(archive).expect("a zip").extract(place.path("")).expect("room");
    place
}

#[test]
fn a_network_of_its_own_is_explained_once_it_is_known_how_images_are_prepared() {
    let place = place();
    let network = "separable-keras2/network.h5";
    let explain = ["explain", "--weights", network, "--data", "faces", "--out", "out"];
    let run = place.burncam(&explain);
    assert_eq!(run.code, 2, "{}", run.stderr);
    for words in ["does not say how images are prepared", "  unit         x / 255: ", "  caffe "] {
        assert!(run.stderr.contains(words), "no `{words}` in {}", run.stderr);
    }
    assert!(!place.path("out").exists(), "a mistake leaves nothing behind");

    let run = place.burncam(&[&explain[..], &["--preprocess", "unit"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("as the file describes it"), "{}", run.stderr);
    let rows = place.predictions();
    assert_eq!(rows.len(), 2);
    let layer = fs::read_to_string(place.path("separable-keras2/layer.txt")).expect("a layer");
    assert_eq!(rows[0]["layer"], layer);
    assert!(place.path("out/network_GradCAM/network.csv").is_file());

    for command in ["inspect", "layers"] {
        let command = [command, network];
        let run = place.burncam(&command);
        assert_eq!(run.code, 0, "{command:?} {}", run.stderr);
    }
    let run = place.burncam(&["convert", network, "--out", "own.safetensors"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let again = ["explain", "--weights", "own.safetensors", "--data", "faces", "--out", "again"];
    let run = place.burncam(&again);
    assert_eq!(run.code, 2, "the converted file knows no more: {}", run.stderr);
    let run = place.burncam(&[&again[..], &["--preprocess", "unit"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let logits = |rows: Vec<_>| {
        let own = |row: HashMap<String, String>| row["probability_class_0"].clone();
        rows.into_iter().map(own).collect::<Vec<_>>()
    };
    assert_eq!(logits(rows), logits(place.predictions_in("again")));
}

#[test]
fn a_file_that_prepares_its_input_needs_no_other_word() {
    let place = place();
    let network = "augmented_nested-keras3/network.keras";
    let explain = ["explain", "--weights", network, "--data", "faces", "--out", "out"];
    let run = place.burncam(&explain);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(place.predictions().len(), 2);
}

#[test]
fn grey_images_have_one_mean() {
    let place = place();
    let network = "grey-keras2/network.h5";
    let explain = ["explain", "--weights", network, "--data", "faces", "--out", "out"];
    let run = place.burncam(&[&explain[..], &["--preprocess", "torchvision"]].concat());
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("reads grey images"), "{}", run.stderr);
    let run = place.burncam(&[&explain[..], &["--preprocess", "unit"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(place.predictions().len(), 2);
}

#[test]
fn a_network_of_any_size_is_given_one() {
    let place = place();
    let network = "open-keras2/network.h5";
    let explain = ["explain", "--weights", network, "--data", "faces", "--preprocess", "unit"];
    let run = place.burncam(&explain);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("hint: --size states them"), "{}", run.stderr);
    let run = place.burncam(&[&explain[..], &["--size", "40x56", "--out", "out"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let row = &place.predictions()[0];
    assert_eq!([&*row["map_height"], &*row["map_width"]], ["18", "26"]);
    let sized = ["explain", "--weights", "separable-keras2/network.h5", "--data", "faces"];
    let run = place.burncam(&[&sized[..], &["--preprocess", "unit", "--size", "40"]].concat());
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("--size is for networks"), "{}", run.stderr);
}

#[test]
fn a_known_network_gives_the_same_numbers_as_a_graph() {
    let place = place();
    let weights = weights("NCNN_k2.h5");
    let explain = |out: &str, more: &[&str]| {
        let fixed = [
            "explain",
            "--weights",
            &weights,
            "--data",
            "faces",
            "--layer",
            "conv_2x2_",
            "--out",
            out,
        ];
        let run = place.burncam(&[&fixed, more].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        place
            .predictions_in(out)
            .into_iter()
            .map(|mut row| {
                for column in ["model", "overlay", "milliseconds"] {
                    row.remove(column);
                }
                row
            })
            .collect::<Vec<_>>()
    };
    let known = explain("known", &[]);
    let graph = ["--model", "graph", "--preprocess", "unit", "--classes", "Pain,No_pain"];
    assert_eq!(known, explain("graph", &graph));
}
