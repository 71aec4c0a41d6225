//! What a checkpoint says of its head, checked and without the last activation.

use serde::{Deserialize, Serialize};

use crate::head_layer::HeadLayer;
use crate::{Activation, Op};

/// The most neurons of a dense layer. The largest published set of classes has 21,843.
const MOST_UNITS: usize = 1 << 18;

/// How logits become probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Output {
    /// One distribution over the classes.
    Softmax,
    /// Each class on its own.
    Sigmoid,
}

impl Output {
    /// The probability of each class, `exp` taken in `f64`.
    #[must_use]
    pub fn probabilities(self, logits: &[f32]) -> Vec<f32> {
        match self {
            Self::Softmax => {
                let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let exp: Vec<f64> = logits.iter().map(|&z| f64::from(z - max).exp()).collect();
                let sum: f64 = exp.iter().sum();
                exp.iter().map(|e| (e / sum) as f32).collect()
            }
            Self::Sigmoid => {
                logits.iter().map(|&z| (1.0 / (1.0 + (-f64::from(z)).exp())) as f32).collect()
            }
        }
    }
}

/// The layers of a head, read from a checkpoint and known to make a classifier.
///
/// Logits are what enters the last activation. A single sigmoid neuron with logit `z` counts as
/// two classes, with the logits `-z` and `z`: their sigmoids are `1 - p` and `p`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "StoredHead", try_from = "StoredHead")]
pub struct HeadConfig {
    layers: Vec<(String, Op)>,
    output: Output,
    units: usize,
}

/// A head as files hold it: its layers, and the activation that was taken off.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredHead {
    layers: Vec<HeadLayer>,
    output: Output,
    /// Logits of a head without layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    units: Option<usize>,
}

impl From<HeadConfig> for StoredHead {
    fn from(config: HeadConfig) -> Self {
        let units = config.layers.is_empty().then_some(config.units);
        let layers = config.layers.into_iter();
        let layers = layers.map(|(name, op)| HeadLayer { name, op }).collect();
        Self { layers, output: config.output, units }
    }
}

impl TryFrom<StoredHead> for HeadConfig {
    type Error = HeadError;

    fn try_from(stored: StoredHead) -> Result<Self, HeadError> {
        if let (Some(units), []) = (stored.units, stored.layers.as_slice()) {
            return Self::of_logits(units, stored.output);
        }
        let layers = stored.layers.into_iter();
        let mut layers: Vec<(String, Op)> = layers.map(|layer| (layer.name, layer.op)).collect();
        let activation = match stored.output {
            Output::Softmax => Activation::Softmax,
            Output::Sigmoid => Activation::Sigmoid,
        };
        layers.push(("output".to_owned(), Op::Activation { activation }));
        Self::new(layers)
    }
}

/// Why a run of layers is no head that Burncam can run.
#[derive(Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// A layer cannot stand where it stands.
    #[error("layer `{layer}` ({class}) cannot stand in a classifier's head: {reason}")]
    Layer {
        /// The layer, as the file calls it.
        layer: String,
        /// Its Keras class.
        class: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There is no dense layer at the end.
    #[error("the network ends without a Dense layer, so it has no classes to explain")]
    NoClasses,
}

impl HeadConfig {
    /// Checks that `layers`, by name and in order, lead from `[height, width, channels]` to
    /// logits, and takes the last activation off.
    ///
    /// # Errors
    ///
    /// If a layer cannot stand where it stands, or the last weights are not a dense layer's.
    pub fn new(mut layers: Vec<(String, Op)>) -> Result<Self, HeadError> {
        let mut flat = false;
        for (name, op) in &layers {
            flat = check(name, op, flat)?;
        }
        let (output, units) = take_output(&mut layers)?;
        let config = Self { layers, output, units };
        match config.layers.iter().find(|(_, op)| matches!(op, Op::Generated { .. })) {
            Some((name, op)) if config.layers.len() > 1 => Err(HeadError::Layer {
                layer: name.clone(),
                class: op.class(),
                reason: "it must be the whole head",
            }),
            _ => Ok(config),
        }
    }

    /// The head of a network whose last layer has the logits, `units` of them.
    ///
    /// # Errors
    ///
    /// If there are no or too many units, or one of a softmax.
    pub fn of_logits(units: usize, output: Output) -> Result<Self, HeadError> {
        let refuse = |reason| {
            let layer = "the output".to_owned();
            Err(HeadError::Layer { layer, class: "logits", reason })
        };
        match (units, output) {
            (1..=MOST_UNITS, Output::Sigmoid) | (2..=MOST_UNITS, Output::Softmax) => {
                Ok(Self { layers: Vec::new(), output, units })
            }
            (1, Output::Softmax) => refuse("a softmax over one neuron is always 1"),
            _ => refuse("it must have 1 to 262,144 neurons"),
        }
    }

