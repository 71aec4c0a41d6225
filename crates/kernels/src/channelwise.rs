//! Work on each channel of a map.

use crate::parallel::{Shared, each_line};
use crate::shape::Shape;
use crate::simd::{Kernel, Level, Simd};
use crate::tile::{Activation, activate, activate_one};

/// The mean of each channel of each image, `[batch, channels]`.
///
/// # Panics
///
/// If the shape and the numbers do not fit.
#[must_use]
pub fn mean(input: &[f32], shape: Shape) -> Vec<f32> {
    mean_at(Level::best(), input, shape)
}

pub(crate) fn mean_at(level: Level, input: &[f32], shape: Shape) -> Vec<f32> {
    assert_eq!(input.len(), shape.len(), "the input has its shape");
    let mut means = vec![0.0; shape.batch * shape.channels];
    let output = Shared::new(&mut means);
    each_line(shape.batch, shape.len(), |image| {
        level.run(Means { input, shape, image, output });
    });
    means
}

/// The means of the channels of one image.
struct Means<'a> {
    input: &'a [f32],
    shape: Shape,
    image: usize,
    output: Shared,
}

impl Kernel for Means<'_> {
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        /// Vectors that are summed beside each other.
        const MANY: usize = 8;
        let channels = self.shape.channels;
        let mut channel = 0;
        // SAFETY: the channels are those of the image.
        unsafe {
            while channel + MANY * S::LANES <= channels {
                self.vectors::<S, MANY>(channel);
                channel += MANY * S::LANES;
            }
            while channel + S::LANES <= channels {
                self.vectors::<S, 1>(channel);
                channel += S::LANES;
            }
        }
        let Shape { height, width, .. } = self.shape;
        for channel in channel..channels {
            let mut sum = 0.0;
            for line in 0..height {
                let mut row = 0.0;
                for right in 0..width {
                    row += self.input
                        [((self.image * height + line) * width + right) * channels + channel];
                }
                sum += row;
            }
            // SAFETY: as above; each image is written by one thread.
            unsafe {
                *self.output.at(self.image * channels + channel) = sum / (height * width) as f32;
            }
        }
    }
}

impl Means<'_> {
    /// Of so many vectors, from a channel on. Row by row: a sum of sums rounds less than one long sum.
    #[inline(always)]
    unsafe fn vectors<S: Simd, const N: usize>(&self, channel: usize) {
        let Shape { height, width, channels, .. } = self.shape;
        // SAFETY: the caller's promise.
        unsafe {
            let image = self.input.as_ptr().add(self.image * height * width * channels + channel);
            let mut sums = [S::splat(0.0); N];
            for line in 0..height {
                let mut row = [S::splat(0.0); N];
                for right in 0..width {
                    let at = image.add((line * width + right) * channels);
                    for n in 0..N {
                        row[n] = S::add(row[n], S::load(at.add(n * S::LANES)));
                    }
                }
                for n in 0..N {
                    sums[n] = S::add(sums[n], row[n]);
                }
            }
            let count = S::splat((height * width) as f32);
            for n in 0..N {
                let at = self.image * channels + channel + n * S::LANES;
                S::store(self.output.at(at), S::div(sums[n], count));
            }
        }
    }
}

/// The same number at each position of a channel: `values`, `[batch, channels]`, each times `factor`.
///
/// # Panics
///
/// If the shape and the numbers do not fit.
pub fn spread(values: &[f32], factor: f32, output: &mut [f32], shape: Shape) {
    assert_eq!(values.len(), shape.batch * shape.channels, "a number for each channel");
    assert_eq!(output.len(), shape.len(), "the output has its shape");
    let size = (shape.height * shape.width * shape.channels).max(1);
    let channels = shape.channels.max(1);
    for (image, values) in output.chunks_exact_mut(size).zip(values.chunks_exact(channels)) {
        for position in image.chunks_exact_mut(channels) {
            for (output, value) in position.iter_mut().zip(values) {
                *output = value * factor;
            }
        }
    }
}

/// The sum of the products of two maps over the positions of each channel, `[batch, channels]`.
///
/// # Panics
///
/// If the shape and the numbers do not fit.
#[must_use]
pub fn products(a: &[f32], b: &[f32], shape: Shape) -> Vec<f32> {
    assert_eq!(a.len(), shape.len(), "the map has its shape");
    assert_eq!(b.len(), shape.len(), "the map has its shape");
    let mut sums = vec![0.0; shape.batch * shape.channels];
    let (size, channels) =
        ((shape.height * shape.width * shape.channels).max(1), shape.channels.max(1));
    let images = a.chunks_exact(size).zip(b.chunks_exact(size));
    for ((a, b), sums) in images.zip(sums.chunks_exact_mut(channels)) {
        for (a, b) in a.chunks_exact(channels).zip(b.chunks_exact(channels)) {
            for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
                *sum += a * b;
            }
        }
    }
    sums
}

