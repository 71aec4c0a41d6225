//! Layers without weights that only move values.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};

use crate::Trace;

/// Keras's `Resizing` with bilinear interpolation: half-pixel centres, no antialiasing.
#[derive(Module, Debug)]
pub struct Resizing {
    name: String,
    size: [usize; 2],
}

impl Resizing {
    pub(super) fn new(name: &str, size: [usize; 2]) -> Self {
        Self { name: name.to_owned(), size }
    }

    /// # Shapes
    ///
    /// `[batch, channels, height, width]` to `[batch, channels, height_out, width_out]`.
    pub fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let options = InterpolateOptions::new(InterpolateMode::Bilinear)
            .with_align_corners(false)
            .with_output_size(self.size);
        trace.layer(&self.name, interpolate(input, options))
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

/// Keras's `Dropout` at inference: the identity, yet a layer that can be tapped.
#[derive(Module, Debug)]
pub struct Dropout {
    name: String,
}

impl Dropout {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// # Shapes
    ///
    /// `[batch, channels, height, width]` in and out.
    pub fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        trace.layer(&self.name, input)
    }
}