    /// The layers, by name and in order, without the last activation.
    #[must_use]
    pub fn layers(&self) -> &[(String, Op)] {
        &self.layers
    }

    /// How its logits become probabilities.
    #[must_use]
    pub fn output(&self) -> Output {
        self.output
    }

    /// Neurons of the last dense layer.
    #[must_use]
    pub fn units(&self) -> usize {
        self.units
    }

    /// Outputs of the head, where it is generated code.
    pub(crate) fn generated_units(&self) -> Option<usize> {
        matches!(self.layers[..], [(_, Op::Generated { .. })]).then_some(self.units)
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.units.max(2)
    }

    /// The head on one line: `Flatten, Dense 8 relu, Dropout, Dense 2, softmax`.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        if self.layers.is_empty() {
            parts.push(format!("{} logits", self.units));
        }
        for (_, op) in &self.layers {
            parts.push(match op {
                Op::Dense { units, activation, use_bias } => {
                    let activation = match activation {
                        Activation::Linear => String::new(),
                        other => format!(" {other:?}").to_lowercase(),
                    };
                    let bias = if *use_bias { "" } else { " without bias" };
                    format!("Dense {units}{activation}{bias}")
                }
                Op::Activation { activation } => format!("{activation:?}").to_lowercase(),
                Op::LeakyReLU { negative_slope } => format!("LeakyReLU({negative_slope})"),
                other => other.class().to_owned(),
            });
        }
        parts.push(format!("{:?}", self.output).to_lowercase());
        parts.join(", ")
    }
}

/// Whether the output of this layer is flat, given whether its input is.
fn check(name: &str, op: &Op, flat: bool) -> Result<bool, HeadError> {
    let refuse =
        |reason| Err(HeadError::Layer { layer: name.to_owned(), class: op.class(), reason });
    match op {
        Op::Flatten => Ok(true),
        Op::GlobalAveragePooling2D | Op::GlobalMaxPooling2D | Op::GlobalConcatPooling2D => {
            if flat {
                refuse("its input has no height and width left")
            } else {
                Ok(true)
            }
        }
        Op::Generated { output } if !matches!(output[..], [1..=MOST_UNITS]) => {
            refuse("its output must be one row of classes, 262,144 at most")
        }
        Op::Generated { .. } => Ok(true),
        Op::Dense { .. } if !flat => refuse("its input is not flattened or pooled"),
        Op::Dense { units: 1..=MOST_UNITS, .. } => Ok(true),
        Op::Dense { .. } => refuse("it must have 1 to 262,144 neurons"),
        Op::Activation { .. }
        | Op::LeakyReLU { .. }
        | Op::Dropout
        | Op::BatchNormalization { .. } => Ok(flat),
        _ => refuse("only pooling, Flatten, Dense, Dropout, BatchNormalization and Activation can"),
    }
}

