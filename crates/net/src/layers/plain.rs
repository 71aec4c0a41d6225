//! Layers without weights that only move values.

use burn::module::Module;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions, PadMode};
use burn::tensor::{Device, Tensor, TensorData};

use burncam_kernels::{self as kernels, Shape};

use super::gpu;
use super::interleaved::{Interleaved, is_plain};
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

/// Keras's `ZeroPadding2D`: zeros around the border.
#[derive(Module, Debug)]
pub struct ZeroPadding {
    name: String,
    padding: [[usize; 2]; 2],
}

impl ZeroPadding {
    pub(super) fn new(name: &str, padding: [[usize; 2]; 2]) -> Self {
        Self { name: name.to_owned(), padding }
    }

    /// # Shapes
    ///
    /// `[batch, channels, height, width]` to
    /// `[batch, channels, top + height + bottom, left + width + right]`.
    pub fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let output = match is_plain(&input) {
            true => self.padded(input),
            false => {
                let pairs = self.padding.map(|[before, after]| (before, after));
                input.pad(pairs, PadMode::Constant(0.0))
            }
        };
        trace.layer(&self.name, output)
    }

    fn padded(&self, input: Tensor<4>) -> Tensor<4> {
        let input = Interleaved::of(input).expect("the caller has looked");
        let [[top, bottom], [left, right]] = self.padding;
        let (height, width) = (input.shape.height, input.shape.width);
        let shape =
            Shape { height: top + height + bottom, width: left + width + right, ..input.shape };
        let output = Interleaved::make(shape, |output| {
            kernels::pad(input.values(), output, input.shape, self.padding);
        });
        input.recycle();
        output
    }
}

/// Keras's `GlobalAveragePooling2D` and the `Reshape` after it: one value a channel that is
/// still a map.
#[derive(Module, Debug)]
pub struct Squeeze {
    reshape: String,
}

impl Squeeze {
    pub(super) fn new(reshape: &str) -> Self {
        Self { reshape: reshape.to_owned() }
    }

    /// # Shapes
    ///
    /// `[batch, channels, height, width]` to `[batch, channels, 1, 1]`.
    pub fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let [batch, channels, height, width] = input.dims();
        let mean = match is_plain(&input) {
            true => {
                let input = Interleaved::of(input).expect("it is plain");
                let mean = kernels::mean(input.values(), input.shape);
                Tensor::from_data(TensorData::new(mean, [batch, channels, 1, 1]), &Device::flex())
            }
            false if gpu::is_on_gpu(&input) => {
                let positions = gpu::nhwc(input).reshape([batch, height * width, channels]);
                positions.mean_dim(1).reshape([batch, channels, 1, 1])
            }
            false => input.flatten::<3>(2, 3).mean_dim(2).reshape([batch, channels, 1, 1]),
        };
        trace.layer(&self.reshape, mean)
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
