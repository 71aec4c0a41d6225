//! What a run finds for one image with one model: a prediction, and its attributions.

use serde::{Deserialize, Deserializer, Serialize};

use burncam_evaluation::Grid;
use burncam_evaluation::Outcome;

use crate::Measurement;

/// What a model says of one image, or why it says nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The model's name, as in the tree: `VGG16`.
    pub model: String,
    /// The image's path relative to the data folder, with `/` between components.
    pub path: String,
    /// The fold's name.
    pub fold: String,
    /// The true class, where it is known.
    pub label: Option<String>,
    /// The result, or `None` where the image failed before there was one.
    pub classification: Option<Classification>,
    /// One for each explanation of the model, in its order; none where the image failed.
    pub attributions: Vec<Attribution>,
    /// What measures say of its maps and of their controls; none unless they are asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measurements: Vec<Measurement>,
    /// Where the eye on the left, that on the right and the mouth are, `[x, y]` as shares of the picture's width and
    /// height; `None` where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eyes_and_mouth: Option<[[f64; 2]; 3]>,
    /// What went wrong, if anything did.
    pub error: Option<Failure>,
}

/// The network's decision on an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    /// The predicted class.
    pub predicted: String,
    /// The probability of the predicted class, in 0..=1.
    #[serde(with = "number")]
    pub confidence: f32,
    /// The network's outputs before softmax or sigmoid, one a class.
    #[serde(with = "numbers")]
    pub logits: Vec<f32>,
    /// The probabilities, one a class.
    #[serde(with = "numbers")]
    pub probabilities: Vec<f32>,
    /// The time that the image took, explanations included, in milliseconds.
    #[serde(deserialize_with = "milliseconds")]
    pub milliseconds: f64,
}

/// What one explanation shows of one image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attribution {
    /// The explanation's name, unique in its model: `GradCAM`.
    pub explanation: String,
    /// The method's name on the command line: `grad-cam`.
    pub method: String,
    /// The layers that the map was made at.
    pub layers: Vec<String>,
    /// The class that the map explains.
    pub target: String,
    /// The raw map's measures.
    pub map: MapMeasures,
    /// The map on the grid of the report, if it can be read.
    pub grid: Option<Grid>,
    /// What its cells were divided by, where that is not the map's largest value: the largest cell by size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell_max: Option<f32>,
    /// The top of the scale of its pictures, once they are drawn, where it depends on other images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top: Option<f32>,
    /// The overlay's path relative to the output folder, with `/`, if one was written.
    pub overlay: Option<String>,
    /// The path, relative to the output folder, of a small picture for the report.
    pub thumbnail: Option<String>,
    /// The path, relative to the output folder, of the raw map's file.
    pub file: Option<String>,
}

/// The raw map of one image in a few numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MapMeasures {
    /// Height in cells of the layer's grid.
    pub height: usize,
    /// Width in cells of the layer's grid.
    pub width: usize,
    /// The smallest value.
    #[serde(with = "number")]
    pub min: f32,
    /// The largest value.
    #[serde(with = "number")]
    pub max: f32,
    /// Row and column of the largest value, counted from 0, if there is one.
    pub argmax: Option<(usize, usize)>,
    /// The top of its own scale, unless that is the largest value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_top: Option<f32>,
    /// Whether the map says something: `ok`, or why not.
    pub status: String,
}

/// Why an image has no result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Where it failed.
    pub stage: Stage,
    /// What went wrong, in words.
    pub reason: String,
}

/// What is done with an image, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The file is opened and decoded.
    Read,
    /// The network is asked.
    Compute,
    /// Pictures and maps are encoded and written.
    Write,
}

impl Stage {
    /// `read`, `compute` or `write`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Compute => "compute",
            Self::Write => "write",
        }
    }
}

impl Prediction {
    /// How the prediction compares with the label, or `None` where there is no prediction.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        let classification = self.classification.as_ref()?;
        Some(Outcome::compare(self.label.as_deref(), &classification.predicted))
    }

    /// The last component of [`path`](Self::path).
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// A number as JSON and back, to the last bit; one that is not finite is `null`, and NaN when it
/// is read.
mod number {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// As `f64`, whose last digit may come back another: this rounds to the same `f32`.
    pub(super) fn wide(value: f32) -> Option<f64> {
        value.is_finite().then(|| value.into())
    }

    pub(super) fn narrow(value: Option<f64>) -> f32 {
        value.map_or(f32::NAN, |value| value as f32)
    }

    pub(super) fn serialize<S: Serializer>(value: &f32, to: S) -> Result<S::Ok, S::Error> {
        wide(*value).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f32, D::Error> {
        Option::deserialize(from).map(narrow)
    }
}

/// A list of such numbers.
mod numbers {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::number::{narrow, wide};

    pub(super) fn serialize<S: Serializer>(values: &[f32], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(|&value| wide(value)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f32>, D::Error> {
        let values: Vec<Option<f64>> = Vec::deserialize(from)?;
        Ok(values.into_iter().map(narrow).collect())
    }
}

fn milliseconds<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Prediction;
    use crate::predictions::tests::{failure, prediction};

    fn again(row: &Prediction) -> Prediction {
        let text = serde_json::to_string(row).expect("text");
        serde_json::from_str(&text).expect("the same")
    }

    #[test]
    fn rows_come_back_from_json() {
        for row in [prediction("Fold0/a.png", Some("Pain")), failure("\u{202e}\n\"<b>.png")] {
            assert_eq!(again(&row), row);
        }
        let text = serde_json::to_string(&failure("a.png")).expect("text");
        assert!(text.contains("\"stage\":\"read\""), "{text}");
    }

    #[test]
    fn what_is_not_finite_comes_back_as_nan() {
        let mut row = prediction("a.png", None);
        row.attributions[0].map.max = f32::NEG_INFINITY;
        let result = row.classification.as_mut().expect("a result");
        result.logits = vec![f32::INFINITY, -0.0, f32::NAN];
        result.milliseconds = f64::NAN;
        let row = again(&row);
        let read = row.classification.expect("a result");
        assert!(read.logits[0].is_nan() && read.logits[2].is_nan());
        assert_eq!(read.logits[1].to_bits(), (-0.0_f32).to_bits());
        assert!(row.attributions[0].map.max.is_nan() && read.milliseconds.is_nan());
    }

    proptest! {
        #[test]
        fn every_number_comes_back_to_the_last_bit(bits in any::<[u32; 8]>()) {
            let values: Vec<f32> = bits.map(f32::from_bits).to_vec();
            let mut row = prediction("a.png", None);
            let result = row.classification.as_mut().expect("a result");
            (result.confidence, result.logits) = (values[0], values.clone());
            let read = again(&row).classification.expect("a result");
            prop_assert!(read.confidence == values[0] || !values[0].is_finite());
            for (a, b) in values.iter().zip(&read.logits) {
                prop_assert!(a.to_bits() == b.to_bits() || !a.is_finite() && b.is_nan());
            }
        }
    }
}