/// The sum of the channels at each position, each times its weight, `[batch, channels]`: `[batch, height, width]`.
///
/// # Panics
///
/// If the shape and the numbers do not fit.
#[must_use]
pub fn weighted_sums(map: &[f32], weights: &[f32], shape: Shape) -> Vec<f32> {
    assert_eq!(map.len(), shape.len(), "the map has its shape");
    assert_eq!(weights.len(), shape.batch * shape.channels, "a weight for each channel");
    let channels = shape.channels.max(1);
    let plane = (shape.height * shape.width).max(1);
    let weights = |at: usize| &weights[at / plane * channels..][..channels];
    let sum = |(at, position)| product_sum(position, weights(at));
    map.chunks_exact(channels).enumerate().map(sum).collect()
}

/// The sum over the channels, at each position, of the products of two maps: `[batch, height, width]`.
///
/// # Panics
///
/// If the shape and the numbers do not fit.
#[must_use]
pub fn product_sums(a: &[f32], b: &[f32], shape: Shape) -> Vec<f32> {
    assert_eq!(a.len(), shape.len(), "the map has its shape");
    assert_eq!(b.len(), shape.len(), "the map has its shape");
    let channels = shape.channels.max(1);
    let positions = a.chunks_exact(channels).zip(b.chunks_exact(channels));
    positions.map(|(a, b)| product_sum(a, b)).collect()
}

fn product_sum(a: &[f32], b: &[f32]) -> f32 {
    /// Sums side by side, which round less than one and fill a vector.
    const SUMS: usize = 16;
    let mut sums = [0.0; SUMS];
    for (a, b) in a.chunks(SUMS).zip(b.chunks(SUMS)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

/// `activation(map * factors + shortcut)` into `output`, with one factor, `[batch, channels]`, a
/// channel.
///
/// # Panics
///
/// If the shape and the numbers do not fit.
pub fn scale_and_add(
    (map, shape): (&[f32], Shape),
    factors: &[f32],
    shortcut: Option<&[f32]>,
    activation: Activation,
    output: &mut [f32],
) {
    scale_and_add_at(Level::best(), (map, shape), factors, shortcut, activation, output);
}

pub(crate) fn scale_and_add_at(
    level: Level,
    (map, shape): (&[f32], Shape),
    factors: &[f32],
    shortcut: Option<&[f32]>,
    activation: Activation,
    output: &mut [f32],
) {
    assert_eq!(map.len(), shape.len(), "the map has its shape");
    assert_eq!(output.len(), shape.len(), "the output has its shape");
    assert_eq!(factors.len(), shape.batch * shape.channels, "a factor for each channel");
    assert!(shortcut.is_none_or(|s| s.len() == shape.len()), "as the output");
    let output = Shared::new(output);
    each_line(shape.batch * shape.height, shape.len(), |line| {
        level.run(Line { map, shape, factors, shortcut, activation, output, line });
    });
}

/// One row of an output.
struct Line<'a> {
    map: &'a [f32],
    shape: Shape,
    factors: &'a [f32],
    shortcut: Option<&'a [f32]>,
    activation: Activation,
    output: Shared,
    /// Its number over all images.
    line: usize,
}

impl Kernel for Line<'_> {
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let Shape { height, width, channels, .. } = self.shape;
        let factors = &self.factors[self.line / height * channels..][..channels];
        for right in 0..width {
            let at = (self.line * width + right) * channels;
            let mut channel = 0;
            while channel + S::LANES <= channels {
                // SAFETY: the position and the channels are those of the map, whose shape all
                // share; each line is written by one thread.
                unsafe {
                    let factor = S::load(factors.as_ptr().add(channel));
                    let mut value = S::mul(S::load(self.map.as_ptr().add(at + channel)), factor);
                    if let Some(shortcut) = self.shortcut {
                        value = S::add(value, S::load(shortcut.as_ptr().add(at + channel)));
                    }
                    let value = activate::<S>(self.activation, value);
                    S::store(self.output.at(at + channel), value);
                }
                channel += S::LANES;
            }
            while channel < channels {
                let mut value = self.map[at + channel] * factors[channel];
                if let Some(shortcut) = self.shortcut {
                    value += shortcut[at + channel];
                }
                // SAFETY: as above.
                unsafe { *self.output.at(at + channel) = activate_one(self.activation, value) };
                channel += 1;
            }
        }
    }
}
