//! What a network expects of its input.

use serde::{Deserialize, Serialize};

use crate::Interpolation;

/// The colour channels that a network reads, and their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelOrder {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red: the order of networks that came from Caffe.
    Bgr,
    /// Lightness alone: `0.299 R + 0.587 G + 0.114 B`, rounded as Pillow's `convert("L")` does.
    Grey,
}

impl ChannelOrder {
    /// How many channels there are.
    #[must_use]
    pub const fn channels(self) -> usize {
        match self {
            Self::Rgb | Self::Bgr => 3,
            Self::Grey => 1,
        }
    }

    /// `RGB`, `BGR` or `grey`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rgb => "RGB",
            Self::Bgr => "BGR",
            Self::Grey => "grey",
        }
    }
}

/// Mean of ImageNet's pixels divided by 255, red first, as torchvision and timm subtract it.
pub const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];

/// Their deviation, red first.
pub const IMAGENET_DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// Mean of ImageNet's pixels, blue first, as keras.applications subtracts it ("caffe" mode).
pub const IMAGENET_CAFFE_MEAN: [f32; 3] = [103.939, 116.779, 123.68];

/// A network's own resizing of its input, before its first layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnResizing {
    /// The `[height, width]` that it resizes from; `None` where it takes images of any size.
    pub from: Option<[usize; 2]>,
    /// TensorFlow's rule.
    pub interpolation: Interpolation,
}

/// One step of a network's own arithmetic on its input, in Keras's order of operations in `f32`:
/// one number a channel, red first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Step {
    /// `x * scale + offset`.
    Scale {
        /// Multiplies.
        scale: [f32; 3],
        /// Added next.
        offset: [f32; 3],
    },
    /// `(x - mean) / deviation`.
    Standardize {
        /// Subtracted.
        mean: [f32; 3],
        /// Divides next.
        deviation: [f32; 3],
    },
}

impl Step {
    fn value(&self, channel: usize, x: f32) -> f32 {
        match self {
            Self::Scale { scale, offset } => x * scale[channel] + offset[channel],
            Self::Standardize { mean, deviation } => (x - mean[channel]) / deviation[channel],
        }
    }

    /// Whether all its numbers can be computed with.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let (Self::Scale { scale: factor, offset: shift }
        | Self::Standardize { mean: shift, deviation: factor }) = self;
        let finite = factor.iter().chain(shift).all(|value| value.is_finite());
        finite && !factor.contains(&0.0)
    }

    /// The step as a formula over `x`.
    #[must_use]
    pub fn formula(&self, x: &str) -> String {
        match self {
            Self::Scale { scale, offset } if *offset == [0.0; 3] => {
                format!("{x} * {}", by_channel(*scale))
            }
            Self::Scale { scale, offset } => {
                format!("{x} * {} + {}", by_channel(*scale), by_channel(*offset))
            }
            Self::Standardize { mean, deviation } => {
                format!("({x} - {}) / {}", by_channel(*mean), by_channel(*deviation))
            }
        }
    }
}

/// One number where all channels have the same, else the three.
fn by_channel([a, b, c]: [f32; 3]) -> String {
    if a == b && b == c { a.to_string() } else { format!("({a}, {b}, {c})") }
}

/// The size of a network's input and how pixels in 0..=255 become its values.
///
/// Each value is `(pixel / divisor - mean[c]) / deviation[c]` in `f32`, with the channels
/// already in the network's [`order`](Self::order). A divisor or deviation of 1 and a mean of 0
/// change nothing, so one rule serves every network to the last bit. What a network does to its
/// own input comes after that, before the first of the layers that are explained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputSpec {
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// Channel order of the network.
    pub order: ChannelOrder,
    /// Divides every pixel first.
    pub divisor: f32,
    /// Subtracted next, in the network's channel order.
    pub mean: [f32; 3],
    /// Divides last, in the network's channel order.
    pub deviation: [f32; 3],
    /// The network's own resizing, which makes [`height`](Self::height) and
    /// [`width`](Self::width) of what it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resizing: Option<OwnResizing>,
    /// The network's own arithmetic, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

impl InputSpec {
    /// A square input whose channels are divided by `divisor` and nothing else.
    #[must_use]
    pub const fn scaled(size: usize, order: ChannelOrder, divisor: f32) -> Self {
        Self {
            height: size,
            width: size,
            order,
            divisor,
            mean: [0.0; 3],
            deviation: [1.0; 3],
            resizing: None,
            steps: Vec::new(),
        }
    }

    /// The same input with `mean` subtracted after the division.
    #[must_use]
    pub const fn with_mean(mut self, mean: [f32; 3]) -> Self {
        self.mean = mean;
        self
    }

    /// The same input divided by `deviation` at last.
    #[must_use]
    pub const fn with_deviation(mut self, deviation: [f32; 3]) -> Self {
        self.deviation = deviation;
        self
    }

    /// The value of one pixel, given in the network's channel order.
    #[must_use]
    pub fn value(&self, channel: usize, pixel: f32) -> f32 {
        let fed = (pixel / self.divisor - self.mean[channel]) / self.deviation[channel];
        self.steps.iter().fold(fed, |x, step| step.value(channel, x))
    }

    /// The rule as a formula: `x / 255` of RGB whose channels are alike, else with their order:
    /// `BGR - (103.939, 116.779, 123.68)`. Equal formulas give equal values.
    #[must_use]
    pub fn formula(&self) -> String {
        let alike = |values: [f32; 3]| values[1..] == values[..2];
        let all = alike(self.mean) && alike(self.deviation);
        let listed = |values: [f32; 3]| match values {
            [value, ..] if all => value.to_string(),
            [a, b, c] => format!("({a}, {b}, {c})"),
        };
        let is_plain = all && self.order == ChannelOrder::Rgb;
        let mut text = if is_plain { "x" } else { self.order.name() }.to_owned();
        if self.divisor != 1.0 {
            text = format!("{text} / {}", self.divisor);
        }
        if self.mean != [0.0; 3] {
            text = format!("{text} - {}", listed(self.mean));
        }
        if self.deviation != [1.0; 3] {
            text = format!("({text}) / {}", listed(self.deviation));
        }
        let steps = self.steps.iter().map(|step| step.formula("x"));
        let all = Some(text).filter(|text| text != "x" || self.steps.is_empty()).into_iter();
        all.chain(steps).collect::<Vec<_>>().join(", then ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formula_names_what_changes_and_nothing_else() {
        let scaled = |divisor| InputSpec::scaled(2, ChannelOrder::Rgb, divisor);
        let bgr = |divisor| InputSpec::scaled(2, ChannelOrder::Bgr, divisor);
        let by_channel = bgr(255.0).with_mean([0.5, 0.25, 0.75]);
        for (spec, formula) in [
            (scaled(1.0), "x"),
            (bgr(1.0), "BGR"),
            (bgr(255.0), "BGR / 255"),
            (scaled(255.0), "x / 255"),
            (scaled(127.5).with_mean([1.0; 3]), "x / 127.5 - 1"),
            (bgr(1.0).with_mean([103.939, 116.779, 123.68]), "BGR - (103.939, 116.779, 123.68)"),
            (
                InputSpec { deviation: [0.5; 3], ..by_channel },
                "(BGR / 255 - (0.5, 0.25, 0.75)) / (0.5, 0.5, 0.5)",
            ),
        ] {
            assert_eq!(spec.formula(), formula);
        }
    }
}
