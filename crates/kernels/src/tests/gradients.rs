//! The way back of each kernel. For a linear map `f` it is the transposed one: `g · f(x)` is `back(g) · x`.

use super::*;
use crate::elementwise::activation_gradient_at;
use crate::unpool::unpool_at;

fn dot(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// Checks `g · forward(x)` against `back(g) · x`.
fn transposed(
    (input, output): (Shape, Shape),
    seed: u32,
    forward: impl FnOnce(&[f32], &mut [f32]),
    back: impl FnOnce(&[f32], &mut [f32]),
) -> Result<(), TestCaseError> {
    let (x, gradient) = (numbers(input.len(), seed), numbers(output.len(), seed ^ 7));
    let (mut there, mut pulled) = (vec![f32::NAN; output.len()], vec![f32::NAN; input.len()]);
    forward(&x, &mut there);
    back(&gradient, &mut pulled);
    let (a, b) = (dot(&gradient, &there), dot(&pulled, &x));
    let size = dot(&magnitudes(&gradient), &magnitudes(&there))
        + dot(&magnitudes(&pulled), &magnitudes(&x));
    prop_assert!((a - b).abs() <= 1e-5 * size.max(1e-3), "{a} is not {b}");
    Ok(())
}

/// Checks the way back of a convolution of `case`.
fn convolves_back(case: &Case, seed: u32) -> Result<(), TestCaseError> {
    let (input, output, window, groups) = (case.input, case.output, case.window, case.groups);
    let kernel = numbers(case.weights(), seed ^ 1);
    let (bias, scale) = (vec![0.0; output.channels], numbers(output.channels, seed ^ 3));
    let weights = Weights { kernel: &kernel, scale: Some(&scale), bias: &bias, groups };
    for how in [Arithmetic::Exact, Arithmetic::Fast] {
        let forward = Convolution::new(window, input.channels, &weights, how);
        let back = Transposed::new(window, input.channels, &weights, how);
        transposed(
            (input, output),
            seed,
            |x, there| forward.run((x, input), (there, output), None, Activation::Linear),
            |gradient, pulled| back.run((gradient, output), (pulled, input)),
        )?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn of_convolutions(case in cases(), seed in any::<u32>()) {
        convolves_back(&case, seed)?;
    }

    #[test]
    fn of_convolutions_with_groups_and_gaps(case in grouped(), seed in any::<u32>()) {
        convolves_back(&case, seed)?;
    }

    #[test]
    fn of_pools(case in cases(), seed in any::<u32>()) {
        let (input, output) = (case.input, Shape { channels: case.input.channels, ..case.output });
        let window = case.window;
        for pooling in [Pooling::Mean, Pooling::MeanWithBorder] {
            for level in Level::all() {
                transposed(
                    (input, output),
                    seed,
                    |x, there| pool(pooling, window, (x, input), (there, output)),
                    |gradient, pulled| {
                        let x = vec![0.0; input.len()];
                        unpool_at(level, pooling, window, (&x, input), (gradient, output), pulled);
                    },
                )?;
            }
        }
        // A maximum is linear where the same inputs stay the largest.
        let x = numbers(input.len(), seed);
        let (mut there, mut further) = (vec![0.0; output.len()], vec![0.0; output.len()]);
        pool(Pooling::Max, window, (&x, input), (&mut there, output));
        let twice: Vec<f32> = x.iter().map(|x| x * 2.0).collect();
        pool(Pooling::Max, window, (&twice, input), (&mut further, output));
        let gradient = numbers(output.len(), seed ^ 7);
        for level in Level::all() {
            let mut pulled = vec![f32::NAN; input.len()];
            unpool_at(level, Pooling::Max, window, (&x, input), (&gradient, output), &mut pulled);
            let (a, b) = (dot(&gradient, &further) - dot(&gradient, &there), dot(&pulled, &x));
            let size = dot(&magnitudes(&gradient), &magnitudes(&there)).max(1e-3);
            prop_assert!((a - b).abs() <= 1e-5 * size, "{}: {a} is not {b}", level.name());
        }
    }

    #[test]
    fn of_what_moves_values(case in cases(), seed in any::<u32>(), other in 1..9_usize) {
        let (shape, size) = (case.input, [case.output.height, case.output.width]);
        let padding = [case.window.before, case.window.size];
        let (height, width) = (
            padding[0][0] + shape.height + padding[0][1],
            padding[1][0] + shape.width + padding[1][1],
        );
        transposed(
            (shape, Shape { height, width, ..shape }),
            seed,
            |x, there| pad(x, there, shape, padding),
            |gradient, pulled| crop(gradient, pulled, shape, padding),
        )?;
        let both = Shape { channels: other + shape.channels, ..shape };
        let zeros = vec![0.0; shape.positions() * other];
        transposed(
            (shape, both),
            seed,
            |x, there| join(&[(&zeros, other), (x, shape.channels)], there, both),
            |gradient, pulled| part(gradient, both.channels, other, pulled, shape),
        )?;
        let resize = Bilinear::new([shape.height, shape.width], size);
        transposed(
            (shape, Shape { height: size[0], width: size[1], ..shape }),
            seed,
            |x, there| resize.run(x, there, shape.channels),
            |gradient, pulled| resize.back(gradient, pulled, shape.channels),
        )?;
        let one = Shape { height: 1, width: 1, ..shape };
        transposed(
            (shape, one),
            seed,
            |x, there| there.copy_from_slice(&mean(x, shape)),
            |gradient, pulled| {
                spread(gradient, 1.0 / (shape.height * shape.width) as f32, pulled, shape);
            },
        )?;
    }

    #[test]
    fn of_factors(case in cases(), seed in any::<u32>()) {
        let shape = case.input;
        let map = numbers(shape.len(), seed ^ 5);
        let one = Shape { height: 1, width: 1, ..shape };
        transposed(
            (one, shape),
            seed,
            |factors, there| scale_and_add((&map, shape), factors, None, Activation::Linear, there),
            |gradient, pulled| pulled.copy_from_slice(&products(gradient, &map, shape)),
        )?;
        let plane = Shape { channels: 1, ..shape };
        let weights = numbers(one.len(), seed ^ 6);
        transposed(
            (shape, plane),
            seed,
            |x, there| there.copy_from_slice(&weighted_sums(x, &weights, shape)),
            |gradient, pulled| {
                for (at, value) in pulled.iter_mut().enumerate() {
                    let (position, channel) = (at / shape.channels, at % shape.channels);
                    let image = position / (shape.height * shape.width);
                    *value = gradient[position] * weights[image * shape.channels + channel];
                }
            },
        )?;
    }
}

#[test]
fn of_activations() {
    let (before, shortcut) = ([-2.0, -1.0, 1.0, 3.0], [1.0, 1.0, 1.0, -4.0]);
    for (activation, after, slopes) in [
        (Activation::Linear, [-1.0, 0.0, 2.0, -1.0], [1.0, 1.0, 1.0, 1.0]),
        (Activation::Relu, [0.0, 0.0, 2.0, 0.0], [0.0, 0.0, 1.0, 0.0]),
        (Activation::LeakyRelu(0.25), [-0.25, 0.0, 2.0, -0.25], [0.25, 0.25, 1.0, 0.25]),
        (Activation::ClippedRelu(3.0), [0.0, 0.0, 2.0, 0.0], [0.0, 0.0, 1.0, 0.0]),
        (Activation::ClippedRelu(2.0), [0.0, 0.0, 2.0, 0.0], [0.0; 4]),
    ] {
        let mut found = [f32::NAN; 4];
        add(&before, Some(&shortcut), activation, &mut found);
        assert_eq!(found, after, "{activation:?}");
        // Whole vectors, and what is left over.
        let (found, slopes) = (found.repeat(9), slopes.repeat(9));
        for level in Level::all() {
            let mut gradient = [f32::NAN; 36];
            activation_gradient_at(level, &[1.0; 36], &found, activation, &mut gradient);
            assert_eq!(gradient.as_slice(), slopes, "{activation:?} {}", level.name());
        }
    }
}

#[test]
fn of_equal_maxima_to_the_first() {
    let window = Window { size: [2, 2], strides: [2, 2], before: [0, 0], dilation: [1, 1] };
    // Whole vectors, and what is left over.
    for (level, channels) in Level::all().into_iter().flat_map(|level| [(level, 1), (level, 35)]) {
        let input = Shape { batch: 1, height: 2, width: 2, channels };
        let output = Shape { batch: 1, height: 1, width: 1, channels };
        let wide = |values: [f32; 4]| values.map(|value| vec![value; channels]).concat();
        let mut pulled = vec![f32::NAN; input.len()];
        let (x, gradient) = (wide([0.0, 1.0, 1.0, 0.5]), vec![3.0; channels]);
        unpool_at(level, Pooling::Max, window, (&x, input), (&gradient, output), &mut pulled);
        assert_eq!(pulled, wide([0.0, 3.0, 0.0, 0.0]), "{} {channels}", level.name());
    }
}
