//! 3×3 convolution with stride 1 by fewer multiplications: 36 for 16 results, not 144.
//!
//! Lavin and Gray, *Fast Algorithms for Convolutional Neural Networks*, CVPR 2016,
//! <https://arxiv.org/abs/1509.09308>: F(4×4, 3×3), here with the points 0, ±√½, ±√2 and ∞, whose
//! rounding errors are smaller than those of 0, ±1, ±2 and ∞ (Barabasz et al., *Error Analysis and
//! Improving the Accuracy of Winograd Convolution for Deep Neural Networks*, 2020,
//! <https://arxiv.org/abs/1803.10986>).

use rayon::prelude::*;

use crate::convolution;
use crate::direct::{Finish, inside};
use crate::panels::Panels;
use crate::parallel::{Shared, each, scratch, threads};
use crate::shape::{Shape, Window};
use crate::simd::{Kernel, Level, Simd, Tiling};
use crate::tile::{Activation, MAX_ROWS, Tile, activate};

/// Positions of the output that a patch gives, along one axis.
const OUT: usize = 4;
/// Positions of the input that it reads.
const IN: usize = 6;
/// Products of matrices.
const POINTS: usize = IN * IN;

const A: f64 = std::f64::consts::FRAC_1_SQRT_2;
const B: f64 = std::f64::consts::SQRT_2;

/// What the kernel's three numbers along one axis become (`G` of the paper).
const KERNEL: [[f64; 3]; IN] = {
    let (a, b) = (1.0 / (2.0 * A * A * (A * A - B * B)), 1.0 / (2.0 * B * B * (B * B - A * A)));
    [
        [1.0 / (A * A * B * B), 0.0, 0.0],
        [a, a * A, a * A * A],
        [a, -a * A, a * A * A],
        [b, b * B, b * B * B],
        [b, -b * B, b * B * B],
        [0.0, 0.0, 1.0],
    ]
};

/// Whether the method applies.
pub(crate) fn fits(window: Window, channels: usize, filters: usize, tiling: Tiling) -> bool {
    window.size == [3, 3]
        && window.strides == [1, 1]
        && channels.is_multiple_of(tiling.lanes)
        && filters.is_multiple_of(tiling.lanes)
}

/// A kernel in the form of the products: one matrix `[channels, filters]` for each point.
#[derive(Debug)]
pub(crate) struct Weights {
    points: Vec<Panels>,
}

impl Weights {
    /// Transforms a kernel `[3, 3, channels, filters]`.
    pub(crate) fn new(level: Level, weights: &convolution::Weights<'_>, channels: usize) -> Self {
        let (tiling, filters) = (level.tile(), weights.bias.len());
        let zeros = || Panels::zeros(channels, filters, tiling);
        let mut points: Vec<_> = std::iter::repeat_with(zeros).take(POINTS).collect();
        // One thread for each row of the points: it makes `POINTS / IN` matrices.
        points.par_chunks_mut(IN).enumerate().for_each(|(row, points)| {
            level.run(Transform { weights, channels, filters, tiling, row, points });
        });
        Self { points }
    }
}

/// The kernel's transformation (`G g Gᵀ` of the paper), for the points of one row.
struct Transform<'a> {
    weights: &'a convolution::Weights<'a>,
    channels: usize,
    filters: usize,
    tiling: Tiling,
    row: usize,
    points: &'a mut [Panels],
}

/// Filters at a time: whole vectors, in any instruction set.
const FILTERS: usize = 32;

impl Kernel for Transform<'_> {
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let width = self.tiling.width();
        for first in (0..self.filters).step_by(width) {
            let count = width.min(self.filters - first);
            for channel in 0..self.channels {
                // The three columns of the kernel, each summed over its rows.
                let mut down = [[0.0_f64; FILTERS]; 3];
                for x in 0..3 {
                    for y in 0..3 {
                        let at = ((y * 3 + x) * self.channels + channel) * self.filters + first;
                        let kernel = &self.weights.kernel[at..at + count];
                        let factor = KERNEL[self.row][y];
                        for n in 0..count {
                            down[x][n] += factor * f64::from(kernel[n]);
                        }
                    }
                }
                for (x, point) in self.points.iter_mut().enumerate() {
                    let mut sums = [0.0_f32; FILTERS];
                    for n in 0..count {
                        let [a, b, c] = KERNEL[x];
                        let factor = self.weights.scale.map_or(1.0, |s| f64::from(s[first + n]));
                        let sum = a * down[0][n] + b * down[1][n] + c * down[2][n];
                        sums[n] = (factor * sum) as f32;
                    }
                    point.set(channel, first, &sums[..count]);
                }
            }
        }
    }
}

