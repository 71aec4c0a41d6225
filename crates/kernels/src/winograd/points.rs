//! The transformations of one axis.

use super::scheme::{A, B};
use crate::simd::Simd;
use crate::tile::{Activation, activate};

/// What six positions of the input become at the points 0, ±√½, ±√2 and ∞.
#[inline(always)]
pub(super) unsafe fn enter<S: Simd>(d: [S::V; 6]) -> [S::V; 6] {
    const A2: f32 = (A * A) as f32;
    const B2: f32 = (B * B) as f32;
    // SAFETY: the caller's promise.
    unsafe {
        let (a2, b2, both) = (S::splat(-A2), S::splat(-B2), S::splat(-A2 - B2));
        let (p, r) = (S::fma(b2, d[2], d[4]), S::fma(a2, d[2], d[4]));
        let q = S::mul(S::splat(A as f32), S::fma(b2, d[1], d[3]));
        let s = S::mul(S::splat(B as f32), S::fma(a2, d[1], d[3]));
        [
            S::add(S::fma(both, d[2], d[0]), d[4]),
            S::add(p, q),
            S::sub(p, q),
            S::add(r, s),
            S::sub(r, s),
            S::add(S::fma(both, d[3], d[1]), d[5]),
        ]
    }
}

/// Results of the sums at these points, so many.
#[inline(always)]
pub(super) unsafe fn leave<S: Simd, const OUT: usize>(m: [S::V; 6]) -> [S::V; OUT] {
    /// Powers of the points.
    const POWERS: [[f32; 2]; 4] = [
        [1.0, 1.0],
        [A as f32, B as f32],
        [(A * A) as f32, (B * B) as f32],
        [(A * A * A) as f32, (B * B * B) as f32],
    ];
    // SAFETY: the caller's promise.
    unsafe {
        let even = [S::add(m[1], m[2]), S::add(m[3], m[4])];
        let odd = [S::sub(m[1], m[2]), S::sub(m[3], m[4])];
        let mut results = [S::add(S::add(m[0], even[0]), even[1]); OUT];
        for n in 1..OUT {
            let [a, b] = if n % 2 == 0 { even } else { odd };
            let [power_a, power_b] = POWERS[n];
            results[n] = S::fma(S::splat(power_a), a, S::mul(S::splat(power_b), b));
        }
        results[OUT - 1] = S::add(results[OUT - 1], m[5]);
        results
    }
}

/// What five positions become at the points 0, ±√½, √2 and ∞.
#[inline(always)]
pub(super) unsafe fn enter_five<S: Simd>(d: [S::V; 5]) -> [S::V; 5] {
    // SAFETY: the caller's promise.
    unsafe {
        let (a, a2, b) = (S::splat(A as f32), S::splat(-(A * A) as f32), S::splat(-B as f32));
        // All but the fourth have the factor x - √2.
        let mut t = [S::splat(0.0); 4];
        for k in 0..4 {
            t[k] = S::fma(b, d[k], d[k + 1]);
        }
        let odd = S::mul(a, t[1]);
        [
            S::fma(a2, t[0], t[2]),
            S::add(t[2], odd),
            S::sub(t[2], odd),
            S::fma(a2, d[1], d[3]),
            S::fma(a2, t[1], t[3]),
        ]
    }
}

/// Three results of the sums at these points.
#[inline(always)]
pub(super) unsafe fn leave_five<S: Simd>(m: [S::V; 5]) -> [S::V; 3] {
    // SAFETY: the caller's promise.
    unsafe {
        let (even, odd) = (S::add(m[1], m[2]), S::sub(m[1], m[2]));
        let (a, a2) = (S::splat(A as f32), S::splat((A * A) as f32));
        let (b, b2) = (S::splat(B as f32), S::splat((B * B) as f32));
        [
            S::add(S::add(m[0], even), m[3]),
            S::fma(a, odd, S::mul(b, m[3])),
            S::add(S::fma(a2, even, S::mul(b2, m[3])), m[4]),
        ]
    }
}

/// A result with its bias, the number at `at` of the shortcut, if that is not null, and the activation.
#[inline(always)]
pub(super) unsafe fn finished<S: Simd>(
    result: S::V,
    bias: S::V,
    (shortcut, at): (*const f32, usize),
    activation: Activation,
) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let mut value = S::add(result, bias);
        if !shortcut.is_null() {
            value = S::add(value, S::load(shortcut.add(at)));
        }
        activate::<S>(activation, value)
    }
}
