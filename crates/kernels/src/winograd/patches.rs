//! The transformations of patches.

use super::{A, B, IN, OUT};
use crate::simd::{Kernel, Simd};
use crate::tile::{Activation, activate};

/// The input's transformation (`Bᵀ d B` of the paper).
pub(super) struct Enter {
    pub sources: [[*const f32; IN]; IN],
    pub channels: usize,
    pub target: *mut f32,
    pub apart: usize,
}

impl Kernel for Enter {
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        for channel in (0..self.channels).step_by(S::LANES) {
            // SAFETY: sources and targets have `channels` numbers, a multiple of the lanes.
            unsafe {
                let mut half = [[S::splat(0.0); IN]; IN];
                for y in 0..IN {
                    for x in 0..IN {
                        half[y][x] = S::load(self.sources[y][x].add(channel));
                    }
                    half[y] = enter::<S>(half[y]);
                }
                for x in 0..IN {
                    let column =
                        [half[0][x], half[1][x], half[2][x], half[3][x], half[4][x], half[5][x]];
                    let column = enter::<S>(column);
                    for y in 0..IN {
                        S::store(self.target.add((y * IN + x) * self.apart + channel), column[y]);
                    }
                }
            }
        }
    }
}

/// One axis of the input's transformation.
#[inline(always)]
unsafe fn enter<S: Simd>(d: [S::V; IN]) -> [S::V; IN] {
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

/// The sums' transformation (`Aᵀ m A` of the paper), bias, shortcut and activation.
pub(super) struct Leave {
    pub source: *const f32,
    pub apart: usize,
    pub channels: usize,
    pub target: *mut f32,
    /// Numbers from a row of the output to the next, and from a position to the next.
    pub line: usize,
    pub across: usize,
    pub rows: usize,
    pub columns: usize,
    pub bias: *const f32,
    pub shortcut: *const f32,
    pub activation: Activation,
    /// Whether the largest of each 2×2 results is stored, not all; then rows and columns are even.
    pub pooled: bool,
}

impl Kernel for Leave {
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        // SAFETY: the caller's promise.
        unsafe {
            match self.pooled {
                true => self.store::<S, true>(),
                false => self.store::<S, false>(),
            }
        }
    }
}

impl Leave {
    #[inline(always)]
    unsafe fn store<S: Simd, const POOLED: bool>(self) {
        for channel in (0..self.channels).step_by(S::LANES) {
            // SAFETY: sums, bias, shortcut and target have `channels` numbers, a multiple of the
            // lanes, at `rows` times `columns` positions.
            unsafe {
                let mut half = [[S::splat(0.0); OUT]; IN];
                for y in 0..IN {
                    let mut line = [S::splat(0.0); IN];
                    for x in 0..IN {
                        line[x] = S::load(self.source.add((y * IN + x) * self.apart + channel));
                    }
                    half[y] = leave::<S>(line);
                }
                let bias = S::load(self.bias.add(channel));
                let mut left = [S::splat(0.0); OUT];
                for x in 0..OUT {
                    if x >= self.columns {
                        break;
                    }
                    let column =
                        [half[0][x], half[1][x], half[2][x], half[3][x], half[4][x], half[5][x]];
                    let column = leave::<S>(column);
                    for y in 0..OUT {
                        if y >= self.rows {
                            break;
                        }
                        let at = y * self.line + x * self.across + channel;
                        let mut value = S::add(column[y], bias);
                        if !self.shortcut.is_null() {
                            value = S::add(value, S::load(self.shortcut.add(at)));
                        }
                        let value = activate::<S>(self.activation, value);
                        if !POOLED {
                            S::store(self.target.add(at), value);
                        } else if x % 2 == 0 {
                            left[y] = value;
                        } else {
                            // In the order of `pool`, by which a NaN is treated.
                            left[y] = match y % 2 {
                                0 => S::max(left[y], value),
                                _ => S::max(S::max(left[y - 1], left[y]), value),
                            };
                            if y % 2 == 1 {
                                let at = y / 2 * self.line + x / 2 * self.across + channel;
                                S::store(self.target.add(at), left[y]);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// One axis of the sums' transformation.
#[inline(always)]
unsafe fn leave<S: Simd>(m: [S::V; IN]) -> [S::V; OUT] {
    const FACTORS: [[f32; 3]; 2] = [
        [A as f32, (A * A) as f32, (A * A * A) as f32],
        [B as f32, (B * B) as f32, (B * B * B) as f32],
    ];
    // SAFETY: the caller's promise.
    unsafe {
        let (even_a, odd_a) = (S::add(m[1], m[2]), S::sub(m[1], m[2]));
        let (even_b, odd_b) = (S::add(m[3], m[4]), S::sub(m[3], m[4]));
        let [a, b] = FACTORS;
        [
            S::add(S::add(m[0], even_a), even_b),
            S::fma(S::splat(a[0]), odd_a, S::mul(S::splat(b[0]), odd_b)),
            S::fma(S::splat(a[1]), even_a, S::mul(S::splat(b[1]), even_b)),
            S::add(S::fma(S::splat(a[2]), odd_a, S::mul(S::splat(b[2]), odd_b)), m[5]),
        ]
    }
}
