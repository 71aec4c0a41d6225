//! The inner loop: one tile of a matrix product whose left rows may lie anywhere.
//!
//! Each row of the tile sums over `taps` runs of `depth` numbers; where a run starts is looked up
//! in a table, so that a convolution reads its windows in place (Dukhan, *The Indirect Convolution
//! Algorithm*, 2019, <https://arxiv.org/abs/1907.02129>). Every sum goes over taps and depth in
//! the same order, whatever the tile, so results do not depend on how the work is cut.

use std::mem::MaybeUninit;

use crate::buffers::LINE;
use crate::simd::{Kernel, Simd};

/// The most rows that a tile has on any instruction set.
const MAX_ROWS: usize = 14;

/// The widest panel of any instruction set.
const MAX_WIDTH: usize = 32;

/// What happens to a sum before it is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// Nothing.
    Linear,
    /// `max(x, 0)`.
    Relu,
    /// `x` where positive, the slope times `x` elsewhere; the slope lies between 0 and 1.
    LeakyRelu(f32),
    /// `min(max(x, 0), limit)`; the limit is positive.
    ClippedRelu(f32),
}

/// The sums of a tile, where whole vectors can be stored and read back at once.
#[repr(align(64))]
struct Stored([f32; MAX_ROWS * MAX_WIDTH]);

/// One tile: `rows` sums for each column of a panel.
#[derive(Clone, Copy)]
pub(crate) struct Tile<'a> {
    /// Where each run starts: `taps` times `stride` pointers, of which the first `rows` are used; or `rows` pointers
    /// for the first tap, where `stride` is 0.
    pub runs: &'a [*const f32],
    pub stride: usize,
    /// Numbers from a run of one tap to that of the next, where the pointers do not tell.
    pub line: usize,
    pub rows: usize,
    pub taps: usize,
    /// Numbers from the start of each run to the first that counts.
    pub channel: usize,
    pub depth: usize,
    /// `taps * depth` times the panel's width.
    pub panel: *const f32,
    /// The panel's width in vectors, 1 or `COLUMNS`.
    pub vectors: usize,
    /// A number for each column of the panel, or null.
    pub bias: *const f32,
    pub factors: Factors,
    /// Where the first row is stored.
    pub output: *mut f32,
    /// Numbers from one row of the output to the next.
    pub apart: usize,
    /// What is added after the bias and the factors, with rows as far apart as the output's; or null.
    pub shortcut: *const f32,
    pub activation: Activation,
    /// Columns that are stored: the panel's width, or fewer.
    pub columns: usize,
    pub ahead: Ahead,
}

/// What sums are multiplied by after the bias: a number for each column, of the image that a row belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Factors {
    /// Those of the first row's image, or null.
    pub values: *const f32,
    /// Numbers from one image's to the next's.
    pub apart: usize,
    /// Rows of the first image that are not in the tile.
    pub before: usize,
    /// Rows of an image.
    pub plane: usize,
}

impl Factors {
    /// None.
    pub(crate) const NONE: Self =
        Self { values: std::ptr::null(), apart: 0, before: 0, plane: usize::MAX };

    /// Those of the next row.
    #[inline(always)]
    fn next(mut self) -> Self {
        self.before += 1;
        if self.before == self.plane {
            (self.before, self.values) = (0, self.values.wrapping_add(self.apart));
        }
        self
    }
}

/// Numbers that a later tile needs: they are on their way to the cache while this one is computed.
#[derive(Clone, Copy)]
pub(crate) struct Ahead {
    pub first: *const f32,
    /// Lines of the cache.
    pub lines: usize,
}

impl Ahead {
    /// None.
    pub(crate) const NONE: Self = Self { first: std::ptr::null(), lines: 0 };
}

impl Kernel for Tile<'_> {
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let alone = self.columns == self.vectors * S::LANES
            && self.activation == Activation::Linear
            && self.bias.is_null()
            && self.factors.values.is_null()
            && self.shortcut.is_null();
        // SAFETY: the caller's promise.
        unsafe {
            match (self.vectors, S::COLUMNS) {
                (1, _) => self.with_columns::<S, 1>(alone),
                (_, 4) => self.with_columns::<S, 4>(alone),
                _ => self.with_columns::<S, 2>(alone),
            }
        }
    }
}

