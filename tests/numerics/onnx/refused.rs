//! Every way of not fitting a known network: what of the file is named.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use burncam_models::{ARCHS, NCNN};
use burncam_net::Classifier;
use burncam_weights::{Checkpoint, Error, Wanted};
use parity::field::*;
use parity::{Field, Message, OnnxFile, folder};
use proptest::prelude::*;

/// The file as the N-CNN that it must be.
fn load(path: &Path) -> Result<Classifier, Error> {
    let wanted = Wanted { arch: &NCNN, variant: None };
    Checkpoint::open(path)?.resolve(&ARCHS, Some(wanted))?.build(&Device::flex())
}

/// The error and its causes on one line, of N-CNN after a change.
fn refusal(alter: impl FnOnce(&mut OnnxFile)) -> String {
    let mut file = OnnxFile::golden("NCNN_13.onnx");
    alter(&mut file);
    refusal_of(&file.encode())
}

fn refusal_of(bytes: &[u8]) -> String {
    let place = tempfile::tempdir().expect("a temporary folder");
    let path = place.path().join("model.onnx");
    fs::write(&path, bytes).expect("a file");
    message(load(&path))
}

fn message(loaded: Result<Classifier, Error>) -> String {
    let error = anyhow::Error::from(loaded.err().expect("a refusal"));
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    let message = causes.join(": ");
    assert!(message.contains("model.onnx"), "no file in: {message}");
    message
}

fn assert_refused(words: &[&str], alter: impl FnOnce(&mut OnnxFile)) {
    let message = refusal(alter);
    for word in words {
        assert!(message.contains(word), "no `{word}` in: {message}");
    }
}

/// Replaces a setting of a node.
fn set(node: &mut Message, name: &str, kind: u64, values: &[i64]) {
    let mut rest = std::mem::take(&mut node.0);
    rest.retain(|(number, field)| match field {
        Field::Bytes(bytes) if *number == NODE_ATTRIBUTE => {
            Message::parse(bytes).get(ATTRIBUTE_NAME) != name
        }
        _ => true,
    });
    let attribute = Message::default().text(ATTRIBUTE_NAME, name);
    let attribute = values
        .iter()
        .fold(attribute, |attribute, value| attribute.number(kind, value.cast_unsigned()));
    *node = Message(rest).message(NODE_ATTRIBUTE, &attribute);
}

#[test]
fn settings_that_differ_are_named() {
    let ints = |name: &'static str, values: &'static [i64]| {
        move |node: &mut Message| set(node, name, ATTRIBUTE_INTS, values)
    };
    let int = |name: &'static str, value: i64| {
        move |node: &mut Message| set(node, name, ATTRIBUTE_INT, &[value])
    };
    assert_refused(&["conv_5x5_/BiasAdd`: `strides` is [2,2], expected [1,1]"], |file| {
        file.node("Conv", ints("strides", &[2, 2]));
    });
    assert_refused(&["conv_5x5_/BiasAdd`", "pads by", "[[1, 3], [2, 2]]"], |file| {
        file.node("Conv", ints("pads", &[1, 2, 3, 2]));
    });
    assert_refused(&["conv_5x5_/BiasAdd`", "`dilation_rate` is [2,2], expected [1,1]"], |file| {
        file.node("Conv", ints("dilations", &[2, 2]));
    });
    assert_refused(&["(Conv)", "its kernel reads 9 channels of"], |file| {
        file.node("Conv", int("group", 3));
    });
    assert_refused(&["leaky_3/LeakyRelu`: `negative_slope` is 0.2"], |file| {
        file.node("LeakyRelu", |node| {
            let alpha = Message::default().text(ATTRIBUTE_NAME, "alpha");
            let alpha = alpha.with(ATTRIBUTE_FLOAT, Field::Float(0.2_f32.to_le_bytes()));
            node.remove(NODE_ATTRIBUTE);
            *node = std::mem::take(node).message(NODE_ATTRIBUTE, &alpha);
        });
    });
    assert_refused(&["maxpool_10x10/MaxPool", "ConstantPadding2D"], |file| {
        file.node("MaxPool", ints("pads", &[3, 2, 3, 2]));
    });
    assert_refused(&["maxpool_10x10/MaxPool`: `padding` is {\"around\":3}"], |file| {
        file.node("MaxPool", ints("pads", &[3, 3, 3, 3]));
    });
    assert_refused(&["concatenate/concat` (Concat)", "along their channels"], |file| {
        file.node("Concat", int("axis", 2));
    });
    // A setting of another type.
    assert_refused(&["(Conv)", "`dilations` is not a pair"], |file| {
        file.node("Conv", int("dilations", 1));
    });
    assert_refused(&["(MaxPool)", "`auto_pad` is no text"], |file| {
        file.node("MaxPool", int("auto_pad", 1));
    });
    assert_refused(&["`model/leaky_3/LeakyRelu` (Dropout)", "training mode"], |file| {
        file.node("LeakyRelu", |node| {
            node.remove(NODE_TYPE);
            let node_type = std::mem::take(node).text(NODE_TYPE, "Dropout");
            *node = node_type.text(NODE_INPUT, "").text(NODE_INPUT, "roi__34");
        });
    });
    assert_refused(&["Resize__", "only linear with half_pixel"], |file| {
        file.node("Resize", |node| set(node, "mode", ATTRIBUTE_INT, &[1]));
    });
    assert_refused(&["reads [batch, width 120, height 120, channel 3], not"], |file| {
        file.node("Transpose", ints("perm", &[0, 2, 1, 3]));
    });
    assert_refused(&["output/Softmax", "`axis` is 0"], |file| file.node("Softmax", int("axis", 0)));
}

