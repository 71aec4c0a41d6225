//! Convolution.

use burn::module::Module;
use burn::nn::conv;
use burn::tensor::Tensor;

use super::activate;
use crate::{Activation, Trace};

/// Keras's `Conv2D`: convolution, bias, activation.
#[derive(Module, Debug)]
pub struct Conv2d {
    name: String,
    inner: conv::Conv2d,
    #[module(skip)]
    activation: Activation,
}

impl Conv2d {
    pub(super) fn new(name: &str, inner: conv::Conv2d, activation: Activation) -> Self {
        Self { name: name.to_owned(), inner, activation }
    }

    /// # Shapes
    ///
    /// `[batch, channels_in, height, width]` to `[batch, filters, height_out, width_out]`.
    pub fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let output = activate(self.activation, self.inner.forward(input));
        trace.layer(&self.name, output)
    }
}
