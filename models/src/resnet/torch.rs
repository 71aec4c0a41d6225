//! ResNet50 and SENet50 as PyTorch has them: torchvision, timm, and the conversion of VGGFace2's
//! Caffe networks.
//!
//! Layers have the names of their modules. The output of a block is called like the block,
//! `layer4.2`; what is no module of its own, or is one that runs several times (`relu`), has a
//! name of ours: `relu1`, `relu2`, `add`.

use burn::module::Module;
use burn::tensor::Tensor;
use burncam_net::layers::{Conv2d, MaxPool2d};
use burncam_net::{Activation, LayerTable, LoadError, Loader, Network, Op, Trace};

use super::bottleneck::Bottleneck;
use super::{SQUEEZE, STAGES};
use crate::TORCH_EPSILON;

/// The stem of torchvision, and of those who follow it.
pub(super) const TORCH_STEM: [&str; 4] = ["conv1", "bn1", "relu", "maxpool"];

/// What lies directly inside torchvision's network, and inside that of VGGFace2.
pub(super) const TORCH_CHILDREN: [&str; 10] =
    ["conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool", "fc"];

/// Identities that VGGFace2's published networks tell apart.
pub(super) const VGGFACE2_CLASSES: usize = 8631;

/// What distinguishes these networks.
pub(super) struct TorchResNet {
    /// Convolution, batch normalisation, rectifier and pooling of the stem.
    pub(super) stem: [&'static str; 4],
    /// As in Caffe: stride 2 in the first 1×1 of a stage, and a max-pooling whose last windows
    /// lie half outside (`ceil_mode`). Else as in torchvision ("v1.5"): stride 2 in the 3×3, and a
    /// max-pooling with padding 1.
    pub(super) caffe: bool,
    /// Names inside a block of what squeezes and excites: mean, its reshaping, first convolution,
    /// rectifier, second convolution, sigmoid, product.
    pub(super) excite: Option<[&'static str; 7]>,
}

impl TorchResNet {
    /// All layers, to the last block.
    pub(super) fn layers(&self) -> LayerTable {
        let mut table = LayerTable::new("input", [224, 224, 3]);
        let [conv, norm, relu, pool] = self.stem;
        table.push(conv, Op::conv2d(64, 7).stride(2).around(3).bias(false));
        table.push(norm, Op::batch_norm(TORCH_EPSILON));
        table.push(relu, Op::relu_layer());
        // On 112 rows, `ceil_mode` adds half a window at the end, as Keras's `same` does.
        let max = Op::max_pool(3, 2);
        table.push(pool, if self.caffe { max.same() } else { max.around(1) });
        for (stage, (width, blocks)) in (1..).zip(STAGES) {
            for block in 0..blocks {
                let stride = if block == 0 && stage > 1 { 2 } else { 1 };
                self.block(&mut table, &format!("layer{stage}.{block}"), width, block == 0, stride);
            }
        }
        table
    }

    fn block(&self, table: &mut LayerTable, name: &str, width: usize, first: bool, stride: usize) {
        let conv_norm = |table: &mut LayerTable, [conv, norm]: [&str; 2], op: Op| {
            table.push(format!("{name}.{conv}"), op.bias(false));
            table.push(format!("{name}.{norm}"), Op::batch_norm(TORCH_EPSILON));
        };
        let mut shortcut = table.current();
        if first {
            let input = shortcut;
            let project = Op::conv2d(4 * width, 1).stride(stride);
            conv_norm(table, ["downsample.0", "downsample.1"], project);
            shortcut = table.current();
            table.at(&input);
        }
        let (reduce, middle) = if self.caffe { (stride, 1) } else { (1, stride) };
        conv_norm(table, ["conv1", "bn1"], Op::conv2d(width, 1).stride(reduce));
        table.push(format!("{name}.relu1"), Op::relu_layer());
        conv_norm(table, ["conv2", "bn2"], Op::conv2d(width, 3).stride(middle).around(1));
        table.push(format!("{name}.relu2"), Op::relu_layer());
        conv_norm(table, ["conv3", "bn3"], Op::conv2d(4 * width, 1));
        if let Some(names) = self.excite {
            excite(table, names.map(|part| format!("{name}.{part}")), 4 * width);
        }
        let residual = table.current();
        table.join(&[&residual, &shortcut], format!("{name}.add"), Op::Add);
        table.push(name, Op::relu_layer());
    }

    /// Makes the network in the order of the table.
    pub(super) fn build(&self, loader: &mut Loader<'_>) -> Result<Box<dyn Network>, LoadError> {
        let stem = loader.conv2d()?;
        let pool = loader.max_pool2d();
        let stages = STAGES.map(|(_, blocks)| blocks);
        let blocks = Bottleneck::load_stages(loader, stages, self.excite.is_some())?;
        Ok(Box::new(Features { stem, pool, blocks }))
    }
}

fn excite(table: &mut LayerTable, names: [String; 7], channels: usize) {
    let map = table.current();
    let [mean, reshape, down, relu, up, sigmoid, product] = names;
    table.push(mean, Op::GlobalAveragePooling2D);
    table.push(reshape, Op::Reshape { target_shape: [1, 1, channels] });
    table.push(down, Op::conv2d(channels / SQUEEZE, 1));
    table.push(relu, Op::relu_layer());
    table.push(up, Op::conv2d(channels, 1));
    table.push(sigmoid, Op::Activation { activation: Activation::Sigmoid });
    let factors = table.current();
    table.join(&[&map, &factors], product, Op::Multiply);
}

/// The network without its head.
#[derive(Module, Debug)]
struct Features {
    stem: Conv2d,
    pool: MaxPool2d,
    blocks: Vec<Bottleneck>,
}

impl Network for Features {
    /// # Shapes
    ///
    /// `[batch, 3, 224, 224]` to `[batch, 2048, 7, 7]`.
    fn features(&self, images: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let x = self.stem.forward(images, trace);
        let x = self.pool.forward(x, trace);
        self.blocks.iter().fold(x, |x, block| block.forward(x, trace))
    }
}