#[test]
fn operators_that_are_not_known_are_named() {
    for operator in ["QLinearConv", "GRU", "If", "DequantizeLinear"] {
        assert_refused(&["leaky_3/LeakyRelu", operator, "no such operator"], |file| {
            file.node("LeakyRelu", |node| {
                node.remove(NODE_TYPE);
                *node = std::mem::take(node).text(NODE_TYPE, operator);
            });
        });
    }
    assert_refused(&["com.example.LeakyRelu", "no such operator"], |file| {
        file.node("LeakyRelu", |node| {
            *node = std::mem::take(node).text(NODE_DOMAIN, "com.example")
        });
    });
}

#[test]
fn operator_sets_that_are_not_read_are_refused() {
    for version in [1, 8, 25, 1 << 40] {
        let number = version.to_string();
        assert_refused(&["operator set", &number, "9 to 24"], |file| file.set_opset(version));
    }
    for version in [9, 24] {
        // The first has another `Softmax` and no `Resize`, and is read up to that.
        let mut file = OnnxFile::golden("NCNN_13.onnx");
        file.set_opset(version);
        let place = tempfile::tempdir().expect("a temporary folder");
        let path = place.path().join("model.onnx");
        fs::write(&path, file.encode()).expect("a file");
        assert!(Checkpoint::open(&path).is_ok(), "operator set {version}");
    }
}

#[test]
fn weights_of_another_kind_or_without_a_place_are_named() {
    assert_refused(&["conv_2x2_/Conv2D", "holds float16; export in float32"], |file| {
        file.tensor("conv_2x2_/Conv2D", |tensor| {
            tensor.remove(TENSOR_TYPE);
            *tensor = std::mem::take(tensor).number(TENSOR_TYPE, 10);
        });
    });
    let stray = Message::default()
        .number(TENSOR_DIMS, 2)
        .number(TENSOR_TYPE, 1)
        .text(TENSOR_NAME, "stray")
        .with(TENSOR_RAW, Field::Bytes(vec![0; 8]));
    assert_refused(&["1 weight has no place", "`stray` value [2]"], |file| {
        file.graph = std::mem::take(&mut file.graph).message(GRAPH_TENSOR, &stray);
    });
    assert_refused(&["two tensors called `stray`"], |file| {
        let graph = std::mem::take(&mut file.graph).message(GRAPH_TENSOR, &stray);
        file.graph = graph.message(GRAPH_TENSOR, &stray);
    });
    assert_refused(
        &["FC1/MatMul", "`kernel`", "has 12 bytes, and its shape asks for 73728"],
        |file| {
            file.tensor("FC1/MatMul", |tensor| {
                tensor.remove(TENSOR_RAW);
                *tensor = std::mem::take(tensor).with(TENSOR_RAW, Field::Bytes(vec![0; 12]));
            });
        },
    );
    assert_refused(&["FC1", "values that are NaN or infinite"], |file| {
        file.tensor("FC1/BiasAdd", |tensor| {
            tensor.remove(TENSOR_RAW);
            let bytes = [f32::NAN; 8].map(f32::to_le_bytes).concat();
            *tensor = std::mem::take(tensor).with(TENSOR_RAW, Field::Bytes(bytes));
        });
    });
}

