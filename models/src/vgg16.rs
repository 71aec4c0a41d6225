//! VGG16: five stages of 3×3 convolutions and a max-pooling each.
//!
//! Simonyan and Zisserman, *Very Deep Convolutional Networks for Large-Scale Image Recognition*,
//! 2015, <https://arxiv.org/abs/1409.1556>; with the layer names and the channel means of
//! keras-vggface (Parkhi et al., *Deep Face Recognition*, 2015).

use burn::module::Module;
use burn::tensor::Tensor;
use burncam_net::layers::{Conv2d, MaxPool2d};
use burncam_net::{
    Arch, ChannelOrder, InputSpec, LayerTable, LoadError, Loader, Network, Op, Trace, Variant,
};

/// Blue, green and red mean of VGGFace's training set.
const MEAN: [f32; 3] = [93.5940, 104.7624, 129.1863];

/// filters, convolutions
const STAGES: [(usize, usize); 5] = [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)];

/// VGG16 as an architecture.
pub static VGG16: Arch = Arch {
    name: "vgg16",
    title: "VGG16",
    input: InputSpec::scaled(224, ChannelOrder::Bgr, 1.0).with_mean(MEAN),
    classes: &crate::PAIN_CLASSES,
    variants: &[Variant {
        name: "keras-vggface",
        cam_layer: "conv5_3",
        layers,
        build: |loader| Ok(Box::new(Vgg16::load(loader)?)),
    }],
};

fn layers() -> LayerTable {
    let mut table = LayerTable::new("input", [224, 224, 3]);
    for (stage, (filters, convs)) in (1..).zip(STAGES) {
        for conv in 1..=convs {
            table.push(format!("conv{stage}_{conv}"), Op::conv2d(filters, 3).same().relu());
        }
        table.push(format!("pool{stage}"), Op::max_pool(2, 2));
    }
    table
}

/// The network without its head.
#[derive(Module, Debug)]
pub struct Vgg16 {
    stages: Vec<Stage>,
}

#[derive(Module, Debug)]
struct Stage {
    convs: Vec<Conv2d>,
    pool: MaxPool2d,
}

impl Vgg16 {
    fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        let stages = (1..)
            .zip(STAGES)
            .map(|(stage, (_, convs))| {
                let convs = (1..=convs)
                    .map(|conv| loader.conv2d(&format!("conv{stage}_{conv}")))
                    .collect::<Result<_, _>>()?;
                Ok(Stage { convs, pool: loader.max_pool2d(&format!("pool{stage}")) })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { stages })
    }
}

impl Network for Vgg16 {
    /// # Shapes
    ///
    /// `[batch, 3, 224, 224]` to `[batch, 512, 7, 7]`.
    fn features(&self, images: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        self.stages.iter().fold(images, |input, stage| {
            let output = stage.convs.iter().fold(input, |x, conv| conv.forward(x, trace));
            stage.pool.forward(output, trace)
        })
    }
}
