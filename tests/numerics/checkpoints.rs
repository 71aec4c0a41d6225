//! Checkpoints that fit, and every way of not fitting.

use burn::tensor::Device;
use burncam_models::{ARCHS, NCNN, VGG16};
use burncam_net::{Arch, Classifier, Output};
use burncam_weights::{Checkpoint, Error, Format, Wanted};
use parity::{KerasFile, folder};
use serde_json::{Value, json};

fn load(file: &std::path::Path, wanted: Option<&'static Arch>) -> Result<Classifier, Error> {
    let wanted = wanted.map(|arch| Wanted { arch, variant: None });
    Checkpoint::open(file)?.resolve(&ARCHS, wanted)?.build(&Device::flex())
}

/// Loads N-CNN's file, altered, as N-CNN: what differs would run as it is described otherwise.
fn load_altered(alter: impl FnOnce(&mut KerasFile)) -> Result<Classifier, Error> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.h5");
    let mut file = KerasFile::ncnn();
    alter(&mut file);
    file.write(&path);
    load(&path, Some(&NCNN))
}

/// The error and its causes on one line.
fn refusal(alter: impl FnOnce(&mut KerasFile)) -> String {
    let error = anyhow::Error::from(load_altered(alter).err().expect("a refusal"));
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    causes.join(": ")
}

fn assert_refused(words: &[&str], alter: impl FnOnce(&mut KerasFile)) {
    let message = refusal(alter);
    for word in words {
        assert!(message.contains(word), "no `{word}` in: {message}");
    }
    assert!(message.contains("model.h5"), "no file in: {message}");
}

#[test]
fn real_files_are_recognised() {
    for (name, format, version) in [
        ("NCNN_k2.h5", Format::KerasH5, Some("2.15.0")),
        ("NCNN_fixed_strings.h5", Format::KerasH5, Some("2.15.0")),
        ("NCNN_k2_dead.h5", Format::KerasH5, Some("2.15.0")),
        ("NCNN_k3.h5", Format::KerasH5, Some("3.15.1")),
        ("NCNN_k2.weights_legacy.h5", Format::KerasH5Weights, Some("2.15.0")),
        ("NCNN_k2.keras", Format::Keras, Some("2.15.0")),
        ("NCNN_k3.keras", Format::Keras, Some("3.15.1")),
        ("NCNN_k3.weights.h5", Format::KerasV3Weights, None),
        // Keras 2.15 keeps no layer names in such a file.
        ("NCNN_k2.weights.h5", Format::KerasV3Weights, None),
    ] {
        let checkpoint = Checkpoint::open(&folder().join("h5").join(name)).expect(name);
        let resolved = checkpoint.resolve(&ARCHS, None).expect(name);
        assert_eq!((resolved.arch.name, resolved.format()), ("ncnn", format), "{name}");
        assert_eq!(resolved.keras_version(), version, "{name}");
        let head = resolved.head.describe().replace("Dropout, ", "");
        assert_eq!(head, "Flatten, Dense 8 relu, Dense 2, softmax", "{name}");
        let full = matches!(format, Format::KerasH5 | Format::Keras);
        assert_eq!(resolved.notes.is_empty(), full, "{name}");
        let classifier = resolved.build(&Device::flex()).expect(name);
        assert_eq!(classifier.parameters, 78_234, "{name}");
    }
}

#[test]
fn a_file_made_to_order_loads() {
    let classifier = load_altered(|_| {}).expect("a network");
    assert_eq!((classifier.arch.name, classifier.parameters), ("ncnn", 78_234));
}

#[test]
fn layers_that_keras_numbered_otherwise_are_found_by_their_place() {
    load_altered(|file| {
        let text = file.config.to_string();
        let text = text
            .replace("\"dropout_1\"", "\"dropout_38\"")
            .replace("\"resizing\"", "\"resizing_5\"");
        let text =
            text.replace("\"dropout\"", "\"dropout_37\"").replace("\"input\"", "\"input_9\"");
        file.config = serde_json::from_str(&text).expect("JSON");
    })
    .expect("a network");
}

