//! The transformations of patches of a kernel that is one tap wide or high.

use super::points::{enter, enter_five, finished, leave, leave_five};
use super::scheme::{Axis, MOST_READS};
use crate::simd::{Kernel, Simd};
use crate::tile::Activation;

/// The input's transformation (`Bᵀ d` of the paper).
pub(super) struct Enter {
    pub axis: Axis,
    pub sources: [*const f32; MOST_READS],
    pub channels: usize,
    pub target: *mut f32,
    pub apart: usize,
}

impl Kernel for Enter {
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        // SAFETY: the caller's promise.
        unsafe {
            match (self.axis.reads(), self.axis.points()) {
                (6, 6) => self.transform::<S, 6, false>(),
                (9, 11) => self.transform::<S, 9, true>(),
                _ => unreachable!("no such scheme"),
            }
        }
    }
}

impl Enter {
    /// `FIVE`: with five points of the last five positions after six of the first six.
    #[inline(always)]
    unsafe fn transform<S: Simd, const READS: usize, const FIVE: bool>(self) {
        for channel in (0..self.channels).step_by(S::LANES) {
            // SAFETY: sources and targets have `channels` numbers, a multiple of the lanes.
            unsafe {
                let mut d = [S::splat(0.0); READS];
                for x in 0..READS {
                    d[x] = S::load(self.sources[x].add(channel));
                }
                let target = self.target.add(channel);
                let six = enter::<S>([d[0], d[1], d[2], d[3], d[4], d[5]]);
                for point in 0..six.len() {
                    S::store(target.add(point * self.apart), six[point]);
                }
                if FIVE {
                    let from = READS - 5;
                    let d = [d[from], d[from + 1], d[from + 2], d[from + 3], d[from + 4]];
                    let five = enter_five::<S>(d);
                    for point in 0..five.len() {
                        S::store(target.add((six.len() + point) * self.apart), five[point]);
                    }
                }
            }
        }
    }
}

/// The sums' transformation (`Aᵀ m` of the paper), bias, shortcut and activation.
pub(super) struct Leave {
    pub axis: Axis,
    pub source: *const f32,
    pub apart: usize,
    pub channels: usize,
    pub target: *mut f32,
    /// Numbers from a result to the next.
    pub step: usize,
    /// Results that are stored.
    pub count: usize,
    pub bias: *const f32,
    pub shortcut: *const f32,
    pub activation: Activation,
}

impl Kernel for Leave {
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        // SAFETY: the caller's promise.
        unsafe {
            match (self.axis.results, self.axis.points()) {
                (4, 6) => self.transform::<S, 4, false>(),
                (3, 11) => self.transform::<S, 3, true>(),
                _ => unreachable!("no such scheme"),
            }
        }
    }
}

impl Leave {
    /// `FIVE`: with sums at five points after those at six.
    #[inline(always)]
    unsafe fn transform<S: Simd, const RESULTS: usize, const FIVE: bool>(self) {
        for channel in (0..self.channels).step_by(S::LANES) {
            // SAFETY: sums, bias, shortcut and target have `channels` numbers, a multiple of the lanes, at `count`
            // positions.
            unsafe {
                let source = self.source.add(channel);
                let mut six = [S::splat(0.0); 6];
                for point in 0..6 {
                    six[point] = S::load(source.add(point * self.apart));
                }
                let mut results = leave::<S, RESULTS>(six);
                if FIVE {
                    let mut five = [S::splat(0.0); 5];
                    for point in 0..5 {
                        five[point] = S::load(source.add((6 + point) * self.apart));
                    }
                    let more = leave_five::<S>(five);
                    for n in 0..RESULTS {
                        results[n] = S::add(results[n], more[n]);
                    }
                }
                let bias = S::load(self.bias.add(channel));
                for n in 0..RESULTS {
                    if n >= self.count {
                        break;
                    }
                    let at = n * self.step + channel;
                    let shortcut = (self.shortcut, at);
                    let value = finished::<S>(results[n], bias, shortcut, self.activation);
                    S::store(self.target.add(at), value);
                }
            }
        }
    }
}
