//! Which logit is explained.

use burn::tensor::{Device, Int, Tensor, TensorData};
use burncam_net::Output;

/// Which logit is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// That of each image's predicted class.
    Predicted,
    /// That of one class, by index.
    Class(usize),
}

impl Target {
    /// The class, if it is the same for all images.
    pub(crate) fn class(self) -> Option<usize> {
        match self {
            Self::Predicted => None,
            Self::Class(class) => Some(class),
        }
    }

    /// The class that is explained for each image, given its logits.
    pub(crate) fn classes(self, logits: &[Vec<f32>], output: Output) -> Vec<usize> {
        let class = |row: &Vec<f32>| match self {
            Self::Predicted => predicted(&output.probabilities(row)),
            Self::Class(class) => class,
        };
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