#[test]
fn every_setting_of_the_network_is_compared() {
    for (layer, setting, value, says) in [
        ("conv_2x2", "strides", json!([2, 2]), "`strides` is [2,2], expected [1,1]"),
        ("conv_2x2", "padding", json!("valid"), "`padding` is \"valid\", expected \"same\""),
        ("conv_5x5", "filters", json!(32), "`filters` is 32, expected 64"),
        ("conv_5x5", "kernel_size", json!([3, 3]), "`kernel_size` is [3,3], expected [5,5]"),
        ("conv_5x5", "use_bias", json!(false), "`use_bias` is false, expected true"),
        (
            "conv_2x2_",
            "activation",
            json!("linear"),
            "`activation` is \"linear\", expected \"relu\"",
        ),
        ("conv_2x2_", "activation", json!("swish"), "`activation` is \"silu\", expected \"relu\""),
        ("conv_5x5_", "dilation_rate", json!([2, 2]), "`dilation_rate` is [2,2]"),
        ("conv_5x5_", "groups", json!(3), "`groups` is 3"),
        ("conv_5x5_", "data_format", json!("channels_first"), "`data_format`"),
        ("leaky_2", "alpha", json!(0.3), "`negative_slope` is 0.3"),
        ("maxpool_3x3", "pool_size", json!([2, 2]), "`pool_size` is [2,2], expected [3,3]"),
        ("maxpool_3x3_", "strides", json!([2, 2]), "`strides` is [2,2], expected [3,3]"),
        ("resizing", "height", json!(13), "`height` is 13, expected 12"),
        ("resizing", "interpolation", json!("nearest"), "`interpolation` is \"nearest\""),
        ("concatenate", "axis", json!(1), "axis 1"),
        ("input", "batch_input_shape", json!([null, 128, 120, 3]), "`height` is 128, expected 120"),
    ] {
        assert_refused(&[layer, says], |file| file.layer(layer)["config"][setting] = value);
    }
}

#[test]
fn the_wiring_is_compared() {
    assert_refused(&["`leaky_2`", "reads `maxpool_3x3`", "expected `conv_2x2`"], |file| {
        file.layer("leaky_2")["inbound_nodes"] = json!([[["maxpool_3x3", 0, 0, {}]]]);
    });
    assert_refused(&["Concatenate", "`maxpool_10x10`, `dropout`, `dropout_1`"], |file| {
        file.layer("concatenate")["inbound_nodes"] =
            json!([[["dropout", 0, 0, {}], ["maxpool_10x10", 0, 0, {}], ["dropout_1", 0, 0, {}]]]);
    });
}

#[test]
fn missing_misshapen_unused_and_unfinite_weights_are_named() {
    assert_refused(&["layer `FC1` has no `bias`", "[8]"], |file| {
        file.weights("FC1").pop();
    });
    assert_refused(&["layer `FC1`: `kernel` has shape [2300, 8], expected [2304, 8]"], |file| {
        let kernel = &mut file.weights("FC1")[0];
        kernel.1[0] = 2300;
        kernel.2.truncate(2300 * 8);
    });
    assert_refused(&["1 weight has no place in ncnn", "`spare` kernel [2, 3]"], |file| {
        file.add_weights("spare", &[("kernel", &[2, 3])]);
    });
    assert_refused(&["layer `conv_5x5`", "`bias` holds 1 values that are NaN"], |file| {
        file.weights("conv_5x5")[1].2[7] = f32::NAN;
    });
    assert_refused(&["layer `conv_5x5` has no `kernel`"], |file| file.layers.remove(0).0.clear());
}

fn dense(units: usize, activation: &str) -> Value {
    json!({ "units": units, "activation": activation, "use_bias": true })
}

#[test]
fn any_head_is_read_from_the_file() {
    let classifier = load_altered(|file| {
        file.set_head(&[
            ("GlobalAveragePooling2D", "gap", json!({})),
            ("BatchNormalization", "bn", json!({ "axis": [1], "epsilon": 1e-5, "scale": false })),
            ("Dense", "hidden", json!({ "units": 5, "activation": "sigmoid", "use_bias": false })),
            ("Dropout", "drop", json!({ "rate": 0.5 })),
            ("Dense", "last", dense(3, "linear")),
            ("Activation", "probabilities", json!({ "activation": "softmax" })),
        ]);
        let bn: &[(&str, &[usize])] =
            &[("beta", &[64]), ("moving_mean", &[64]), ("moving_variance", &[64])];
        file.add_weights("bn", bn);
        file.add_weights("hidden", &[("kernel", &[64, 5])]);
        file.add_weights("last", &[("kernel", &[5, 3]), ("bias", &[3])]);
    })
    .expect("a network");
    let head = classifier.head.config();
    assert_eq!((head.classes(), head.output()), (3, Output::Softmax));
    assert_eq!(
        head.describe(),
        "GlobalAveragePooling2D, BatchNormalization, Dense 5 sigmoid without bias, Dropout, Dense 3, softmax"
    );

    let classifier = load_altered(|file| {
        file.set_head(&[
            ("GlobalMaxPooling2D", "gmp", json!({})),
            ("Dense", "last", dense(1, "sigmoid")),
        ]);
        file.add_weights("last", &[("kernel", &[64, 1]), ("bias", &[1])]);
    })
    .expect("a network");
    let head = classifier.head.config();
    assert_eq!((head.classes(), head.output()), (2, Output::Sigmoid));
    // The one neuron says how probable the second class is.
    let [first, second] = head.output().probabilities(&[-1.5, 1.5])[..] else { panic!("two") };
    assert!((second - 1.0 / (1.0 + (-1.5_f32).exp())).abs() < 1e-6 && first + second == 1.0);
}

