//! Networks that are run as their tables say: a known one against its module, to the last bit, and others against Keras.
//!
//! `goldens/described.zip` was made by `tests/reference/described.py` of networks of Keras 2.15 and 3.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use burncam_attribution::{Target, max_relative_error};
use burncam_models::ARCHS;
use burncam_net::{
    Activation, Arch, Arithmetic, Build, Classifier, GRAPH, Graph, HeadConfig, Op, Trace, Variant,
};
use burncam_weights::{Checkpoint, Container, Wanted};
use parity::{KerasFile, described, observe};
use serde_json::{Value, json};

use crate::registry::Swinging;

fn classifier(arch: &'static Arch, variant: &'static Variant, how: Arithmetic) -> Classifier {
    let dense = Op::Dense { units: 3, use_bias: true, activation: Activation::Softmax };
    let head = vec![("flat".to_owned(), Op::Flatten), ("dense".to_owned(), dense)];
    let head = HeadConfig::new(head).expect("a head");
    let device = Device::flex();
    let build = Build { arithmetic: how, ..Build::default() };
    Classifier::build(arch, variant, head, &mut Swinging, &device, build).expect("weights")
}

/// The variant, run as a graph.
fn as_graph(variant: &Variant) -> &'static Variant {
    Box::leak(Box::new(Variant {
        name: variant.name,
        input: variant.input.clone(),
        outputs: variant.outputs,
        cam_layer: variant.cam_layer,
        layers: variant.layers,
        neurons: variant.neurons,
        build: Graph::build,
    }))
}

fn images(variant: &Variant) -> Tensor<4> {
    let shape = [2, 3, variant.input.height, variant.input.width];
    let values: Vec<f32> = (0..shape.iter().product()).map(|i| (i as f32 * 0.01).sin()).collect();
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("numbers")
}

/// Every layer's output by name.
fn outputs(classifier: &Classifier) -> BTreeMap<String, Vec<f32>> {
    let mut outputs = BTreeMap::new();
    let mut observer = |name: &str, output: Tensor<4>| {
        outputs.insert(name.to_owned(), values(output.clone()));
        output
    };
    let _ = classifier.logits(images(classifier.variant), &mut Trace::new(&mut observer));
    outputs
}

fn compare(arch: &'static Arch) {
    for variant in arch.variants {
        let name = format!("{}:{}", arch.name, variant.name);
        let both = |how| [variant, as_graph(variant)].map(|variant| classifier(arch, variant, how));
        let mut how = Arithmetic::Fast;
        let [mut module, mut graph] = both(how);
        assert_eq!(module.parameters, graph.parameters, "{name}");
        // A module takes the means of a convolution's results from those of its input, and convolves before it averages;
        // a graph goes by its layers. The last digits differ, unless sums are to be plain.
        let is_moved = |op: &Op| matches!(op, Op::Multiply | Op::AveragePooling2D { .. });
        if module.layers.layers().iter().any(|layer| is_moved(&layer.op)) {
            let logits = |own: &Classifier| values(own.logits(images(variant), &mut Trace::none()));
            let error = max_relative_error(&logits(&module), &logits(&graph));
            assert!(error < 1e-6, "{name}: logits: {error:e}");
            how = Arithmetic::Exact;
            [module, graph] = both(how);
        }

        let layers = module.layers.layers();
        let tapped: Vec<&str> =
            layers.iter().filter(|layer| layer.is_map).map(|layer| layer.name.as_str()).collect();
        for layer in [tapped[0], tapped[tapped.len() / 2], variant.cam_layer] {
            let both = [&module, &graph].map(|classifier| {
                observe(classifier, images(variant), layer, Target::Class(1)).expect("a layer")
            });
            let [a, b] = both;
            assert_eq!(a.logits, b.logits, "{name}: logits");
            assert_eq!(a.maps, b.maps, "{name}: map at {layer}");
            assert_eq!(values(a.activations.clone()), values(b.activations), "{name}: {layer}");
            assert_eq!(values(a.gradients), values(b.gradients), "{name}: gradient at {layer}");
            if module.layers.is_cut(layer) {
                let tail = |classifier: &Classifier| {
                    values(classifier.tail(layer, a.activations.clone()).expect("a tail"))
                };
                assert_eq!(tail(&module), tail(&graph), "{name}: behind {layer}");
            }
        }

        let (expected, found) = (outputs(&module), outputs(&graph));
        assert!(!expected.is_empty(), "{name}");
        for (layer, output) in &expected {
            assert_eq!(*output, found[layer], "{name}: {layer} where each is looked at");
        }
    }
}

