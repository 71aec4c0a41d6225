//! SENet50: ResNet50 whose blocks weigh their channels.
//!
//! Hu et al., *Squeeze-and-Excitation Networks*, CVPR 2018, <https://arxiv.org/abs/1709.01507>;
//! as keras-vggface builds it (Cao et al., *VGGFace2*, 2018).

use burncam_net::{Arch, LayerTable, Variant};

use crate::PAIN_CLASSES;
use crate::vggface_residual::{INPUT, Recipe};

const RECIPE: Recipe = Recipe { epsilon: 1e-4, squeeze: true };

/// Activations of one such network: the notebook's is the second that its process built.
const ACTIVATIONS: usize = 81;

/// SENet50 as an architecture.
pub static SENET50: Arch = Arch {
    name: "senet50",
    title: "SENet50",
    classes: &PAIN_CLASSES,
    variants: &[Variant {
        name: "keras-vggface",
        input: INPUT,
        cam_layer: "activation_161",
        neurons: None,
        layers: || {
            let input = LayerTable::new("input", [224, 224, 3]);
            RECIPE.layers(input.number_from("activation", ACTIVATIONS))
        },
        build: |loader| RECIPE.build(loader),
    }],
};
