//! Networks that are small enough for a seed: the files of a fuzzer's corpus should be short.

use burn::module::Module;
use burn::tensor::Tensor;
use burncam_net::layers::{Conv2d, MaxPool2d};
use burncam_net::{
    Arch, ChannelOrder, InputSpec, LayerTable, LoadError, Loader, Network, Op, Outputs, Trace,
    Variant,
};

/// One convolution with batch normalisation, a rectifier and a pooling, in both frameworks.
pub(crate) static TINY: Arch = Arch {
    name: "tiny",
    title: "tiny",
    classes: &["a", "b"],
    variants: &[
        variant("keras", || layers(["conv", "norm", "relu", "pool"], 1e-3)),
        variant("torch", || layers(["features.0", "features.1", "features.2", "features.3"], 1e-5)),
    ],
};

const fn variant(name: &'static str, layers: fn() -> LayerTable) -> Variant {
    let input = InputSpec::scaled(4, ChannelOrder::Rgb, 255.0);
    Variant { name, input, outputs: Outputs::Any, cam_layer: "conv", neurons: None, layers, build }
}

fn layers([conv, norm, relu, pool]: [&str; 4], epsilon: f32) -> LayerTable {
    let mut table = LayerTable::new("input", [4, 4, 3]);
    let padded = Op::conv2d(2, 3);
    table.push(conv, if conv == "conv" { padded.same() } else { padded.around(1) });
    table.push(norm, Op::batch_norm(epsilon));
    table.push(relu, Op::relu_layer());
    table.push(pool, Op::max_pool(2, 2));
    table
}

#[derive(Module, Debug)]
struct Tiny {
    conv: Conv2d,
    pool: MaxPool2d,
}

fn build(loader: &mut Loader<'_>) -> Result<Box<dyn Network>, LoadError> {
    Ok(Box::new(Tiny { conv: loader.conv2d()?, pool: loader.max_pool2d() }))
}

impl Network for Tiny {
    /// # Shapes
    ///
    /// `[batch, 3, 4, 4]` to `[batch, 2, 2, 2]`.
    fn features(&self, images: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let x = self.conv.forward(images, trace);
        self.pool.forward(x, trace)
    }
}
