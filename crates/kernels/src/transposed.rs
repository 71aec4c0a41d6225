//! The way back of a convolution.

use crate::convolution::{Arithmetic, Convolution, FEW_CHANNELS, Weights};
use crate::layout::dilate;
use crate::parallel::{Shared, each_chunk, each_line, scratch};
use crate::shape::{Shape, Window};
use crate::tile::Activation;

/// Columns that are kept at a time, in numbers: they should stay in a cache that threads share.
const COLUMNS: usize = 1 << 18;

/// Numbers that a thread sets to zero at a time.
const CHUNK: usize = 1 << 14;

/// A convolution from the gradient of another's output to that of its input.
#[derive(Debug)]
pub struct Transposed {
    /// Of the convolution there.
    window: Window,
    channels: usize,
    filters: usize,
    method: Method,
}

#[derive(Debug)]
enum Method {
    /// The convolution with its weights turned around, of the gradient with its positions as far apart as the
    /// strides.
    Turned(Convolution),
    /// What each position of the gradient gives to all inputs under its window, by one product; then the sums of
    /// these.
    Columns(Convolution),
}

impl Transposed {
    /// Prepares the way back of a convolution for this processor. The bias has no part in it.
    ///
    /// # Panics
    ///
    /// As [`Convolution::new`]; or if the border is as wide as the window.
    #[must_use]
    pub fn new(window: Window, channels: usize, weights: &Weights<'_>, how: Arithmetic) -> Self {
        let filters = weights.bias.len();
        let beyond = |axis: usize| window.before[axis] >= window.extent(axis);
        assert!(!beyond(0) && !beyond(1), "a window lies on the map");
        // Turned, strides would multiply by zeros, and few channels leave most of a panel empty.
        let few = channels < FEW_CHANNELS && window.size != [1, 1];
        let method = match weights.groups == 1 && (few || window.strides != [1, 1]) {
            true => Method::Columns(columns(window, channels, weights, how)),
            false => Method::Turned(turned(window, channels, weights, how)),
        };
        Self { window, channels, filters, method }
    }

    /// From `gradient` to `output`, both with the channels of a position next to each other.
    ///
    /// # Panics
    ///
    /// If a shape and its numbers, or the shapes, do not fit.
    pub fn run(&self, gradient: (&[f32], Shape), (output, output_shape): (&mut [f32], Shape)) {
        let (values, shape) = gradient;
        assert_eq!(values.len(), shape.len(), "the gradient has its shape");
        assert_eq!(output.len(), output_shape.len(), "the output has its shape");
        assert_eq!(shape.channels, self.filters, "a channel for each filter");
        assert_eq!(output_shape.channels, self.channels, "the kernel's channels");
        assert_eq!(shape.batch, output_shape.batch, "as many images");
        match &self.method {
            Method::Turned(convolution) if self.window.strides == [1, 1] => {
                convolution.run(gradient, (output, output_shape), None, Activation::Linear);
            }
            Method::Turned(convolution) => {
                let wide = self.wide(shape, output_shape);
                scratch(wide.len(), |near| {
                    dilate(gradient, self.window.strides, (near, wide));
                    let output = (output, output_shape);
                    convolution.run((near, wide), output, None, Activation::Linear);
                });
            }
            Method::Columns(product) => self.add_columns(product, gradient, (output, output_shape)),
        }
    }

    /// The gradient's size with its positions as far apart as the strides, and as high and wide as the input at
    /// least: then no window lies beyond it.
    fn wide(&self, gradient: Shape, input: Shape) -> Shape {
        let apart =
            |axis: usize, outputs: usize| (outputs.max(1) - 1) * self.window.strides[axis] + 1;
        Shape {
            height: apart(0, gradient.height).max(input.height),
            width: apart(1, gradient.width).max(input.width),
            ..gradient
        }
    }

    fn add_columns(
        &self,
        product: &Convolution,
        (gradient, shape): (&[f32], Shape),
        (output, output_shape): (&mut [f32], Shape),
    ) {
        each_chunk(output, CHUNK, |_, output| output.fill(0.0));
        let (depth, rows) = (product.filters(), shape.batch * shape.height);
        let in_band = (COLUMNS / (depth * shape.width).max(1)).clamp(1, rows.max(1));
        let output = Shared::new(output);
        for first in (0..rows).step_by(in_band) {
            let band = first..(first + in_band).min(rows);
            let line = shape.width * self.filters;
            let gradient = &gradient[band.start * line..band.end * line];
            let one = Shape { batch: 1, height: band.len(), ..shape };
            let sums = Shape { channels: depth, ..one };
            scratch(sums.len(), |columns| {
                product.run((gradient, one), (columns, sums), None, Activation::Linear);
                let images = band.start / shape.height..band.end.div_ceil(shape.height);
                let lines = images.len() * output_shape.height;
                each_line(lines, images.len() * output_shape.len(), |line| {
                    let line = images.start * output_shape.height + line;
                    self.add_line(columns, &band, shape, (output, output_shape), line);
                });
            });
        }
    }

