//! The way back of each kernel. For a linear map `f` it is the transposed one: `g · f(x)` is `back(g) · x`.

use super::*;

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
        let back = Convolution::transposed(window, input.channels, &weights, how);
        let linear = Activation::Linear;
        transposed(
            (input, output),
            seed,
            |x, there| forward.run((x, input), (there, output), None, linear),
            |gradient, pulled| {
                let apart = |axis: usize, size: usize| (size - 1) * window.strides[axis] + 1;
                let wide = Shape {
                    height: apart(0, output.height).max(input.height),
                    width: apart(1, output.width).max(input.width),
                    ..output
                };
                let mut dilated = vec![f32::NAN; wide.len()];
                dilate((gradient, output), window.strides, (&mut dilated, wide));
                back.run((&dilated, wide), (pulled, input), None, linear);
            },
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
            transposed(
                (input, output),
                seed,
                |x, there| pool(pooling, window, (x, input), (there, output)),
                |gradient, pulled| unpool(pooling, window, (&vec![0.0; input.len()], input), (gradient, output), pulled),
            )?;
        }
        // A maximum is linear where the same inputs stay the largest.
        let x = numbers(input.len(), seed);
        let (mut there, mut further) = (vec![0.0; output.len()], vec![0.0; output.len()]);
        pool(Pooling::Max, window, (&x, input), (&mut there, output));
        let twice: Vec<f32> = x.iter().map(|x| x * 2.0).collect();
        pool(Pooling::Max, window, (&twice, input), (&mut further, output));
        let gradient = numbers(output.len(), seed ^ 7);
        let mut pulled = vec![f32::NAN; input.len()];
        unpool(Pooling::Max, window, (&x, input), (&gradient, output), &mut pulled);
        let (a, b) = (dot(&gradient, &further) - dot(&gradient, &there), dot(&pulled, &x));
        let size = dot(&magnitudes(&gradient), &magnitudes(&there)).max(1e-3);
        prop_assert!((a - b).abs() <= 1e-5 * size, "{a} is not {b}");
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
        let (mut found, mut gradient) = ([f32::NAN; 4], [f32::NAN; 4]);
        add(&before, Some(&shortcut), activation, &mut found);
        assert_eq!(found, after, "{activation:?}");
        activation_gradient(&[1.0; 4], &found, activation, &mut gradient);
        assert_eq!(gradient, slopes, "{activation:?}");
    }
}

#[test]
fn of_equal_maxima_to_the_first() {
    let (input, output) = (
        Shape { batch: 1, height: 2, width: 2, channels: 1 },
        Shape { batch: 1, height: 1, width: 1, channels: 1 },
    );
    let window = Window { size: [2, 2], strides: [2, 2], before: [0, 0], dilation: [1, 1] };
    let mut pulled = [f32::NAN; 4];
    unpool(Pooling::Max, window, (&[0.0, 1.0, 1.0, 0.5], input), (&[3.0], output), &mut pulled);
    assert_eq!(pulled, [0.0, 3.0, 0.0, 0.0]);
}
