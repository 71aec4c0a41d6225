//! Every kernel, on every instruction set that this processor has, against plain loops in `f64`.

mod cases;
mod functions;
mod gradients;
mod rounding;
mod together;

use proptest::prelude::*;

use self::cases::{Case, activated, cases, grouped};
use crate::channelwise::{mean_at, scale_and_add_at};
use crate::pool::pool_at;
use crate::*;

/// Of what is added up: rounding of sums of up to a few thousand `f32` products.
const PLAIN: f64 = 5e-7;
/// The same for Winograd's method.
const WINOGRAD: f64 = 2e-6;

/// The largest of [`numbers`].
const HALF: f64 = 0.5;

/// Numbers between -0.5 and 0.5 that look random.
fn numbers(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 16_777_216.0 - 0.5
    };
    (0..len).map(|_| next()).collect()
}

fn magnitudes(values: &[f32]) -> Vec<f32> {
    values.iter().map(|value| value.abs()).collect()
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| largest.max(*value))
}

/// The largest difference, as a share of `sums`: of what was added up, the signs left out. Results may be
/// near zero after that, by their signs or by a rectifier, and their errors are not.
fn worst(found: &[f32], expected: &[f64], sums: f64) -> f64 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).fold(0.0, |worst: f64, (found, expected)| {
        let difference = (f64::from(*found) - expected).abs() / sums.max(1e-3);
        if difference.is_nan() { f64::INFINITY } else { worst.max(difference) }
    })
}

