//! `tiny`, as `cargo xtask port` made it from an ONNX file: a graph that was cut at `relu_2`.

#[allow(warnings, clippy::all, clippy::pedantic)]
#[rustfmt::skip]
mod features;
#[allow(warnings, clippy::all, clippy::pedantic)]
#[rustfmt::skip]
mod head;

use burn::tensor::Tensor;
use burncam_net::{
    Arch, ChannelOrder, InputSpec, LayerTable, LoadError, Loader, Network, Op, Outputs, Trace,
    Variant,
};

/// The map: the tensor at which the graph was cut.
const LAYER: &str = "relu_2";

/// Outputs of the head.
const UNITS: usize = 3;

/// The network.
pub(crate) static ARCH: Arch = Arch {
    name: "tiny",
    title: "tiny",
    classes: &["a", "b", "c"],
    variants: &[Variant {
        name: "ported",
        input: INPUT,
        outputs: Outputs::Any,
        cam_layer: LAYER,
        layers,
        neurons: None,
        build,
    }],
};

/// Size and preprocessing of the input.
const INPUT: InputSpec = InputSpec {
    height: 32,
    width: 32,
    order: ChannelOrder::Rgb,
    divisor: 255.0,
    mean: [0.5, 0.5, 0.5],
    deviation: [0.25, 0.5, 0.75],
    resizing: None,
    steps: Vec::new(),
};

fn layers() -> LayerTable {
    let mut table = LayerTable::new("x", [32, 32, 3]);
    table.push(LAYER, Op::Generated { output: vec![8, 8, 8] });
    table
}

fn build(loader: &mut Loader<'_>) -> Result<Box<dyn Network>, LoadError> {
    let features = loader.generated(FEATURES, features::Model::new)?;
    let head = loader.generated_head(HEAD, head::Model::new)?;
    Ok(Box::new(Ported { features, head }))
}

struct Ported {
    features: features::Model,
    head: head::Model,
}

impl Network for Ported {
    fn features(&self, images: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        trace.layer(LAYER, self.features.forward(images))
    }

    fn head_units(&self) -> Option<usize> {
        Some(UNITS)
    }

    fn head(&self, features: Tensor<4>) -> Tensor<2> {
        self.head.forward(features)
    }
}

/// Tensors of the features.
const FEATURES: &[&str] = &[
    "batchnormalization1.beta",
    "batchnormalization1.gamma",
    "batchnormalization1.running_mean",
    "batchnormalization1.running_var",
    "conv2d1.bias",
    "conv2d1.weight",
    "conv2d2.weight",
    "conv2d3.bias",
    "conv2d3.weight",
];

/// Tensors of the head.
const HEAD: &[&str] = &[
    "batchnormalization1.beta",
    "batchnormalization1.gamma",
    "batchnormalization1.running_mean",
    "batchnormalization1.running_var",
    "linear1.bias",
    "linear1.weight",
];