#[test]
fn vgg16_is_its_graph() {
    compare(&burncam_models::VGG16);
}

#[test]
fn resnet50_is_its_graph() {
    compare(&burncam_models::RESNET50);
}

#[test]
fn senet50_is_its_graph() {
    compare(&burncam_models::SENET50);
}

#[test]
fn inception_v3_is_its_graph() {
    compare(&burncam_models::INCEPTION_V3);
}

#[test]
fn ncnn_is_its_graph() {
    compare(&burncam_models::NCNN);
}

#[test]
fn networks_of_files_compute_what_keras_does() {
    let (_place, all) = described();
    assert_eq!(all.len(), 25);
    for network in &all {
        let name = &network.name;
        let resolved = network.open(&network.path);
        assert_eq!(resolved.arch.name, GRAPH.name, "{name}");
        assert_eq!(resolved.cam_layer, network.layer, "{name}");
        resolved.check_weights().unwrap_or_else(|error| panic!("{name}: {error}"));
        let classifier = resolved.build(&Device::flex()).expect("weights");
        let images = network.images(&resolved.input, classifier.device());
        let found = observe(&classifier, images, &network.layer, Target::Predicted).expect("a map");
        let logits = max_relative_error(&found.logits[0], &network.logits);
        let map = max_relative_error(&found.maps[0], &network.map);
        assert!(logits < 1e-5, "{name}: logits differ by {logits}");
        assert!(map < 1e-4, "{name}: maps differ by {map}");
    }
}

#[test]
fn a_described_network_is_the_same_when_it_is_converted() {
    let (place, all) = described();
    for network in &all {
        let name = &network.name;
        let before = network.open(&network.path);
        let (layers, is_prepared) = (before.layers.clone(), before.is_prepared);
        let converted = place.path().join(format!("{name}.safetensors"));
        before.convert(&converted, Container::Safetensors, false).expect("a file");
        let after = network.open(&converted);
        assert_eq!(after.layers, layers, "{name}");
        assert_eq!(after.is_prepared, is_prepared, "{name}");
        after.build(&Device::flex()).expect("weights");
    }
}

/// A change of N-CNN's file, and what the refusal says.
type Change = (&'static str, &'static str, Value, &'static str);

#[test]
fn networks_that_cannot_be_run_are_refused_before_anything_is_computed() {
    let changes: [Change; 7] = [
        ("maxpool_3x3_", "pool_size", json!([9_999_999, 9_999_999]), "more work than any"),
        ("conv_2x2_", "padding", json!("causal"), "`padding` is"),
        ("conv_2x2_", "groups", json!(5), "5 groups do not divide"),
        ("resizing", "height", json!(13), "it joins maps of 12 x 12 x 3 and 13 x 12 x 64"),
        ("resizing", "height", json!(900_000_000_u64), "which is too large"),
        ("conv_5x5", "filters", json!(u64::MAX), "too large"),
        ("leaky_1", "alpha", json!("much"), "is not a number"),
    ];
    let place = tempfile::tempdir().expect("a temporary folder");
    let path = place.path().join("altered.h5");
    let resolve = |change: &dyn Fn(&mut KerasFile)| {
        let mut file = KerasFile::ncnn();
        change(&mut file);
        file.write(&path);
        let wanted = Some(Wanted { arch: &GRAPH, variant: None });
        Checkpoint::open(&path)?.resolve(&ARCHS, wanted)
    };
    assert!(resolve(&|_| ()).is_ok(), "the file itself");
    for (layer, setting, value, words) in &changes {
        let refused = resolve(&|file| file.layer(layer)["config"][setting] = value.clone());
        let Err(error) = refused else { panic!("{layer}: {setting} {value} is taken") };
        let error = error.to_string();
        assert!(error.contains(words), "{layer}: no `{words}` in {error}");
    }
    for (shape, words) in [
        (json!([null, null, null, 3]), "--size states them"),
        (json!([null, 120, 120, 2]), "2 channels"),
        (json!([null, 99_999, 120, 3]), "4096 at most"),
    ] {
        let refused = resolve(&|file| {
            let layers = file.config["config"]["layers"].as_array_mut().expect("layers");
            layers[0]["config"]["batch_input_shape"] = shape.clone();
        });
        let Err(error) = refused else { panic!("{shape} is taken") };
        assert!(error.to_string().contains(words), "no `{words}` in {error}");
    }
    let refused = resolve(&|file| {
        file.layer("conv_2x2_")["inbound_nodes"] = json!([[["maxpool_2x2_", 0, 0, {}]]]);
    });
    assert!(refused.is_err(), "a layer that depends on itself");
}
