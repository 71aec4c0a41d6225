//! What the user states of a checkpoint where its file leaves it open.

use std::str::FromStr;

use burncam_net::{HeadSpec, Output};

/// What the user states of a checkpoint where its file leaves it open.
#[derive(Clone, Debug, Default)]
pub struct Statement {
    /// The head of a file that holds weights only.
    pub head: Option<HeadSpec>,
    /// Height and width of the images.
    pub size: Option<[usize; 2]>,
    /// What the network's last numbers are.
    pub output: Option<LastNumbers>,
    /// The layer that gives the logits or probabilities, where the network has several outputs.
    pub output_layer: Option<String>,
}

/// What the numbers of a network's last layer are, where it has no softmax or sigmoid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastNumbers {
    /// Logits: of a softmax, or where it is one neuron of a sigmoid.
    Logits,
    /// The logits of a softmax.
    Softmax,
    /// The logits of a sigmoid each.
    Sigmoid,
}

impl LastNumbers {
    /// The rule that makes probabilities of so many numbers.
    pub(crate) fn rule(self, units: usize) -> Output {
        match self {
            Self::Logits if units > 1 => Output::Softmax,
            Self::Logits | Self::Sigmoid => Output::Sigmoid,
            Self::Softmax => Output::Softmax,
        }
    }
}

impl FromStr for LastNumbers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "logits" => Ok(Self::Logits),
            "softmax" => Ok(Self::Softmax),
            "sigmoid" => Ok(Self::Sigmoid),
            _ => Err(format!("`{text}` is none of logits, softmax, sigmoid")),
        }
    }
}
