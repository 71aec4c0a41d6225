//! Cutting and generating `tests/tiny.onnx`, which `tests/reference/port_reference.py tiny` wrote.

use std::fs;
use std::path::{Path, PathBuf};

use onnx_ir::{Message, ModelProto, NodeProto};

use crate::emit::Network;
use crate::generate::{self, generate};
use crate::graph::Graph;
use crate::parts::{self, Parts};
use crate::{model, shapes};

/// The map before batch normalisation, pooling, reshaping, the dense layer and softmax.
const LAYER: &str = "relu_2";

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tiny.onnx")
}

fn tiny() -> ModelProto {
    model::open(&path()).expect("the tiny network")
}

fn node<'a>(model: &'a mut ModelProto, op: &str) -> &'a mut NodeProto {
    let nodes = &mut model.graph.mut_or_insert_default().node;
    nodes.iter_mut().find(|node| node.op_type == op).expect(op)
}

fn cut(model: &ModelProto, layer: &str) -> Result<Parts, String> {
    parts::cut(model, layer).map_err(|error| format!("{error:#}"))
}

fn ops(model: &ModelProto) -> Vec<&str> {
    model.graph.node.iter().map(|node| node.op_type.as_str()).collect()
}

#[test]
fn the_places_to_cut_are_those_that_all_paths_go_through() {
    let model = tiny();
    let graph = Graph::new(&model.graph).expect("a graph");
    let places = parts::places(&graph, &shapes::infer(&graph));
    let places: Vec<_> = places.iter().map(|(name, map)| (name.as_str(), *map)).collect();
    let expected = [
        ("conv2d", [16, 16, 6]),
        ("relu", [16, 16, 6]),
        // Between these two the bypass leads past.
        ("add", [16, 16, 6]),
        ("max_pool2d", [8, 8, 6]),
        ("conv2d_2", [8, 8, 8]),
        ("relu_2", [8, 8, 8]),
        ("getitem_3", [8, 8, 8]),
        ("max_pool2d_1", [4, 4, 8]),
    ];
    assert_eq!(places, expected);
}

#[test]
fn shapes_do_not_need_to_be_told() {
    let mut model = tiny();
    let told = cut(&model, LAYER).expect("parts");
    model.graph.mut_or_insert_default().value_info.clear();
    let found = cut(&model, LAYER).expect("parts");
    assert_eq!((found.map, found.units), (told.map, told.units));
}

#[test]
fn both_parts_are_for_any_number_of_images_and_end_in_logits() {
    let parts = cut(&tiny(), LAYER).expect("parts");
    assert_eq!((parts.input, parts.map, parts.units), ([32, 32], [8, 8, 8], 3));
    assert_eq!((parts.output, parts.channels_last), ("softmax", false));
    let features = ["Conv", "Relu", "BatchNormalization", "Relu", "Conv", "Add", "MaxPool"];
    assert_eq!(ops(&parts.features), [&features[..], &["Conv", "Relu"]].concat());
    assert_eq!(ops(&parts.head), ["BatchNormalization", "MaxPool", "Reshape", "Gemm"]);
    let head = &parts.head.graph;
    let reshape = head.node.iter().find(|node| node.op_type == "Reshape").expect("a Reshape");
    let shape = head.initializer.iter().find(|tensor| tensor.name == reshape.input[1]);
    assert_eq!(model::ints(shape.expect("its shape")), Some(vec![-1, 128]));
    for part in [&parts.features, &parts.head] {
        for value in part.graph.input.iter().chain(&part.graph.output) {
            let shape = value.type_.tensor_type().shape.as_ref().expect("a shape");
            assert!(shape.dim[0].has_dim_param(), "{}", value.name);
        }
    }
}

#[test]
fn a_cut_beside_a_bypass_names_what_else_is_needed() {
    let error = cut(&tiny(), "conv2d_1").err().expect("no cut");
    assert!(error.contains("also needs `relu`"), "{error}");
    for (layer, reason) in [
        ("nothing", "computes no tensor `nothing`"),
        ("x", "computes no tensor `x`"),
        ("linear", "does not depend on `linear`"),
        ("view", "no height and width"),
    ] {
        let error = cut(&tiny(), layer).err().expect(layer);
        assert!(error.contains(reason), "{layer}: {error}");
    }
}

#[test]
fn a_sigmoid_is_taken_off_and_dropout_is_left_out() {
    let mut model = tiny();
    node(&mut model, "Softmax").op_type = "Sigmoid".to_owned();
    node(&mut model, "MaxPool").op_type = "Dropout".to_owned();
    let parts = cut(&model, "conv2d_1").err().expect("a bypass");
    assert!(parts.contains("also needs"), "{parts}");
    let parts = cut(&model, "add").expect("parts");
    assert_eq!(parts.output, "sigmoid");
    assert!(ops(&parts.head).contains(&"Identity") && !ops(&parts.head).contains(&"Dropout"));
}