/// A convolution to run.
pub(crate) struct Winograd<'a> {
    pub level: Level,
    pub weights: &'a Weights,
    pub window: Window,
    pub finish: Finish<'a>,
    pub input: &'a [f32],
    pub input_shape: Shape,
    pub output_shape: Shape,
}

/// Buffers of some patches: for each point the patches' channels, and their sums.
struct Block {
    patches: usize,
    /// Numbers from one point to the next.
    input_apart: usize,
    output_apart: usize,
}

impl Block {
    fn len(&self) -> usize {
        POINTS * (self.input_apart + self.output_apart)
    }
}

impl Winograd<'_> {
    /// Computes into `output`, of `output_shape`.
    pub(crate) fn run(&self, output: &mut [f32]) {
        assert_eq!(self.input.len(), self.input_shape.len(), "the input has its shape");
        assert_eq!(output.len(), self.output_shape.len(), "the output has its shape");
        assert!(self.finish.shortcut.is_none_or(|s| s.len() == output.len()), "as the output");
        let all = self.output_shape.batch * self.across() * self.down();
        let rows = self.level.tile().rows;
        let channels = self.input_shape.channels + self.output_shape.channels;
        // Patches whose buffers stay in the second-level cache; more where the weights do not.
        let fitting = (192 * 1024 / (POINTS * channels)).clamp(4 * rows, 16 * rows);
        let in_block = fitting.min(all.div_ceil(2 * threads()).next_multiple_of(rows));
        let zeros = vec![0.0_f32; self.input_shape.channels];
        let output = Shared::new(output);
        let blocks = all.div_ceil(in_block);
        if blocks >= 2 * threads() || threads() == 1 {
            each(blocks, |block| {
                let patches = block * in_block..((block + 1) * in_block).min(all);
                let sizes = self.sizes(patches.len());
                scratch(sizes.len(), |buffer| {
                    let (ins, sums) = buffer.split_at_mut(POINTS * sizes.input_apart);
                    let (ins, sums) = (Shared::new(ins), Shared::new(sums));
                    patches
                        .clone()
                        .for_each(|p| self.enter(p, p - patches.start, &sizes, ins, &zeros));
                    (0..POINTS).for_each(|point| self.product(point, &sizes, ins, sums));
                    patches
                        .clone()
                        .for_each(|p| self.leave(p, p - patches.start, &sizes, sums, output));
                });
            });
            return;
        }
        // Few patches: the threads share the points.
        let sizes = self.sizes(all);
        scratch(sizes.len(), |buffer| {
            let (ins, sums) = buffer.split_at_mut(POINTS * sizes.input_apart);
            let (ins, sums) = (Shared::new(ins), Shared::new(sums));
            each(all, |patch| self.enter(patch, patch, &sizes, ins, &zeros));
            each(POINTS, |point| self.product(point, &sizes, ins, sums));
            each(all, |patch| self.leave(patch, patch, &sizes, sums, output));
        });
    }

    fn across(&self) -> usize {
        self.output_shape.width.div_ceil(OUT)
    }

    fn down(&self) -> usize {
        self.output_shape.height.div_ceil(OUT)
    }

    fn sizes(&self, patches: usize) -> Block {
        // A distance of whole pages would make the points collide in the cache.
        let apart = |channels: usize| patches * channels + 16;
        Block {
            patches,
            input_apart: apart(self.input_shape.channels),
            output_apart: apart(self.output_shape.channels),
        }
    }

    /// Image and first output row and column of a patch.
    fn place(&self, patch: usize) -> (usize, usize, usize) {
        let (across, down) = (self.across(), self.down());
        (patch / across / down, patch / across % down * OUT, patch % across * OUT)
    }

    /// Transforms a patch of the input into row `row` of each point's matrix.
    fn enter(&self, patch: usize, row: usize, sizes: &Block, ins: Shared, zeros: &[f32]) {
        let (image, down, right) = self.place(patch);
        let Shape { height, width, channels, .. } = self.input_shape;
        let (top, left) = (self.window.start(0, down), self.window.start(1, right));
        let mut sources = [[zeros.as_ptr(); IN]; IN];
        for (y, line) in sources.iter_mut().enumerate() {
            let Some(y) = inside(top + y as isize, height) else { continue };
            for (x, source) in line.iter_mut().enumerate() {
                let Some(x) = inside(left + x as isize, width) else { continue };
                *source = self.input[((image * height + y) * width + x) * channels..].as_ptr();
            }
        }
        // SAFETY: the matrices have `patches` rows of `channels` numbers; each patch has its own.
        let target = unsafe { ins.at(row * channels) };
        self.level.run(Enter { sources, channels, target, apart: sizes.input_apart });
    }

    /// Multiplies one point's matrix with its weights.
    fn product(&self, point: usize, sizes: &Block, ins: Shared, sums: Shared) {
        let weights = &self.weights.points[point];
        let (channels, filters) = (self.input_shape.channels, self.output_shape.channels);
        let rows = self.level.tile().rows;
        for panel in (0..weights.count()).map(|index| weights.panel(index)) {
            for first in (0..sizes.patches).step_by(rows) {
                let rows = rows.min(sizes.patches - first);
                let mut runs = [std::ptr::null(); MAX_ROWS];
                for (row, run) in runs[..rows].iter_mut().enumerate() {
                    let at = point * sizes.input_apart + (first + row) * channels;
                    // SAFETY: the matrix has `patches` rows; each point has its own.
                    *run = unsafe { ins.at(at) }.cast_const();
                }
                let at = point * sizes.output_apart + first * filters + panel.column;
                self.level.run(Tile {
                    runs: &runs,
                    stride: MAX_ROWS,
                    rows,
                    taps: 1,
                    depth: channels,
                    panel: panel.values,
                    vectors: panel.vectors,
                    bias: std::ptr::null(),
                    // SAFETY: as above.
                    output: unsafe { sums.at(at) },
                    apart: filters,
                    shortcut: std::ptr::null(),
                    activation: Activation::Linear,
                    columns: panel.columns,
                });
            }
        }
    }

    /// Transforms the sums of a patch into its part of the output.
    fn leave(&self, patch: usize, row: usize, sizes: &Block, sums: Shared, output: Shared) {
        let (image, down, right) = self.place(patch);
        let Shape { height, width, channels, .. } = self.output_shape;
        let at = ((image * height + down) * width + right) * channels;
        // SAFETY: the patch begins within the output; `rows` and `columns` keep it there.
        let (source, target) = unsafe { (sums.at(row * channels), output.at(at)) };
        self.level.run(Leave {
            source: source.cast_const(),
            apart: sizes.output_apart,
            channels,
            target,
            line: width * channels,
            rows: OUT.min(height - down),
            columns: OUT.min(width - right),
            bias: self.finish.bias.as_ptr(),
            shortcut: self.finish.shortcut.map_or(std::ptr::null(), |s| s[at..].as_ptr()),
            activation: self.finish.activation,
        });
    }
}

/// The input's transformation (`Bᵀ d B` of the paper).
struct Enter {
    sources: [[*const f32; IN]; IN],
    channels: usize,
    target: *mut f32,
    apart: usize,
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
struct Leave {
    source: *const f32,
    apart: usize,
    channels: usize,
    target: *mut f32,
    line: usize,
    rows: usize,
    columns: usize,
    bias: *const f32,
    shortcut: *const f32,
    activation: Activation,
}

impl Kernel for Leave {
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
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
                        let at = y * self.line + x * self.channels + channel;
                        let mut value = S::add(column[y], bias);
                        if !self.shortcut.is_null() {
                            value = S::add(value, S::load(self.shortcut.add(at)));
                        }
                        S::store(self.target.add(at), activate::<S>(self.activation, value));
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
