//! Functions against those of `f64`, and their gradients against differences of these.

use super::*;
use crate::functions::apply_at;

/// The exact value.
fn exact(function: Function, x: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let hard = |x: f64| (x / 6.0 + 0.5).clamp(0.0, 1.0);
    let elu = |alpha: f64| if x > 0.0 { x } else { alpha * x.exp_m1() };
    match function {
        Function::Sigmoid => sigmoid(x),
        Function::Tanh => x.tanh(),
        Function::Silu => x * sigmoid(x),
        Function::HardSigmoid => hard(x),
        Function::HardSilu => x * hard(x),
        Function::Elu(alpha) => elu(f64::from(alpha)),
        Function::Selu => 1.050_700_987_355_480_5 * elu(1.673_263_242_354_377_2),
        Function::Gelu => x * normal_below(x),
        Function::GeluTanh => {
            let power = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
            x * sigmoid(2.0 * power)
        }
        Function::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        Function::Softsign => x / (1.0 + x.abs()),
        Function::Exp => x.exp(),
        Function::Relu { negative_slope, threshold, max } => {
            let above = x - f64::from(threshold);
            if above > 0.0 { x.min(f64::from(max)) } else { f64::from(negative_slope) * above }
        }
    }
}

/// The share of a normal distribution below `x`, by a series of terms of one sign.
fn normal_below(x: f64) -> f64 {
    if x.abs() > 12.0 {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    let (mut term, mut sum, mut k) = (x, 0.0, 1.0);
    while f64::abs(term) > 1e-18 {
        sum += term;
        k += 2.0;
        term *= x * x / k;
    }
    0.5 + sum * (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

fn functions() -> impl Strategy<Value = Function> {
    let relu = (prop_oneof![Just(0.0), Just(0.1_f32)], prop_oneof![Just(0.0), Just(0.5_f32)]);
    prop_oneof![
        Just(Function::Sigmoid),
        Just(Function::Tanh),
        Just(Function::Silu),
        Just(Function::HardSigmoid),
        Just(Function::HardSilu),
        (0.1..2.0_f32).prop_map(Function::Elu),
        Just(Function::Selu),
        Just(Function::Gelu),
        Just(Function::GeluTanh),
        Just(Function::Softplus),
        Just(Function::Softsign),
        Just(Function::Exp),
        (relu, prop_oneof![Just(f32::INFINITY), Just(6.0)]).prop_map(
            |((negative_slope, threshold), max)| Function::Relu { negative_slope, threshold, max }
        ),
    ]
}

/// Whether a value is as near as 4e-7 of the exact one, or 1e-7.
fn is_near(result: f32, exact: f64) -> bool {
    let overflows = exact.abs() > f64::from(f32::MAX) && result.is_infinite();
    overflows || (f64::from(result) - exact).abs() <= (4e-7 * exact.abs()).max(1e-7)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn functions_and_gradients_are_exact(
        function in functions(),
        len in prop_oneof![4 => 1..100_usize, 1 => 30_000..70_000_usize],
        size in prop_oneof![Just(2.0_f32), Just(20.0), Just(200.0)],
        seed in any::<u32>(),
    ) {
        let x: Vec<f32> = numbers(len, seed).iter().map(|x| x * size).collect();
        let slopes = numbers(len, seed ^ 1);
        for level in Level::all() {
            let (mut result, mut gradients) = (vec![f32::NAN; len], vec![f32::NAN; len]);
            apply_at(level, function, &x, None, &mut result);
            apply_at(level, function, &x, Some(&slopes), &mut gradients);
            for (at, x) in x.iter().map(|x| f64::from(*x)).enumerate() {
                let expected = exact(function, x);
                let name = level.name();
                prop_assert!(is_near(result[at], expected), "{name} {x}: {} not {expected}", result[at]);
                let step = 1e-4;
                // Not where the function overflows or the slope jumps.
                if expected > f64::from(f32::MAX) || [-3.0, 0.0, 0.5, 3.0, 6.0].iter().any(|jump| (x - jump).abs() < 3.0 * step) {
                    continue;
                }
                let [a, b] = [1.0, 2.0].map(|steps| {
                    let step = step * steps;
                    (exact(function, x + step) - exact(function, x - step)) / (2.0 * step)
                });
                let expected = (4.0 * a - b) / 3.0 * f64::from(slopes[at]);
                prop_assert!(is_near(gradients[at], expected), "{name} slope at {x}: {} not {expected}", gradients[at]);
            }
        }
    }
}

#[test]
fn limits_and_nans() {
    let inf = f32::INFINITY;
    let relu = Function::Relu { negative_slope: 0.0, threshold: 0.0, max: 6.0 };
    for (function, values, slopes) in [
        (Function::Sigmoid, [0.0, 1.0], [0.0, 0.0]),
        (Function::Tanh, [-1.0, 1.0], [0.0, 0.0]),
        (Function::Silu, [0.0, inf], [0.0, 1.0]),
        (Function::HardSigmoid, [0.0, 1.0], [0.0, 0.0]),
        (Function::HardSilu, [0.0, inf], [0.0, 1.0]),
        (Function::Elu(0.5), [-0.5, inf], [0.0, 1.0]),
        (Function::Selu, [-1.758_099_3, inf], [0.0, 1.050_701]),
        (Function::Gelu, [0.0, inf], [0.0, 1.0]),
        (Function::GeluTanh, [0.0, inf], [0.0, 1.0]),
        (Function::Softplus, [0.0, inf], [0.0, 1.0]),
        (Function::Softsign, [-1.0, 1.0], [0.0, 0.0]),
        (Function::Exp, [0.0, inf], [0.0, inf]),
        (relu, [0.0, 6.0], [0.0, 0.0]),
    ] {
        for level in Level::all() {
            for far in [inf, f32::MAX] {
                let x = [-far, far, f32::NAN];
                let (mut result, mut gradients) = ([7.0; 3], [7.0; 3]);
                apply_at(level, function, &x, None, &mut result);
                apply_at(level, function, &x, Some(&[1.0; 3]), &mut gradients);
                let name = level.name();
                assert_eq!(result[0], values[0], "{name} {function:?}");
                assert!(result[1] == values[1] || result[1] == far, "{name} {function:?}");
                assert_eq!(gradients[..2], slopes, "{name} {function:?}");
                assert!(result[2].is_nan(), "{name} {function:?}");
            }
        }
    }
}
