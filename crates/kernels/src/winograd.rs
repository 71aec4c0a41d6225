//! 3×3 convolution with stride 1 by fewer multiplications: 36 for 16 results, not 144.
//!
//! Lavin and Gray, *Fast Algorithms for Convolutional Neural Networks*, CVPR 2016,
//! <https://arxiv.org/abs/1509.09308>: F(4×4, 3×3), here with the points 0, ±√½, ±√2 and ∞, whose
//! rounding errors are smaller than those of 0, ±1, ±2 and ∞ (Barabasz et al., *Error Analysis and
//! Improving the Accuracy of Winograd Convolution for Deep Neural Networks*, 2020,
//! <https://arxiv.org/abs/1803.10986>).

mod patches;

use std::ops::Range;

use rayon::prelude::*;

use self::patches::{Enter, Leave};
use crate::convolution;
use crate::direct::{Finish, inside};
use crate::panels::Panels;
use crate::parallel::{Shared, each, scratch, threads};
use crate::shape::{Shape, Window};
use crate::simd::{Kernel, Level, Simd, Tiling};
use crate::tile::{Activation, MAX_ROWS, Tile};

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

/// Whether the method applies, with so many channels and filters in a group.
pub(crate) fn fits(window: Window, channels: usize, filters: usize, tiling: Tiling) -> bool {
    window.size == [3, 3]
        && window.strides == [1, 1]
        && window.is_dense()
        && channels.is_multiple_of(tiling.lanes)
        && filters.is_multiple_of(tiling.lanes)
}

/// A kernel in the form of the products: one matrix `[channels, filters]` for each point
/// and group.
#[derive(Debug)]
pub(crate) struct Weights {
    points: Vec<Panels>,
}

impl Weights {
    /// Transforms a kernel `[3, 3, channels, filters]`, where `channels` are those of a group.
    pub(crate) fn new(level: Level, weights: &convolution::Weights<'_>, channels: usize) -> Self {
        let (groups, filters) = (weights.groups, weights.bias.len());
        let zeros = || Panels::zeros(groups, channels, filters / groups, level.tile());
        let mut points: Vec<_> = std::iter::repeat_with(zeros).take(POINTS).collect();
        // One thread for each row of the points: it makes `POINTS / IN` matrices.
        points.par_chunks_mut(IN).enumerate().for_each(|(row, points)| {
            level.run(Transform { weights, channels, filters, row, points });
        });
        Self { points }
    }
}

/// The kernel's transformation (`G g Gᵀ` of the paper), for the points of one row.
struct Transform<'a> {
    weights: &'a convolution::Weights<'a>,
    channels: usize,
    filters: usize,
    row: usize,
    points: &'a mut [Panels],
}

/// Filters at a time: whole vectors, in any instruction set.
const FILTERS: usize = 32;

