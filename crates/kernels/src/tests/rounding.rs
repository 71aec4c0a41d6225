//! What fewer multiplications do to the last digits.

use super::numbers;
use crate::*;

/// The root of the mean square of the errors of a convolution without a border, as a share of that of its results.
fn error(size: [usize; 2], channels: usize, filters: usize, level: Level, how: Arithmetic) -> f64 {
    const OUT: usize = 12;
    let window = Window { size, strides: [1, 1], before: [0, 0], dilation: [1, 1] };
    let (height, width) = (OUT + size[0] - 1, OUT + size[1] - 1);
    let input = Shape { batch: 1, height, width, channels };
    let output = Shape { batch: 1, height: OUT, width: OUT, channels: filters };
    // As after a rectifier: no number is negative.
    let x: Vec<f32> = numbers(input.len(), 1).iter().map(|x| x + 0.5).collect();
    let kernel = numbers(size[0] * size[1] * channels * filters, 2);
    let bias = vec![0.0; filters];
    let weights = Weights { kernel: &kernel, scale: None, bias: &bias, groups: 1 };
    let convolution = Convolution::at(level, window, channels, &weights, how);
    let mut found = vec![0.0; output.len()];
    convolution.run((&x, input), (&mut found, output), None, Activation::Linear);
    let (mut errors, mut squares) = (0.0, 0.0);
    for (at, found) in found.iter().enumerate() {
        let (position, filter) = (at / filters, at % filters);
        let mut sum = 0.0;
        for tap in 0..size[0] * size[1] {
            let (down, right) = (position / OUT + tap / size[1], position % OUT + tap % size[1]);
            for channel in 0..channels {
                let value = x[(down * width + right) * channels + channel];
                let weight = kernel[(tap * channels + channel) * filters + filter];
                sum += f64::from(value) * f64::from(weight);
            }
        }
        errors += (f64::from(*found) - sum).powi(2);
        squares += sum * sum;
    }
    (errors / squares).sqrt()
}

/// Sums of fewer products have fewer roundings, which make up for those of the transformations.
#[test]
#[expect(clippy::print_stdout, reason = "the figures of docs/performance.md")]
fn fewer_multiplications_round_like_plain_sums() {
    for (size, channels, filters) in [
        ([3, 3], 3, 64),
        ([5, 5], 3, 64),
        ([3, 3], 128, 64),
        ([5, 5], 48, 64),
        ([1, 3], 192, 64),
        ([3, 1], 192, 64),
        ([1, 7], 160, 64),
        ([7, 1], 160, 64),
    ] {
        for level in Level::all() {
            let [plain, fast] = [Arithmetic::Exact, Arithmetic::Fast]
                .map(|how| error(size, channels, filters, level, how));
            let name = level.name();
            println!("{size:?}, {channels} channels, {name}: {plain:.2e} plain, {fast:.2e}");
            assert!(fast < 1.25 * plain, "{size:?} {channels} {name}: {fast:e}, {plain:e}");
        }
    }
}