    /// Adds what the rows of a band give to a line of the output, in the order of rows, columns and taps.
    fn add_line(
        &self,
        columns: &[f32],
        band: &std::ops::Range<usize>,
        shape: Shape,
        (output, output_shape): (Shared, Shape),
        line: usize,
    ) {
        let Window { size: [high, wide], strides, dilation, .. } = self.window;
        let (image, y) = (line / output_shape.height, line % output_shape.height);
        // SAFETY: the line exists, and one thread writes it.
        let output = unsafe {
            let length = output_shape.width * self.channels;
            std::slice::from_raw_parts_mut(output.at(line * length), length)
        };
        let below = y + self.window.before[0];
        // The last row whose window reaches down to this line, and the first that reaches up to it.
        let last = (image * shape.height + below / strides[0] + 1).min(band.end);
        let first = below.saturating_sub(self.window.extent(0) - 1).div_ceil(strides[0]);
        let first = (image * shape.height + first).max(band.start);
        let last = last.min((image + 1) * shape.height);
        let depth = high * wide * self.channels;
        for row in first..last {
            let down = below - (row - image * shape.height) * strides[0];
            if !down.is_multiple_of(dilation[0]) {
                continue;
            }
            let tap = down / dilation[0] * wide;
            let row = &columns[(row - band.start) * shape.width * depth..][..shape.width * depth];
            for (at, column) in row.chunks_exact(depth).enumerate() {
                let start = self.window.start(1, at);
                let column = &column[tap * self.channels..][..wide * self.channels];
                let inside = self.window.taps(1, at, output_shape.width);
                if self.window.is_dense() {
                    // The taps of a row lie next to each other, here and there.
                    let place = (start + inside.start as isize) as usize * self.channels;
                    let length = inside.len() * self.channels;
                    let column = &column[inside.start * self.channels..][..length];
                    sum(&mut output[place..place + length], column);
                    continue;
                }
                for right in inside {
                    let place = (start + (right * dilation[1]) as isize) as usize * self.channels;
                    let column = &column[right * self.channels..][..self.channels];
                    sum(&mut output[place..place + self.channels], column);
                }
            }
        }
    }
}

fn sum(target: &mut [f32], source: &[f32]) {
    target.iter_mut().zip(source).for_each(|(target, source)| *target += source);
}

/// The product of a position's gradient and the weights of all taps.
fn columns(window: Window, channels: usize, weights: &Weights<'_>, how: Arithmetic) -> Convolution {
    let (filters, [high, wide]) = (weights.bias.len(), window.size);
    let depth = high * wide * channels;
    assert_eq!(weights.kernel.len(), depth * filters, "the kernel fits the window");
    let mut kernel = vec![0.0; weights.kernel.len()];
    for (column, own) in weights.kernel.chunks_exact(filters.max(1)).enumerate() {
        for (filter, value) in own.iter().enumerate() {
            kernel[filter * depth + column] =
                value * weights.scale.map_or(1.0, |scale| scale[filter]);
        }
    }
    let point = Window { size: [1, 1], strides: [1, 1], before: [0, 0], dilation: [1, 1] };
    let bias = vec![0.0; depth];
    let weights = Weights { kernel: &kernel, scale: None, bias: &bias, groups: 1 };
    Convolution::new(point, filters, &weights, how)
}

/// The convolution with the weights turned around in both directions, with channels and filters exchanged.
fn turned(window: Window, channels: usize, weights: &Weights<'_>, how: Arithmetic) -> Convolution {
    let (groups, filters, [high, wide]) = (weights.groups, weights.bias.len(), window.size);
    let own_channels = weights.channels(channels);
    let own_filters = filters / groups;
    let mut kernel = vec![0.0; weights.kernel.len()];
    let size = own_channels * filters;
    for (tap, own) in weights.kernel.chunks_exact(size).enumerate() {
        let other = high * wide - 1 - tap;
        let kernel = &mut kernel[other * size..][..size];
        for (channel, own) in own.chunks_exact(filters).enumerate() {
            for (filter, value) in own.iter().enumerate() {
                let scale = weights.scale.map_or(1.0, |scale| scale[filter]);
                let (group, filter) = (filter / own_filters, filter % own_filters);
                kernel[filter * channels + group * own_channels + channel] = value * scale;
            }
        }
    }
    let before = [0, 1].map(|axis| window.extent(axis) - 1 - window.before[axis]);
    let window = Window { strides: [1, 1], before, ..window };
    let bias = vec![0.0; channels];
    let weights = Weights { kernel: &kernel, scale: None, bias: &bias, groups };
    Convolution::new(window, filters, &weights, how)
}