impl Kernel for Transform<'_> {
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        for columns in self.points[0].ranges() {
            let (first, count) = (columns.start, columns.len());
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

/// Groups that are computed together have so many channels, or more: fewer are not worth the way
/// to their patches.
const TOGETHER: usize = 64;

/// Neighbouring groups.
#[derive(Clone)]
struct Part {
    channels: Range<usize>,
    filters: Range<usize>,
    panels: Range<usize>,
}

/// Buffers of some patches: for each point the patches' channels in a part, and their sums.
struct Block {
    part: Part,
    patches: usize,
    /// Numbers from one point to the next.
    input_apart: usize,
    output_apart: usize,
}

impl Block {
    fn new(part: &Part, patches: usize) -> Self {
        // A distance of whole pages would make the points collide in the cache.
        let apart = |channels: usize| patches * channels + 16;
        let (input_apart, output_apart) = (apart(part.channels.len()), apart(part.filters.len()));
        Self { part: part.clone(), patches, input_apart, output_apart }
    }

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
        let parts = self.parts();
        let channels = parts[0].channels.len() + parts[0].filters.len();
        // Patches whose buffers stay in the second-level cache; more where the weights do not.
        let fitting = (192 * 1024 / (POINTS * channels)).clamp(4 * rows, 16 * rows);
        let in_block = fitting.min(all.div_ceil(2 * threads()).next_multiple_of(rows));
        let zeros = vec![0.0_f32; self.input_shape.channels];
        let output = Shared::new(output);
        let blocks = all.div_ceil(in_block);
        if blocks >= 2 * threads() || threads() == 1 {
            each(blocks, |block| {
                let patches = block * in_block..((block + 1) * in_block).min(all);
                for part in &parts {
                    let sizes = Block::new(part, patches.len());
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
                }
            });
            return;
        }
        // Few patches: the threads share the points.
        for part in &parts {
            let sizes = Block::new(part, all);
            scratch(sizes.len(), |buffer| {
                let (ins, sums) = buffer.split_at_mut(POINTS * sizes.input_apart);
                let (ins, sums) = (Shared::new(ins), Shared::new(sums));
                each(all, |patch| self.enter(patch, patch, &sizes, ins, &zeros));
                each(POINTS, |point| self.product(point, &sizes, ins, sums));
                each(all, |patch| self.leave(patch, patch, &sizes, sums, output));
            });
        }
    }

    fn across(&self) -> usize {
        self.output_shape.width.div_ceil(OUT)
    }

    fn down(&self) -> usize {
        self.output_shape.height.div_ceil(OUT)
    }

    /// The groups in parts, the first of which is as large as any.
    fn parts(&self) -> Vec<Part> {
        let weights = &self.weights.points[0];
        let (groups, panels) = (weights.groups(), weights.count() / weights.groups());
        let channels = self.input_shape.channels / groups;
        let filters = self.output_shape.channels / groups;
        let together = (TOGETHER / channels).clamp(1, groups);
        let part = |first: usize| {
            let last = (first + together).min(groups);
            let range = |each: usize| first * each..last * each;
            Part { channels: range(channels), filters: range(filters), panels: range(panels) }
        };
        (0..groups).step_by(together).map(part).collect()
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
        let own = &sizes.part.channels;
        let mut sources = [[zeros.as_ptr(); IN]; IN];
        for (y, line) in sources.iter_mut().enumerate() {
            let Some(y) = inside(top + y as isize, height) else { continue };
            for (x, source) in line.iter_mut().enumerate() {
                let Some(x) = inside(left + x as isize, width) else { continue };
                let at = ((image * height + y) * width + x) * channels + own.start;
                *source = self.input[at..].as_ptr();
            }
        }
        let channels = own.len();
        // SAFETY: the matrices have `patches` rows of `channels` numbers; each patch has its own.
        let target = unsafe { ins.at(row * channels) };
        self.level.run(Enter { sources, channels, target, apart: sizes.input_apart });
    }

    /// Multiplies one point's matrix with its weights.
    fn product(&self, point: usize, sizes: &Block, ins: Shared, sums: Shared) {
        let weights = &self.weights.points[point];
        let Part { channels, filters, panels } = &sizes.part;
        let (rows, depth) = (self.level.tile().rows, self.input_shape.channels / weights.groups());
        for panel in panels.clone().map(|index| weights.panel(index)) {
            for first in (0..sizes.patches).step_by(rows) {
                let rows = rows.min(sizes.patches - first);
                let mut runs = [std::ptr::null(); MAX_ROWS];
                for (row, run) in runs[..rows].iter_mut().enumerate() {
                    let at = point * sizes.input_apart + (first + row) * channels.len();
                    // SAFETY: the matrix has `patches` rows; each point has its own.
                    *run = unsafe { ins.at(at) }.cast_const();
                }
                let column = panel.column - filters.start;
                let at = point * sizes.output_apart + first * filters.len() + column;
                self.level.run(Tile {
                    runs: &runs,
                    stride: MAX_ROWS,
                    rows,
                    taps: 1,
                    channel: panel.group * depth - channels.start,
                    depth,
                    panel: panel.values,
                    vectors: panel.vectors,
                    bias: std::ptr::null(),
                    // SAFETY: as above.
                    output: unsafe { sums.at(at) },
                    apart: filters.len(),
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
        let own = &sizes.part.filters;
        let at = ((image * height + down) * width + right) * channels + own.start;
        // SAFETY: the patch begins within the output; `rows` and `columns` keep it there.
        let (source, target) = unsafe { (sums.at(row * own.len()), output.at(at)) };
        self.level.run(Leave {
            source: source.cast_const(),
            apart: sizes.output_apart,
            channels: own.len(),
            target,
            line: width * channels,
            across: channels,
            rows: OUT.min(height - down),
            columns: OUT.min(width - right),
            bias: self.finish.bias[own.start..].as_ptr(),
            shortcut: self.finish.shortcut.map_or(std::ptr::null(), |s| s[at..].as_ptr()),
            activation: self.finish.activation,
        });
    }
}
