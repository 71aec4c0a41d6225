//! What a method of attribution is, and what it needs of a network.

use std::fmt;

use burncam_net::Rectifier;

use crate::{AttributionError, Inference, Maps};

/// A method of attribution.
pub struct Method {
    /// The name on the command line: `grad-cam`.
    pub name: &'static str,
    /// The name in text: `Grad-CAM`.
    pub title: &'static str,
    /// The name in folders: `GradCAM`.
    pub folder: &'static str,
    /// What its map shows, in one line.
    pub summary: &'static str,
    /// Where it was published: authors, title, year.
    pub paper: &'static str,
    /// The paper's address.
    pub url: &'static str,
    /// What it needs of a network.
    pub needs: Needs,
    /// What the sign of its values means.
    pub sign: Sign,
    /// The maps of a batch at these layers. What it may ask of the inference is what it
    /// [`needs`](Self::needs).
    pub attribute: fn(&mut Inference<'_>, &[String]) -> Result<Maps, AttributionError>,
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Method {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// What a method needs of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// The layers whose output it reads.
    pub taps: Taps,
    /// The gradient of the target's logit that it reads.
    pub gradient: Gradient,
    /// How that gradient passes rectifiers.
    pub rectifier: Rectifier,
    /// How often an image goes through the network.
    pub passes: Passes,
    /// Whether it draws random numbers.
    pub seeded: bool,
}

impl Needs {
    /// One pass, and activation and gradient of one layer.
    pub const ONE_LAYER: Self = Self {
        taps: Taps::One,
        gradient: Gradient::Layer,
        rectifier: Rectifier::Gradient,
        passes: Passes::One,
        seeded: false,
    };

    /// One pass, and the gradient at the network's input.
    pub const INPUT: Self = Self { taps: Taps::None, gradient: Gradient::Input, ..Self::ONE_LAYER };
}

/// How many layers a method looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taps {
    /// None: it sees inputs and logits.
    None,
    /// One.
    One,
    /// Any number, for one map.
    Many,
}

/// Where a method reads the gradient of the target's logit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gradient {
    /// Nowhere.
    None,
    /// At its layers.
    Layer,
    /// At the network's input.
    Input,
}

/// How often an image goes through the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passes {
    /// Once.
    One,
    /// So often, and once before.
    Many(usize),
    /// Once for each channel of its layer, and once before.
    OfChannels,
}

impl Passes {
    /// Forward passes an image, where the layer has so many channels.
    #[must_use]
    pub fn count(self, channels: usize) -> usize {
        match self {
            Self::One => 1,
            Self::Many(more) => more + 1,
            Self::OfChannels => channels + 1,
        }
    }
}

/// What the sign of a map's values means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Positive values speak for the class; others are not shown.
    Positive,
    /// Positive values speak for the class, negative ones against it.
    Signed,
    /// Values are sizes: none is negative.
    Magnitude,
}
