//! SENet50: ResNet50 whose blocks weigh their channels.
//!
//! Hu et al., *Squeeze-and-Excitation Networks*, CVPR 2018, <https://arxiv.org/abs/1709.01507>;
//! as keras-vggface builds it (Cao et al., *VGGFace2*, 2018).

use burncam_net::{Arch, LayerTable, Variant};

use crate::PAIN_CLASSES;
use crate::vggface_residual::{INPUT, Recipe};

const RECIPE: Recipe = Recipe { epsilon: 1e-4, squeeze: true };

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
            let table = LayerTable::new("input", [224, 224, 3]);
            let number = |table: LayerTable, (name, count)| table.number_from(name, count);
            RECIPE.layers(NUMBERED.into_iter().fold(table, number))
        },
        build: |loader| RECIPE.build(loader),
    }],
};
