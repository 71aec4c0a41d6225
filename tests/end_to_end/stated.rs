//! What the user states of a network where its file leaves it open.

use std::fs::File;

use zip::ZipArchive;

use crate::program::{Place, goldens};

/// A folder with the networks of `tests/reference/stated.py`.
fn place() -> Place {
    let place = Place::new();
    place.face("Fold0/S01_sem_dor_01.png", "faces/Fold0/S01_sem_dor_01.png");
    let archive = File::open(goldens().join("stated.zip")).expect("the archive");
    ZipArchive::new(archive).expect("a zip").extract(place.path("")).expect("room");
    place
}

/// Whether a file gives the logits of its reference with these options.
fn agrees(place: &Place, file: &str, options: &[&str]) {
    let (folder, _) = file.split_once('/').expect("a folder");
    let reference = format!("{folder}/reference.npz");
    let run = place.burncam(&[&["compare", file, "--reference", &reference][..], options].concat());
    assert_eq!(run.code, 0, "{file} {options:?}: {}\n{}", run.stderr, run.stdout);
    assert!(run.stdout.contains("all within the tolerance"), "{}", run.stdout);
}

/// A file is refused with these words.
fn refused(place: &Place, file: &str, options: &[&str], words: &[&str]) {
    let run = place.burncam(&[&["inspect", file][..], options].concat());
    assert_eq!(run.code, 2, "{file} {options:?}: {}", run.stdout);
    for words in words {
        assert!(run.stderr.contains(words), "{file} {options:?}: no `{words}` in {}", run.stderr);
    }
}

#[test]
fn of_several_outputs_one_is_stated() {
    let place = place();
    for file in ["two_outputs/network.h5", "two_outputs/network.keras"] {
        let outputs = "it has 2 outputs, `age`, `pain`";
        refused(&place, file, &[], &[outputs, "--output-layer age"]);
        refused(&place, file, &["--output-layer", "nix"], &["no layer `nix`", "`age`, `pain`"]);
        agrees(&place, file, &["--output-layer", "pain"]);
        agrees(&place, file, &["--output-layer", "logits"]);
    }
    let network = "two_outputs/network.keras";
    let explain = ["explain", "--weights", network, "--data", "faces", "--out", "out"];
    let options = ["--output-layer", "pain", "--preprocess", "unit"];
    let run = place.burncam(&[&explain[..], &options].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let head = place.read("out/run.json");
    assert!(head.contains("3 logits, softmax"), "{head}");
    let images = place.read("out/images.jsonl");
    assert!(images.contains(r#""--output-layer":"pain""#), "{images}");

    let converted = ["convert", network, "--out", "own.bpk"];
    let run = place.burncam(&[&converted[..], &["--output-layer", "pain"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    agrees(&place, network, &["--output-layer", "pain"]);
    refused(&place, "own.bpk", &["--output-layer", "pain"], &["weights only"]);
}

#[test]
fn one_image_is_explained() {
    let place = place();
    let words = ["it has 2 inputs, `image`, `other`", "--output-layer"];
    refused(&place, "two_inputs/network.keras", &[], &words);
}

#[test]
fn a_pooling_at_the_end_gives_logits_where_that_is_stated() {
    let place = place();
    let file = "pooled/network.keras";
    refused(&place, file, &[], &["ends in GlobalAveragePooling2D", "--output logits"]);
    for (output, rule) in [("logits", "softmax"), ("softmax", "softmax"), ("sigmoid", "sigmoid")] {
        agrees(&place, file, &["--output", output]);
        let run = place.burncam(&["inspect", file, "--output", output]);
        assert!(run.stdout.contains(&format!("3 logits, {rule}")), "{}", run.stdout);
    }
    let options = ["--output-layer", "pain", "--output", "sigmoid"];
    refused(&place, "two_outputs/network.keras", &options, &["ends in a softmax"]);
}

#[test]
fn a_state_dict_takes_its_network_from_an_onnx_file() {
    let place = place();
    for file in ["like/trained.pt", "like/parallel.pth"] {
        agrees(&place, file, &["--like", "like/network.onnx"]);
    }
    let like = ["--like", "like/network.onnx"];
    refused(
        &place,
        "like/lacking.pt",
        &like,
        &["has `4.running_mean` [12], which the state_dict lacks"],
    );
    let folded = ["--like", "like/folded.onnx"];
    refused(&place, "like/trained.pt", &folded, &["optimize=False"]);
    refused(&place, "like/trained.pt", &["--like", "like/trained.pt"], &["no ONNX file"]);
    refused(&place, "two_outputs/network.h5", &like, &["only a state_dict takes its network"]);

    let explain = ["explain", "--weights", "like/trained.pt", "--data", "faces", "--out", "out"];
    let run = place.burncam(&[&explain[..], &like, &["--preprocess", "unit"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(place.path("out/trained_GradCAM/trained.csv").is_file(), "named after the weights");
    let files = place.read("out/run.json");
    assert!(files.contains("network.onnx"), "{files}");
}
