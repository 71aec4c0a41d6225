//! What a score is, and what removed places become.

use std::str::FromStr;

/// What decides the values of measures beside the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// What of the class is read.
    pub scale: Scale,
    /// What removed places become.
    pub baseline: Baseline,
    /// Steps from the whole image to the empty one.
    pub steps: usize,
}

impl Default for Protocol {
    fn default() -> Self {
        Self { scale: Scale::Probability, baseline: Baseline::Mean, steps: 20 }
    }
}

/// What of the class is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// The probability.
    Probability,
    /// The logit.
    Logit,
}

/// What removed places become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// The image's mean, channel by channel.
    Mean,
    /// 0 where it enters the network: what the preprocessing makes of the mean colour, or of black.
    Zero,
    /// Black.
    Black,
    /// The image, blurred.
    Blur,
    /// What the neighbours say, with little noise: ROAD's imputation.
    NoisyLinear,
}

impl Scale {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Probability, Self::Logit];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Probability => "probability",
            Self::Logit => "logit",
        }
    }
}

impl Baseline {
    /// All, the default first.
    pub const ALL: [Self; 5] = [Self::Mean, Self::Zero, Self::Black, Self::Blur, Self::NoisyLinear];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Zero => "zero",
            Self::Black => "black",
            Self::Blur => "blur",
            Self::NoisyLinear => "noisy-linear",
        }
    }
}

impl FromStr for Scale {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|known| known.name() == name);
        known.ok_or_else(|| format!("there is no score `{name}`"))
    }
}

impl FromStr for Baseline {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|known| known.name() == name);
        known.ok_or_else(|| format!("there is no baseline `{name}`"))
    }
}
