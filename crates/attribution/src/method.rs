//! What a method of attribution is, and what it needs of a network.

use std::fmt;

use burncam_net::{Activation, HeadConfig, LayerTable, Op, Rectifier};

use crate::{
    AttributionError, Explanation, Inference, Likeness, Maps, MethodOption, Peer, Settings,
};

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
    /// Its options.
    pub options: &'static [MethodOption],
    /// The libraries that have it, and how they compute it.
    pub peers: &'static [(Peer, Likeness)],
    /// The maps of a batch. What it may ask of the inference is what it [`needs`](Self::needs).
    pub attribute: fn(&mut Inference<'_>, &Explanation) -> Result<Maps, AttributionError>,
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
    /// Where it reads the gradient of what is explained, and how that passes rectifiers.
    pub gradients: &'static [(Place, Rectifier)],
    /// How often an image goes through the network.
    pub passes: Passes,
    /// Whether it draws random numbers.
    pub seeded: bool,
    /// The networks that it fits.
    pub network: Fit,
}

impl Needs {
    /// One pass, and the output of one layer.
    pub const ACTIVATIONS: Self = Self {
        taps: Taps::One,
        gradients: &[],
        passes: Passes::One,
        seeded: false,
        network: Fit::Any,
    };

    /// One pass, and output and gradient of one layer.
    pub const ONE_LAYER: Self =
        Self { gradients: &[(Place::Layer, Rectifier::Gradient)], ..Self::ACTIVATIONS };

    /// One pass, and neither layer nor gradient.
    pub const LOGITS: Self = Self { taps: Taps::None, ..Self::ACTIVATIONS };

    /// One pass, and the gradient at the network's input.
    pub const INPUT: Self =
        Self { gradients: &[(Place::Input, Rectifier::Gradient)], ..Self::LOGITS };

    /// One pass, and more that have the gradient at the network's input.
    pub const COPIES: Self =
        Self { gradients: &[(Place::Copies, Rectifier::Gradient)], ..Self::LOGITS };
}

/// How many layers a method looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taps {
    /// None: it sees inputs and logits.
    None,
    /// One.
    One,
    /// Every layer that adds an offset to its channels.
    Offsets,
}

/// The networks that a method fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// All.
    Any,
    /// Those that have the mean of each channel and one dense layer behind the method's layer.
    PooledDense,
    /// Those whose convolutions have a rectifier or no activation of their own.
    Rectified,
}

impl Fit {
    /// Refuses other networks, in words.
    ///
    /// # Errors
    ///
    /// What the method needs, and what is not so.
    pub fn check(
        self,
        table: &LayerTable,
        head: &HeadConfig,
        layers: &[String],
    ) -> Result<(), String> {
        match self {
            Self::Any => Ok(()),
            Self::PooledDense => {
                layers.iter().try_for_each(|layer| check_pooled_dense(table, head, layer))
            }
            Self::Rectified => match table.layers().iter().find(|layer| !is_rectified(&layer.op)) {
                None => Ok(()),
                Some(layer) => Err(format!(
                    "layers with a rectifier or no activation of their own, and `{}` has another",
                    layer.name
                )),
            },
        }
    }
}

fn check_pooled_dense(table: &LayerTable, head: &HeadConfig, layer: &str) -> Result<(), String> {
    let behind = table.layers().iter().skip_while(|own| own.name != layer).skip(1);
    let behind: Vec<&Op> =
        behind.map(|own| &own.op).chain(head.layers().iter().map(|(_, op)| op)).collect();
    let count = |is: fn(&Op) -> bool| behind.iter().filter(|op| is(op)).count();
    let pools = count(|op| matches!(op, Op::GlobalAveragePooling2D));
    let dense = count(|op| matches!(op, Op::Dense { activation: Activation::Linear, .. }));
    let idle = count(|op| matches!(op, Op::Dropout | Op::Flatten | Op::Reshape { .. }));
    match (pools, dense) == (1, 1) && pools + dense + idle == behind.len() {
        true => Ok(()),
        false => Err(format!(
            "global average pooling, one dense layer and nothing else behind its layer; behind `{layer}` there \
             are others"
        )),
    }
}

fn is_rectified(op: &Op) -> bool {
    match op {
        Op::Conv2D { activation, .. }
        | Op::DepthwiseConv2D { activation, .. }
        | Op::SeparableConv2D { activation, .. }
        | Op::Conv2DTranspose { activation, .. } => {
            matches!(activation, Activation::Linear | Activation::Relu)
        }
        _ => true,
    }
}

/// Where a method reads a gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At its layers.
    Layer,
    /// At the network's input.
    Input,
    /// At the network's input, of other images than those of the batch: in passes of the method's own.
    Copies,
}

/// How often an image goes through the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passes {
    /// Once.
    One,
    /// Once, and once more.
    Two,
    /// As often as an option says, and once before.
    Option(&'static str),
    /// Once for each channel of its layer, and once before.
    Channels,
    /// For each channel of its layer as often as an option says, and once before.
    ChannelsTimes(&'static str),
    /// Once for each window, whose size and distance options say, and once before.
    Windows {
        /// The option that has the window's side.
        side: &'static str,
        /// The option that has the distance.
        stride: &'static str,
    },
}

impl Passes {
    /// Forward passes an image, where the layer has so many channels and an image so many rows and columns.
    #[must_use]
    pub fn count(self, settings: &Settings, channels: usize, input: [usize; 2]) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Option(name) => 1 + settings.count(name),
            Self::Channels => 1 + channels,
            Self::ChannelsTimes(name) => 1 + channels * settings.count(name),
            Self::Windows { side, stride } => {
                let (side, stride) = (settings.count(side), settings.count(stride));
                let along = |length: usize| windows(length, side, stride);
                1 + along(input[0]) * along(input[1])
            }
        }
    }
}

/// Windows of a side, so far apart, that cover a length; the last may end behind it.
#[must_use]
pub(crate) fn windows(length: usize, side: usize, stride: usize) -> usize {
    length.saturating_sub(side).div_ceil(stride) + 1
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
