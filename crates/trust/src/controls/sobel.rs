//! The image's gradient by Sobel.

use burncam_evaluation::Values;

use super::Control;
use super::gradients::{gradients, mean};
use crate::{Evidence, Image};

pub(super) static SOBEL: Control = Control {
    name: "sobel",
    title: "Edges (Sobel)",
    about: "How strongly the mean of the channels changes at each place: Sobel's gradient, \
            sqrt((down² + right²) / 2), the image's edge repeated beyond it, as \
            skimage.filters.sobel. A map that does not beat it may be an edge detector that never \
            asks the network.",
    make: sobel,
};

fn sobel(image: &Image, _seed: u64) -> Evidence {
    let magnitude = |[down, right]: [f64; 2]| ((down * down + right * right) / 2.0).sqrt() as f32;
    let values = gradients(&mean(image), image.size).into_iter().map(magnitude).collect();
    Evidence { values, size: image.size, kind: Values::Sizes }
}
