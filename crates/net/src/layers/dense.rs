//! Dense layer.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;

use super::activate;
use crate::Activation;

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
    pub fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        activate(self.activation, self.inner.forward(input))
    }
}