/// Two N-CNNs have the same layers, and a head tells them apart.
#[test]
fn a_variant_is_told_by_its_head_and_can_be_forced() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sigmoid = folder.path().join("sigmoid.h5");
    let mut file = KerasFile::ncnn();
    file.set_head(&[("Flatten", "flatten", json!({})), ("Dense", "last", dense(1, "sigmoid"))]);
    file.add_weights("last", &[("kernel", &[2304, 1]), ("bias", &[1])]);
    file.write(&sigmoid);
    let softmax = parity::folder().join("h5/NCNN_k2.h5");
    let found = |file, variant: Option<usize>| {
        let variant = variant.map(|index| &NCNN.variants[index]);
        let wanted = Wanted { arch: &NCNN, variant };
        let resolved = Checkpoint::open(file).expect("a file").resolve(&ARCHS, Some(wanted));
        resolved.map(|resolved| resolved.variant.name).map_err(|error| error.to_string())
    };
    assert_eq!(found(&sigmoid, None).as_deref(), Ok("keras-sigmoid"));
    assert_eq!(found(&sigmoid, Some(1)).as_deref(), Ok("keras-sigmoid"));
    assert_eq!(found(&sigmoid, Some(0)).as_deref(), Ok("keras"));
    assert_eq!(found(&softmax, None).as_deref(), Ok("keras"));
    let error = found(&softmax, Some(1)).expect_err("two neurons");
    assert!(error.contains("its head ends in 2 neurons, expected 1"), "{error}");
}

#[test]
fn a_head_that_cannot_run_is_refused() {
    assert_refused(&["`lstm` (LSTM) is not supported"], |file| {
        file.set_head(&[("LSTM", "lstm", json!({}))]);
    });
    assert_refused(&["`dense` (Dense)", "not flattened or pooled"], |file| {
        file.set_head(&[("Dense", "dense", dense(2, "softmax"))]);
    });
    assert_refused(&["without a Dense layer"], |file| {
        file.set_head(&[("Flatten", "flatten", json!({}))]);
    });
    assert_refused(&["cannot be understood", "no list of layers"], |file| {
        file.set_head(&[("Functional", "base", json!({}))]);
    });
    assert_refused(&["`last` (Dense)", "softmax, sigmoid or linear"], |file| {
        file.set_head(&[("Flatten", "flatten", json!({})), ("Dense", "last", dense(2, "relu"))]);
    });
}

#[test]
fn a_stray_layer_is_named() {
    assert_refused(&["`stray` (Conv2D)", "one path", "branches"], |file| {
        let stray = json!({
            "class_name": "Conv2D", "name": "stray", "config": {},
            "inbound_nodes": [[["maxpool_2x2_", 0, 0, {}]]],
        });
        file.config["config"]["layers"].as_array_mut().expect("layers").push(stray);
    });
}

#[test]
fn damaged_configurations_are_refused() {
    for config in [
        json!(null),
        json!({ "class_name": "Functional" }),
        json!({ "class_name": "Functional", "config": { "layers": [{}] } }),
        json!({ "class_name": "Graph", "config": { "layers": [] } }),
    ] {
        assert_refused(&["`model_config` cannot be understood"], |file| file.config = config);
    }
    assert_refused(&["is not ncnn"], |file| {
        file.config = json!({ "class_name": "Sequential", "config": { "layers": [] } });
    });
}

#[test]
fn the_wrong_architecture_is_refused_with_the_first_difference() {
    let error = load(&folder().join("h5/NCNN_k2.h5"), Some(&VGG16)).err().expect("a refusal");
    let message = error.to_string();
    assert!(
        message.contains("is not vgg16 (keras-vggface): 0 of its 19 layers match"),
        "{message}"
    );
    assert!(message.contains("`height` is 120, expected 224"), "{message}");
    let weights = folder().join("h5/NCNN_k2.weights_legacy.h5");
    assert!(load(&weights, Some(&NCNN)).is_ok());
    let message = load(&weights, Some(&VGG16)).err().expect("a refusal").to_string();
    assert!(message.contains("there is no layer `conv1_1`"), "{message}");
}

