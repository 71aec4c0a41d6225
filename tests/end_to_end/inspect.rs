//! What the commands say that look inside: `models`, `inspect` and `layers`.

use parity::KerasFile;
use serde_json::{Value, json};

use crate::program::{Place, Run, goldens, weights};

/// What is said of a file that is understood, without the place of this machine's files.
fn shown(run: &Run) -> String {
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    stable(&run.stdout)
}

fn stable(text: &str) -> String {
    text.replace(&goldens().display().to_string(), "GOLDENS")
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|e| panic!("{e} in {}", run.stdout))
}

/// N-CNN with one layer called otherwise, in the configuration and in the weights.
fn renamed(place: &Place, from: &str, to: &str) {
    let mut file = KerasFile::ncnn();
    let quoted = |name: &str| format!("\"{name}\"");
    let text = file.config.to_string().replace(&quoted(from), &quoted(to));
    file.config = serde_json::from_str(&text).expect("JSON");
    for (name, _) in &mut file.layers {
        if name == from {
            to.clone_into(name);
        }
    }
    file.write(&place.path("renamed.h5"));
}

#[test]
fn help_teaches() {
    for command in ["models", "inspect", "layers"] {
        let run = Place::new().burncam(&[command, "--help"]);
        insta::assert_snapshot!(format!("{command}_help"), shown(&run));
    }
}

#[test]
fn an_onnx_file_is_understood() {
    let file = goldens().join("onnx/NCNN_13.onnx").display().to_string();
    let run = Place::new().burncam(&["inspect", &file]);
    insta::assert_snapshot!("onnx", shown(&run));
    let run = Place::new().burncam(&["layers", "--weights", &file, "--json"]);
    let report = json(&run);
    let mut rows = report["layers"].as_array().expect("a list").iter();
    let row = rows.find(|row| row["name"] == "conv_2x2_").expect("the layer");
    assert_eq!(row["file_name"], "model/conv_2x2_/Relu");
}

#[test]
fn models_are_listed() {
    let place = Place::new();
    insta::assert_snapshot!("models", shown(&place.burncam(&["models"])));
    let rows = json(&place.burncam(&["models", "--json"]));
    let rows = rows.as_array().expect("a list");
    let row = rows.iter().find(|row| row["name"] == "inception_v3").expect("a row");
    for (pointer, value) in [
        ("/title", json!("IncepV3")),
        ("/variant", "keras-applications".into()),
        ("/input/height", 299.into()),
        ("/input/order", "rgb".into()),
        ("/preprocessing", "x / 127.5 - 1".into()),
        ("/map_layer", "mixed10".into()),
        ("/layers", 311.into()),
    ] {
        assert_eq!(row.pointer(pointer), Some(&value), "{pointer} of {row:#}");
    }
}

#[test]
fn a_full_model_is_described() {
    let place = Place::new();
    let run = place.burncam(&["inspect", &weights("NCNN_k2.h5")]);
    insta::assert_snapshot!("full_model", shown(&run));
    let run = place.burncam(&["inspect", &weights("NCNN_k3.h5")]);
    assert!(shown(&run).contains("3.15.1"), "{}", run.stdout);
}

/// Shapes are known without reading a number, and so is what `explain` would refuse for them.
#[test]
fn weights_that_do_not_fit_are_told() {
    type Alteration = fn(&mut KerasFile);
    let alterations: [(&str, Alteration, &str); 4] = [
        ("empty.h5", |file| file.weights("FC1")[1] = ("bias".into(), vec![0], Vec::new()), "[0]"),
        ("swapped.h5", |file| file.weights("FC1")[0].1 = vec![8, 2304], "[8, 2304]"),
        ("missing.h5", |file| drop(file.weights("conv_5x5").pop()), "`conv_5x5` has no `bias`"),
        ("kernel.h5", |file| file.weights("conv_5x5")[0].1 = vec![64, 3, 5, 5], "[64, 3, 5, 5]"),
    ];
    for (name, alter, words) in alterations {
        let place = Place::new();
        let mut file = KerasFile::ncnn();
        alter(&mut file);
        file.write(&place.path(name));
        let run = place.burncam(&["inspect", name]);
        assert_eq!(run.code, 2, "{name}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{name}: no `{words}` in {}", run.stderr);
        assert!(run.stdout.contains("conv_2x2_"), "{name}: the layers are shown all the same");
        let json = json(&place.burncam(&["inspect", name, "--json"]));
        assert!(json["error"].as_str().is_some_and(|text| text.contains(name)), "{json:#}");
    }
}

#[test]
fn weights_alone_are_described_with_what_is_assumed() {
    let place = Place::new();
    let run = place.burncam(&["inspect", &weights("NCNN_k2.weights_legacy.h5")]);
    insta::assert_snapshot!("weights_only", shown(&run));
}

