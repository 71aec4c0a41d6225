//! Batch normalisation at inference.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

use crate::Trace;

/// A batch normalisation's statistics as one factor and one offset a channel.
pub(crate) struct Folded {
    pub(crate) factor: Vec<f32>,
    pub(crate) offset: Vec<f32>,
}

impl Folded {
    /// The module on a device.
    pub(crate) fn on(self, device: &Device) -> BatchNorm {
        let channels = self.factor.len();
        let tensor = |values| Tensor::from_data(TensorData::new(values, [channels]), device);
        BatchNorm {
            scale: Param::from_tensor(tensor(self.factor)),
            offset: Param::from_tensor(tensor(self.offset)),
        }
    }
}

/// Keras's `BatchNormalization` at inference, as one scale and one offset a channel, so that it
/// is the same on a tracked tensor: running statistics are never touched.
#[derive(Module, Debug)]
pub struct BatchNorm {
    scale: Param<Tensor<1>>,
    offset: Param<Tensor<1>>,
}

impl BatchNorm {
    /// # Shapes
    ///
    /// `[batch, channels, ..]` in and out.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        let mut shape = [1; D];
        shape[1] = self.scale.dims()[0];
        input * self.scale.val().reshape(shape) + self.offset.val().reshape(shape)
    }
}

/// A [`BatchNorm`] of a map that follows no convolution.
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
        if trace.is_before_start() {
            return trace.start_at(&self.name, input);
        }
        trace.layer(&self.name, self.inner.forward(input))
    }
}