impl Tile<'_> {
    #[inline(always)]
    unsafe fn with_columns<S: Simd, const N: usize>(self, alone: bool) {
        // What a tile does beside its sums is compiled for itself: each has a cost.
        // SAFETY: the caller's promise.
        unsafe {
            if alone {
                match self.ahead.lines {
                    0 => self.with_rows::<S, N, true, false>(self.output, self.apart),
                    _ => self.with_rows::<S, N, true, true>(self.output, self.apart),
                }
                return;
            }
            // Through memory, so that the sums stay in registers.
            let mut stored = MaybeUninit::<Stored>::uninit();
            let stored = (&raw mut (*stored.as_mut_ptr()).0).cast::<f32>();
            self.ask_for_output::<S, N>();
            match self.ahead.lines {
                0 => self.with_rows::<S, N, false, false>(stored, N * S::LANES),
                _ => self.with_rows::<S, N, false, true>(stored, N * S::LANES),
            }
            match self.columns == N * S::LANES {
                true => self.finish::<S, N>(stored),
                false => self.finish_some(stored, N * S::LANES),
            }
        }
    }

    #[inline(always)]
    unsafe fn with_rows<S: Simd, const N: usize, const ALONE: bool, const AHEAD: bool>(
        self,
        target: *mut f32,
        apart: usize,
    ) {
        // Rows beyond `rows` repeat the last one: a few sizes serve all.
        // SAFETY: the caller's promise.
        unsafe {
            match (S::ROWS, self.rows) {
                (_, 1) => self.sum::<S, 1, N, ALONE, AHEAD>(target, apart),
                (_, 2) => self.sum::<S, 2, N, ALONE, AHEAD>(target, apart),
                (_, 3..=4) => self.sum::<S, 4, N, ALONE, AHEAD>(target, apart),
                (6.., 5..=6) => self.sum::<S, 6, N, ALONE, AHEAD>(target, apart),
                (14, 7..=8) => self.sum::<S, 8, N, ALONE, AHEAD>(target, apart),
                (14, 9..=11) => self.sum::<S, 11, N, ALONE, AHEAD>(target, apart),
                (14, 12..=14) => self.sum::<S, 14, N, ALONE, AHEAD>(target, apart),
                _ => unreachable!("a tile has no more rows than the instruction set"),
            }
        }
    }

    /// The sums, into rows of `target` that are `apart` numbers apart; if not `ALONE`, `M` of them.
    // Loops, not closures: a closure is not compiled for the instruction set.
    #[inline(always)]
    unsafe fn sum<S: Simd, const M: usize, const N: usize, const ALONE: bool, const AHEAD: bool>(
        self,
        target: *mut f32,
        apart: usize,
    ) {
        // SAFETY: runs have `channel + depth` numbers, the panel `taps * depth` rows of `N` vectors.
        unsafe {
            let mut sums = [[S::splat(0.0); N]; M];
            let mut panel = self.panel;
            let mut run = [std::ptr::null(); M];
            let mut ahead = self.ahead;
            for tap in 0..self.taps {
                let runs = self.runs.as_ptr().add(tap * self.stride);
                for m in 0..M {
                    let first = *runs.add(m.min(self.rows - 1));
                    run[m] = first.add(tap * self.line + self.channel);
                }
                let mut k = 0;
                if AHEAD {
                    k = ahead.lines.min(self.depth);
                    for k in 0..k {
                        S::prefetch(ahead.first.wrapping_add(k * LINE));
                        add::<S, M, N>(&mut sums, &run, k, panel);
                        panel = panel.add(N * S::LANES);
                    }
                    ahead.first = ahead.first.wrapping_add(k * LINE);
                    ahead.lines -= k;
                }
                for k in k..self.depth {
                    add::<S, M, N>(&mut sums, &run, k, panel);
                    panel = panel.add(N * S::LANES);
                }
            }
            for m in 0..M {
                if !ALONE || m < self.rows {
                    for n in 0..N {
                        S::store(target.add(m * apart + n * S::LANES), sums[m][n]);
                    }
                }
            }
        }
    }

    /// Asks for what is read and written after the sums: it comes from memory meanwhile.
    #[inline(always)]
    unsafe fn ask_for_output<S: Simd, const N: usize>(&self) {
        // SAFETY: any address will do.
        unsafe {
            self.ask_for::<S, N>(self.output);
            if !self.shortcut.is_null() {
                self.ask_for::<S, N>(self.shortcut);
            }
        }
    }

    #[inline(always)]
    unsafe fn ask_for<S: Simd, const N: usize>(&self, first: *const f32) {
        for row in 0..self.rows {
            for column in (0..N * S::LANES).step_by(LINE) {
                // SAFETY: any address will do.
                unsafe { S::prefetch_near(first.wrapping_add(row * self.apart + column)) };
            }
        }
    }

    /// Bias, factors, shortcut and activation of all columns of a panel; then stores.
    #[inline(always)]
    unsafe fn finish<S: Simd, const N: usize>(&self, sums: *const f32) {
        // SAFETY: the caller's promise.
        unsafe {
            match (self.shortcut.is_null(), self.factors.values.is_null()) {
                (true, true) => self.finish_by::<S, N, false, false>(sums),
                (false, true) => self.finish_by::<S, N, true, false>(sums),
                (true, false) => self.finish_by::<S, N, false, true>(sums),
                (false, false) => self.finish_by::<S, N, true, true>(sums),
            }
        }
    }

    #[inline(always)]
    unsafe fn finish_by<S: Simd, const N: usize, const SHORTCUT: bool, const FACTORS: bool>(
        &self,
        sums: *const f32,
    ) {
        // Asked once, not for each row.
        // SAFETY: the caller's promise.
        unsafe {
            match self.activation {
                Activation::Relu => {
                    self.finish_rows::<S, N, SHORTCUT, FACTORS>(Activation::Relu, sums);
                }
                other => self.finish_rows::<S, N, SHORTCUT, FACTORS>(other, sums),
            }
        }
    }

    #[inline(always)]
    unsafe fn finish_rows<S: Simd, const N: usize, const SHORTCUT: bool, const FACTORS: bool>(
        &self,
        activation: Activation,
        sums: *const f32,
    ) {
        // SAFETY: bias and factors have the panel's columns; so have the rows of output and shortcut.
        unsafe {
            let mut bias = [S::splat(0.0); N];
            if !self.bias.is_null() {
                for n in 0..N {
                    bias[n] = S::load(self.bias.add(n * S::LANES));
                }
            }
            let mut factors = self.factors;
            for row in 0..self.rows {
                for n in 0..N {
                    let at = row * self.apart + n * S::LANES;
                    let sum = S::load(sums.add((row * N + n) * S::LANES));
                    let mut value = S::add(sum, bias[n]);
                    if FACTORS {
                        value = S::mul(value, S::load(factors.values.add(n * S::LANES)));
                    }
                    if SHORTCUT {
                        value = S::add(value, S::load(self.shortcut.add(at)));
                    }
                    S::store(self.output.add(at), activate::<S>(activation, value));
                }
                if FACTORS {
                    factors = factors.next();
                }
            }
        }
    }

    /// The same of a panel of which some columns count; its rows are `width` wide.
    #[inline(always)]
    unsafe fn finish_some(&self, sums: *const f32, width: usize) {
        let mut factors = self.factors;
        for row in 0..self.rows {
            for n in 0..self.columns {
                let at = row * self.apart + n;
                // SAFETY: the bias is padded to the panel; factors and each row of output and shortcut have
                // `columns` numbers.
                unsafe {
                    let mut value = *sums.add(row * width + n);
                    if !self.bias.is_null() {
                        value += *self.bias.add(n);
                    }
                    if !factors.values.is_null() {
                        value *= *factors.values.add(n);
                    }
                    if !self.shortcut.is_null() {
                        value += *self.shortcut.add(at);
                    }
                    *self.output.add(at) = activate_one(self.activation, value);
                }
            }
            factors = factors.next();
        }
    }
}

