//! ResNet50: bottlenecks with shortcuts.
//!
//! He et al., *Deep Residual Learning for Image Recognition*, CVPR 2016,
//! <https://arxiv.org/abs/1512.03385>; as keras-vggface builds it (Cao et al., *VGGFace2*, 2018),
//! or keras.applications.

use burn::module::Module;
use burn::tensor::Tensor;
use burncam_net::layers::{Conv2d, MaxPool2d, ZeroPadding};
use burncam_net::{
    Arch, ChannelOrder, InputSpec, LayerTable, LoadError, Loader, Network, Op, Outputs, Trace,
    Variant,
};

use crate::bottleneck::Bottleneck;
use crate::torch_residual::{self, TORCH_CHILDREN, TORCH_STEM, VGGFACE2_CLASSES};
use crate::vggface_residual::{INPUT, NOTEBOOK_HEAD, Recipe, STAGES};
use crate::{FASTAI_HEADS, IMAGENET_CLASSES, IMAGENET_MEAN, PAIN_CLASSES, imagenet_torch};

const VGGFACE: Recipe = Recipe { epsilon: 1e-3, squeeze: false };

const TORCHVISION: torch_residual::Recipe =
    torch_residual::Recipe { stem: TORCH_STEM, caffe: false, excite: None };

const VGGFACE2: torch_residual::Recipe =
    torch_residual::Recipe { stem: TORCH_STEM, caffe: true, excite: None };

/// ResNet50 as an architecture.
pub static RESNET50: Arch = Arch {
    name: "resnet50",
    title: "ResNet50",
    classes: &PAIN_CLASSES,
    variants: &[
        Variant {
            name: "keras-vggface",
            input: INPUT,
            outputs: Outputs::Any,
            cam_layer: "activation_48",
            neurons: None,
            layers: || {
                let table = LayerTable::new("input", [224, 224, 3]);
                VGGFACE.layers(table).with_heads(&[NOTEBOOK_HEAD])
            },
            build: |loader| VGGFACE.build(loader),
        },
        Variant {
            name: "keras-applications",
            input: InputSpec::scaled(224, ChannelOrder::Bgr, 1.0).with_mean(IMAGENET_MEAN),
            outputs: Outputs::Any,
            cam_layer: "conv5_block3_out",
            neurons: None,
            layers: applications,
            build: Applications::build,
        },
        // Also timm's `resnet50`, whose weights have the same names.
        Variant {
            name: "torchvision",
            input: imagenet_torch(224),
            outputs: Outputs::Count(IMAGENET_CLASSES),
            cam_layer: "layer4.2",
            neurons: None,
            layers: || {
                TORCHVISION.layers().with_children(&TORCH_CHILDREN).with_heads(&FASTAI_HEADS)
            },
            build: |loader| TORCHVISION.build(loader),
        },
        // cydonia999/VGGFace2-pytorch: the authors' Caffe networks, with the names of torchvision.
        Variant {
            name: "vggface2-pytorch",
            input: INPUT,
            outputs: Outputs::Count(VGGFACE2_CLASSES),
            cam_layer: "layer4.2",
            neurons: None,
            layers: || VGGFACE2.layers().with_children(&TORCH_CHILDREN),
            build: |loader| VGGFACE2.build(loader),
        },
    ],
};

/// Epsilon of the batch normalisations of keras.applications.
const EPSILON: f32 = 1.001e-5;

/// keras.applications pads explicitly, gives convolutions a bias and names every layer.
fn applications() -> LayerTable {
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
            applications_block(&mut table, &name, width, block == 1, stride);
        }
    }
    table
}

fn applications_block(
    table: &mut LayerTable,
    name: &str,
    width: usize,
    first: bool,
    stride: usize,
) {
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

/// The network of keras.applications without its head.
#[derive(Module, Debug)]
struct Applications {
    pad: ZeroPadding,
    stem: Conv2d,
    pool_pad: ZeroPadding,
    pool: MaxPool2d,
    blocks: Vec<Bottleneck>,
}

impl Applications {
    fn build(loader: &mut Loader<'_>) -> Result<Box<dyn Network>, LoadError> {
        let pad = loader.zero_padding();
        let stem = loader.conv2d()?;
        let (pool_pad, pool) = (loader.zero_padding(), loader.max_pool2d());
        let blocks = Bottleneck::load_stages(loader, STAGES.map(|(_, blocks)| blocks), false)?;
        Ok(Box::new(Self { pad, stem, pool_pad, pool, blocks }))
    }
}

impl Network for Applications {
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