/// Keras splits attributes over 64 KB.
#[test]
fn split_layer_names_are_joined() {
    let classifier = load_altered(|file| file.split_names = true).expect("a network");
    assert_eq!(classifier.parameters, 78_234);
}

#[test]
fn other_formats_are_told_by_their_contents() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (bytes, says) in [
        (&b"PK\x03\x04..."[..], "cannot read the table of contents"),
        (b"\x80\x02}q\x00", "Python pickle"),
        (b"\x10\0\0\0\0\0\0\0{\"a\":1}", "safetensors"),
        (b"", "empty file"),
        (b"hello", "unknown kind"),
    ] {
        let path = folder.path().join("model");
        std::fs::write(&path, bytes).expect("a file");
        let message = Checkpoint::open(&path).err().expect("a refusal").to_string();
        assert!(message.contains(says), "{message}");
    }
}

/// An activation may be an object: only what is a plain rectifier or softmax of Keras's own is
/// taken, and a class or function of the file's author is not, whatever its name.
#[test]
fn activations_that_only_look_like_keras_own_are_refused() {
    let relu = |module: &str, config: Value| json!({ "module": module, "class_name": "ReLU", "config": config, "registered_name": null });
    let plain = json!({ "max_value": null, "negative_slope": 0.0, "threshold": 0.0 });
    load_altered(|file| {
        file.layer("conv_2x2_")["config"]["activation"] = relu("keras.layers", plain.clone());
    })
    .expect("a network");
    let function = json!({ "module": "builtins", "class_name": "function", "config": "relu" });
    for activation in [
        relu("keras.layers", json!({ "max_value": 0.05 })),
        relu("keras.layers", json!({ "max_value": null, "threshold": 0.3 })),
        relu("my_module", plain),
        function,
    ] {
        assert_refused(&["conv_2x2_"], |file| {
            file.layer("conv_2x2_")["config"]["activation"] = activation;
        });
    }
    assert_refused(&["leaky_2", "file's author"], |file| {
        file.layer("leaky_2")["module"] = json!("my_module");
    });
    assert_refused(&["leaky_2", "my>LeakyReLU"], |file| {
        file.layer("leaky_2")["class_name"] = json!("my>LeakyReLU");
    });
}

/// Puts the layers up to `maxpool_2x2_` into a model of their own, used as one layer.
fn nest(file: &mut KerasFile, front: &[Value]) {
    let layers = file.config["config"]["layers"].as_array().expect("layers").clone();
    let end = layers.iter().position(|layer| layer["name"] == "maxpool_2x2_").expect("the end");
    let (trunk, head) = layers.split_at(end + 1);
    let base = json!({ "class_name": "Functional", "name": "base", "config": {
        "name": "base", "layers": trunk,
        "input_layers": [["input", 0, 0]], "output_layers": [["maxpool_2x2_", 0, 0]],
    }});
    let mut outer = front.to_vec();
    outer.push(base);
    outer.extend(head.iter().cloned());
    file.config = json!({ "class_name": "Sequential", "config": { "layers": outer } });
}

#[test]
fn a_model_used_as_a_layer_is_laid_flat() {
    let classifier = load_altered(|file| nest(file, &[])).expect("a network");
    assert_eq!(classifier.parameters, 78_234);
    let augmentation = json!({ "class_name": "RandomFlip", "name": "flip", "config": {} });
    let input = json!({ "class_name": "InputLayer", "name": "pixels",
        "config": { "batch_input_shape": [null, 120, 120, 3] } });
    load_altered(|file| nest(file, &[input, augmentation])).expect("a network");
}

#[test]
fn a_rescaling_in_front_becomes_the_preprocessing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.h5");
    let mut file = KerasFile::ncnn();
    let input = json!({ "class_name": "InputLayer", "name": "pixels",
        "config": { "batch_input_shape": [null, 120, 120, 3] } });
    let rescaling = json!({ "class_name": "Rescaling", "name": "rescaling",
        "config": { "scale": 1.0 / 127.5, "offset": -1.0 } });
    nest(&mut file, &[input, rescaling]);
    file.write(&path);
    let resolved = Checkpoint::open(&path).expect("a file").resolve(&ARCHS, None).expect("N-CNN");
    assert_eq!(resolved.input.value(0, 255.0), 1.0);
    assert_eq!(resolved.input.value(2, 0.0), -1.0);
    assert!(resolved.notes.iter().any(|note| note.contains("prepares its own input")));
}
