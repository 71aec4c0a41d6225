//! What follows a network's last layer: pooling or flattening, dense layers, an activation.

use burn::tensor::Tensor;

use crate::layers::Weights;
use crate::layers::{BatchNorm, Dense, Function, activate_units, flattened, maxima, means};
use crate::{HeadConfig, LoadError, Op, Rectifier};

enum HeadLayer {
    Flatten,
    GlobalAveragePool,
    GlobalMaxPool,
    GlobalConcatPool,
    Dense(Dense),
    BatchNorm(BatchNorm),
    Function(Function),
}

/// A head with its weights.
pub struct Head {
    config: HeadConfig,
    layers: Vec<HeadLayer>,
}

/// A value on its way through the head.
enum Value {
    Map(Tensor<4>),
    Flat(Tensor<2>),
}

impl Head {
    /// Fills the layers of `config`, which read `[height, width, channels]`.
    pub(crate) fn load(
        config: HeadConfig,
        [height, width, channels]: [usize; 3],
        weights: &mut Weights<'_>,
    ) -> Result<Self, LoadError> {
        // A vector has one position.
        let (mut positions, mut channels) = (height * width, channels);
        let mut layers = Vec::new();
        for (name, op) in config.layers() {
            layers.push(match *op {
                Op::Flatten => {
                    channels *= positions;
                    positions = 1;
                    HeadLayer::Flatten
                }
                Op::GlobalAveragePooling2D => {
                    positions = 1;
                    HeadLayer::GlobalAveragePool
                }
                Op::GlobalMaxPooling2D => {
                    positions = 1;
                    HeadLayer::GlobalMaxPool
                }
                Op::GlobalConcatPooling2D => {
                    positions = 1;
                    channels *= 2;
                    HeadLayer::GlobalConcatPool
                }
                Op::Dense { units, use_bias, activation } => {
                    let inputs = std::mem::replace(&mut channels, units);
                    HeadLayer::Dense(weights.dense(name, inputs, (units, use_bias, activation))?)
                }
                Op::BatchNormalization { epsilon, scale, center } => HeadLayer::BatchNorm(
                    weights
                        .batch_norm(name, channels, (epsilon, scale, center))?
                        .on(weights.device),
                ),
                ref other => match Function::from_op(other) {
                    Some(function) => HeadLayer::Function(function),
                    None => continue,
                },
            });
        }
        Ok(Self { config, layers })
    }

    /// What the head is made of.
    #[must_use]
    pub fn config(&self) -> &HeadConfig {
        &self.config
    }

    /// Logits, never softmax or sigmoid. Gradients pass rectifiers as `rectifier` says.
    ///
    /// # Shapes
    ///
    /// `[batch, channels, height, width]` to `[batch, classes]`.
    ///
    /// # Panics
    ///
    /// Never: the configuration was checked.
    #[must_use]
    pub fn forward(&self, features: Tensor<4>, rectifier: Rectifier) -> Tensor<2> {
        let mut value = Value::Map(features);
        for layer in &self.layers {
            value = layer.forward(value, rectifier);
        }
        match value {
            Value::Flat(units) => self.logits(units),
            // A head without layers.
            Value::Map(units) => self.logits(flat(units)),
        }
    }

    /// One logit a class, given the head's outputs `[batch, units]`.
    pub(crate) fn logits(&self, units: Tensor<2>) -> Tensor<2> {
        match self.config.units() {
            1 => Tensor::cat(vec![units.clone().neg(), units], 1),
            _ => units,
        }
    }
}

impl HeadLayer {
    fn forward(&self, value: Value, rectifier: Rectifier) -> Value {
        match (self, value) {
            (Self::Flatten, Value::Map(x)) => Value::Flat(flattened(x)),
            (Self::GlobalAveragePool, Value::Map(x)) => Value::Flat(flat(means(x))),
            (Self::GlobalMaxPool, Value::Map(x)) => Value::Flat(flat(maxima(x))),
            (Self::GlobalConcatPool, Value::Map(x)) => {
                Value::Flat(Tensor::cat(vec![flat(maxima(x.clone())), flat(means(x))], 1))
            }
            (Self::Dense(dense), Value::Flat(x)) => Value::Flat(dense.forward(x, rectifier)),
            (Self::BatchNorm(norm), Value::Map(x)) => Value::Map(norm.forward(x)),
            (Self::BatchNorm(norm), Value::Flat(x)) => Value::Flat(norm.forward(x)),
            (Self::Function(function), Value::Map(x)) => {
                Value::Map(function.apply_to_map(x, rectifier))
            }
            (Self::Function(function), Value::Flat(x)) => {
                Value::Flat(activate_units(*function, x, rectifier))
            }
            (_, value) => value,
        }
    }
}

