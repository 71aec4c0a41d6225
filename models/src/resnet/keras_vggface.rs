//! What ResNet50 and SENet50 of keras-vggface share: stem, bottlenecks and names.
//!
//! Stride 2 sits in the first 1×1 of a stage, convolutions have no bias, and Keras names the
//! activations and the stem's pooling.

use burn::module::Module;
use burn::tensor::Tensor;
use burncam_net::ChannelOrder::Bgr;
use burncam_net::layers::{AvgPool2d, Conv2d, MaxPool2d};
use burncam_net::{Activation, InputSpec, LayerTable, LoadError, Loader, Network, Op, Trace};

use super::bottleneck::Bottleneck;
use super::{SQUEEZE, STAGES};

/// 224 × 224, minus the mean of VGGFace2's training set.
pub(super) const INPUT: InputSpec =
    InputSpec::scaled(224, Bgr, 1.0).with_mean([91.4953, 103.8827, 131.0912]);

/// The notebook's head, behind both networks.
pub(super) const NOTEBOOK_HEAD: &str = "avgpool; dense 1000 relu; dropout; dense";

/// What distinguishes the two networks.
pub(super) struct VggfaceResNet {
    /// Epsilon of the batch normalisations.
    pub(super) epsilon: f32,
    /// Whether blocks squeeze and excite.
    pub(super) squeeze: bool,
}

impl VggfaceResNet {
    /// Adds all layers to a table that holds the input.
    pub(super) fn layers(&self, mut table: LayerTable) -> LayerTable {
        self.conv_norm(&mut table, "conv1/7x7_s2", Op::conv2d(64, 7).stride(2).same());
        table.push_auto(Op::relu_layer());
        table.push_auto(Op::max_pool(3, 2));
        for (stage, (width, blocks)) in (2..).zip(STAGES) {
            for block in 1..=blocks {
                let stride = if block == 1 && stage > 2 { 2 } else { 1 };
                self.block(&mut table, &format!("conv{stage}_{block}"), width, block == 1, stride);
            }
        }
        table.push("avg_pool", Op::average_pool(7, 7));
        table
    }

    fn block(&self, table: &mut LayerTable, name: &str, width: usize, first: bool, stride: usize) {
        let mut shortcut = table.current();
        if first {
            let input = shortcut;
            let project = Op::conv2d(4 * width, 1).stride(stride);
            self.conv_norm(table, &format!("{name}_1x1_proj"), project);
            shortcut = table.current();
            table.at(&input);
        }
        let reduce = Op::conv2d(width, 1).stride(stride);
        self.conv_norm(table, &format!("{name}_1x1_reduce"), reduce);
        table.push_auto(Op::relu_layer());
        self.conv_norm(table, &format!("{name}_3x3"), Op::conv2d(width, 3).same());
        table.push_auto(Op::relu_layer());
        self.conv_norm(table, &format!("{name}_1x1_increase"), Op::conv2d(4 * width, 1));
        if self.squeeze {
            squeeze_and_excite(table, name, 4 * width);
        }
        let residual = table.current();
        table.join_auto(&[&residual, &shortcut], Op::Add);
        table.push_auto(Op::relu_layer());
    }

    fn conv_norm(&self, table: &mut LayerTable, name: &str, conv: Op) {
        table.push(name, conv.bias(false));
        table.push(format!("{name}/bn"), Op::batch_norm(self.epsilon));
    }

    /// Makes the network in the order of the table.
    pub(super) fn build(&self, loader: &mut Loader<'_>) -> Result<Box<dyn Network>, LoadError> {
        let stem = loader.conv2d()?;
        let pool = loader.max_pool2d();
        let blocks =
            Bottleneck::load_stages(loader, STAGES.map(|(_, blocks)| blocks), self.squeeze)?;
        Ok(Box::new(Features { stem, pool, blocks, average: loader.avg_pool2d() }))
    }
}

/// Hu et al., *Squeeze-and-Excitation Networks*, 2018. Its convolutions have a bias.
fn squeeze_and_excite(table: &mut LayerTable, name: &str, channels: usize) {
    let map = table.current();
    table.push_auto(Op::GlobalAveragePooling2D);
    table.push_auto(Op::Reshape { target_shape: [1, 1, channels] });
    table.push(format!("{name}_1x1_down"), Op::conv2d(channels / SQUEEZE, 1));
    table.push_auto(Op::relu_layer());
    table.push(format!("{name}_1x1_up"), Op::conv2d(channels, 1));
    table.push_auto(Op::Activation { activation: Activation::Sigmoid });
    let factors = table.current();
    table.join_auto(&[&map, &factors], Op::Multiply);
}

/// The network without its head.
#[derive(Module, Debug)]
struct Features {
    stem: Conv2d,
    pool: MaxPool2d,
    blocks: Vec<Bottleneck>,
    average: AvgPool2d,
}

impl Network for Features {
    /// # Shapes
    ///
    /// `[batch, 3, 224, 224]` to `[batch, 2048, 1, 1]`.
    fn features(&self, images: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let x = self.stem.forward(images, trace);
        let x = self.pool.forward(x, trace);
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x, trace));
        self.average.forward(x, trace)
    }
}
