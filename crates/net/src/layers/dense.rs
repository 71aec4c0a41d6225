//! Dense layer.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};

use super::activation::{Function, activate_units};
use crate::{Activation, Rectifier};

/// Keras's `Dense`: matrix product, bias, activation.
#[derive(Module, Debug)]
pub struct Dense {
    inner: Linear,
    #[module(skip)]
    activation: Activation,
}

impl Dense {
    pub(super) fn new(inner: Linear, activation: Activation) -> Self {
        Self { inner, activation }
    }

    /// # Shapes
    ///
    /// `[batch, in]` to `[batch, units]`.
    pub fn forward(&self, input: Tensor<2>, rectifier: Rectifier) -> Tensor<2> {
        let [_, depth] = input.dims();
        let output = match parts(depth) {
            Some(parts) if input.device().inner() != Device::flex() => self.in_parts(input, parts),
            _ => self.inner.forward(input),
        };
        activate_units(Function::Keras(self.activation), output, rectifier)
    }

    /// The sum of so many smaller products, which a GPU computes side by side; one product has few results,
    /// each of which it would add up alone.
    fn in_parts(&self, input: Tensor<2>, parts: usize) -> Tensor<2> {
        let [batch, depth] = input.dims();
        let weights = self.inner.weight.val();
        let [_, units] = weights.dims();
        let input = input.reshape([batch, parts, depth / parts]).swap_dims(0, 1);
        let sum = input.matmul(weights.reshape([parts, depth / parts, units])).sum_dim(0);
        let output = sum.squeeze_dim(0);
        match &self.inner.bias {
            Some(bias) => output + bias.val().unsqueeze(),
            None => output,
        }
    }
}

/// Numbers that one product adds up.
const PART: usize = 512;

/// In how many parts a product of so many numbers is computed, if in several.
fn parts(depth: usize) -> Option<usize> {
    (depth >= 4 * PART && depth.is_multiple_of(PART)).then_some(depth / PART)
}
