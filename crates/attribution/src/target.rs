//! What is explained of which class.

use std::str::FromStr;

use burn::tensor::{Device, Int, Tensor, TensorData};
use burncam_net::Output;

/// Which class is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Each image's predicted class.
    Predicted,
    /// One class, by index.
    Class(usize),
    /// What one class has more than another, by their indices.
    Difference(usize, usize),
}

/// What of a class is explained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Score {
    /// Its logit, before softmax or sigmoid.
    #[default]
    Logit,
    /// Its probability.
    Probability,
}

impl FromStr for Score {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(name));
        known.ok_or_else(|| format!("there is no score `{name}`"))
    }
}

impl Score {
    /// Every score.
    pub const ALL: [Self; 2] = [Self::Logit, Self::Probability];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Logit => "logit",
            Self::Probability => "probability",
        }
    }
}

impl Target {
    /// The class, if it is the same for all images.
    #[must_use]
    pub fn class(self) -> Option<usize> {
        match self {
            Self::Predicted => None,
            Self::Class(class) | Self::Difference(class, _) => Some(class),
        }
    }

    /// The class that is subtracted, if one is.
    #[must_use]
    pub fn other(self) -> Option<usize> {
        match self {
            Self::Predicted | Self::Class(_) => None,
            Self::Difference(_, other) => Some(other),
        }
    }

    /// The class that is explained for each image, given its logits.
    pub(crate) fn classes(self, logits: &[Vec<f32>], output: Output) -> Vec<usize> {
        let class =
            |row: &Vec<f32>| self.class().unwrap_or_else(|| predicted(&output.probabilities(row)));
        logits.iter().map(class).collect()
    }
}

/// The class of largest probability, the first of equals.
///
/// Probabilities are compared rather than logits, since that is what a user sees.
#[must_use]
pub fn predicted(probabilities: &[f32]) -> usize {
    let best = (0..probabilities.len()).reduce(|best, class| {
        if probabilities[class] > probabilities[best] { class } else { best }
    });
    best.unwrap_or(0)
}

/// Classes as `[batch, 1]`.
pub(crate) fn indices(classes: &[usize], device: &Device) -> Tensor<2, Int> {
    let values: Vec<i64> = classes.iter().map(|&class| class as i64).collect();
    Tensor::from_data(TensorData::new(values, [classes.len(), 1]), device)
}

#[cfg(test)]
mod tests {
    use super::predicted;

    #[test]
    fn the_first_of_equals_is_predicted() {
        assert_eq!(predicted(&[0.5, 0.5]), 0);
        assert_eq!(predicted(&[0.2, 0.4, 0.4]), 1);
    }
}
