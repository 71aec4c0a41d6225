//! Pooling.

use burn::module::Module;
use burn::nn::pool::{self, AvgPool2dConfig, MaxPool2dConfig};
use burn::tensor::Tensor;

use super::burn_padding;
use crate::{Padding, Trace};

/// Keras's `MaxPooling2D`. Padding never wins: it counts as minus infinity.
#[derive(Module, Debug)]
pub struct MaxPool2d {
    name: String,
    inner: pool::MaxPool2d,
}

impl MaxPool2d {
    pub(super) fn new(name: &str, size: [usize; 2], strides: [usize; 2], pad: Padding) -> Self {
        let config =
            MaxPool2dConfig::new(size).with_strides(strides).with_padding(burn_padding(pad));
        Self { name: name.to_owned(), inner: config.init() }
    }

    /// # Shapes
    ///
    /// `[batch, channels, height, width]` to `[batch, channels, height_out, width_out]`.
    pub fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        trace.layer(&self.name, self.inner.forward(input))
    }
}

/// Keras's `AveragePooling2D`, whose padding does not count, or PyTorch's, whose does.
#[derive(Module, Debug)]
pub struct AvgPool2d {
    name: String,
    inner: pool::AvgPool2d,
}

impl AvgPool2d {
    pub(super) fn new(name: &str, size: [usize; 2], strides: [usize; 2], pad: Padding) -> Self {
        let config = AvgPool2dConfig::new(size)
            .with_strides(strides)
            .with_padding(burn_padding(pad))
            .with_count_include_pad(matches!(pad, Padding::Around(_)));
        Self { name: name.to_owned(), inner: config.init() }
    }

    /// # Shapes
    ///
    /// `[batch, channels, height, width]` to `[batch, channels, height_out, width_out]`.
    pub fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        trace.layer(&self.name, self.inner.forward(input))
    }
}
