//! What a user sees whose file is not what it should be: what is wrong, where, and what to do.

use std::fs;

use parity::KerasFile;
use serde_json::{Value, json};

use crate::program::{Place, weights};

/// A place with one face to explain.
fn place() -> Place {
    let place = Place::new();
    place.face("Fold0/S01_sem_dor_01.png", "faces/Fold0/S01_sem_dor_01.png");
    place
}

/// What the program says when it is to explain with this file.
fn refusal(place: &Place, file: &str) -> String {
    let run = place.burncam(&["explain", "--weights", file, "--data", "faces", "--out", "out"]);
    assert_eq!(run.code, 2, "{file}: {}", run.stderr);
    // Before the weights are read, the program says what it is about to do.
    let start = run.stderr.find("error: ").unwrap_or_else(|| panic!("{file}: {}", run.stderr));
    let message = run.stderr[start..].to_owned();
    assert!(message.contains(file) && message.contains("\nhint: "), "{file}: {message}");
    assert!(!message.contains("panicked"), "{file}: {message}");
    assert!(!place.path("out").exists(), "{file} leaves something behind");
    message
}

/// Weights that cannot be read are not weights that are not there: without them, the rest may be another
/// network.
#[test]
fn a_damaged_part_of_a_file_of_weights_alone() {
    let place = place();
    let good = fs::read(weights("NCNN_k3.weights.h5")).expect("a checkpoint");
    place.write("good.weights.h5", &good);
    let head = "Flatten, Dense 8 relu, Dropout, Dense 2, softmax";
    let whole = place.burncam(&["inspect", "good.weights.h5"]);
    assert!(whole.code == 0 && whole.stdout.contains(head), "{}", whole.stderr);
    let places = good.windows(4).enumerate().filter(|(_, four)| four == b"SNOD");
    let mut refused = 0;
    for (at, _) in places {
        let mut damaged = good.clone();
        damaged[at] = b's';
        place.write("good.weights.h5", &damaged);
        let run = place.burncam(&["inspect", "good.weights.h5"]);
        // The optimizer's state is not read.
        assert!(run.code == 2 || run.stdout.contains(head), "{at}: {}", run.stdout);
        refused += usize::from(run.code == 2);
    }
    assert!(refused >= 15, "{refused}");
}

/// Swaps two axes in the shape of a weight, and leaves its numbers as they are.
fn swap(file: &mut KerasFile, layer: &str, shape: &[usize]) {
    let kernel = &mut file.weights(layer)[0];
    kernel.1 = shape.to_vec();
}

/// Adds a layer behind another one, which what read that one then reads.
fn insert(file: &mut KerasFile, after: &str, class: &str, name: &str, config: Value) {
    let reads = |layer: &str| json!([[[layer, 0, 0, {}]]]);
    let layers = file.config["config"]["layers"].as_array_mut().expect("layers");
    for layer in layers.iter_mut().filter(|layer| layer["inbound_nodes"] == reads(after)) {
        layer["inbound_nodes"] = reads(name);
    }
    layers.push(json!({
        "class_name": class, "name": name, "config": config, "inbound_nodes": reads(after),
    }));
}

fn dense(units: usize) -> Value {
    json!({ "units": units, "activation": "softmax", "use_bias": true })
}

type Alteration = fn(&mut KerasFile);

/// The snapshot's name, and what is done to N-CNN's file.
const ALTERED: [(&str, Alteration); 12] = [
    ("transposed_dense", |file| swap(file, "FC1", &[8, 2304])),
    ("transposed_convolution", |file| swap(file, "conv_5x5", &[64, 3, 5, 5])),
    ("missing_bias", |file| drop(file.weights("FC1").pop())),
    ("missing_layer", |file| file.layers.retain(|(name, _)| name != "conv_2x2")),
    ("extra_weight", |file| {
        file.weights("FC1").push(("scale".to_owned(), vec![8], vec![1.0; 8]));
    }),
    ("extra_layer", |file| file.add_weights("spare", &[("kernel", &[2, 3])])),
    ("head_width", |file| file.layer("output")["config"]["units"] = json!(3)),
    ("other_network", |file| {
        let text = file.config.to_string().replace("\"conv_5x5\"", "\"stem\"");
        file.config = serde_json::from_str(&text).expect("JSON");
    }),
    ("other_setting", |file| file.layer("conv_2x2")["config"]["strides"] = json!([2, 2])),
    ("lambda_in_the_head", |file| {
        insert(file, "FC1", "Lambda", "square", json!({ "function": ["4wEAAAA=", null, null] }));
    }),
    ("values_of_another_range", |file| {
        let numbers = json!({ "axis": [-1], "mean": [0.5, 0.4, 0.3], "variance": 0.05 });
        insert(file, "input", "Normalization", "normalization", numbers);
    }),
    ("not_a_number", |file| file.weights("conv_5x5")[1].2[7] = f32::NAN),
];