/// Checks a convolution of `case` against plain sums.
fn convolves(case: &Case, seed: u32) -> Result<(), TestCaseError> {
    let (input, output, groups) = (case.input, case.output, case.groups);
    let x = numbers(input.len(), seed);
    let kernel = numbers(case.weights(), seed ^ 1);
    let (bias, scale) = (numbers(output.channels, seed ^ 2), numbers(output.channels, seed ^ 3));
    let shortcut = case.shortcut.then(|| numbers(output.len(), seed ^ 4));
    let scaled: Vec<f32> =
        kernel.iter().enumerate().map(|(at, w)| w * scale[at % output.channels]).collect();
    let expected = case.convolved(&x, &scaled, &bias, shortcut.as_deref());
    let [sizes, weights, biases] = [&x, &scaled, &bias].map(|values| magnitudes(values));
    let added = shortcut.as_deref().map(magnitudes);
    let linear = Case { activation: Activation::Linear, ..case.clone() };
    let sums = largest(&linear.convolved(&sizes, &weights, &biases, added.as_deref()));
    for level in Level::all() {
        for (how, tolerance) in [(Arithmetic::Exact, PLAIN), (Arithmetic::Fast, WINOGRAD)] {
            let weights = Weights { kernel: &kernel, scale: Some(&scale), bias: &bias, groups };
            let convolution = Convolution::at(level, case.window, input.channels, &weights, how);
            let mut result = vec![f32::NAN; output.len()];
            let shortcut = shortcut.as_deref();
            convolution.run((&x, input), (&mut result, output), shortcut, case.activation);
            let error = worst(&result, &expected, sums);
            prop_assert!(error < tolerance, "{} {how:?}: {error:e}", level.name());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn convolutions_are_plain_sums(case in cases(), seed in any::<u32>()) {
        convolves(&case, seed)?;
    }

    #[test]
    fn convolutions_with_groups_and_gaps_are_plain_sums(case in grouped(), seed in any::<u32>()) {
        convolves(&case, seed)?;
    }

    #[test]
    fn pools_are_plain_maxima_and_means(case in cases(), seed in any::<u32>()) {
        let (input, output) = (case.input, Shape { channels: case.input.channels, ..case.output });
        let x = numbers(input.len(), seed);
        for pooling in [Pooling::Max, Pooling::Mean, Pooling::MeanWithBorder] {
            let mut expected = Vec::with_capacity(output.len());
            for position in 0..output.positions() {
                let image = position / output.width / output.height;
                let (down, right) = (position / output.width % output.height, position % output.width);
                let taps: Vec<_> = case.taps(down, right).collect();
                for channel in 0..input.channels {
                    let at = |y: usize, x: usize| ((image * input.height + y) * input.width + x) * input.channels;
                    let values = taps.iter().map(|&(_, down, right)| f64::from(x[at(down, right) + channel]));
                    expected.push(match pooling {
                        Pooling::Max => values.fold(f64::NEG_INFINITY, f64::max),
                        Pooling::Mean => values.sum::<f64>() / taps.len() as f64,
                        Pooling::MeanWithBorder => {
                            values.sum::<f64>() / (case.window.size[0] * case.window.size[1]) as f64
                        }
                    });
                }
            }
            for level in Level::all() {
                let mut found = vec![f32::NAN; output.len()];
                pool_at(level, pooling, case.window, (&x, input), (&mut found, output));
                let worst = worst(&found, &expected, HALF);
                prop_assert!(worst < PLAIN, "{} {pooling:?}: {worst:e}", level.name());
            }
        }
    }

    #[test]
    fn scaling_and_means_are_plain(case in cases(), seed in any::<u32>()) {
        let shape = case.input;
        let (x, shortcut) = (numbers(shape.len(), seed), numbers(shape.len(), seed ^ 1));
        let factors = numbers(shape.batch * shape.channels, seed ^ 2);
        let image = |at: usize| at / (shape.height * shape.width * shape.channels);
        let expected: Vec<f64> = (0..shape.len()).map(|at| {
            let factor = f64::from(factors[image(at) * shape.channels + at % shape.channels]);
            let added = if case.shortcut { f64::from(shortcut[at]) } else { 0.0 };
            activated(case.activation, f64::from(x[at]) * factor + added)
        }).collect();
        for level in Level::all() {
            let mut found = vec![f32::NAN; shape.len()];
            let added = case.shortcut.then_some(shortcut.as_slice());
            scale_and_add_at(level, (&x, shape), &factors, added, case.activation, &mut found);
            prop_assert!(worst(&found, &expected, HALF) < PLAIN, "{}", level.name());
        }
        let mut sums = vec![0.0; shape.batch * shape.channels];
        for (at, value) in x.iter().enumerate() {
            sums[image(at) * shape.channels + at % shape.channels] += f64::from(*value);
        }
        let positions = (shape.height * shape.width) as f64;
        let means: Vec<f64> = sums.iter().map(|sum| sum / positions).collect();
        for level in Level::all() {
            let found = mean_at(level, &x, shape);
            prop_assert!(worst(&found, &means, HALF) < PLAIN, "{}", level.name());
        }
    }
}

/// Results of a batch are those of its images alone, to the last bit, on any number of threads.
#[test]
fn neither_the_batch_nor_the_threads_change_a_bit() {
    for ([high, wide], step, groups, channels, filters) in [
        ([3, 3], 1, 1, 32, 48),
        ([1, 1], 1, 1, 512, 40),
        ([5, 5], 1, 1, 3, 64),
        ([5, 5], 1, 1, 48, 64),
        ([1, 7], 1, 1, 32, 48),
        ([7, 1], 1, 2, 64, 96),
        ([3, 1], 1, 1, 32, 48),
        ([3, 3], 1, 1, 20, 33),
        ([3, 3], 2, 1, 20, 33),
        ([3, 3], 1, 2, 64, 96),
        ([3, 3], 1, 8, 32, 32),
        ([3, 3], 1, 4, 32, 32),
        ([3, 3], 1, 11, 11, 22),
        ([5, 5], 1, 40, 40, 40),
        ([3, 3], 2, 21, 21, 21),
    ] {
        let shape = Shape { batch: 5, height: 13, width: 11, channels };
        let output = Shape { channels: filters, ..shape };
        let before = [high / 2 * step, wide / 2 * step];
        let window = Window { size: [high, wide], strides: [1, 1], before, dilation: [step; 2] };
        let kernel = numbers(high * wide * channels / groups * filters, 7);
        let bias = numbers(filters, 8);
        let weights = Weights { kernel: &kernel, scale: None, bias: &bias, groups };
        let convolution = Convolution::new(window, channels, &weights, Arithmetic::Fast);
        let x = numbers(shape.len(), 9);
        let run = |batch: usize, x: &[f32], threads: usize| {
            let pool =
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            let (shape, output) = (Shape { batch, ..shape }, Shape { batch, ..output });
            let mut found = vec![f32::NAN; output.len()];
            pool.install(|| {
                convolution.run((x, shape), (&mut found, output), None, Activation::Relu);
            });
            found.iter().map(|value| value.to_bits()).collect::<Vec<u32>>()
        };
        let together = run(5, &x, 1);
        assert_eq!(run(5, &x, 3), together, "{high}×{wide} in {groups} groups, threads");
        let alone: Vec<u32> =
            x.chunks(shape.len() / 5).flat_map(|image| run(1, image, 2)).collect();
        assert_eq!(alone, together, "{high}×{wide} in {groups} groups, one at a time");
    }
}

/// The same of gradients.
#[test]
fn neither_the_batch_nor_the_threads_change_a_bit_of_a_gradient() {
    for (size, strides, groups, channels, filters) in [
        (7, [2, 2], 1, 3, 64),
        (3, [1, 1], 1, 3, 64),
        (3, [2, 2], 1, 40, 48),
        (1, [2, 2], 1, 64, 128),
        (3, [2, 2], 16, 16, 16),
    ] {
        let output = Shape { batch: 5, height: 70, width: 61, channels: filters };
        let input = Shape {
            height: (output.height - 1) * strides[0] + 1,
            width: (output.width - 1) * strides[1] + 1,
            channels,
            ..output
        };
        let window = Window { size: [size; 2], strides, before: [size / 2; 2], dilation: [1, 1] };
        let kernel = numbers(size * size * channels / groups * filters, 7);
        let bias = vec![0.0; filters];
        let weights = Weights { kernel: &kernel, scale: None, bias: &bias, groups };
        let back = Transposed::new(window, channels, &weights, Arithmetic::Fast);
        let gradient = numbers(output.len(), 9);
        let run = |batch: usize, gradient: &[f32], threads: usize| {
            let pool =
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            let (input, output) = (Shape { batch, ..input }, Shape { batch, ..output });
            let mut found = vec![f32::NAN; input.len()];
            pool.install(|| back.run((gradient, output), (&mut found, input)));
            found.iter().map(|value| value.to_bits()).collect::<Vec<u32>>()
        };
        let together = run(5, &gradient, 1);
        assert_eq!(run(5, &gradient, 3), together, "{size}×{size}, {strides:?}, threads");
        let alone: Vec<u32> =
            gradient.chunks(output.len() / 5).flat_map(|image| run(1, image, 2)).collect();
        assert_eq!(alone, together, "{size}×{size}, {strides:?}, one at a time");
    }
}

#[test]
fn a_nan_is_not_lost() {
    for level in Level::all() {
        let window = Window { size: [1, 1], strides: [1, 1], before: [0, 0], dilation: [1, 1] };
        let weights = Weights { kernel: &[1.0; 32], scale: None, bias: &[0.0; 32], groups: 1 };
        let convolution = Convolution::at(level, window, 1, &weights, Arithmetic::Fast);
        let shape = Shape { batch: 1, height: 1, width: 1, channels: 1 };
        let mut found = [0.0; 32];
        let [leaky, clipped] = [Activation::LeakyRelu(0.5), Activation::ClippedRelu(6.0)];
        for activation in [Activation::Linear, Activation::Relu, leaky, clipped] {
            let output = (found.as_mut_slice(), Shape { channels: 32, ..shape });
            convolution.run((&[f32::NAN], shape), output, None, activation);
            assert!(found.iter().all(|value| value.is_nan()), "{} {activation:?}", level.name());
        }
    }
}

#[test]
fn maps_are_joined_padded_and_interleaved() {
    let shape = Shape { batch: 1, height: 1, width: 2, channels: 3 };
    let mut output = [0.0; 6];
    interleave(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &mut output, shape);
    assert_eq!(output, [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
    join(&[(&[1.0, 2.0], 1), (&[3.0, 4.0, 5.0, 6.0], 2)], &mut output, shape);
    assert_eq!(output, [1.0, 3.0, 4.0, 2.0, 5.0, 6.0]);
    let small = Shape { batch: 1, height: 1, width: 2, channels: 1 };
    pad(&[1.0, 2.0], &mut output, small, [[0, 1], [1, 0]]);
    assert_eq!(output, [0.0, 1.0, 2.0, 0.0, 0.0, 0.0]);
}
