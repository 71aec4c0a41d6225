//! Layers without weights that only move values.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions, PadMode};
use burn::tensor::{Device, Tensor, TensorData};

use burncam_kernels::{self as kernels, Bilinear, Shape};

use super::gpu;
use super::interleaved::Interleaved;
use super::recorded::{GradientFn, is_on_cpu, run};
use super::whole::means;
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
        if trace.is_before_start() {
            return trace.start_at(&self.name, input);
        }
        let output = match is_on_cpu(&input) {
            true => self.interpolated(input),
            false if gpu::is_on_gpu(&input) => {
                let options = InterpolateOptions::new(InterpolateMode::Bilinear)
                    .with_align_corners(false)
                    .with_output_size(self.size);
                interpolate(input, options)
            }
            false => self.by_products(input),
        };
        trace.layer(&self.name, output)
    }

    fn interpolated(&self, input: Tensor<4>) -> Tensor<4> {
        run([input], |[input]| {
            let shape = input.shape;
            let resize = Bilinear::new([shape.height, shape.width], self.size);
            let [height, width] = self.size;
            let output = Interleaved::make(Shape { height, width, ..shape }, |output| {
                resize.run(input.values(), output, shape.channels);
            });
            let back: GradientFn<1> = Arc::new(move |gradient, _| {
                [Some(Interleaved::make(shape, |output| {
                    resize.back(gradient.values(), output, shape.channels);
                }))]
            });
            (output, back)
        })
    }

    /// By two products of matrices, whose gradient a GPU has, too; that of an interpolation it has not.
    fn by_products(&self, input: Tensor<4>) -> Tensor<4> {
        by_products(input, self.size, Sampling::HalfPixel)
    }
}

/// Where an enlarged map's values lie in the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// Bilinear, and the borders of both agree: Keras, OpenCV, PyTorch's `align_corners=False`.
    HalfPixel,
    /// Bilinear, and the centres of the corners agree: PyTorch's `align_corners=True`.
    AlignedCorners,
    /// The nearest value, as PyTorch's `nearest`.
    Nearest,
    /// Bicubic, as TensorFlow's `resize`: Keys's kernel of -0.5 with half-pixel centres, by a table of 1024 steps.
    Bicubic,
}

impl Sampling {
    fn position(self, at: usize, from: usize, to: usize) -> f64 {
        let scale = from as f64 / to as f64;
        match self {
            Self::HalfPixel | Self::Bicubic => (at as f64 + 0.5) * scale - 0.5,
            Self::AlignedCorners if to == 1 => 0.0,
            Self::AlignedCorners => at as f64 * ((from - 1) as f64 / (to - 1) as f64),
            Self::Nearest => (at * from / to) as f64,
        }
    }
}

/// A map `[batch, channels, height, width]` at another height and width.
#[must_use]
pub fn resized(map: Tensor<4>, size: [usize; 2], sampling: Sampling) -> Tensor<4> {
    match sampling {
        Sampling::HalfPixel => Resizing::new("", size).forward(map, &mut Trace::none()),
        Sampling::AlignedCorners | Sampling::Nearest | Sampling::Bicubic => {
            by_products(map, size, sampling)
        }
    }
}

fn by_products(input: Tensor<4>, [rows, columns]: [usize; 2], sampling: Sampling) -> Tensor<4> {
    let ([batch, channels, height, width], device) = (input.dims(), input.device());
    let lines = input.reshape([batch * channels * height, width]);
    let wide = lines.matmul(taps(width, columns, sampling, &device));
    let turned = wide.reshape([batch, channels, height, columns]).swap_dims(2, 3);
    let lines = turned.reshape([batch * channels * columns, height]);
    let tall = lines.matmul(taps(height, rows, sampling, &device));
    tall.reshape([batch, channels, columns, rows]).swap_dims(2, 3)
}

/// The places that a bicubic value is made of, and their weights. Places outside have none.
fn cubic(position: f64, from: usize) -> Vec<(usize, f64)> {
    const STEPS: f64 = 1024.0;
    let floor = position.floor();
    let share = ((position - floor) * STEPS).round() / STEPS;
    let kernel = |distance: f64| match distance {
        d if d <= 1.0 => (1.5 * d - 2.5) * d * d + 1.0,
        d if d < 2.0 => ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0,
        _ => 0.0,
    };
    let there = (-1..=2).filter_map(|step| {
        let place = floor as isize + step;
        let weight = kernel((f64::from(step as i32) - share).abs());
        (0..from as isize).contains(&place).then_some((place as usize, weight))
    });
    let there: Vec<(usize, f64)> = there.collect();
    let sum: f64 = there.iter().map(|(_, weight)| weight).sum();
    there.into_iter().map(|(place, weight)| (place, weight / sum)).collect()
}

/// What each of `from` values gives to each of the `to` values between which they are interpolated:
/// `[from, to]`.
fn taps(from: usize, to: usize, sampling: Sampling, device: &Device) -> Tensor<2> {
    let mut weights = vec![0.0; from * to];
    for at in 0..to {
        let position = sampling.position(at, from, to);
        if sampling == Sampling::Bicubic {
            for (place, weight) in cubic(position, from) {
                weights[place * to + at] += weight as f32;
            }
            continue;
        }
        let (floor, last) = (position.floor(), from - 1);
        let share = (position - floor) as f32;
        let (low, high) = (floor.max(0.0) as usize, position.ceil().max(0.0) as usize);
        weights[low.min(last) * to + at] += 1.0 - share;
        weights[high.min(last) * to + at] += share;
    }
    Tensor::from_data(TensorData::new(weights, [from, to]), device)
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
        if trace.is_before_start() {
            return trace.start_at(&self.name, input);
        }
        let output = match is_on_cpu(&input) {
            true => self.padded(input),
            false => {
                let pairs = self.padding.map(|[before, after]| (before, after));
                input.pad(pairs, PadMode::Constant(0.0))
            }
        };
        trace.layer(&self.name, output)
    }

    fn padded(&self, input: Tensor<4>) -> Tensor<4> {
        let [[top, bottom], [left, right]] = self.padding;
        run([input], |[input]| {
            let (own, padding) = (input.shape, self.padding);
            let (height, width) = (top + own.height + bottom, left + own.width + right);
            let output = Interleaved::make(Shape { height, width, ..own }, |output| {
                kernels::pad(input.values(), output, own, padding);
            });
            let back: GradientFn<1> = Arc::new(move |gradient, _| {
                [Some(Interleaved::make(own, |output| {
                    kernels::crop(gradient.values(), output, own, padding);
                }))]
            });
            (output, back)
        })
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
        if trace.is_before_start() {
            return trace.start_at(&self.reshape, input);
        }
        trace.layer(&self.reshape, means(input))
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
        if trace.is_before_start() {
            return trace.start_at(&self.name, input);
        }
        trace.layer(&self.name, input)
    }
}
