//! Layers that bring several paths together.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::Trace;

/// Keras's `Add`: the sum of its inputs.
#[derive(Module, Debug)]
pub struct Add {
    name: String,
}

impl Add {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// # Shapes
    ///
    /// Both `[batch, channels, height, width]`, as the sum.
    pub fn forward(&self, a: Tensor<4>, b: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        trace.layer(&self.name, a + b)
    }
}

/// Keras's `Multiply` of a map with one factor a channel.
#[derive(Module, Debug)]
pub struct Multiply {
    name: String,
}

impl Multiply {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// # Shapes
    ///
    /// `[batch, channels, height, width]` and `[batch, channels, 1, 1]` to the former.
    pub fn forward(&self, map: Tensor<4>, factors: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        trace.layer(&self.name, map * factors)
    }
}

/// Keras's `Concatenate` along the channels.
#[derive(Module, Debug)]
pub struct Concat {
    name: String,
}

impl Concat {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// # Shapes
    ///
    /// `[batch, channels_i, height, width]` to `[batch, sum of channels_i, height, width]`.
    pub fn forward(&self, inputs: Vec<Tensor<4>>, trace: &mut Trace<'_>) -> Tensor<4> {
        trace.layer(&self.name, Tensor::cat(inputs, 1))
    }
}
