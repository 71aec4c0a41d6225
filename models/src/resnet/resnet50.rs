//! ResNet50: bottlenecks with shortcuts.
//!
//! He et al., *Deep Residual Learning for Image Recognition*, CVPR 2016,
//! <https://arxiv.org/abs/1512.03385>; as keras-vggface builds it (Cao et al., *VGGFace2*, 2018),
//! or keras.applications.

use burncam_net::{
    Arch, ChannelOrder, IMAGENET_CAFFE_MEAN, InputSpec, LayerTable, Outputs, Variant,
};

use super::keras_applications;
use super::keras_vggface::{INPUT, NOTEBOOK_HEAD, VggfaceResNet};
use super::torch::{TORCH_CHILDREN, TORCH_STEM, TorchResNet, VGGFACE2_CLASSES};
use crate::{FASTAI_HEADS, IMAGENET_CLASSES, PAIN_CLASSES, imagenet_torch};

const VGGFACE: VggfaceResNet = VggfaceResNet { epsilon: 1e-3, squeeze: false };

const TORCHVISION: TorchResNet = TorchResNet { stem: TORCH_STEM, caffe: false, excite: None };

const VGGFACE2: TorchResNet = TorchResNet { stem: TORCH_STEM, caffe: true, excite: None };

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
            input: InputSpec::scaled(224, ChannelOrder::Bgr, 1.0).with_mean(IMAGENET_CAFFE_MEAN),
            outputs: Outputs::Any,
            cam_layer: "conv5_block3_out",
            neurons: None,
            layers: keras_applications::layers,
            build: keras_applications::build,
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
