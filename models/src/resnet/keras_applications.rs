//! ResNet50 of keras.applications, which pads explicitly, gives convolutions a bias and names every layer.

use burn::module::Module;
use burn::tensor::Tensor;
use burncam_net::layers::{Conv2d, MaxPool2d, ZeroPadding};
use burncam_net::{LayerTable, LoadError, Loader, Network, Op, Trace};

use super::STAGES;
use super::bottleneck::Bottleneck;

/// Epsilon of the batch normalisations.
const EPSILON: f32 = 1.001e-5;

/// All layers, to the last block.
pub(super) fn layers() -> LayerTable {
    let mut table = LayerTable::new("input", [224, 224, 3]);
    table.push("conv1_pad", Op::ZeroPadding2D { padding: [[3; 2]; 2] });
    table.push("conv1_conv", Op::conv2d(64, 7).stride(2));
    table.push("conv1_bn", Op::batch_norm(EPSILON));
    table.push("conv1_relu", Op::relu_layer());
    table.push("pool1_pad", Op::ZeroPadding2D { padding: [[1; 2]; 2] });
    table.push("pool1_pool", Op::max_pool(3, 2));
    for (stage, (width, blocks)) in (2..).zip(STAGES) {
        for block in 1..=blocks {
            let stride = if block == 1 && stage > 2 { 2 } else { 1 };
            let name = format!("conv{stage}_block{block}");
            bottleneck(&mut table, &name, width, block == 1, stride);
        }
    }
    table
}

fn bottleneck(table: &mut LayerTable, name: &str, width: usize, first: bool, stride: usize) {
    let conv_norm = |table: &mut LayerTable, part: usize, conv: Op| {
        table.push(format!("{name}_{part}_conv"), conv);
        table.push(format!("{name}_{part}_bn"), Op::batch_norm(EPSILON));
    };
    let mut shortcut = table.current();
    if first {
        let input = shortcut;
        conv_norm(table, 0, Op::conv2d(4 * width, 1).stride(stride));
        shortcut = table.current();
        table.at(&input);
    }
    conv_norm(table, 1, Op::conv2d(width, 1).stride(stride));
    table.push(format!("{name}_1_relu"), Op::relu_layer());
    conv_norm(table, 2, Op::conv2d(width, 3).same());
    table.push(format!("{name}_2_relu"), Op::relu_layer());
    conv_norm(table, 3, Op::conv2d(4 * width, 1));
    let residual = table.current();
    table.join(&[&shortcut, &residual], format!("{name}_add"), Op::Add);
    table.push(format!("{name}_out"), Op::relu_layer());
}

/// The network without its head.
#[derive(Module, Debug)]
struct Features {
    pad: ZeroPadding,
    stem: Conv2d,
    pool_pad: ZeroPadding,
    pool: MaxPool2d,
    blocks: Vec<Bottleneck>,
}

/// Makes the network in the order of the table.
pub(super) fn build(loader: &mut Loader<'_>) -> Result<Box<dyn Network>, LoadError> {
    let pad = loader.zero_padding();
    let stem = loader.conv2d()?;
    let (pool_pad, pool) = (loader.zero_padding(), loader.max_pool2d());
    let blocks = Bottleneck::load_stages(loader, STAGES.map(|(_, blocks)| blocks), false)?;
    Ok(Box::new(Features { pad, stem, pool_pad, pool, blocks }))
}

impl Network for Features {
    /// # Shapes
    ///
    /// `[batch, 3, 224, 224]` to `[batch, 2048, 7, 7]`.
    fn features(&self, images: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let x = self.pad.forward(images, trace);
        let x = self.stem.forward(x, trace);
        let x = self.pool_pad.forward(x, trace);
        let x = self.pool.forward(x, trace);
        self.blocks.iter().fold(x, |x, block| block.forward(x, trace))
    }
}
