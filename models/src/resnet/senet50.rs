//! SENet50: ResNet50 whose blocks weigh their channels.
//!
//! Hu et al., *Squeeze-and-Excitation Networks*, CVPR 2018, <https://arxiv.org/abs/1709.01507>;
//! as keras-vggface builds it (Cao et al., *VGGFace2*, 2018), its conversion to PyTorch, or timm.

use burncam_net::{Arch, LayerTable, Outputs, Variant};

use super::keras_vggface::{INPUT, NOTEBOOK_HEAD, VggfaceResNet};
use super::torch::{TORCH_STEM, TorchResNet, VGGFACE2_CLASSES};
use crate::{PAIN_CLASSES, imagenet_torch};

const VGGFACE: VggfaceResNet = VggfaceResNet { epsilon: 1e-4, squeeze: true };

/// How many layers that Keras names one such network has, the pooling of its head included: the
/// notebook's is the second that its process built.
const NUMBERED: [(&str, usize); 6] = [
    ("activation", 81),
    ("max_pooling2d", 1),
    ("global_average_pooling2d", 17),
    ("reshape", 16),
    ("multiply", 16),
    ("add", 16),
];

/// cydonia999/VGGFace2-pytorch: the authors' Caffe network.
const VGGFACE2: TorchResNet = TorchResNet {
    stem: TORCH_STEM,
    caffe: true,
    excite: Some(["mean", "squeeze", "conv4", "relu4", "conv5", "sigmoid", "excite"]),
};

/// timm's `legacy_seresnet50`, Caffe's way too.
const TIMM: TorchResNet = TorchResNet {
    stem: ["layer0.conv1", "layer0.bn1", "layer0.relu1", "pool0"],
    caffe: true,
    excite: Some([
        "se_module.mean",
        "se_module.squeeze",
        "se_module.fc1",
        "se_module.relu",
        "se_module.fc2",
        "se_module.sigmoid",
        "se_module",
    ]),
};

/// SENet50 as an architecture.
pub static SENET50: Arch = Arch {
    name: "senet50",
    title: "SENet50",
    classes: &PAIN_CLASSES,
    variants: &[
        Variant {
            name: "keras-vggface",
            input: INPUT,
            outputs: Outputs::Any,
            cam_layer: "activation_161",
            neurons: None,
            layers: || {
                let table = LayerTable::new("input", [224, 224, 3]);
                let number = |table: LayerTable, (name, count)| table.number_from(name, count);
                VGGFACE
                    .layers(NUMBERED.into_iter().fold(table, number))
                    .with_heads(&[NOTEBOOK_HEAD])
            },
            build: |loader| VGGFACE.build(loader),
        },
        Variant {
            name: "vggface2-pytorch",
            input: INPUT,
            outputs: Outputs::Count(VGGFACE2_CLASSES),
            cam_layer: "layer4.2",
            neurons: None,
            layers: || VGGFACE2.layers(),
            build: |loader| VGGFACE2.build(loader),
        },
        Variant {
            name: "timm-legacy",
            input: imagenet_torch(224),
            outputs: Outputs::Any,
            cam_layer: "layer4.2",
            neurons: None,
            layers: || TIMM.layers(),
            build: |loader| TIMM.build(loader),
        },
    ],
};
