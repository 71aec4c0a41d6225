//! The controls, one file each: maps that know nothing of the network.

mod canny;
mod centred_gaussian;
mod gradients;
mod random;
mod sobel;

use crate::{Evidence, Image};

/// A map that is made without the network. A map that does not beat it shows nothing of the network.
pub struct Control {
    /// The name on the command line and in tables: `sobel`.
    pub name: &'static str,
    /// The name in sentences: `Edges (Sobel)`.
    pub title: &'static str,
    /// What it is, and what a map that does not beat it lacks.
    pub about: &'static str,
    /// Makes it at the image's size. The seed is of the run and the image.
    pub make: fn(&Image, u64) -> Evidence,
}

/// Every control, in the order of tables.
pub static CONTROLS: &[&Control] =
    &[&random::RANDOM, &centred_gaussian::CENTRED_GAUSSIAN, &sobel::SOBEL, &canny::CANNY];

/// The control of a name.
#[must_use]
pub fn control(name: &str) -> Option<&'static Control> {
    CONTROLS.iter().copied().find(|control| control.name == name)
}
