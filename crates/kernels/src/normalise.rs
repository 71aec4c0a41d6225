//! Scales and shifts of channels, and normalisation of each position by its own channels.

use crate::parallel::each_chunk;
use crate::shape::Shape;
use crate::tile::{Activation, activate_one};

/// Numbers that a thread does at a time, about.
const CHUNK: usize = 1 << 14;

/// Numbers that are added side by side.
const LANES: usize = 8;

/// `activation(input * scale + shift)`, with a scale and a shift for each channel.
///
/// # Panics
///
/// If the shape and the numbers do not fit.
pub fn scale_and_shift(
    (input, shape): (&[f32], Shape),
    scale: &[f32],
    shift: &[f32],
    activation: Activation,
    output: &mut [f32],
) {
    assert_eq!(input.len(), shape.len(), "the input has its shape");
    assert_eq!(output.len(), shape.len(), "the output has its shape");
    let channels = shape.channels;
    assert!(scale.len() == channels && shift.len() == channels, "a number for each channel");
    let size = positions(channels) * channels.max(1);
    each_chunk(output, size, |at, output| {
        let input = &input[at * size..][..output.len()];
        let rows = output.chunks_exact_mut(channels).zip(input.chunks_exact(channels));
        for (output, input) in rows {
            let numbers = output.iter_mut().zip(input).zip(scale.iter().zip(shift));
            for ((output, input), (scale, shift)) in numbers {
                *output = activate_one(activation, input * scale + shift);
            }
        }
    });
}

/// Each position's channels less their mean, divided by their standard deviation, then scaled and shifted.
///
/// # Panics
///
/// If the shape and the numbers do not fit.
pub fn normalise(
    (input, shape): (&[f32], Shape),
    epsilon: f32,
    [scale, shift]: [Option<&[f32]>; 2],
    output: &mut [f32],
) {
    assert_eq!(input.len(), shape.len(), "the input has its shape");
    assert_eq!(output.len(), shape.len(), "the output has its shape");
    let channels = shape.channels.max(1);
    let of_all = |numbers: &[f32]| numbers.len() == channels;
    assert!([scale, shift].into_iter().flatten().all(of_all), "a number for each channel");
    let size = positions(channels) * channels;
    each_chunk(output, size, |at, output| {
        let input = &input[at * size..][..output.len()];
        let rows = output.chunks_exact_mut(channels).zip(input.chunks_exact(channels));
        for (output, input) in rows {
            let (mean, factor) = statistics(input, epsilon);
            for (output, input) in output.iter_mut().zip(input) {
                *output = (input - mean) * factor;
            }
            if let Some(scale) = scale {
                output.iter_mut().zip(scale).for_each(|(output, scale)| *output *= scale);
            }
            if let Some(shift) = shift {
                output.iter_mut().zip(shift).for_each(|(output, shift)| *output += shift);
            }
        }
    });
}

/// The gradient before [`normalise`], of its input and the gradient after it.
///
/// # Panics
///
/// If the shape and the numbers do not fit.
pub fn normalise_gradient(
    (input, shape): (&[f32], Shape),
    epsilon: f32,
    scale: Option<&[f32]>,
    gradient: &[f32],
    output: &mut [f32],
) {
    assert_eq!(input.len(), shape.len(), "the input has its shape");
    assert_eq!(gradient.len(), shape.len(), "the gradient has its shape");
    assert_eq!(output.len(), shape.len(), "the output has its shape");
    let channels = shape.channels.max(1);
    let size = positions(channels) * channels;
    each_chunk(output, size, |at, output| {
        let own = at * size..at * size + output.len();
        let rows =
            input[own.clone()].chunks_exact(channels).zip(gradient[own].chunks_exact(channels));
        for (output, (input, gradient)) in output.chunks_exact_mut(channels).zip(rows) {
            let (mean, factor) = statistics(input, epsilon);
            output.copy_from_slice(gradient);
            if let Some(scale) = scale {
                output.iter_mut().zip(scale).for_each(|(output, scale)| *output *= scale);
            }
            let share = 1.0 / channels as f32;
            let sum = total(output, |value| value) * share;
            let mut products = [0.0; LANES];
            for (place, (output, input)) in output.iter().zip(input).enumerate() {
                products[place % LANES] += output * (input - mean) * factor;
            }
            let product = products.iter().sum::<f32>() * share;
            for (output, input) in output.iter_mut().zip(input) {
                *output = factor * (*output - sum - (input - mean) * factor * product);
            }
        }
    });
}

