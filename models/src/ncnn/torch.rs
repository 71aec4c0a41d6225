//! N-CNN as darkrubiks/AI-Assessment-of-Pain-in-Newborns has it in PyTorch: no padding but in the
//! wide branch, so no resizing, and one output, the logit of Pain.

use burn::module::Module;
use burn::tensor::Tensor;
use burncam_net::layers::{Concat, Conv2d, Dropout, MaxPool2d};
use burncam_net::{
    ChannelOrder, InputSpec, LayerTable, LoadError, Loader, Network, Op, Outputs, Trace, Variant,
};

use super::FILTERS;
use crate::NO_PAIN_FIRST;

/// Its class `NCNN`.
pub(crate) const VARIANT: Variant = Variant {
    name: "darkrubiks",
    input: InputSpec::scaled(120, ChannelOrder::Rgb, 255.0),
    outputs: Outputs::Named(&NO_PAIN_FIRST),
    cam_layer: "merge_branch.1",
    neurons: None,
    layers,
    build,
};

fn layers() -> LayerTable {
    let conv = |size| Op::conv2d(FILTERS, size);
    let leaky = || Op::LeakyReLU { negative_slope: 0.01 };
    let mut table = LayerTable::new("input", [120, 120, 3])
        .with_heads(&["flatten; classifier.0: linear 8; relu; dropout; classifier.3: linear"]);

    table.push("left_branch.0", Op::max_pool(10, 10));

    table.at("input");
    table.push("center_branch.0", conv(5));
    table.push("center_branch.1", leaky());
    table.push("center_branch.2", Op::max_pool(3, 3));
    table.push("center_branch.3", conv(2));
    table.push("center_branch.4", leaky());
    table.push("center_branch.5", Op::max_pool(3, 3));
    table.push("center_branch.6", Op::Dropout);

    table.at("input");
    table.push("right_branch.0", conv(5).around(2));
    table.push("right_branch.1", leaky());
    table.push("right_branch.2", Op::max_pool(10, 10));
    table.push("right_branch.3", Op::Dropout);

    let branches = ["left_branch.0", "center_branch.6", "right_branch.3"];
    table.join(&branches, "cat", Op::Concatenate);
    table.push("merge_branch.0", conv(2));
    table.push("merge_branch.1", Op::relu_layer());
    table.push("merge_branch.2", Op::max_pool(2, 2));
    table
}

/// The network without its head.
#[derive(Module, Debug)]
struct TorchNcnn {
    left: MaxPool2d,
    center: [Unit; 2],
    center_dropout: Dropout,
    right: Unit,
    right_dropout: Dropout,
    join: Concat,
    conv: Conv2d,
    pool: MaxPool2d,
}

#[derive(Module, Debug)]
struct Unit {
    conv: Conv2d,
    pool: MaxPool2d,
}

fn build(loader: &mut Loader<'_>) -> Result<Box<dyn Network>, LoadError> {
    Ok(Box::new(TorchNcnn {
        left: loader.max_pool2d(),
        center: [Unit::load(loader)?, Unit::load(loader)?],
        center_dropout: loader.dropout(),
        right: Unit::load(loader)?,
        right_dropout: loader.dropout(),
        join: loader.concat(),
        conv: loader.conv2d()?,
        pool: loader.max_pool2d(),
    }))
}

impl Unit {
    fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        Ok(Self { conv: loader.conv2d()?, pool: loader.max_pool2d() })
    }

    fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let x = self.conv.forward(input, trace);
        self.pool.forward(x, trace)
    }
}

impl Network for TorchNcnn {
    /// # Shapes
    ///
    /// `[batch, 3, 120, 120]` to `[batch, 64, 5, 5]`.
    fn features(&self, images: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let left = self.left.forward(images.clone(), trace);
        let [first, second] = &self.center;
        let center = second.forward(first.forward(images.clone(), trace), trace);
        let center = self.center_dropout.forward(center, trace);
        let right = self.right_dropout.forward(self.right.forward(images, trace), trace);
        let joined = self.join.forward(vec![left, center, right], trace);
        let x = self.conv.forward(joined, trace);
        self.pool.forward(x, trace)
    }
}
