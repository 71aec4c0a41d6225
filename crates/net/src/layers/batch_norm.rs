//! Batch normalisation at inference.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::Trace;

/// Keras's `BatchNormalization` at inference, as one scale and one offset a channel, so that it
/// is the same on a tracked tensor: running statistics are never touched.
#[derive(Module, Debug)]
pub struct BatchNorm {
    scale: Param<Tensor<1>>,
    offset: Param<Tensor<1>>,
}

impl BatchNorm {
    pub(super) fn new(scale: Tensor<1>, offset: Tensor<1>) -> Self {
        Self { scale: Param::from_tensor(scale), offset: Param::from_tensor(offset) }
    }

    /// # Shapes
    ///
    /// `[batch, channels, ..]` in and out.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        let mut shape = [1; D];
        shape[1] = self.scale.dims()[0];
        input * self.scale.val().reshape(shape) + self.offset.val().reshape(shape)
    }
}

/// A [`BatchNorm`] of a map, with a name of its own.
#[derive(Module, Debug)]
pub struct BatchNorm2d {
    name: String,
    inner: BatchNorm,
}

impl BatchNorm2d {
    pub(super) fn new(name: &str, inner: BatchNorm) -> Self {
        Self { name: name.to_owned(), inner }
    }

    /// # Shapes
    ///
    /// `[batch, channels, height, width]` in and out.
    pub fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        trace.layer(&self.name, self.inner.forward(input))
    }
}
