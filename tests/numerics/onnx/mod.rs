//! ONNX files of tf2onnx against the Keras networks that they were made of.
//!
//! `goldens/onnx/NCNN_13.onnx` is whole. The other files there hold tf2onnx's graph without the
//! weights' numbers; the reproducible ones are put in, which also puts them in a file of their own.

mod refused;

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use burncam_imaging::to_tensor;
use burncam_models::{ARCHS, INCEPTION_V3, NCNN, RESNET50, SENET50, VGG16};
use burncam_net::{Arch, Build, Classifier, LoadError, Source, Trace, Weight};
use burncam_weights::{Checkpoint, Container, Error, Format, Resolved};
use parity::field::*;
use parity::{Field, Generated, Golden, Message, OnnxFile, folder, pillow_frame};

/// Of the largest logit, where batch normalisation was folded.
const SAME: f32 = 1e-5;
/// Where the weights are the same, to the last bit.
const EQUAL: f32 = 0.0;
/// Absolute, of logits between -10 and 10: Keras (`tests/numerics/numbers.rs`).
const KERAS: f32 = 1e-4;
/// How many of the goldens' images are run.
const IMAGES: usize = 3;

fn resolve(path: &Path) -> Result<Resolved, Error> {
    Checkpoint::open(path)?.resolve(&ARCHS, None)
}

fn load(path: &Path) -> Result<Classifier, Error> {
    resolve(path)?.build(&Device::flex())
}

/// The logits of the goldens' first images.
fn logits(classifier: &Classifier, golden: &Golden) -> Vec<f32> {
    let spec = &classifier.variant.input;
    let frames: Vec<_> =
        golden.numbers.faces[..IMAGES].iter().map(|row| pillow_frame(row, spec.height)).collect();
    let images = to_tensor(&frames.iter().collect::<Vec<_>>(), spec, classifier.device());
    let logits = classifier.logits(images, &mut Trace::none());
    logits.into_data().try_to_vec().expect("numbers")
}

fn largest_difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    assert!(differences.clone().all(f32::is_finite));
    differences.fold(0.0, f32::max)
}