#[test]
fn machines_are_told_the_same() {
    let place = Place::new();
    let run = place.burncam(&["inspect", &weights("NCNN_k2.h5"), "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let report = json(&run);
    for (pointer, value) in [
        ("/format", json!("keras-h5")),
        ("/keras_version", "2.15.0".into()),
        ("/parameters", 78_234.into()),
        ("/network/architecture", "ncnn".into()),
        ("/network/variant", "keras".into()),
        ("/network/classes", json!(["Pain", "No_pain"])),
        ("/network/preprocessing", "x / 255".into()),
        ("/network/layers/15/name", "conv_2x2_".into()),
        ("/network/layers/15/shape", json!([12, 12, 64])),
        ("/network/layers/15/parameters", 33_600.into()),
        ("/network/layers/15/weights/1", json!({"name": "bias", "shape": [64]})),
        ("/network/layers/20/shape", json!([2])),
        ("/layers/0/class", "InputLayer".into()),
        ("/error", Value::Null),
    ] {
        assert_eq!(report.pointer(pointer), Some(&value), "{pointer} of {report:#}");
    }
}

/// Keras numbers the layers that nobody named over all networks of a process.
#[test]
fn both_names_of_a_layer_are_shown() {
    let place = Place::new();
    renamed(&place, "dropout_1", "dropout_9");
    insta::assert_snapshot!(
        "two_names",
        shown(&place.burncam(&["layers", "--weights", "renamed.h5"]))
    );
    let report = json(&place.burncam(&["layers", "--weights", "renamed.h5", "--json"]));
    assert_eq!(report["default"], "conv_2x2_");
    let layer = json!({
        "name": "dropout_1", "file_name": "dropout_9", "class": "Dropout", "shape": [12, 12, 64],
    });
    assert!(report["layers"].as_array().expect("a list").contains(&layer), "{report:#}");
    assert!(!report["layers"].to_string().contains("flatten"), "{report:#}");
}

/// What `layers` lists is what `explain --layer` takes.
#[test]
fn every_listed_layer_is_taken() {
    let place = Place::new();
    place.face("Fold0/S01_sem_dor_01.png", "faces/Fold0/S01_sem_dor_01.png");
    let report = json(&place.burncam(&["layers", "--weights", &weights("NCNN_k2.h5"), "--json"]));
    for layer in report["layers"].as_array().expect("a list") {
        let name = layer["name"].as_str().expect("a name");
        let run = place.explain(&["--layer", name, "--overwrite"]);
        assert_eq!(run.code, 0, "{name}: {}", run.stderr);
        let row = &place.predictions()[0];
        let size = [&row["map_height"], &row["map_width"]].map(|n| n.parse().unwrap_or(0_u64));
        assert_eq!(json!(size), json!(layer["shape"].as_array().expect("a shape")[..2]), "{name}");
    }
}

#[test]
fn a_last_activation_of_its_own_is_a_layer() {
    let place = Place::new();
    let mut file = KerasFile::ncnn();
    file.set_head(&[
        ("GlobalMaxPooling2D", "pool", json!({})),
        ("Dense", "classes", json!({"units": 3, "use_bias": true, "activation": "linear"})),
        ("Activation", "probabilities", json!({"activation": "softmax"})),
    ]);
    file.add_weights("classes", &[("kernel", &[64, 3]), ("bias", &[3])]);
    file.write(&place.path("own.h5"));
    let run = place.burncam(&["inspect", "own.h5"]);
    let shown = shown(&run);
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = shown.lines().map(words).collect();
    for line in [
        "head GlobalMaxPooling2D, Dense 3, softmax",
        "classes 3: class_0, class_1, class_2",
        "pool GlobalMaxPooling2D [64] 0",
        "classes Dense [3] 195",
        "probabilities Activation [3] 0",
    ] {
        assert!(lines.contains(&line.to_owned()), "no `{line}` in {shown}");
    }
}

#[test]
fn a_file_that_is_not_recognised_is_described_and_an_error() {
    let place = Place::new();
    renamed(&place, "conv_2x2", "my_conv");
    let run = place.burncam(&["inspect", "renamed.h5", "--model", "ncnn"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    insta::assert_snapshot!("unrecognised", format!("{}\n{}", stable(&run.stdout), run.stderr));
    let run = place.burncam(&["inspect", "renamed.h5", "--model", "ncnn", "--json"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    let report = json(&run);
    assert_eq!(report["network"], Value::Null);
    let (closest, error) = (&report["closest"], report["error"].as_str().expect("an error"));
    assert_eq!((&closest["architecture"], &closest["matched"]), (&json!("ncnn"), &json!(5)));
    assert!(error.contains(closest["difference"].as_str().expect("a difference")), "{error}");
    let explained = place.burncam(&["layers", "--weights", "renamed.h5", "--model", "ncnn"]);
    assert_eq!((explained.code, explained.stderr), (2, run.stderr), "the same words everywhere");
}

#[test]
fn a_file_can_be_compared_with_one_architecture() {
    let place = Place::new();
    let run = place.burncam(&["inspect", &weights("NCNN_k2.h5"), "--model", "vgg16"]);
    assert_eq!(run.code, 2);
    assert!(run.stdout.contains("0 of its 19 layers match"), "{}", run.stdout);
    assert!(run.stderr.contains("is not vgg16"), "{}", run.stderr);
}

/// Numbers are not read: those of this file would be refused.
#[test]
fn only_shapes_are_read() {
    let place = Place::new();
    let mut file = KerasFile::ncnn();
    let (_, _, values) = &mut file.weights("conv_5x5")[0];
    values.fill(f32::NAN);
    file.write(&place.path("nan.h5"));
    let run = place.burncam(&["inspect", "nan.h5"]);
    assert!(shown(&run).contains("78,234"), "{}", run.stdout);
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_alone() {
    let place = Place::new();
    place.write("plain.h5", b"no checkpoint at all");
    for arguments in [&["inspect", "plain.h5"][..], &["layers", "--weights", "plain.h5"]] {
        let run = place.burncam(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(run.stderr.starts_with("error: plain.h5 is"), "{}", run.stderr);
        assert!(run.stderr.contains("\nhint: "), "{}", run.stderr);
    }
}
