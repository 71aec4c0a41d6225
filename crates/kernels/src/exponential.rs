//! Exponentials over vectors, to about one unit in the last place. A NaN stays one.

use std::f32::consts::{FRAC_1_SQRT_2, LOG2_E};

use crate::simd::Simd;

/// Added and taken away again, it leaves the nearest whole number.
const WHOLE: f32 = 12_582_912.0;

/// The logarithm of 2 in two parts: times whole numbers of an exponent the first is exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// `1 / k!`, from 7 down to 2.
const TAYLOR: [f32; 6] = [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5];

/// `exp(z * z) * erfc(z) / (2 * t)` as a polynomial of `t = 1 / (1 + z / 2)`, the highest power first,
/// fitted for `z` from 0 to 10.
const TAIL: [f32; 10] = [
    0.006_767_011,
    -0.064_805_03,
    0.221_400_26,
    -0.343_515_07,
    0.217_068_93,
    -0.052_260_254,
    0.113_721_33,
    0.119_144_425,
    0.141_446_96,
    0.141_031_44,
];

/// `1 / √(2 π)`.
const NORMAL: f32 = 0.398_942_3;

/// The integral of `exp(-x * x / 2)` from 0, divided by `x`, as a polynomial of `x * x`: its series,
/// the highest power first.
const MIDDLE: [f32; 8] = [
    -1.0 / 9_676_800.0,
    1.0 / 599_040.0,
    -1.0 / 42_240.0,
    1.0 / 3456.0,
    -1.0 / 336.0,
    1.0 / 40.0,
    -1.0 / 6.0,
    1.0,
];

/// `atanh(s) / s` as a polynomial of `s * s`: its series, the highest power first.
const ATANH: [f32; 9] = [
    1.0 / 17.0,
    1.0 / 15.0,
    1.0 / 13.0,
    1.0 / 11.0,
    1.0 / 9.0,
    1.0 / 7.0,
    1.0 / 5.0,
    1.0 / 3.0,
    1.0,
];

/// `tanh(x) / x` as a polynomial of `x * x`, the highest power first, for `x` below 0.625; from
/// Moshier's Cephes library.
const TANH: [f32; 6] =
    [-5.704_989e-3, 2.063_909e-2, -5.373_971_6e-2, 0.133_314_42, -0.333_332_8, 1.0];

/// A polynomial, the coefficient of the highest power first.
#[inline(always)]
unsafe fn polynomial<S: Simd, const N: usize>(coefficients: [f32; N], x: S::V) -> S::V {
    // SAFETY: the caller's promise; so in all functions.
    unsafe {
        let mut sum = S::splat(coefficients[0]);
        for n in 1..N {
            sum = S::fma(sum, x, S::splat(coefficients[n]));
        }
        sum
    }
}

#[inline(always)]
unsafe fn round<S: Simd>(x: S::V) -> S::V {
    // SAFETY: as above.
    unsafe { S::sub(S::add(x, S::splat(WHOLE)), S::splat(WHOLE)) }
}

/// A whole number `n` and `exp(r) - 1`, where `x` is `r` and `n` times the logarithm of 2.
#[inline(always)]
unsafe fn reduce<S: Simd>(x: S::V) -> [S::V; 2] {
    // SAFETY: as above.
    unsafe {
        let n = round::<S>(S::mul(x, S::splat(LOG2_E)));
        let r = S::fma(n, S::splat(-LN_2[0]), x);
        let r = S::fma(n, S::splat(-LN_2[1]), r);
        [n, S::fma(S::mul(r, r), polynomial::<S, 6>(TAYLOR, r), r)]
    }
}

/// `exp(x)`.
///
/// # Safety
///
/// As for [`Simd`]; so of all functions here.
#[inline(always)]
pub(crate) unsafe fn exp<S: Simd>(x: S::V) -> S::V {
    // SAFETY: as above.
    unsafe {
        let x = S::max(S::splat(-105.0), S::min(S::splat(90.0), x));
        let [n, near] = reduce::<S>(x);
        // In two steps, as the power may be too large or too small for a number.
        let half = round::<S>(S::mul(n, S::splat(0.5)));
        let value = S::mul(S::add(S::splat(1.0), near), S::power_of_two(half));
        S::mul(value, S::power_of_two(S::sub(n, half)))
    }
}

/// `exp(x) - 1` of a negative number; of others, 0.
#[inline(always)]
pub(crate) unsafe fn exp_m1_below_0<S: Simd>(x: S::V) -> S::V {
    // SAFETY: as above.
    unsafe {
        let x = S::max(S::splat(-25.0), S::min(S::splat(0.0), x));
        let [n, near] = reduce::<S>(x);
        let power = S::power_of_two(n);
        S::fma(power, near, S::sub(power, S::splat(1.0)))
    }
}

/// `ln(1 + x)` of numbers from 0 to 1.
#[inline(always)]
pub(crate) unsafe fn ln_1p_to_1<S: Simd>(x: S::V) -> S::V {
    // SAFETY: as above.
    unsafe {
        let s = S::div(x, S::add(S::splat(2.0), x));
        S::mul(S::add(s, s), polynomial::<S, 9>(ATANH, S::mul(s, s)))
    }
}

/// `tanh(x)`.
#[inline(always)]
pub(crate) unsafe fn tanh<S: Simd>(x: S::V) -> S::V {
    // SAFETY: as above.
    unsafe {
        let (size, one) = (abs::<S>(x), S::splat(1.0));
        let near = S::mul(x, polynomial::<S, 6>(TANH, S::mul(x, x)));
        let power = exp::<S>(S::add(size, size));
        let far = S::sub(one, S::div(S::splat(2.0), S::add(power, one)));
        let far = S::if_less(x, S::splat(0.0), S::sub(S::splat(0.0), far), far);
        S::if_less(size, S::splat(0.625), near, far)
    }
}

/// The share of a normal distribution below `x`.
#[inline(always)]
pub(crate) unsafe fn normal_below<S: Simd>(x: S::V) -> S::V {
    // SAFETY: as above.
    unsafe {
        let (size, one) = (abs::<S>(x), S::splat(1.0));
        let z = S::mul(size, S::splat(FRAC_1_SQRT_2));
        let t = S::div(one, S::fma(z, S::splat(0.5), one));
        let tail = S::mul(t, polynomial::<S, 10>(TAIL, t));
        let tail = S::mul(tail, exp::<S>(S::mul(S::mul(x, x), S::splat(-0.5))));
        let far = S::if_less(x, S::splat(0.0), tail, S::sub(one, tail));
        let near = S::mul(S::splat(NORMAL), polynomial::<S, 8>(MIDDLE, S::mul(x, x)));
        S::if_less(size, one, S::fma(x, near, S::splat(0.5)), far)
    }
}

/// The density of a normal distribution at `x`.
#[inline(always)]
pub(crate) unsafe fn normal_density<S: Simd>(x: S::V) -> S::V {
    // SAFETY: as above.
    unsafe { S::mul(S::splat(NORMAL), exp::<S>(S::mul(S::mul(x, x), S::splat(-0.5)))) }
}

/// The magnitude.
#[inline(always)]
pub(crate) unsafe fn abs<S: Simd>(x: S::V) -> S::V {
    // SAFETY: as above.
    unsafe { S::max(x, S::sub(S::splat(0.0), x)) }
}