/// The reproducible weights, for a head whose layers are called as in the file:
/// `model/dense/MatMul`.
struct FileNames(&'static str);

impl Source for FileNames {
    fn take(
        &mut self,
        layer: &str,
        weight: Weight,
        shape: &[usize],
    ) -> Result<Vec<f32>, LoadError> {
        let head = layer.strip_suffix("/MatMul").and_then(|rest| rest.split_once('/'));
        Generated(self.0).take(head.map_or(layer, |(_, dense)| dense), weight, shape)
    }
}

/// Loads a golden graph with the reproducible weights, and compares it with the network that has
/// them from the generator, as a Keras file gives them, and with Keras itself.
fn compare(arch: &'static Arch, file: &str, tolerance: f32) -> (tempfile::TempDir, Resolved) {
    let place = tempfile::tempdir().expect("a temporary folder");
    let path = place.path().join(file);
    OnnxFile::golden(file).write_filled(arch.title, &path);
    let resolved = resolve(&path).expect("a network");
    assert_eq!((resolved.arch.name, resolved.format()), (arch.name, Format::Onnx), "{file}");
    assert_eq!(resolved.variant.name, arch.variants[0].name, "{file}");
    let (golden, device) = (Golden::read(arch.title), Device::flex());
    let found = logits(&resolved.build(&device).expect("every weight"), &golden);

    let (head, mut source) = (resolved.head.clone(), FileNames(arch.title));
    let own =
        Classifier::build(arch, &arch.variants[0], head, &mut source, &device, Build::default());
    let own = logits(&own.expect("every weight"), &golden);
    let scale = own.iter().fold(0.0_f32, |scale, logit| scale.max(logit.abs()));
    let difference = largest_difference(&found, &own);
    assert!(difference <= tolerance * scale, "{file}: {difference:e} of {scale}");

    let difference = largest_difference(&found, &golden.numbers.logits[..IMAGES].concat());
    assert!(difference <= KERAS, "{file}: {difference:e} from Keras");
    (place, resolved)
}

#[test]
fn ncnn_is_the_network_of_its_keras_file() {
    let golden = Golden::read("NCNN");
    let [onnx, keras] = ["onnx/NCNN_13.onnx", "h5/NCNN_k2.h5"].map(|file| {
        let resolved = resolve(&folder().join(file)).expect(file);
        assert_eq!(
            resolved.head.describe().replace("8 relu", "8, relu").replace(", Dropout", ""),
            "Flatten, Dense 8, relu, Dense 2, softmax",
            "{file}"
        );
        assert_eq!(resolved.notes, [""; 0], "{file}");
        logits(&resolved.build(&Device::flex()).expect(file), &golden)
    });
    assert_eq!(onnx, keras, "bit by bit");
}

#[test]
fn an_input_with_channels_first_makes_no_difference() {
    compare(&NCNN, "NCNN_11_nchw.onnx", EQUAL);
}

#[test]
fn vgg16_is_told_from_its_twin_by_names() {
    let (_place, resolved) = compare(&VGG16, "VGG16_18.onnx", EQUAL);
    assert_eq!(resolved.notes, [""; 0]);
}

#[test]
fn resnet50_with_its_batch_normalisation() {
    let (_place, resolved) = compare(&RESNET50, "ResNet50_9_unfolded.onnx", EQUAL);
    assert_eq!(resolved.notes, [""; 0]);
    assert!(!resolved.is_folded("conv1/7x7_s2"));
}

#[test]
fn senet50_with_batch_normalisation_folded() {
    let (_place, resolved) = compare(&SENET50, "SENet50_17.onnx", SAME);
    assert!(resolved.notes[0].contains("folded into 53 convolutions"), "{:?}", resolved.notes);
    assert!(resolved.is_folded("conv1/7x7_s2") && !resolved.is_folded("conv2_1_1x1_down"));
}

#[test]
fn inception_v3_folded_and_with_joints_of_joints_in_one() {
    let (place, resolved) = compare(&INCEPTION_V3, "InceptionV3_11.onnx", SAME);
    assert!(resolved.notes[0].contains("folded into 94 convolutions"), "{:?}", resolved.notes);
    let golden = Golden::read("IncepV3");
    let before = logits(&resolved.build(&Device::flex()).expect("every weight"), &golden);
    let path = place.path().join("own.safetensors");
    resolved.convert(&path, Container::Safetensors, false).expect("a file of our own");
    let after = logits(&load(&path).expect("the same network"), &golden);
    assert_eq!(before, after, "bit by bit");
}

/// N-CNN's logits after a change of its file.
fn altered_logits(alter: impl FnOnce(&mut OnnxFile)) -> Vec<f32> {
    let mut file = OnnxFile::golden("NCNN_13.onnx");
    alter(&mut file);
    let place = tempfile::tempdir().expect("a temporary folder");
    let path = place.path().join("model.onnx");
    fs::write(&path, file.encode()).expect("a file");
    logits(&load(&path).expect("a network"), &Golden::read("NCNN"))
}

/// Changes the numbers of a tensor.
fn change(file: &mut OnnxFile, part: &str, change: impl FnOnce(&[f32]) -> Vec<f32>) {
    file.tensor(part, |tensor| {
        let raw = tensor.0.iter_mut().find(|(number, _)| *number == TENSOR_RAW);
        let Some((_, Field::Bytes(bytes))) = raw else { panic!("{part} has no numbers") };
        let (values, _) = bytes.as_chunks::<4>();
        let values: Vec<f32> = values.iter().copied().map(f32::from_le_bytes).collect();
        *bytes = change(&values).into_iter().flat_map(f32::to_le_bytes).collect();
    });
}

/// Lets the first node of an operator read something else.
fn reads(file: &mut OnnxFile, op_type: &str, inputs: &[&str]) {
    file.node(op_type, |node| {
        node.remove(NODE_INPUT);
        let own = std::mem::take(node);
        *node = inputs.iter().fold(own, |own, input| own.text(NODE_INPUT, input));
    });
}

#[test]
fn a_map_that_pytorch_flattens_gives_the_same_logits() {
    let flattened = altered_logits(|file| {
        reads(file, "Reshape", &["model/maxpool_2x2_/MaxPool:0", "const_fold_opt__49"]);
        // The last transposition is not needed any more. 6 x 6 x 64 by position, then channel,
        // become 64 x 6 x 6; each row has 8 numbers.
        let mut transpositions = 0;
        file.graph.0.retain(|(number, field)| {
            let Field::Bytes(bytes) = field else { return true };
            let transposes =
                *number == GRAPH_NODE && Message::parse(bytes).get(NODE_TYPE) == "Transpose";
            transpositions += usize::from(transposes);
            !transposes || transpositions == 1
        });
        change(file, "FC1/MatMul", |rows| {
            let row = |row: usize| rows[row * 8..][..8].iter().copied();
            (0..64).flat_map(|c| (0..36).flat_map(move |p| row(p * 64 + c))).collect()
        });
    });
    assert_eq!(flattened, altered_logits(|_| {}), "bit by bit");
}

#[test]
fn a_factor_and_an_offset_in_the_head_are_batch_normalisation() {
    let factors = [0.5, 2.0, 1.5, -1.0, 0.25, 1.0, 3.0, 0.75_f32];
    let offsets = [0.1, -0.2, 0.3, 0.4, 0.0, -0.5, 0.6, 0.7_f32];
    let vector = |name: &str, values: [f32; 8]| {
        Message::default()
            .number(TENSOR_DIMS, 8)
            .number(TENSOR_TYPE, 1)
            .text(TENSOR_NAME, name)
            .with(TENSOR_RAW, Field::Bytes(values.map(f32::to_le_bytes).concat()))
    };
    let node = |op_type: &str, a: &str, b: &str, output: &str| {
        let node = Message::default().text(NODE_INPUT, a).text(NODE_INPUT, b);
        node.text(NODE_OUTPUT, output).text(NODE_TYPE, op_type)
    };
    let found = altered_logits(|file| {
        file.graph = std::mem::take(&mut file.graph)
            .message(GRAPH_TENSOR, &vector("factors", factors))
            .message(GRAPH_TENSOR, &vector("offsets", offsets));
        let mut nodes = Vec::new();
        file.graph.each(GRAPH_NODE, |own| nodes.push(own.clone()));
        file.graph.remove(GRAPH_NODE);
        for mut own in nodes {
            if own.get(NODE_NAME) == "model/output/MatMul" {
                for new in [
                    node("Mul", "factors", "model/FC1/Relu:0", "multiplied"),
                    node("Add", "multiplied", "offsets", "added"),
                ] {
                    file.graph = std::mem::take(&mut file.graph).message(GRAPH_NODE, &new);
                }
                own.remove(NODE_INPUT);
                own = own
                    .text(NODE_INPUT, "added")
                    .text(NODE_INPUT, "model/output/MatMul/ReadVariableOp:0");
            }
            file.graph = std::mem::take(&mut file.graph).message(GRAPH_NODE, &own);
        }
    });
    // The same, worked into the dense layer after it.
    let expected = altered_logits(|file| {
        let mut sums = [0.0; 2];
        change(file, "output/MatMul", |kernel| {
            for (row, offset) in kernel.chunks(2).zip(offsets) {
                sums = [sums[0] + row[0] * offset, sums[1] + row[1] * offset];
            }
            let rows = kernel.chunks(2).zip(factors);
            rows.flat_map(|(row, factor)| row.iter().map(move |v| v * factor)).collect()
        });
        change(file, "output/BiasAdd", |bias| vec![bias[0] + sums[0], bias[1] + sums[1]]);
    });
    let difference = largest_difference(&found, &expected);
    assert!(difference <= 1e-5, "{difference:e}");
}

#[test]
fn without_names_both_twins_fit_and_the_user_is_told() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let path = place.path().join("model.onnx");
    let mut file = OnnxFile::golden("VGG16_18.onnx");
    let rename = |text: String| {
        let number = text.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
        Field::Bytes(format!("n{number}").into())
    };
    let renamed = |message: &mut Message, fields: &[u64]| {
        for (number, field) in &mut message.0 {
            if fields.contains(number)
                && let Field::Bytes(text) = field
            {
                let text = String::from_utf8(text.clone()).expect("a name");
                *field = rename(text);
            }
        }
    };
    file.graph.each(GRAPH_NODE, |node| renamed(node, &[NODE_INPUT, NODE_OUTPUT, NODE_NAME]));
    file.graph.each(GRAPH_TENSOR, |tensor| renamed(tensor, &[TENSOR_NAME]));
    file.graph.each(GRAPH_INPUT, |input| renamed(input, &[VALUE_NAME]));
    file.graph.each(GRAPH_OUTPUT, |output| renamed(output, &[VALUE_NAME]));
    fs::write(&path, file.encode()).expect("a file");
    let error = resolve(&path).err().expect("several networks").to_string();
    for says in [
        "which are fed otherwise",
        "--model vgg16:keras-vggface",
        "--model vgg16:keras-applications",
    ] {
        assert!(error.contains(says), "{error}");
    }
}
