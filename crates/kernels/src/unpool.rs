//! The gradient of a pooling.

use crate::parallel::{Shared, each_line, threads};
use crate::pool::{Pooling, clip};
use crate::shape::{Shape, Window};
use crate::simd::{Kernel, Level, Simd};

/// Numbers that a thread works on at a time, about: they stay in its cache.
const BAND: usize = 1 << 15;

/// Hands the gradient of each window's result to the inputs under the window: that of a mean to all alike, that
/// of a maximum to the first that is the largest. `input` is what was pooled; its NaN are never the largest.
///
/// # Panics
///
/// If a shape and its numbers, or the shapes, do not fit, or the window is dilated.
pub fn unpool(
    pooling: Pooling,
    window: Window,
    input: (&[f32], Shape),
    gradient: (&[f32], Shape),
    output: &mut [f32],
) {
    unpool_at(Level::best(), pooling, window, input, gradient, output);
}

pub(crate) fn unpool_at(
    level: Level,
    pooling: Pooling,
    window: Window,
    (input, shape): (&[f32], Shape),
    (gradient, gradient_shape): (&[f32], Shape),
    output: &mut [f32],
) {
    assert_eq!(input.len(), shape.len(), "the input has its shape");
    assert_eq!(output.len(), shape.len(), "the output has the input's shape");
    assert_eq!(gradient.len(), gradient_shape.len(), "the gradient has its shape");
    assert_eq!(shape.batch, gradient_shape.batch, "as many images");
    assert_eq!(shape.channels, gradient_shape.channels, "as many channels");
    assert!(window.is_dense(), "a window without gaps");
    // Where windows overlap, those at the edge of a band are computed twice.
    let line = (shape.width * shape.channels).max(1);
    let rows = (BAND / line).max(2 * window.size[0]);
    let rows = rows.min(shape.height.div_ceil(threads())).max(1);
    let bands = shape.height.div_ceil(rows);
    let (numbers, output) = (output.len(), Shared::new(output));
    each_line(shape.batch * bands, numbers, |task| {
        let (image, first) = (task / bands, task % bands * rows);
        let rows = first..(first + rows).min(shape.height);
        level.run(Band {
            pooling,
            window,
            input,
            shape,
            gradient,
            gradient_shape,
            output,
            image,
            rows,
        });
    });
}

/// Some rows of an image.
struct Band<'a> {
    pooling: Pooling,
    window: Window,
    input: &'a [f32],
    shape: Shape,
    gradient: &'a [f32],
    gradient_shape: Shape,
    output: Shared,
    image: usize,
    rows: std::ops::Range<usize>,
}

impl Kernel for Band<'_> {
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let Shape { height, width, channels, .. } = self.shape;
        let [high, wide] = self.window.size;
        // SAFETY: the rows are those of the output, and one thread's.
        unsafe {
            let numbers = self.rows.len() * width * channels;
            std::slice::from_raw_parts_mut(self.output.at(self.line(self.rows.start)), numbers)
                .fill(0.0);
        }
        for down in 0..self.gradient_shape.height {
            let rows = clip(self.window, 0, down, height);
            if rows.1 <= self.rows.start || rows.0 >= self.rows.end {
                continue;
            }
            for right in 0..self.gradient_shape.width {
                let columns = clip(self.window, 1, right, width);
                let count = match self.pooling {
                    Pooling::MeanWithBorder => high * wide,
                    Pooling::Max | Pooling::Mean => (rows.1 - rows.0) * (columns.1 - columns.0),
                };
                let line = self.image * self.gradient_shape.height + down;
                let at = (line * self.gradient_shape.width + right) * channels;
                let mut channel = 0;
                while channel < channels {
                    // SAFETY: rows and columns are clipped to the input, whose shape the output has; each
                    // row is written by one thread.
                    unsafe {
                        if channel + S::LANES <= channels {
                            let gradient = S::load(self.gradient[at + channel..].as_ptr());
                            self.window::<S>(rows, columns, channel, gradient, count);
                            channel += S::LANES;
                        } else {
                            let gradient = self.gradient[at + channel];
                            self.one(rows, columns, channel, gradient, count);
                            channel += 1;
                        }
                    }
                }
            }
        }
    }
}

impl Band<'_> {
    /// Where the numbers of a row begin.
    #[inline(always)]
    fn line(&self, y: usize) -> usize {
        (self.image * self.shape.height + y) * self.shape.width * self.shape.channels
    }

    /// The gradient of a window's result, of a vector of channels.
    #[inline(always)]
    unsafe fn window<S: Simd>(
        &self,
        rows: (usize, usize),
        columns: (usize, usize),
        channel: usize,
        gradient: S::V,
        count: usize,
    ) {
        let channels = self.shape.channels;
        // SAFETY: the caller's promise.
        unsafe {
            if self.pooling != Pooling::Max {
                let share = S::mul(gradient, S::splat(1.0 / count as f32));
                for y in rows.0.max(self.rows.start)..rows.1.min(self.rows.end) {
                    for x in columns.0..columns.1 {
                        let target = self.output.at(self.line(y) + x * channels + channel);
                        S::store(target, S::add(S::load(target), share));
                    }
                }
                return;
            }
            // The number of the largest, in the order of rows.
            let (mut largest, mut place) = (S::splat(f32::NEG_INFINITY), S::splat(0.0));
            let mut number = 0.0;
            for y in rows.0..rows.1 {
                for x in columns.0..columns.1 {
                    let value =
                        S::load(self.input.as_ptr().add(self.line(y) + x * channels + channel));
                    place = S::if_less(largest, value, S::splat(number), place);
                    largest = S::if_less(largest, value, value, largest);
                    number += 1.0;
                }
            }
            let first = rows.0.max(self.rows.start);
            number = ((first - rows.0) * (columns.1 - columns.0)) as f32;
            let zero = S::splat(0.0);
            for y in first..rows.1.min(self.rows.end) {
                for x in columns.0..columns.1 {
                    let target = self.output.at(self.line(y) + x * channels + channel);
                    let [below, above] = [S::splat(number - 0.5), S::splat(number + 0.5)];
                    let own = S::if_less(place, above, gradient, zero);
                    let own = S::if_less(below, place, own, zero);
                    S::store(target, S::add(S::load(target), own));
                    number += 1.0;
                }
            }
        }
    }

    /// As `window`, of one channel.
    #[inline(always)]
    unsafe fn one(
        &self,
        rows: (usize, usize),
        columns: (usize, usize),
        channel: usize,
        gradient: f32,
        count: usize,
    ) {
        let channels = self.shape.channels;
        let share = gradient * (1.0 / count as f32);
        let (mut largest, mut place) = (f32::NEG_INFINITY, None);
        for y in rows.0..rows.1 {
            for x in columns.0..columns.1 {
                let at = self.line(y) + x * channels + channel;
                if self.pooling != Pooling::Max {
                    if self.rows.contains(&y) {
                        // SAFETY: the caller's promise; so below.
                        unsafe { *self.output.at(at) += share };
                    }
                } else if place.is_none() || largest < self.input[at] {
                    // A NaN is less than nothing, as in a vector.
                    largest = largest.max(self.input[at]);
                    place = Some((y, at));
                }
            }
        }
        if let (Pooling::Max, Some((y, at))) = (self.pooling, place)
            && self.rows.contains(&y)
        {
            // SAFETY: as above.
            unsafe { *self.output.at(at) += gradient };
        }
    }
}
