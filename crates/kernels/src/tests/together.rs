//! What is computed together has the bits of what is computed one after the other.

use proptest::prelude::*;

use super::cases::{Case, cases};
use super::numbers;
use crate::channelwise::scale_and_add_at;
use crate::pool::pool_at;
use crate::*;

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Whether the largest of each window of results can be taken at once; if so, it is checked to the last bit.
fn pools_at_once(case: &Case, size: [usize; 2], seed: u32) -> Result<bool, TestCaseError> {
    let pool = Window { size, strides: size, before: [0, 0], dilation: [1, 1] };
    let (input, results) = (case.input, case.output);
    let pooled =
        Shape { height: results.height / size[0], width: results.width / size[1], ..results };
    let (mut x, kernel) = (numbers(input.len(), seed), numbers(case.weights(), seed ^ 1));
    x[0] = f32::NAN;
    let bias = numbers(results.channels, seed ^ 2);
    let mut can_all = true;
    for level in Level::all() {
        for how in [Arithmetic::Exact, Arithmetic::Fast] {
            let weights = Weights { kernel: &kernel, scale: None, bias: &bias, groups: 1 };
            let convolution = Convolution::at(level, case.window, input.channels, &weights, how);
            if pooled.is_empty() || !convolution.can_pool(pool, results, pooled) {
                can_all = false;
                continue;
            }
            let mut map = vec![f32::NAN; results.len()];
            convolution.run((&x, input), (&mut map, results), None, case.activation);
            let mut expected = vec![0.0; pooled.len()];
            pool_at(level, Pooling::Max, pool, (&map, results), (&mut expected, pooled));
            let mut found = vec![1.0; pooled.len()];
            let target = (&mut *found, pooled);
            convolution.run_pooled((&x, input), (results, pool), target, case.activation);
            prop_assert_eq!(bits(&found), bits(&expected), "{} {:?}", level.name(), how);
        }
    }
    Ok(can_all)
}

/// Checks results that are scaled at once, if they can be.
fn scales_at_once(case: &Case, seed: u32) -> Result<bool, TestCaseError> {
    let (input, output) = (case.input, case.output);
    let (x, kernel) = (numbers(input.len(), seed), numbers(case.weights(), seed ^ 1));
    let bias = numbers(output.channels, seed ^ 2);
    let factors = numbers(output.batch * output.channels, seed ^ 3);
    let shortcut = case.shortcut.then(|| numbers(output.len(), seed ^ 4));
    let shortcut = shortcut.as_deref();
    let mut can_all = true;
    for level in Level::all() {
        let weights = Weights { kernel: &kernel, scale: None, bias: &bias, groups: case.groups };
        let convolution =
            Convolution::at(level, case.window, input.channels, &weights, Arithmetic::Fast);
        if !convolution.can_scale() {
            can_all = false;
            continue;
        }
        let mut map = vec![f32::NAN; output.len()];
        convolution.run((&x, input), (&mut map, output), None, Activation::Linear);
        let mut expected = vec![f32::NAN; output.len()];
        let after = case.activation;
        scale_and_add_at(level, (&map, output), &factors, shortcut, after, &mut expected);
        let mut found = vec![f32::NAN; output.len()];
        convolution.run_scaled((&x, input), (&mut found, output), &factors, shortcut, after);
        prop_assert_eq!(bits(&found), bits(&expected), "{}", level.name());
    }
    Ok(can_all)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn results_that_are_pooled_at_once_are_the_same(
        case in cases(), side in 1..5_usize, wide in 1..5_usize, seed in any::<u32>(),
    ) {
        pools_at_once(&case, [side, wide], seed)?;
        // As Winograd's method wants it.
        let even = |size: usize| size.next_multiple_of(2);
        let (input, output) = (case.input, case.output);
        let input = Shape { height: even(input.height), width: even(input.width), channels: 16, ..input };
        let output = Shape { height: input.height, width: input.width, channels: 32, ..output };
        let window = Window { size: [3, 3], strides: [1, 1], before: [1, 1], dilation: [1, 1] };
        let case = Case { input, output, window, ..case };
        prop_assert!(pools_at_once(&case, [2, 2], seed)?, "Winograd's method can");
    }

    #[test]
    fn results_that_are_scaled_at_once_are_the_same(case in cases(), seed in any::<u32>()) {
        scales_at_once(&case, seed)?;
        let window = Window { size: [1, 1], strides: [1, 1], before: [0, 0], dilation: [1, 1] };
        let output = Shape { channels: case.output.channels, ..case.input };
        let case = Case { output, window, ..case };
        prop_assert!(scales_at_once(&case, seed)?, "a point can");
    }
}