#[test]
fn an_altered_file_is_refused() {
    let place = place();
    for (name, alter) in ALTERED {
        let mut file = KerasFile::ncnn();
        alter(&mut file);
        let path = format!("{name}.h5");
        file.write(&place.path(&path));
        insta::assert_snapshot!(format!("wrong_{name}"), refusal(&place, &path));
    }
}

#[test]
fn two_outputs_are_refused() {
    let place = place();
    let mut file = KerasFile::ncnn();
    let layers = file.config["config"]["layers"].as_array_mut().expect("layers");
    layers.push(json!({
        "class_name": "Dense", "name": "valence", "config": dense(2),
        "inbound_nodes": [[["FC1", 0, 0, {}]]],
    }));
    file.write(&place.path("two_outputs.h5"));
    insta::assert_snapshot!("wrong_two_outputs", refusal(&place, "two_outputs.h5"));
}

/// What a file says of how its layers are called, and where the network ends, changes what Keras
/// computes, and the names and settings of the layers stay the same.
#[test]
fn a_graph_that_computes_something_else_is_refused() {
    let place = place();
    fn outputs(file: &mut KerasFile, outputs: Value) {
        file.config["config"]["output_layers"] = outputs;
    }
    let alterations: [(&str, Alteration, &str); 9] = [
        (
            "training.h5",
            |file| file.layer("dropout")["inbound_nodes"][0][0][3] = json!({ "training": true }),
            "layer `dropout` is called with training=True",
        ),
        (
            "end.h5",
            |file| outputs(file, json!([["FC1", 0, 0]])),
            "its output is `FC1`, but `dropout_2` goes on from there",
        ),
        (
            "middle.h5",
            |file| outputs(file, json!([["conv_2x2_", 0, 0]])),
            "its output is `conv_2x2_`, but `maxpool_2x2_` goes on from there",
        ),
        (
            "nowhere.h5",
            |file| outputs(file, json!([["nix", 0, 0]])),
            "its output is `nix`, which is none of its layers",
        ),
        (
            "two.h5",
            |file| outputs(file, json!([["output", 0, 0], ["FC1", 0, 0]])),
            "it has 2 outputs, `output`, `FC1`, and one is explained",
        ),
        ("none.h5", |file| outputs(file, json!([])), "it has no outputs"),
        (
            "call.h5",
            |file| file.layer("FC1")["inbound_nodes"][0][0][1] = json!(1),
            "layer `FC1` reads output 0 of call 1 of `flatten`",
        ),
        (
            "tensor.h5",
            |file| file.layer("FC1")["inbound_nodes"][0][0][2] = json!(1),
            "layer `FC1` reads output 1 of call 0 of `flatten`",
        ),
        (
            "twins.h5",
            |file| {
                let mut twin = file.layer("conv_5x5").clone();
                twin["config"]["strides"] = json!([2, 2]);
                file.config["config"]["layers"].as_array_mut().expect("layers").push(twin);
            },
            "two of its layers are called `conv_5x5`",
        ),
    ];
    for (path, alter, words) in alterations {
        let mut file = KerasFile::ncnn();
        alter(&mut file);
        file.write(&place.path(path));
        let message = refusal(&place, path);
        assert!(message.contains(words), "{path}: {message}");
    }
}

/// Both Kerases write these of layers that are called as usual.
#[test]
fn calls_that_change_nothing_are_taken() {
    let place = place();
    for (path, called) in [
        ("inference.h5", json!({ "training": false })),
        ("nothing.h5", json!({ "training": null, "mask": null })),
    ] {
        let mut file = KerasFile::ncnn();
        file.layer("dropout")["inbound_nodes"][0][0][3] = called;
        file.write(&place.path(path));
        let run = place.burncam(&["inspect", path]);
        assert_eq!(run.code, 0, "{path}: {}", run.stderr);
    }
}

#[test]
fn a_cut_file_is_refused() {
    let place = place();
    for (name, from) in [("h5", "NCNN_k2.h5"), ("keras", "NCNN_k3.keras")] {
        let whole = fs::read(weights(from)).expect("a checkpoint");
        let path = format!("cut.{name}");
        place.write(&path, &whole[..whole.len() / 2]);
        insta::assert_snapshot!(format!("wrong_cut_{name}"), refusal(&place, &path));
    }
}

/// Models that Keras 2.15 and Keras 3 wrote, of the same layers: the same is said of both.
#[test]
fn models_that_cannot_be_represented_are_refused() {
    let place = place();
    place.unpack_fronts();
    for name in ["lambda", "two_inputs", "mixed", "axes", "cropped", "bicubic"] {
        let [old, new] = ["k2", "k3"].map(|keras| {
            let path = format!("{keras}/wrong/{name}.h5");
            refusal(&place, &path).replace(&path, "model.h5")
        });
        assert_eq!(old, new, "{name}");
        insta::assert_snapshot!(format!("wrong_{name}"), old);
    }
}

/// Weights alone do not say how the images were prepared.
#[test]
fn weights_without_the_settings_of_their_layers_are_refused() {
    let place = place();
    place.unpack_fronts();
    let path = "k3/bilinear.weights.h5";
    insta::assert_snapshot!("wrong_weights_alone", refusal(&place, path));
}