/// Applies an activation to a number. A NaN stays one.
#[inline(always)]
pub(crate) fn activate_one(activation: Activation, value: f32) -> f32 {
    match activation {
        Activation::Linear => value,
        Activation::Relu | Activation::ClippedRelu(_) if value < 0.0 => 0.0,
        Activation::ClippedRelu(limit) if value > limit => limit,
        Activation::LeakyRelu(slope) if value < 0.0 => value * slope,
        Activation::Relu | Activation::LeakyRelu(_) | Activation::ClippedRelu(_) => value,
    }
}

/// Adds the products of number `k` of each row and a row of the panel.
#[inline(always)]
unsafe fn add<S: Simd, const M: usize, const N: usize>(
    sums: &mut [[S::V; N]; M],
    run: &[*const f32; M],
    k: usize,
    panel: *const f32,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut weights = [S::splat(0.0); N];
        for n in 0..N {
            weights[n] = S::load(panel.add(n * S::LANES));
        }
        for m in 0..M {
            let value = S::splat(*run[m].add(k));
            for n in 0..N {
                sums[m][n] = S::fma(value, weights[n], sums[m][n]);
            }
        }
    }
}

/// Applies an activation to a vector. A NaN stays one.
///
/// # Safety
///
/// As for [`Simd`].
#[inline(always)]
pub(crate) unsafe fn activate<S: Simd>(activation: Activation, value: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        match activation {
            Activation::Linear => value,
            Activation::Relu => S::max(S::splat(0.0), value),
            Activation::LeakyRelu(slope) => S::max(S::mul(value, S::splat(slope)), value),
            Activation::ClippedRelu(limit) => S::min(S::splat(limit), S::max(S::splat(0.0), value)),
        }
    }
}
