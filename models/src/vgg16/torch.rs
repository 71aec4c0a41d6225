//! VGG16 as PyTorch has it: torchvision with and without batch normalisation, timm, and the
//! VGG-face of darkrubiks/AI-Assessment-of-Pain-in-Newborns.
//!
//! The layers are one `Sequential` called `features`, in which every rectifier is a layer. timm's
//! network is torchvision's, with other names in the head.

use burncam_net::{ChannelOrder, InputSpec, LayerTable, Op, Outputs, Variant};

use super::{STAGES, build};
use crate::{FASTAI_HEADS, NO_PAIN_FIRST, TORCH_EPSILON, imagenet_torch};

/// torchvision's `vgg16` and timm's.
pub(crate) const PLAIN: Variant = Variant {
    name: "torchvision",
    input: imagenet_torch(224),
    outputs: Outputs::Any,
    // The rectifier of the last convolution, which Keras calls block5_conv3.
    cam_layer: "features.29",
    neurons: None,
    layers: || numbered(false),
    build,
};

/// torchvision's `vgg16_bn`.
pub(crate) const NORMED: Variant = Variant {
    name: "torchvision-bn",
    input: imagenet_torch(224),
    outputs: Outputs::Any,
    cam_layer: "features.42",
    neurons: None,
    layers: || numbered(true),
    build,
};

/// The class `VGGFace` of darkrubiks/AI-Assessment-of-Pain-in-Newborns.
pub(crate) const FACE: Variant = Variant {
    name: "darkrubiks",
    // Its `PresetTransform`, which has the means of red, green and blue in this order although
    // the channels are blue, green and red: so were its networks trained.
    input: InputSpec::scaled(224, ChannelOrder::Bgr, 255.0).with_mean([0.506, 0.410, 0.367]),
    outputs: Outputs::Named(&NO_PAIN_FIRST),
    cam_layer: "VGGFace.features.relu5_3",
    neurons: None,
    layers: face,
    build,
};

/// The heads of torchvision, timm and fastai.
const HEADS: [&str; 4] = [
    "flatten; classifier.0: linear 4096; relu; dropout; classifier.3: linear 4096; relu; dropout; \
     classifier.6: linear",
    "flatten; pre_logits.fc1: linear; relu; dropout; pre_logits.fc2: linear; relu; \
     head.fc: linear",
    FASTAI_HEADS[0],
    FASTAI_HEADS[1],
];

/// `features.0`, `features.1`, …, counted over all layers.
fn numbered(norm: bool) -> LayerTable {
    let mut table = LayerTable::new("input", [224, 224, 3])
        .with_children(&["features", "avgpool", "classifier"])
        .with_heads(&HEADS);
    let mut names = (0..).map(|index| format!("features.{index}"));
    let mut push = |op: Op| table.push(names.next().expect("there is always a next number"), op);
    for (filters, convs) in STAGES {
        for _ in 0..convs {
            push(Op::conv2d(filters, 3).around(1));
            if norm {
                push(Op::batch_norm(TORCH_EPSILON));
            }
            push(Op::relu_layer());
        }
        push(Op::max_pool(2, 2));
    }
    table
}

/// `VGGFace.features.conv1_1`, …: the names of Caffe inside those of the class.
fn face() -> LayerTable {
    let mut table = LayerTable::new("input", [224, 224, 3]).with_heads(&[
        "flatten; VGGFace.classifier.0: linear 512; relu; dropout; VGGFace.classifier.3: linear 512; \
         relu; dropout; VGGFace.classifier.6: linear",
    ]);
    for (stage, (filters, convs)) in (1..).zip(STAGES) {
        for conv in 1..=convs {
            table.push(
                format!("VGGFace.features.conv{stage}_{conv}"),
                Op::conv2d(filters, 3).around(1),
            );
            table.push(format!("VGGFace.features.relu{stage}_{conv}"), Op::relu_layer());
        }
        table.push(format!("VGGFace.features.pool{stage}"), Op::max_pool(2, 2));
    }
    table
}