/// Mean and inverse deviation.
fn statistics(values: &[f32], epsilon: f32) -> (f32, f32) {
    let share = 1.0 / values.len() as f32;
    let mean = total(values, |value| value) * share;
    let variance = total(values, |value| (value - mean) * (value - mean)) * share;
    (mean, 1.0 / (variance + epsilon).sqrt())
}

fn total(values: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0; LANES];
    let whole = values.chunks_exact(LANES);
    let rest = whole.remainder();
    for chunk in whole {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += of(*value);
        }
    }
    for (sum, value) in sums.iter_mut().zip(rest) {
        *sum += of(*value);
    }
    sums.iter().sum()
}

fn positions(channels: usize) -> usize {
    (CHUNK / channels.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(count: usize, seed: u32) -> Vec<f32> {
        let number = |index: usize| {
            let mixed = (index as u32).wrapping_mul(2_654_435_761).wrapping_add(seed) >> 8;
            mixed as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(number).collect()
    }

    proptest! {
        #[test]
        fn channels_are_scaled_and_shifted(batch in 1_usize..3, width in 1_usize..9, channels in 1_usize..40) {
            let shape = Shape { batch, height: 2, width, channels };
            let input = numbers(shape.len(), 1);
            let (scale, shift) = (numbers(channels, 2), numbers(channels, 3));
            let mut output = vec![0.0; shape.len()];
            scale_and_shift((&input, shape), &scale, &shift, Activation::Relu, &mut output);
            for (at, output) in output.iter().enumerate() {
                let channel = at % channels;
                let expected = (input[at] * scale[channel] + shift[channel]).max(0.0);
                prop_assert!((output - expected).abs() < 1e-6);
            }
        }

        #[test]
        fn positions_have_a_mean_of_0_and_a_deviation_of_1(width in 1_usize..9, channels in 2_usize..300) {
            let shape = Shape { batch: 1, height: 3, width, channels };
            let (input, mut output) = (numbers(shape.len(), 4), vec![0.0; shape.len()]);
            normalise((&input, shape), 1e-9, [None; 2], &mut output);
            for row in output.chunks_exact(channels) {
                let mean: f64 = row.iter().map(|v| f64::from(*v)).sum::<f64>() / channels as f64;
                let square: f64 = row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / channels as f64;
                prop_assert!(mean.abs() < 1e-5 && (square - 1.0).abs() < 1e-4, "{} {}", mean, square);
            }
        }

        #[test]
        fn the_gradient_is_the_slope(channels in 2_usize..40) {
            let shape = Shape { batch: 1, height: 1, width: 1, channels };
            let (input, gradient) = (numbers(channels, 5), numbers(channels, 6));
            let scale = numbers(channels, 7);
            let value = |input: &[f64]| {
                let mean = input.iter().sum::<f64>() / channels as f64;
                let variance = input.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / channels as f64;
                let factor = 1.0 / (variance + 0.1).sqrt();
                let terms = input.iter().zip(&gradient).zip(&scale);
                terms.map(|((v, g), s)| (v - mean) * factor * f64::from(*s) * f64::from(*g)).sum::<f64>()
            };
            let mut slopes = vec![0.0; channels];
            normalise_gradient((&input, shape), 0.1, Some(&scale), &gradient, &mut slopes);
            for channel in 0..channels {
                let moved = |by: f64| {
                    let mut moved: Vec<f64> = input.iter().map(|v| f64::from(*v)).collect();
                    moved[channel] += by;
                    value(&moved)
                };
                let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                prop_assert!((f64::from(slopes[channel]) - expected).abs() < 1e-4 * expected.abs().max(1.0));
            }
        }
    }
}
