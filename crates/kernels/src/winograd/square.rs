//! The transformations of patches of a square kernel.

use super::points::{enter, finished, leave};
use super::scheme::MOST_READS;
use crate::simd::{Kernel, Simd};
use crate::tile::Activation;

/// Positions of the input, and points, along an axis.
const IN: usize = 6;

/// The input's transformation (`Bᵀ d B` of the paper).
pub(super) struct Enter {
    pub sources: [*const f32; MOST_READS],
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
                        half[y][x] = S::load(self.sources[y * IN + x].add(channel));
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

/// The sums' transformation (`Aᵀ m A` of the paper), bias, shortcut and activation.
pub(super) struct Leave {
    /// Along an axis.
    pub results: usize,
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
            match (self.results, self.pooled) {
                (4, true) => self.store::<S, 4, true>(),
                (4, false) => self.store::<S, 4, false>(),
                (2, true) => self.store::<S, 2, true>(),
                (2, false) => self.store::<S, 2, false>(),
                _ => unreachable!("no such scheme"),
            }
        }
    }
}

impl Leave {
    #[inline(always)]
    unsafe fn store<S: Simd, const OUT: usize, const POOLED: bool>(self) {
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
                    half[y] = leave::<S, OUT>(line);
                }
                let bias = S::load(self.bias.add(channel));
                let mut left = [S::splat(0.0); OUT];
                for x in 0..OUT {
                    if x >= self.columns {
                        break;
                    }
                    let column =
                        [half[0][x], half[1][x], half[2][x], half[3][x], half[4][x], half[5][x]];
                    let column = leave::<S, OUT>(column);
                    for y in 0..OUT {
                        if y >= self.rows {
                            break;
                        }
                        let at = y * self.line + x * self.across + channel;
                        let shortcut = (self.shortcut, at);
                        let value = finished::<S>(column[y], bias, shortcut, self.activation);
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
