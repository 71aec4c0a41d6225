//! Copies between layouts.

use crate::parallel::{Shared, each_line};
use crate::shape::Shape;

/// `[batch, channels, height, width]` to `[batch, height, width, channels]`.
///
/// # Panics
///
/// If the shape and the numbers do not fit.
pub fn interleave(input: &[f32], output: &mut [f32], shape: Shape) {
    assert_eq!(input.len(), shape.len(), "the input has its shape");
    assert_eq!(output.len(), shape.len(), "the output has its shape");
    let (plane, channels) = (shape.height * shape.width, shape.channels);
    for image in 0..shape.batch {
        let input = &input[image * plane * channels..][..plane * channels];
        let output = &mut output[image * plane * channels..][..plane * channels];
        // Blocks of positions whose channels stay in the cache.
        for first in (0..plane).step_by(64) {
            let last = (first + 64).min(plane);
            for channel in 0..channels {
                let values = &input[channel * plane..][first..last];
                let targets = output[first * channels + channel..].iter_mut().step_by(channels);
                for (target, value) in targets.zip(values) {
                    *target = *value;
                }
            }
        }
    }
}

/// Joins maps of the same size along their channels. Each input is `[batch, height, width, its
/// own channels]`, and `shape` is the output's.
///
/// # Panics
///
/// If the shapes and the numbers do not fit.
pub fn join(inputs: &[(&[f32], usize)], output: &mut [f32], shape: Shape) {
    let all: usize = inputs.iter().map(|(_, channels)| channels).sum();
    assert_eq!(all, shape.channels, "the channels of all inputs");
    assert_eq!(output.len(), shape.len(), "the output has its shape");
    for (input, channels) in inputs {
        assert_eq!(input.len(), shape.positions() * channels, "the input has its shape");
    }
    let output = Shared::new(output);
    each_line(shape.batch * shape.height, shape.len(), |line| {
        let positions = line * shape.width..(line + 1) * shape.width;
        let mut first = 0;
        for (input, channels) in inputs {
            for position in positions.clone() {
                let source = &input[position * channels..][..*channels];
                // SAFETY: the sizes were checked; each line is written by one thread.
                unsafe {
                    let target = output.at(position * shape.channels + first);
                    std::ptr::copy_nonoverlapping(source.as_ptr(), target, *channels);
                }
            }
            first += channels;
        }
    });
}

/// Zeros around a map: `padding` is `[[top, bottom], [left, right]]`, `shape` the input's.
///
/// # Panics
///
/// If the shape and the numbers do not fit.
pub fn pad(input: &[f32], output: &mut [f32], shape: Shape, padding: [[usize; 2]; 2]) {
    let [[top, bottom], [left, right]] = padding;
    let (height, width) = (top + shape.height + bottom, left + shape.width + right);
    let padded = Shape { height, width, ..shape };
    assert_eq!(input.len(), shape.len(), "the input has its shape");
    assert_eq!(output.len(), padded.len(), "the output has its shape");
    output.fill(0.0);
    let line = (shape.width * shape.channels).max(1);
    for (row, source) in input.chunks_exact(line).enumerate() {
        let (image, y) = (row / shape.height, row % shape.height);
        let at = ((image * height + y + top) * width + left) * shape.channels;
        output[at..at + line].copy_from_slice(source);
    }
}

/// What [`pad`] was given, of what it gave: the map without its border. `shape` is the output's.
///
/// # Panics
///
/// If the shape and the numbers do not fit.
pub fn crop(input: &[f32], output: &mut [f32], shape: Shape, padding: [[usize; 2]; 2]) {
    let [[top, bottom], [left, right]] = padding;
    let (height, width) = (top + shape.height + bottom, left + shape.width + right);
    let padded = Shape { height, width, ..shape };
    assert_eq!(input.len(), padded.len(), "the input has its shape");
    assert_eq!(output.len(), shape.len(), "the output has its shape");
    let line = (shape.width * shape.channels).max(1);
    for (row, target) in output.chunks_exact_mut(line).enumerate() {
        let (image, y) = (row / shape.height, row % shape.height);
        let at = ((image * height + y + top) * width + left) * shape.channels;
        target.copy_from_slice(&input[at..at + line]);
    }
}

/// One of the maps that [`join`] was given, of what it gave: the channels from `first` on. `shape` is the
/// output's; the input has `channels`.
///
/// # Panics
///
/// If the shape and the numbers do not fit.
pub fn part(input: &[f32], channels: usize, first: usize, output: &mut [f32], shape: Shape) {
    assert_eq!(input.len(), shape.positions() * channels, "the input has its shape");
    assert_eq!(output.len(), shape.len(), "the output has its shape");
    let own = shape.channels.max(1);
    for (target, source) in output.chunks_exact_mut(own).zip(input.chunks_exact(channels.max(1))) {
        target.copy_from_slice(&source[first..first + own]);
    }
}

/// The positions of a map so many apart, with zeros between them and behind them. `shape` is the input's.
///
/// # Panics
///
/// If the shapes and the numbers do not fit.
pub(crate) fn dilate(
    (input, shape): (&[f32], Shape),
    strides: [usize; 2],
    (output, wide): (&mut [f32], Shape),
) {
    assert_eq!(input.len(), shape.len(), "the input has its shape");
    assert_eq!(output.len(), wide.len(), "the output has its shape");
    output.fill(0.0);
    let channels = shape.channels.max(1);
    for (at, source) in input.chunks_exact(channels).enumerate() {
        let (row, x) = (at / shape.width, at % shape.width);
        let (image, y) = (row / shape.height, row % shape.height);
        let place =
            ((image * wide.height + y * strides[0]) * wide.width + x * strides[1]) * channels;
        output[place..place + channels].copy_from_slice(source);
    }
}
