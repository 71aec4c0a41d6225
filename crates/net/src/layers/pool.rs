//! Pooling.

use std::sync::Arc;

use burn::module::Module;
use burn::nn::pool::{self, AvgPool2dConfig, MaxPool2dConfig};
use burn::tensor::{DType, FloatDType, Tensor};
use burncam_kernels::{self as kernels, Pooling, Shape, Window};

use super::burn_padding;
use super::interleaved::Interleaved;
use super::recorded::{GradientFn, is_on_cpu, run};
use crate::{Padding, Trace};

/// Keras's `MaxPooling2D`. Padding never wins: it counts as minus infinity.
#[derive(Module, Debug)]
pub struct MaxPool2d {
    name: String,
    inner: pool::MaxPool2d,
    #[module(skip)]
    slide: Slide,
}

/// Keras's `AveragePooling2D`, whose padding does not count, or PyTorch's, whose does.
#[derive(Module, Debug)]
pub struct AvgPool2d {
    name: String,
    inner: pool::AvgPool2d,
    #[module(skip)]
    slide: Slide,
}

/// How a window goes over a map.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slide {
    pub size: [usize; 2],
    pub strides: [usize; 2],
    pub padding: Padding,
    /// Positions from one number of the window to the next.
    pub dilation: [usize; 2],
}

impl MaxPool2d {
    pub(super) fn new(name: &str, slide: Slide) -> Self {
        let config = MaxPool2dConfig::new(slide.size)
            .with_strides(slide.strides)
            .with_padding(burn_padding(slide.padding));
        Self { name: name.to_owned(), inner: config.init(), slide }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn slide(&self) -> Slide {
        self.slide
    }

    /// # Shapes
    ///
    /// `[batch, channels, height, width]` to `[batch, channels, height_out, width_out]`.
    pub fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        if trace.is_before_start() {
            return trace.start_at(&self.name, input);
        }
        let output = match is_on_cpu(&input) {
            true => self.slide.pool(Pooling::Max, input),
            false => self.inner.forward(input),
        };
        trace.layer(&self.name, output)
    }
}

impl AvgPool2d {
    pub(super) fn new(name: &str, slide: Slide) -> Self {
        let config = AvgPool2dConfig::new(slide.size)
            .with_strides(slide.strides)
            .with_padding(burn_padding(slide.padding))
            .with_count_include_pad(matches!(slide.padding, Padding::Around(_)));
        Self { name: name.to_owned(), inner: config.init(), slide }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether as many means as there are positions are taken, of which each has weights that add up to 1.
    pub(super) fn keeps_sums(&self) -> bool {
        self.slide.strides == [1, 1] && matches!(self.slide.padding, Padding::Same)
    }

    /// # Shapes
    ///
    /// `[batch, channels, height, width]` to `[batch, channels, height_out, width_out]`.
    pub fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        if trace.is_before_start() {
            return trace.start_at(&self.name, input);
        }
        trace.layer(&self.name, self.apply(input))
    }

    /// The layer, of which nobody knows.
    pub(super) fn apply(&self, input: Tensor<4>) -> Tensor<4> {
        let pooling = match self.slide.padding {
            Padding::Around(_) => Pooling::MeanWithBorder,
            Padding::Valid | Padding::Same => Pooling::Mean,
        };
        match is_on_cpu(&input) {
            true => self.slide.pool(pooling, input),
            // Burn sums a window in the precision of its values: in half, 49 times 1400 is infinite.
            false if input.dtype() == DType::F16 => {
                self.inner.forward(input.cast(FloatDType::F32)).cast(FloatDType::F16)
            }
            false => self.inner.forward(input),
        }
    }
}

impl Slide {
    pub(super) fn new(size: [usize; 2], strides: [usize; 2], padding: Padding) -> Self {
        Self { size, strides, padding, dilation: [1; 2] }
    }

    /// A window of one position.
    pub(super) fn point() -> Self {
        Self::new([1; 2], [1; 2], Padding::Valid)
    }

    /// The border before the map, and the number of windows, along an axis.
    pub(super) fn along(self, axis: usize, input: usize) -> (usize, usize) {
        let size = (self.size[axis] - 1) * self.dilation[axis] + 1;
        let stride = self.strides[axis];
        let windows = self.padding.windows(input, size, stride);
        let before = match self.padding {
            Padding::Valid => 0,
            Padding::Same => ((windows.max(1) - 1) * stride + size).saturating_sub(input) / 2,
            Padding::Around(zeros) => zeros,
        };
        (before, windows)
    }

    /// The window on a map, and the shape of what comes out of it.
    pub(super) fn over(self, map: Shape) -> (Window, Shape) {
        let (top, height) = self.along(0, map.height);
        let (left, width) = self.along(1, map.width);
        let (size, strides, dilation) = (self.size, self.strides, self.dilation);
        let window = Window { size, strides, before: [top, left], dilation };
        (window, Shape { height, width, ..map })
    }

    pub(super) fn pool(self, pooling: Pooling, input: Tensor<4>) -> Tensor<4> {
        run([input], |[input]| {
            let (window, shape) = self.over(input.shape);
            let output = Interleaved::make(shape, |output| {
                kernels::pool(pooling, window, (input.values(), input.shape), (output, shape));
            });
            let input = input.clone();
            let back: GradientFn<1> = Arc::new(move |gradient, _| {
                [Some(Interleaved::make(input.shape, |output| {
                    let gradient = (gradient.values(), gradient.shape);
                    let input = (input.values(), input.shape);
                    kernels::unpool(pooling, window, input, gradient, output);
                }))]
            });
            (output, back)
        })
    }
}
