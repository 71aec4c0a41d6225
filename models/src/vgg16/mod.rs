//! VGG16: five stages of 3×3 convolutions and a max-pooling each.
//!
//! Simonyan and Zisserman, *Very Deep Convolutional Networks for Large-Scale Image Recognition*,
//! 2015, <https://arxiv.org/abs/1409.1556>; with the layer names and channel means of
//! keras-vggface (Parkhi et al., *Deep Face Recognition*, 2015) or of keras.applications.

mod torch;

use burn::module::Module;
use burn::tensor::Tensor;
use burncam_net::layers::{Conv2d, MaxPool2d};
use burncam_net::{
    Arch, ChannelOrder, IMAGENET_CAFFE_MEAN, InputSpec, LayerTable, LoadError, Loader, Network, Op,
    Outputs, Trace, Variant,
};

use crate::PAIN_CLASSES;

/// filters, convolutions
pub(crate) const STAGES: [(usize, usize); 5] = [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)];

/// VGG16 as an architecture.
pub static VGG16: Arch = Arch {
    name: "vgg16",
    title: "VGG16",
    classes: &PAIN_CLASSES,
    variants: &[
        Variant {
            name: "keras-vggface",
            input: InputSpec::scaled(224, ChannelOrder::Bgr, 1.0)
                .with_mean([93.5940, 104.7624, 129.1863]),
            outputs: Outputs::Any,
            cam_layer: "conv5_3",
            neurons: None,
            layers: || layers("conv{stage}_{conv}", "pool{stage}").with_heads(&FACE_HEADS),
            build,
        },
        Variant {
            name: "keras-applications",
            input: InputSpec::scaled(224, ChannelOrder::Bgr, 1.0).with_mean(IMAGENET_CAFFE_MEAN),
            outputs: Outputs::Any,
            cam_layer: "block5_conv3",
            neurons: None,
            layers: || {
                layers("block{stage}_conv{conv}", "block{stage}_pool").with_heads(&[OWN_HEAD])
            },
            build,
        },
        torch::PLAIN,
        torch::NORMED,
        torch::FACE,
    ],
};

/// The notebook's head, and that of keras-vggface itself.
const FACE_HEADS: [&str; 2] = [
    "flatten; dense 512 relu; dropout; dense 512 relu; dropout; dense",
    "flatten; fc6: dense 4096 relu; fc7: dense 4096 relu; fc8: dense",
];

/// The head of keras.applications.
const OWN_HEAD: &str = "flatten; fc1: dense 4096 relu; fc2: dense 4096 relu; predictions: dense";

/// The layers, with the names of one family.
fn layers(conv_name: &str, pool_name: &str) -> LayerTable {
    let mut table = LayerTable::new("input", [224, 224, 3]);
    for (stage, (filters, convs)) in (1..).zip(STAGES) {
        let named = |name: &str| name.replace("{stage}", &format!("{stage}"));
        for conv in 1..=convs {
            let name = named(conv_name).replace("{conv}", &format!("{conv}"));
            table.push(name, Op::conv2d(filters, 3).same().relu());
        }
        table.push(named(pool_name), Op::max_pool(2, 2));
    }
    table
}

/// The network without its head.
#[derive(Module, Debug)]
struct Vgg16 {
    stages: Vec<Stage>,
}

#[derive(Module, Debug)]
struct Stage {
    convs: Vec<Conv2d>,
    pool: MaxPool2d,
}

fn build(loader: &mut Loader<'_>) -> Result<Box<dyn Network>, LoadError> {
    let stages = STAGES
        .into_iter()
        .map(|(_, convs)| {
            let convs = (0..convs).map(|_| loader.conv2d()).collect::<Result<_, _>>()?;
            Ok(Stage { convs, pool: loader.max_pool2d() })
        })
        .collect::<Result<_, _>>()?;
    Ok(Box::new(Vgg16 { stages }))
}

impl Network for Vgg16 {
    /// # Shapes
    ///
    /// `[batch, 3, 224, 224]` to `[batch, 512, 7, 7]`.
    fn features(&self, images: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        self.stages.iter().fold(images, |input, stage| {
            let (before, last) = stage.convs.split_at(stage.convs.len() - 2);
            let x = before.iter().fold(input, |x, conv| conv.forward(x, trace));
            last[0].forward_then_pooled(&last[1], x, &stage.pool, trace)
        })
    }
}
