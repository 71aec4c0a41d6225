//! Pooling.

use crate::parallel::{Shared, each_line};
use crate::shape::{Shape, Window};
use crate::simd::{Kernel, Level, Simd};

/// What a window is reduced to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The largest value within the border.
    Max,
    /// The mean of the values within the border.
    Mean,
    /// The sum of the values within the border, divided by the window's size.
    MeanWithBorder,
}

/// Pools `input` into `output`, both with the channels of a position next to each other.
///
/// # Panics
///
/// If a shape and its numbers, or the shapes, do not fit, a window lies beyond the border, or it is
/// dilated.
pub fn pool(
    pooling: Pooling,
    window: Window,
    (input, input_shape): (&[f32], Shape),
    (output, output_shape): (&mut [f32], Shape),
) {
    pool_at(Level::best(), pooling, window, (input, input_shape), (output, output_shape));
}

pub(crate) fn pool_at(
    level: Level,
    pooling: Pooling,
    window: Window,
    (input, input_shape): (&[f32], Shape),
    (output, output_shape): (&mut [f32], Shape),
) {
    assert_eq!(input.len(), input_shape.len(), "the input has its shape");
    assert_eq!(output.len(), output_shape.len(), "the output has its shape");
    assert_eq!(input_shape.batch, output_shape.batch, "as many images");
    assert_eq!(input_shape.channels, output_shape.channels, "as many channels");
    assert!(window.is_dense(), "a window without gaps");
    let last = |axis: usize, outputs: usize, inputs: usize| {
        let last = window.start(axis, outputs.max(1) - 1);
        assert!(
            last < inputs as isize && window.before[axis] < window.size[axis],
            "a window is in"
        );
    };
    last(0, output_shape.height, input_shape.height);
    last(1, output_shape.width, input_shape.width);
    let (output, numbers) = (Shared::new(output), input_shape.len());
    each_line(output_shape.batch * output_shape.height, numbers, |line| {
        level.run(Line { pooling, window, input, input_shape, output, output_shape, line });
    });
}

/// One row of an output.
pub(crate) struct Line<'a> {
    pub pooling: Pooling,
    pub window: Window,
    pub input: &'a [f32],
    pub input_shape: Shape,
    pub output: Shared,
    pub output_shape: Shape,
    /// Its number over all images.
    pub line: usize,
}

impl Kernel for Line<'_> {
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let (image, down) =
            (self.line / self.output_shape.height, self.line % self.output_shape.height);
        let rows = clip(self.window, 0, down, self.input_shape.height);
        let channels = self.input_shape.channels;
        for right in 0..self.output_shape.width {
            let columns = clip(self.window, 1, right, self.input_shape.width);
            let count = match self.pooling {
                Pooling::MeanWithBorder => self.window.size[0] * self.window.size[1],
                Pooling::Max | Pooling::Mean => (rows.1 - rows.0) * (columns.1 - columns.0),
            };
            let at = (self.line * self.output_shape.width + right) * channels;
            let mut channel = 0;
            while channel + S::LANES <= channels {
                // SAFETY: rows and columns are clipped to the input, the position is one of the
                // output, and each line is written by one thread.
                unsafe {
                    let value = self.window::<S>(image, rows, columns, channel, count);
                    S::store(self.output.at(at + channel), value);
                }
                channel += S::LANES;
            }
            while channel < channels {
                let value = self.one(image, rows, columns, channel, count);
                // SAFETY: as above.
                unsafe { *self.output.at(at + channel) = value };
                channel += 1;
            }
        }
    }
}

impl Line<'_> {
    #[inline(always)]
    unsafe fn window<S: Simd>(
        &self,
        image: usize,
        rows: (usize, usize),
        columns: (usize, usize),
        channel: usize,
        count: usize,
    ) -> S::V {
        let Shape { height, width, channels, .. } = self.input_shape;
        let max = self.pooling == Pooling::Max;
        // SAFETY: the caller's promise.
        unsafe {
            let start = (image * height + rows.0) * width + columns.0;
            let start = self.input.as_ptr().add(start * channels + channel);
            let line = width * channels;
            // Sizes that the compiler knows are read without loops.
            let value = match (rows.1 - rows.0, columns.1 - columns.0) {
                (2, 2) => reduced::<S>(max, start, (2, line), (2, channels)),
                (3, 3) => reduced::<S>(max, start, (3, line), (3, channels)),
                (down, right) => reduced::<S>(max, start, (down, line), (right, channels)),
            };
            if max { value } else { S::mul(value, S::splat(1.0 / count as f32)) }
        }
    }

    /// As `window`, of one channel.
    #[inline(always)]
    fn one(
        &self,
        image: usize,
        rows: (usize, usize),
        columns: (usize, usize),
        channel: usize,
        count: usize,
    ) -> f32 {
        let Shape { height, width, channels, .. } = self.input_shape;
        let max = self.pooling == Pooling::Max;
        let mut value = if max { f32::NEG_INFINITY } else { 0.0 };
        for y in rows.0..rows.1 {
            for x in columns.0..columns.1 {
                let next = self.input[((image * height + y) * width + x) * channels + channel];
                value = match max {
                    true if value > next => value,
                    true => next,
                    false => value + next,
                };
            }
        }
        if max { value } else { value * (1.0 / count as f32) }
    }
}

/// The largest value or the sum of so many rows and columns, each so many numbers from the next.
#[inline(always)]
unsafe fn reduced<S: Simd>(
    max: bool,
    start: *const f32,
    (rows, line): (usize, usize),
    (columns, across): (usize, usize),
) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let mut value = S::splat(if max { f32::NEG_INFINITY } else { 0.0 });
        for y in 0..rows {
            for x in 0..columns {
                let next = S::load(start.add(y * line + x * across));
                value = if max { S::max(value, next) } else { S::add(value, next) };
            }
        }
        value
    }
}

/// The rows or columns of the input under a window, within the border.
#[inline(always)]
pub(crate) fn clip(window: Window, axis: usize, at: usize, size: usize) -> (usize, usize) {
    let start = window.start(axis, at);
    let end = (start + window.size[axis] as isize).min(size as isize);
    (start.max(0) as usize, end as usize)
}
