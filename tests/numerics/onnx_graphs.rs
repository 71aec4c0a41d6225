//! ONNX files of networks that Burncam does not know, which are run as they are described.
//!
//! `goldens/onnx_graphs.zip` was made by `tests/reference/onnx_graphs.py` with PyTorch 2.9.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use burncam_models::ARCHS;
use burncam_net::Trace;
use burncam_weights::{Checkpoint, Error, Resolved};
use parity::field::*;
use parity::{Field, Message, OnnxFile, folder};
use tempfile::TempDir;
use zip::ZipArchive;

/// Height and width of the networks' images.
const SIZE: [usize; 2] = [33, 30];

fn unpacked() -> TempDir {
    let place = tempfile::tempdir().expect("a temporary folder");
    let archive = File::open(folder().join("onnx_graphs.zip")).expect("the archive");
    ZipArchive::new(archive).expect("a zip").extract(place.path()).expect("room");
    place
}

fn resolve(path: &Path) -> Result<Resolved, Error> {
    Checkpoint::open(path)?.resolve(&ARCHS, None)
}

/// Two images, `sin(0.01 * i)` for number `i` of both.
fn images() -> Tensor<4> {
    let shape = [2, 3, SIZE[0], SIZE[1]];
    let values: Vec<f32> = (0..shape.iter().product()).map(|i| (i as f32 * 0.01).sin()).collect();
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

#[test]
fn networks_of_onnx_files_compute_what_pytorch_does() {
    let place = unpacked();
    let text = fs::read_to_string(place.path().join("expected.json")).expect("a table");
    let all: BTreeMap<String, [Vec<f32>; 2]> = serde_json::from_str(&text).expect("JSON");
    assert_eq!(all.len(), 4);
    for (name, expected) in &all {
        let resolved = resolve(&place.path().join(format!("{name}.onnx")));
        let resolved = resolved.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!([resolved.input.height, resolved.input.width], SIZE, "{name}");
        assert!(!resolved.is_prepared, "{name}: nothing says what its images are");
        let classifier = resolved.build(&Device::flex());
        let classifier = classifier.unwrap_or_else(|error| panic!("{name}: {error}"));
        let logits = classifier.logits(images(), &mut Trace::none());
        let found: Vec<f32> = logits.into_data().try_to_vec().expect("numbers");
        let expected = expected.concat();
        assert_eq!(found.len(), expected.len(), "{name}");
        let largest = expected.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        for (found, expected) in found.iter().zip(&expected) {
            let difference = (found - expected).abs() / largest;
            assert!(difference < 1e-5, "{name}: {found}, expected {expected}");
        }
    }
}

/// Replaces a list of numbers among a node's settings.
fn set(node: &mut Message, name: &str, values: &[i64]) {
    let mut rest = std::mem::take(&mut node.0);
    rest.retain(|(number, field)| match field {
        Field::Bytes(bytes) if *number == NODE_ATTRIBUTE => {
            Message::parse(bytes).get(ATTRIBUTE_NAME) != name
        }
        _ => true,
    });
    let attribute = Message::default().text(ATTRIBUTE_NAME, name);
    let add =
        |attribute: Message, value: &i64| attribute.number(ATTRIBUTE_INTS, value.cast_unsigned());
    let attribute = values.iter().fold(attribute, add);
    *node = Message(rest).message(NODE_ATTRIBUTE, &attribute);
}

#[test]
fn graphs_that_cannot_be_run_are_refused_before_anything_is_computed() {
    let place = unpacked();
    let refused = |name: &str, words: &str, alter: &dyn Fn(&mut OnnxFile)| {
        let mut file = OnnxFile::read(&place.path().join(format!("{name}.onnx")));
        alter(&mut file);
        let path = place.path().join("altered.onnx");
        fs::write(&path, file.encode()).expect("a file");
        let built = resolve(&path).and_then(|resolved| resolved.build(&Device::flex()));
        let error = anyhow::Error::from(built.err().expect(words));
        let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
        let message = causes.join(": ");
        assert!(message.contains(words), "no `{words}` in: {message}");
    };
    let huge = i64::MAX;
    for (name, operator, setting, values, words) in [
        ("windows", "Conv", "dilations", &[huge, 1][..], "nothing is left"),
        ("windows", "Conv", "pads", &[huge, huge, huge, huge], "too large"),
        ("windows", "Conv", "strides", &[0, 1], "`strides` is not a pair"),
        ("windows", "MaxPool", "kernel_shape", &[huge, huge], "MaxPool"),
        ("windows", "MaxPool", "pads", &[huge, 0, huge, 0], "MaxPool"),
        ("channels", "Transpose", "perm", &[0, 1, 2], "`perm` is [0, 1, 2]"),
        ("functions", "ConvTranspose", "output_padding", &[huge, huge], "ConvTranspose"),
        ("functions", "ConvTranspose", "strides", &[huge, huge], "ConvTranspose"),
    ] {
        refused(name, words, &|file| file.node(operator, |node| set(node, setting, values)));
    }
    for (name, operator, other, words) in
        [("windows", "PRelu", "Softmax", "(Softmax)"), ("norms", "Erf", "If", "no such operator")]
    {
        refused(name, words, &|file| {
            file.node(operator, |node| {
                node.remove(NODE_TYPE);
                *node = std::mem::take(node).text(NODE_TYPE, other);
            });
        });
    }
    refused("norms", "has the shape", &|file| {
        file.tensor("instance.weight", |tensor| {
            tensor.remove(TENSOR_DIMS);
            *tensor = std::mem::take(tensor).number(TENSOR_DIMS, 4).number(TENSOR_DIMS, 2);
        });
    });
    refused("norms", "reads", &|file| {
        file.tensor("wide.bias", |tensor| {
            tensor.remove(TENSOR_NAME);
            *tensor = std::mem::take(tensor).text(TENSOR_NAME, "another");
        });
    });
}