/// `[batch, channels, 1, 1]` to `[batch, channels]`.
fn flat(map: Tensor<4>) -> Tensor<2> {
    map.flatten::<3>(2, 3).squeeze_dim(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Output, Source, Weight};
    use burn::tensor::{Device, TensorData};

    /// Weights 0, 1, 2, … over all that are asked for, divided by 10.
    struct Counting(u8);

    impl Source for Counting {
        fn take(&mut self, _: &str, _: Weight, shape: &[usize]) -> Result<Vec<f32>, LoadError> {
            let mut next = || {
                self.0 += 1;
                f32::from(self.0 - 1) / 10.0
            };
            Ok((0..shape.iter().product()).map(|_| next()).collect())
        }
    }

    fn dense(units: usize, activation: Activation) -> Op {
        Op::Dense { units, use_bias: true, activation }
    }

    /// The logits of a head for one map of two channels, two rows and one column.
    fn logits(ops: &[Op]) -> Vec<f32> {
        let layers = ops.iter().map(|op| (op.auto_name().to_owned(), op.clone())).collect();
        let device = Device::flex();
        let (mut source, config) = (Counting(0), HeadConfig::new(layers).expect("a head"));
        let mut weights = Weights { source: &mut source, device: &device, shared: None };
        let head = Head::load(config, [2, 1, 2], &mut weights).expect("weights");
        // channel 0: 1, 2; channel 1: 3, 5
        let map = TensorData::new(vec![1.0_f32, 2.0, 3.0, 5.0], [1, 2, 2, 1]);
        head.forward(Tensor::from_data(map, &device), Rectifier::Gradient)
            .into_data()
            .try_to_vec()
            .expect("numbers")
    }

    fn assert_close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 1e-5, "{found:?} is not {expected:?}");
        }
    }

    #[test]
    fn flatten_goes_by_row_column_channel() {
        // Inputs 1, 3, 2, 5; kernel 0, .1, … .7 as [4, 2]; bias .8, .9.
        let found = logits(&[Op::Flatten, dense(2, Activation::Softmax)]);
        assert_close(&found, &[0.6 + 0.8 + 3.0 + 0.8, 0.1 + 0.9 + 1.0 + 3.5 + 0.9]);
    }

    #[test]
    fn pooling_takes_means_or_maxima() {
        // Means 1.5, 4; maxima 2, 5; kernel 0, .1, .2, .3 as [2, 2]; bias .4, .5.
        let found = logits(&[Op::GlobalAveragePooling2D, dense(2, Activation::Softmax)]);
        assert_close(&found, &[0.8 + 0.4, 0.15 + 1.2 + 0.5]);
        let found = logits(&[Op::GlobalMaxPooling2D, dense(2, Activation::Linear)]);
        assert_close(&found, &[1.0 + 0.4, 0.2 + 1.5 + 0.5]);
    }

    #[test]
    fn maxima_come_before_means() {
        // Maxima 2, 5, means 1.5, 4; kernel 0, .1, … .7 as [4, 2]; bias .8, .9.
        let found = logits(&[Op::GlobalConcatPooling2D, dense(2, Activation::Linear)]);
        assert_close(&found, &[1.0 + 0.6 + 2.4 + 0.8, 0.2 + 1.5 + 0.75 + 2.8 + 0.9]);
    }

    #[test]
    fn one_sigmoid_neuron_is_two_classes() {
        // Kernel 0, .1; bias .2.
        let found = logits(&[Op::GlobalMaxPooling2D, dense(1, Activation::Sigmoid)]);
        assert_close(&found, &[-0.7, 0.7]);
        let probabilities = Output::Sigmoid.probabilities(&found);
        assert_close(&[probabilities[0] + probabilities[1]], &[1.0]);
    }

    #[test]
    fn batch_normalisation_uses_the_running_statistics() {
        // gamma 0, .1; beta .2, .3; mean .4, .5; variance .6, .7; on the maxima 2, 5.
        let norm = Op::BatchNormalization { epsilon: 0.001, scale: true, center: true };
        let found =
            logits(&[Op::GlobalMaxPooling2D, norm, Op::Dropout, dense(2, Activation::Linear)]);
        let second = 0.1 * (5.0 - 0.5) / 0.701_f32.sqrt() + 0.3;
        // Kernel .8, .9, 1, 1.1; bias 1.2, 1.3.
        assert_close(&found, &[0.2 * 0.8 + second + 1.2, 0.2 * 0.9 + second * 1.1 + 1.3]);
    }
}
