//! A Gaussian in the middle of the image.

use burncam_evaluation::Values;

use super::Control;
use crate::{Evidence, Image};

pub(super) static CENTRED_GAUSSIAN: Control = Control {
    name: "centred-gaussian",
    title: "Centre",
    about: "A Gaussian in the middle of the image, whose deviation is a quarter of each side. \
            Subjects are mostly in the middle: a map that does not beat it may have learnt no more \
            than that.",
    make: centred_gaussian,
};

fn centred_gaussian(image: &Image, _seed: u64) -> Evidence {
    let square = |place: usize, side: usize| {
        let distance = place as f64 - (side as f64 - 1.0) / 2.0;
        (distance / (side as f64 / 4.0)).powi(2)
    };
    let [height, width] = image.size;
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (y, x)));
    let value = |(y, x)| (-0.5 * (square(y, height) + square(x, width))).exp() as f32;
    let values = places.map(value).collect();
    Evidence { values, size: image.size, kind: Values::Sizes }
}