#[test]
fn shapes_past_all_memory_are_refused_before_they_are_read() {
    let huge = |sizes: [u64; 2]| {
        refusal(|file| {
            file.tensor("FC1/MatMul", |tensor| {
                tensor.remove(TENSOR_DIMS);
                let own = std::mem::take(tensor);
                *tensor = sizes.into_iter().fold(own, |own, size| own.number(TENSOR_DIMS, size));
            });
        })
    };
    for sizes in [[1 << 40, 1 << 40], [u64::MAX, 2], [1 << 47, 8]] {
        let message = huge(sizes);
        assert!(
            message.contains("FC1/MatMul") && message.contains("claims the shape"),
            "{message}"
        );
    }
    let message = huge([2304, 1 << 30]);
    assert!(message.contains("model/FC1/"), "{message}");
}

#[test]
fn graphs_that_are_none_are_refused() {
    // A cycle: the first node reads what the last one gives.
    assert_refused(&["reads `output`, which no node before it gives"], |file| {
        file.node("Transpose", |node| {
            node.remove(NODE_INPUT);
            *node = std::mem::take(node).text(NODE_INPUT, "output");
        });
    });
    assert_refused(&["two nodes give a value called"], |file| {
        let mut copy = Message::default();
        file.node("Softmax", |node| copy = node.clone());
        file.graph = std::mem::take(&mut file.graph).message(GRAPH_NODE, &copy);
    });
    assert_refused(&["it has 2 outputs", "and one is explained"], |file| {
        let second = Message::default().text(VALUE_NAME, "model/FC1/Relu:0");
        file.graph = std::mem::take(&mut file.graph).message(GRAPH_OUTPUT, &second);
    });
    assert_refused(&["its output `model/output/MatMul", "is read by"], |file| {
        file.graph.remove(GRAPH_OUTPUT);
        let logits = Message::default().text(VALUE_NAME, "model/output/BiasAdd:0");
        file.graph = std::mem::take(&mut file.graph).message(GRAPH_OUTPUT, &logits);
    });
    assert_refused(&["is not ncnn"], |file| file.graph.remove(GRAPH_OUTPUT));
    assert_refused(&["it has no place in the network or its head"], |file| {
        let stray = Message::default().text(NODE_INPUT, "input").text(NODE_OUTPUT, "stray");
        let stray = stray.text(NODE_TYPE, "Relu");
        file.graph = std::mem::take(&mut file.graph).message(GRAPH_NODE, &stray);
    });
}

#[test]
fn graphs_in_graphs_are_not_entered() {
    let mut nested = vec![0x0a, 0];
    for _ in 0..20_000 {
        nested = Message(vec![(1, Field::Bytes(nested))]).encode();
    }
    assert_refused(&["no such operator"], |file| {
        file.node("LeakyRelu", |node| {
            node.remove(NODE_TYPE);
            let branch = Message::default().text(ATTRIBUTE_NAME, "then_branch");
            let branch = branch.with(ATTRIBUTE_GRAPH, Field::Bytes(nested));
            *node = std::mem::take(node).text(NODE_TYPE, "If").message(NODE_ATTRIBUTE, &branch);
        });
    });
}