/// Removes the activation that makes probabilities and says what it is.
fn take_output(layers: &mut Vec<(String, Op)>) -> Result<(Output, usize), HeadError> {
    while matches!(
        layers.last(),
        Some((_, Op::Dropout | Op::Activation { activation: Activation::Linear }))
    ) {
        layers.pop();
    }
    let own = match layers.last() {
        Some((_, Op::Activation { activation })) => Some(*activation),
        _ => None,
    };
    if own.is_some() {
        layers.pop();
    }
    let Some((name, op)) = layers.last_mut() else { return Err(HeadError::NoClasses) };
    let class = op.class();
    let (units, last) = match op {
        Op::Dense { units, activation, .. } => {
            (*units, own.unwrap_or_else(|| std::mem::replace(activation, Activation::Linear)))
        }
        Op::Generated { output } => (output[0], own.unwrap_or(Activation::Linear)),
        _ => return Err(HeadError::NoClasses),
    };
    let refuse = |reason| HeadError::Layer { layer: name.clone(), class, reason };
    let output = match (last, units) {
        (Activation::Softmax, 1) => return Err(refuse("a softmax over one neuron is always 1")),
        (Activation::Linear | Activation::Sigmoid, 1) => Output::Sigmoid,
        (Activation::Softmax | Activation::Linear, _) => Output::Softmax,
        (Activation::Sigmoid, _) => Output::Sigmoid,
        _ => {
            return Err(refuse("the last activation must be softmax, sigmoid or linear"));
        }
    };
    Ok((output, units))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dense(units: usize, activation: Activation) -> Op {
        Op::Dense { units, use_bias: true, activation }
    }

    #[test]
    fn the_last_activation_is_taken_off_wherever_it_stands() {
        let own = Op::Activation { activation: Activation::Sigmoid };
        let layers = [Op::Flatten, dense(3, Activation::Linear), own]
            .map(|op| (op.auto_name().to_owned(), op));
        let config = HeadConfig::new(layers.to_vec()).expect("a head");
        assert_eq!((config.output(), config.classes()), (Output::Sigmoid, 3));
        assert_eq!(config.describe(), "Flatten, Dense 3, sigmoid");
    }

    #[test]
    fn a_head_comes_back_from_json_as_it_was() {
        let norm = Op::BatchNormalization { epsilon: 0.001, scale: false, center: true };
        let relu = Op::Activation { activation: Activation::Relu };
        let own = Op::Activation { activation: Activation::Sigmoid };
        for head in [
            vec![Op::GlobalMaxPooling2D, Op::Dropout, dense(2, Activation::Softmax)],
            vec![Op::GlobalAveragePooling2D, dense(1, Activation::Linear)],
            vec![
                relu,
                Op::Flatten,
                dense(8, Activation::Relu),
                norm,
                dense(3, Activation::Linear),
                own,
            ],
        ] {
            let layers = head.into_iter().map(|op| (op.auto_name().to_owned(), op)).collect();
            let config = HeadConfig::new(layers).expect("a head");
            let text = serde_json::to_string(&config).expect("JSON");
            assert_eq!(
                serde_json::from_str::<HeadConfig>(&text).expect("a head"),
                config,
                "{text}"
            );
        }
    }

    #[test]
    fn json_that_is_no_head_is_refused() {
        let dense = r#"{"name":"a","class":"Dense","settings":{"units":2,"use_bias":true,"activation":"linear"}}"#;
        let flatten = r#"{"name":"b","class":"Flatten","settings":null}"#;
        let head = |layers: &[&str], output: &str| {
            let text = format!(r#"{{"layers":[{}],"output":"{output}"}}"#, layers.join(","));
            serde_json::from_str::<HeadConfig>(&text).map(|config| config.describe())
        };
        assert_eq!(
            head(&[flatten, dense], "softmax").expect("a head"),
            "Flatten, Dense 2, softmax"
        );
        for (layers, output) in [
            (vec![flatten, dense], "relu"),
            (vec![flatten], "softmax"),
            (vec![dense], "softmax"),
            (vec![flatten, r#"{"name":"c","class":"Conv2D","settings":null}"#], "softmax"),
            (vec![flatten, r#"{"name":"a","class":"Dense","settings":{"units":2}}"#], "softmax"),
        ] {
            assert!(head(&layers, output).is_err(), "{layers:?}");
        }
    }

    #[test]
    fn a_generated_head_stands_alone() {
        let generated = |output: &[usize]| Op::Generated { output: output.to_vec() };
        let named = |ops: &[Op]| {
            HeadConfig::new(ops.iter().map(|op| (op.auto_name().to_owned(), op.clone())).collect())
        };
        let sigmoid = Op::Activation { activation: Activation::Sigmoid };
        let config = named(&[generated(&[3]), sigmoid]).expect("a head");
        assert_eq!((config.output(), config.generated_units()), (Output::Sigmoid, Some(3)));
        let text = serde_json::to_string(&config).expect("JSON");
        assert_eq!(serde_json::from_str::<HeadConfig>(&text).expect("a head"), config, "{text}");
        let dense = dense(2, Activation::Linear);
        assert_eq!(named(&[Op::Flatten, dense.clone()]).expect("a head").generated_units(), None);
        for bad in [
            vec![generated(&[])],
            vec![generated(&[0])],
            vec![generated(&[2, 2])],
            vec![generated(&[2]), dense],
            vec![Op::Flatten, generated(&[2])],
        ] {
            assert!(named(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn only_the_last_of_two_activations_is_taken_off() {
        let own = Op::Activation { activation: Activation::Softmax };
        let layers = [Op::Flatten, dense(2, Activation::Relu), own]
            .map(|op| (op.auto_name().to_owned(), op));
        let config = HeadConfig::new(layers.to_vec()).expect("a head");
        assert_eq!(config.describe(), "Flatten, Dense 2 relu, softmax");
    }

    #[test]
    fn large_logits_do_not_overflow() {
        assert_eq!(Output::Softmax.probabilities(&[1000.0, -1000.0]), [1.0, 0.0]);
        assert_eq!(Output::Sigmoid.probabilities(&[1000.0, -1000.0]), [1.0, 0.0]);
    }
}
