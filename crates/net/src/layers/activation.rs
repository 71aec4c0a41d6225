//! Activation functions.

use burn::module::Module;
use burn::tensor::{Tensor, activation};

use crate::{Activation, Trace};

/// Applies `function` to a tensor whose channels are dimension 1.
pub(crate) fn activate<const D: usize>(function: Activation, input: Tensor<D>) -> Tensor<D> {
    match function {
        Activation::Linear => input,
        Activation::Relu => activation::relu(input),
        Activation::Sigmoid => activation::sigmoid(input),
        Activation::Softmax => activation::softmax(input, 1),
    }
}

/// Keras's `LeakyReLU`: `x` where positive, `slope * x` elsewhere.
#[derive(Module, Debug)]
pub struct LeakyRelu {
    name: String,
    slope: f64,
}

impl LeakyRelu {
    pub(super) fn new(name: &str, slope: f32) -> Self {
        Self { name: name.to_owned(), slope: f64::from(slope) }
    }

    /// # Shapes
    ///
    /// `[batch, channels, height, width]` in and out.
    pub fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        trace.layer(&self.name, activation::leaky_relu(input, self.slope))
    }
}

/// Keras's `Activation`, on its own.
#[derive(Module, Debug)]
pub struct ActivationLayer {
    name: String,
    #[module(skip)]
    function: Activation,
}

impl ActivationLayer {
    pub(super) fn new(name: &str, function: Activation) -> Self {
        Self { name: name.to_owned(), function }
    }

    /// # Shapes
    ///
    /// `[batch, channels, height, width]` in and out.
    pub fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        trace.layer(&self.name, activate(self.function, input))
    }
}
