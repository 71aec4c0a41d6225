//! N-CNN: three branches over a small face, joined before one more convolution.
//!
//! Zamzmi et al., *Pain Assessment From Facial Expression: Neonatal Convolutional Neural
//! Network (N-CNN)*, IJCNN 2019, <https://doi.org/10.1109/IJCNN.2019.8851879>; as rebuilt in
//! Keras by G. A. S. Coutrin, with `same` padding throughout.

mod torch;

use burn::module::Module;
use burn::tensor::Tensor;
use burncam_net::layers::{Concat, Conv2d, Dropout, MaxPool2d, Resizing};
use burncam_net::{
    Arch, ChannelOrder, InputSpec, LayerTable, LoadError, Loader, Network, Op, Outputs, Trace,
    Variant,
};

use crate::PAIN_CLASSES;

/// Filters of every convolution.
pub(crate) const FILTERS: usize = 64;

/// N-CNN as an architecture.
pub static NCNN: Arch = Arch {
    name: "ncnn",
    title: "NCNN",
    classes: &PAIN_CLASSES,
    variants: &[
        variant("keras", None),
        // The original's head: one sigmoid neuron, the probability of the second class.
        variant("keras-sigmoid", Some(1)),
        torch::VARIANT,
    ],
};

const fn variant(name: &'static str, neurons: Option<usize>) -> Variant {
    let input = InputSpec::scaled(120, ChannelOrder::Rgb, 255.0);
    let outputs = Outputs::Any;
    Variant { name, input, outputs, cam_layer: "conv_2x2_", neurons, layers, build }
}

fn layers() -> LayerTable {
    let conv = |size| Op::conv2d(FILTERS, size).same();
    let pool = |size| Op::max_pool(size, size).same();
    let leaky = Op::LeakyReLU { negative_slope: 0.01 };
    let mut table = LayerTable::new("input", [120, 120, 3])
        .with_heads(&["flatten; dense 8 relu; dropout; dense"]);

    table.push("maxpool_10x10", pool(10));

    table.at("input");
    table.push("conv_5x5", conv(5));
    table.push("leaky_1", leaky.clone());
    table.push("maxpool_3x3", pool(3));
    table.push("conv_2x2", conv(2));
    table.push("leaky_2", leaky.clone());
    table.push("maxpool_3x3_", pool(3));
    table.push_auto(Op::bilinear([12, 12]));
    table.push_auto(Op::Dropout);

    table.at("input");
    table.push("conv_5x5_", conv(5));
    table.push("leaky_3", leaky);
    table.push("maxpool_10x10_", pool(10));
    table.push_auto(Op::Dropout);

    table.join_auto(&["maxpool_10x10", "dropout", "dropout_1"], Op::Concatenate);
    table.push("conv_2x2_", conv(2).relu());
    table.push("maxpool_2x2_", pool(2));
    table
}

/// The network without its head.
#[derive(Module, Debug)]
struct Ncnn {
    pooled: MaxPool2d,
    deep: Deep,
    wide: Wide,
    join: Concat,
    conv: Conv2d,
    pool: MaxPool2d,
}

/// The branch of two convolutions: 120 → 40 → 14, brought to 12.
#[derive(Module, Debug)]
struct Deep {
    conv_1: Conv2d,
    pool_1: MaxPool2d,
    conv_2: Conv2d,
    pool_2: MaxPool2d,
    resizing: Resizing,
    dropout: Dropout,
}

/// The branch of one convolution: 120 → 12.
#[derive(Module, Debug)]
struct Wide {
    conv: Conv2d,
    pool: MaxPool2d,
    dropout: Dropout,
}

fn build(loader: &mut Loader<'_>) -> Result<Box<dyn Network>, LoadError> {
    Ok(Box::new(Ncnn {
        pooled: loader.max_pool2d(),
        deep: Deep {
            conv_1: loader.conv2d()?,
            pool_1: loader.max_pool2d(),
            conv_2: loader.conv2d()?,
            pool_2: loader.max_pool2d(),
            resizing: loader.resizing(),
            dropout: loader.dropout(),
        },
        wide: Wide { conv: loader.conv2d()?, pool: loader.max_pool2d(), dropout: loader.dropout() },
        join: loader.concat(),
        conv: loader.conv2d()?,
        pool: loader.max_pool2d(),
    }))
}

impl Deep {
    fn forward(&self, images: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let x = self.conv_1.forward_pooled(images, &self.pool_1, trace);
        let x = self.conv_2.forward_pooled(x, &self.pool_2, trace);
        let x = self.resizing.forward(x, trace);
        self.dropout.forward(x, trace)
    }
}

impl Wide {
    fn forward(&self, images: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let x = self.conv.forward_pooled(images, &self.pool, trace);
        self.dropout.forward(x, trace)
    }
}

impl Network for Ncnn {
    /// # Shapes
    ///
    /// `[batch, 3, 120, 120]` to `[batch, 64, 6, 6]`.
    fn features(&self, images: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let pooled = self.pooled.forward(images.clone(), trace);
        let deep = self.deep.forward(images.clone(), trace);
        let wide = self.wide.forward(images, trace);
        let joined = self.join.forward(vec![pooled, deep, wide], trace);
        self.conv.forward_pooled(joined, &self.pool, trace)
    }
}
