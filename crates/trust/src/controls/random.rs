//! Random values.

use burncam_evaluation::{Random, Values};

use super::Control;
use crate::{Evidence, Image};

pub(super) static RANDOM: Control = Control {
    name: "random",
    title: "Random",
    about: "Each place gets a value of its own between 0 and 1, drawn with the generator SplitMix64 \
            from the seed. A map that does not beat it says nothing of where the evidence lies.",
    make: random,
};

fn random(image: &Image, seed: u64) -> Evidence {
    let mut random = Random::new(seed);
    let [height, width] = image.size;
    let values = (0..height * width).map(|_| random.share()).collect();
    Evidence { values, size: image.size, kind: Values::Sizes }
}
