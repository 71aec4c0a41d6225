//! Batch normalisation at inference.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

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