#[test]
fn what_mixes_the_images_of_a_batch_is_refused() {
    let mut model = tiny();
    let shape = node(&mut model, "Reshape").input[1].clone();
    let tensors = &mut model.graph.mut_or_insert_default().initializer;
    let tensor = tensors.iter_mut().find(|tensor| tensor.name == shape).expect("its shape");
    model::set_ints(tensor, vec![2, 64]);
    let error = cut(&model, LAYER).err().expect("no cut");
    assert!(error.contains("mixes images"), "{error}");
}

#[test]
fn operators_that_are_not_known_are_named() {
    let mut model = tiny();
    node(&mut model, "Softmax").op_type = "Identity".to_owned();
    node(&mut model, "Gemm").op_type = "Gemmini".to_owned();
    let work = tempfile::tempdir().expect("a folder");
    // Its shape is told by the file only.
    let parts = cut(&model, LAYER).expect("parts");
    let error = generate(&parts.head, "head", work.path()).err().expect("an error");
    let error = format!("{error:#}");
    assert!(error.contains("the operators `Gemmini` (1 times)"), "{error}");
}

#[test]
fn damaged_files_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.onnx");
    let bytes = fs::read(path()).expect("the tiny network");
    for length in [0, 1, 10, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&file, &bytes[..length]).expect("a file");
        let opened = model::open(&file).and_then(|model| parts::cut(&model, LAYER));
        assert!(opened.is_err(), "{length} bytes");
    }
    assert!(model::open(folder.path()).is_err());
}

/// The tiny network with the weights of its first convolution in a file.
fn external(folder: &Path, location: &str, length: u64) -> PathBuf {
    let mut model = tiny();
    let tensor = &mut model.graph.mut_or_insert_default().initializer[0];
    let values = std::mem::take(&mut tensor.raw_data);
    fs::write(folder.join("weights"), &values).expect("a file");
    let length = length.min(values.len() as u64 + 1).to_string();
    let mut field = tensor.external_data.pop().unwrap_or_default();
    for (key, value) in [("location", location), ("offset", "0"), ("length", &length)] {
        field.key = key.to_owned();
        field.value = value.to_owned();
        tensor.external_data.push(field.clone());
    }
    // Field 14, `data_location`, is 1, `EXTERNAL`: its type has no name here.
    tensor.merge_from_bytes(&[14 << 3, 1]).expect("a field");
    let file = folder.join("b.onnx");
    fs::write(&file, model.write_to_bytes().expect("bytes")).expect("a file");
    file
}

#[test]
fn weights_in_a_file_of_their_own_are_read_from_the_models_folder_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = |location: &str, length: u64| {
        let file = external(folder.path(), location, length);
        model::open(&file)
    };
    let size = tiny().graph.initializer[0].raw_data.len() as u64;
    let read = open("weights", size).expect("weights");
    assert_eq!(read.graph.initializer[0], tiny().graph.initializer[0]);
    for (location, length, reason) in [
        ("weights", size + 1, "cut short"),
        ("elsewhere", size, "cannot read"),
        ("../weights", size, "outside the model's folder"),
        ("/etc/hostname", size, "outside the model's folder"),
    ] {
        let error = open(location, length).expect_err(location);
        let error = format!("{error:#}");
        assert!(error.contains(reason), "{location}: {error}");
    }
}

/// Burncam's own tests run this network, so they see what is generated today.
#[test]
fn the_generated_code_is_the_one_that_burncams_tests_run() {
    let work = tempfile::tempdir().expect("a folder");
    let parts = cut(&tiny(), LAYER).expect("parts");
    let code = |model, part| generate::generate(model, part, work.path()).expect(part);
    let (features, head) = (code(&parts.features, "features"), code(&parts.head, "head"));
    let network = Network {
        name: "tiny",
        layer: LAYER,
        classes: &["a", "b", "c"].map(str::to_owned),
        parts: &parts,
        preprocess: "divide=255;mean=0.5;std=0.25,0.5,0.75".parse().expect("a rule"),
        features: &features,
        head: &head,
    };
    let found = work.path().join("tiny");
    network.write(&found).expect("a network");
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/ported/tiny");
    for name in ["mod.rs", "features.rs", "head.rs", "tiny.bpk"] {
        let read = |folder: &Path| fs::read(folder.join(name)).expect(name);
        assert!(read(&found) == read(&expected), "{name} differs");
    }
}
