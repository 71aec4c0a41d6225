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
use crate::buffers::LINE;
use crate::convolution;
use crate::direct::{Finish, inside};
use crate::panels::{Panel, Panels};
use crate::parallel::{Shared, each, scratch, threads};
use crate::shape::{Shape, Window};
use crate::simd::{Kernel, Level, Simd, Tiling};
use crate::tile::{Activation, Ahead, Tile};

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

/// The side of the windows that results are pooled in.
pub(crate) const POOLED: usize = 2;

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
    /// Whether they have to be fetched again for each block of patches.
    is_large: bool,
}

/// So many numbers stay in the cache of a core.
const NEAR: usize = 1 << 20;

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
        let is_large = POINTS * channels * filters > NEAR;
        Self { points, is_large }
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
    /// Before it is pooled.
    pub output_shape: Shape,
    /// Whether the largest of each 2×2 results is stored, not all.
    pub pooled: bool,
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

struct Runs(Vec<*const f32>);

// SAFETY: what they point to is read by all threads, and written by none meanwhile.
unsafe impl Sync for Runs {}

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

    /// Where the rows of the first point's matrix begin. They are found once: addresses that a tile reads as soon
    /// as they are written hold it up.
    fn runs(&self, ins: Shared) -> Runs {
        let channels = self.part.channels.len();
        // SAFETY: the matrix has `patches` rows.
        Runs((0..self.patches).map(|row| unsafe { ins.at(row * channels) }.cast_const()).collect())
    }
}

impl Winograd<'_> {
    /// Computes into `output`, of `output_shape`.
    pub(crate) fn run(&self, output: &mut [f32]) {
        assert_eq!(self.input.len(), self.input_shape.len(), "the input has its shape");
        let stored = if self.pooled { POOLED * POOLED } else { 1 };
        assert_eq!(output.len() * stored, self.output_shape.len(), "the output has its shape");
        assert!(self.finish.shortcut.is_none_or(|s| s.len() == output.len()), "as the output");
        let all = self.output_shape.batch * self.across() * self.down();
        let rows = self.level.tile().rows;
        let parts = self.parts();
        let channels = parts[0].channels.len() + parts[0].filters.len();
        // Patches whose buffers stay in the second-level cache; more where the weights do not.
        let fitting = (192 * 1024 / (POINTS * channels)).clamp(4 * rows, 16 * rows);
        let in_block = fitting.min(all.div_ceil(2 * threads()).next_multiple_of(rows));
        let blocks = all.div_ceil(in_block);
        // A small block at the end would need all weights once more for little: then all are equal.
        let in_last = all - (blocks - 1) * in_block;
        let in_block = if 2 * in_last < in_block { all.div_ceil(blocks) } else { in_block };
        let zeros = vec![0.0_f32; self.input_shape.channels];
        let output = Shared::new(output);
        if blocks >= 2 * threads() || threads() == 1 {
            each(blocks, |block| {
                let patches = block * in_block..((block + 1) * in_block).min(all);
                for part in &parts {
                    let sizes = Block::new(part, patches.len());
                    scratch(sizes.len(), |buffer| {
                        let (ins, sums) = buffer.split_at_mut(POINTS * sizes.input_apart);
                        let (ins, sums) = (Shared::new(ins), Shared::new(sums));
                        let runs = sizes.runs(ins);
                        patches
                            .clone()
                            .for_each(|p| self.enter(p, p - patches.start, &sizes, ins, &zeros));
                        (0..POINTS).for_each(|point| self.product(point, &sizes, &runs, sums));
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
                let runs = sizes.runs(ins);
                each(all, |patch| self.enter(patch, patch, &sizes, ins, &zeros));
                each(POINTS, |point| self.product(point, &sizes, &runs, sums));
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

    /// Multiplies one point's matrix with its weights; the first point's begins with these rows.
    fn product(&self, point: usize, sizes: &Block, runs: &Runs, sums: Shared) {
        let weights = &self.weights.points[point];
        let (Runs(runs), Part { channels, filters, panels }) = (runs, &sizes.part);
        let Tiling { rows, lanes, .. } = self.level.tile();
        let depth = self.input_shape.channels / weights.groups();
        let tiles = sizes.patches.div_ceil(rows);
        for number in panels.clone() {
            let panel = weights.panel(number);
            // Each tile asks for its share of the next panel's lines.
            let next = self.next(point, number, panels);
            let share =
                (next.map_or(0, |next| depth * next.vectors * lanes) / LINE).div_ceil(tiles);
            for (tile, first) in (0..sizes.patches).step_by(rows).enumerate() {
                let rows = rows.min(sizes.patches - first);
                let column = panel.column - filters.start;
                let at = point * sizes.output_apart + first * filters.len() + column;
                self.level.run(Tile {
                    runs: &runs[first..first + rows],
                    stride: 0,
                    line: 0,
                    rows,
                    taps: 1,
                    channel: point * sizes.input_apart + panel.group * depth - channels.start,
                    depth,
                    panel: panel.values,
                    vectors: panel.vectors,
                    bias: std::ptr::null(),
                    // SAFETY: the matrix has `patches` rows; each point has its own.
                    output: unsafe { sums.at(at) },
                    apart: filters.len(),
                    shortcut: std::ptr::null(),
                    activation: Activation::Linear,
                    columns: panel.columns,
                    ahead: next.map_or(Ahead::NONE, |next| Ahead {
                        first: next.values.wrapping_add(tile * share * LINE),
                        lines: share,
                    }),
                });
            }
        }
    }

    /// The panel that comes after one of a point, if weights are so large that it has to be asked for.
    fn next(&self, point: usize, panel: usize, panels: &Range<usize>) -> Option<Panel> {
        let points = &self.weights.points;
        match panel + 1 < panels.end {
            _ if !self.weights.is_large => None,
            true => Some(points[point].panel(panel + 1)),
            false => points.get(point + 1).map(|next| next.panel(panels.start)),
        }
    }

    /// Transforms the sums of a patch into its part of the output.
    fn leave(&self, patch: usize, row: usize, sizes: &Block, sums: Shared, output: Shared) {
        let (image, down, right) = self.place(patch);
        let Shape { height, width, channels, .. } = self.output_shape;
        let own = &sizes.part.filters;
        let (rows, columns) = (OUT.min(height - down), OUT.min(width - right));
        let side = if self.pooled { POOLED } else { 1 };
        let line = width / side * channels;
        let at = (image * height + down) / side * line + right / side * channels + own.start;
        // SAFETY: the patch begins within the output; `rows` and `columns` keep it there.
        let (source, target) = unsafe { (sums.at(row * own.len()), output.at(at)) };
        self.level.run(Leave {
            source: source.cast_const(),
            apart: sizes.output_apart,
            channels: own.len(),
            target,
            line,
            across: channels,
            rows,
            columns,
            pooled: self.pooled,
            bias: self.finish.bias[own.start..].as_ptr(),
            shortcut: self.finish.shortcut.map_or(std::ptr::null(), |s| s[at..].as_ptr()),
            activation: self.finish.activation,
        });
    }
}