#[test]
fn lists_that_double_and_graphs_without_end_are_refused() {
    let node = |op_type: &str, input: &str, output: &str| {
        let node = Message::default().text(NODE_INPUT, input);
        node.text(NODE_OUTPUT, output).text(NODE_NAME, "same").text(NODE_TYPE, op_type)
    };
    assert_refused(&["`same` (Concat) is not supported"], |file| {
        let mut graph = std::mem::take(&mut file.graph);
        graph = graph.message(GRAPH_NODE, &node("Shape", "input", "list 0"));
        for step in 0..60 {
            let list = format!("list {step}");
            let twice = node("Concat", &list, &format!("list {}", step + 1));
            graph = graph.message(GRAPH_NODE, &twice.text(NODE_INPUT, &list));
        }
        file.graph = graph;
    });
    let relus = |count: usize| {
        refusal(|file| {
            let mut graph = std::mem::take(&mut file.graph);
            for step in 0..count {
                let last = if step == 0 { "output" } else { &format!("value {step}") };
                let relu = node("Relu", last, &format!("value {}", step + 1));
                graph = graph.message(GRAPH_NODE, &relu);
            }
            file.graph = graph;
        })
    };
    assert!(relus(9_000).contains("its output `model/output/Softmax` is read by"));
    assert!(relus(10_001).contains("more than 10000 nodes"));
}

#[test]
fn numbers_are_read_from_beside_the_model_and_from_nowhere_else() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let inner = place.path().join("inner");
    fs::create_dir(&inner).expect("a folder");
    let path = inner.join("model.onnx");
    let file = || OnnxFile::golden("NCNN_11_nchw.onnx");
    file().write_filled("NCNN", &path);
    assert!(load(&path).is_ok());
    let files = Checkpoint::open(&path).expect("a file").resolve(&ARCHS, None).expect("a network");
    assert_eq!(files.files(), [&path, &inner.join("weights.bin")]);
    let weights = inner.join("weights.bin");
    let bytes = fs::read(&weights).expect("the weights");
    fs::write(&weights, &bytes[..bytes.len() - 4]).expect("a file");
    assert!(message(load(&path)).contains("`weights.bin` is shorter than the model says"));
    fs::remove_file(&weights).expect("no weights");
    assert!(message(load(&path)).contains("`weights.bin`, which must lie beside it"));
    fs::write(place.path().join("weights.bin"), &bytes).expect("a file");
    #[cfg(unix)]
    {
        let target = place.path().join("weights.bin");
        std::os::unix::fs::symlink(&target, &weights).expect("a link");
        assert!(message(load(&path)).contains("no ordinary file"));
        fs::remove_file(&weights).expect("no link");
    }
    let absolute = place.path().join("weights.bin").display().to_string();
    for location in ["../weights.bin", &absolute, "a/../../weights.bin", ".", "..", ""] {
        let mut file = file();
        file.graph.each(GRAPH_TENSOR, |tensor| {
            if tensor.0.iter().all(|(number, _)| !(4..=13).contains(number) || *number == 8) {
                let entry = Message::default().text(1, "location").text(2, location);
                *tensor = std::mem::take(tensor)
                    .message(TENSOR_EXTERNAL, &entry)
                    .number(TENSOR_LOCATION, 1);
            }
        });
        fs::write(&path, file.encode()).expect("a file");
        let message = message(load(&path));
        assert!(message.contains("which is not a file beside it"), "{location}: {message}");
    }
}

#[test]
fn files_cut_short_are_refused() {
    let whole = OnnxFile::golden("NCNN_13.onnx").encode();
    let lengths = (0..whole.len()).step_by(4099).chain(whole.len() - 400..whole.len());
    for length in lengths {
        refusal_of(&whole[..length]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// What is damaged is refused, or still a network; nothing panics. Half of the damage is where
    /// the structure is.
    #[test]
    fn damaged_files_do_not_panic(
        damage in proptest::collection::vec((any::<u32>(), any::<u8>(), any::<bool>()), 1..6),
    ) {
        let place = tempfile::tempdir().expect("a temporary folder");
        let path = place.path().join("model.onnx");
        let mut bytes = fs::read(folder().join("onnx/NCNN_13.onnx")).expect("a golden file");
        let length = bytes.len();
        for (at, value, anywhere) in damage {
            let range = if anywhere { length } else { 5000 };
            bytes[at as usize % range] = value;
        }
        fs::write(&path, &bytes).expect("a file");
        let _ = load(&path);
    }
}
