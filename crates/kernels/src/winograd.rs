//! Convolution with stride 1 by fewer multiplications.
//!
//! Lavin and Gray, *Fast Algorithms for Convolutional Neural Networks*, CVPR 2016,
//! <https://arxiv.org/abs/1509.09308>. [`scheme`] has the sizes of kernels, and the points.

mod line;
mod points;
mod scheme;
mod square;
mod stem;
mod weights;

use std::ops::Range;

pub(crate) use self::scheme::Scheme;
pub use self::scheme::fewest_multiplications;
use self::scheme::{Axis, MOST_READS};
pub(crate) use self::stem::{Stem, StemWeights};
pub(crate) use self::weights::Weights;
use crate::buffers::LINE;
use crate::direct::{Finish, inside};
use crate::panels::Panel;
use crate::parallel::{Shared, each, scratch, threads};
use crate::shape::{Shape, Window};
use crate::simd::{Level, Tiling};
use crate::tile::{Activation, Ahead, Factors, Tile};

/// The side of the windows that results are pooled in.
pub(crate) const POOLED: usize = 2;

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
    points: usize,
}

struct Runs(Vec<*const f32>);

// SAFETY: what they point to is read by all threads, and written by none meanwhile.
unsafe impl Sync for Runs {}

impl Block {
    fn new(part: &Part, patches: usize, points: usize) -> Self {
        // A distance of whole pages would make the points collide in the cache.
        let apart = |channels: usize| patches * channels + 16;
        let (input_apart, output_apart) = (apart(part.channels.len()), apart(part.filters.len()));
        Self { part: part.clone(), patches, input_apart, output_apart, points }
    }

    fn len(&self) -> usize {
        self.points * (self.input_apart + self.output_apart)
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
        let points = self.weights.scheme.points();
        let parts = self.parts();
        let channels = parts[0].channels.len() + parts[0].filters.len();
        // Patches whose buffers stay in the second-level cache; more where the weights do not.
        let fitting = (192 * 1024 / (points * channels)).clamp(4 * rows, 16 * rows);
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
                    let sizes = Block::new(part, patches.len(), points);
                    scratch(sizes.len(), |buffer| {
                        let (ins, sums) = buffer.split_at_mut(points * sizes.input_apart);
                        let (ins, sums) = (Shared::new(ins), Shared::new(sums));
                        let runs = sizes.runs(ins);
                        patches
                            .clone()
                            .for_each(|p| self.enter(p, p - patches.start, &sizes, ins, &zeros));
                        (0..points).for_each(|point| self.product(point, &sizes, &runs, sums));
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
            let sizes = Block::new(part, all, points);
            scratch(sizes.len(), |buffer| {
                let (ins, sums) = buffer.split_at_mut(points * sizes.input_apart);
                let (ins, sums) = (Shared::new(ins), Shared::new(sums));
                let runs = sizes.runs(ins);
                each(all, |patch| self.enter(patch, patch, &sizes, ins, &zeros));
                each(points, |point| self.product(point, &sizes, &runs, sums));
                each(all, |patch| self.leave(patch, patch, &sizes, sums, output));
            });
        }
    }

    fn across(&self) -> usize {
        self.output_shape.width.div_ceil(self.weights.scheme.axes()[1].results)
    }

    fn down(&self) -> usize {
        self.output_shape.height.div_ceil(self.weights.scheme.axes()[0].results)
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
        let [high, wide] = self.weights.scheme.axes().map(|axis| axis.results);
        (patch / across / down, patch / across % down * high, patch % across * wide)
    }

    /// Transforms a patch of the input into row `row` of each point's matrix.
    fn enter(&self, patch: usize, row: usize, sizes: &Block, ins: Shared, zeros: &[f32]) {
        let (image, down, right) = self.place(patch);
        let Shape { height, width, channels, .. } = self.input_shape;
        let (top, left) = (self.window.start(0, down), self.window.start(1, right));
        let own = &sizes.part.channels;
        let scheme = self.weights.scheme;
        let [high, wide] = scheme.axes().map(Axis::reads);
        let mut sources = [zeros.as_ptr(); MOST_READS];
        for (y, line) in sources.chunks_exact_mut(wide).take(high).enumerate() {
            let Some(y) = inside(top + y as isize, height) else { continue };
            for (x, source) in line.iter_mut().enumerate() {
                let Some(x) = inside(left + x as isize, width) else { continue };
                let at = ((image * height + y) * width + x) * channels + own.start;
                *source = self.input[at..].as_ptr();
            }
        }
        let (channels, apart) = (own.len(), sizes.input_apart);
        // SAFETY: the matrices have `patches` rows of `channels` numbers; each patch has its own.
        let target = unsafe { ins.at(row * channels) };
        match scheme.line() {
            Some(axis) => {
                self.level.run(line::Enter { axis, sources, channels, target, apart });
            }
            None => self.level.run(square::Enter { sources, channels, target, apart }),
        }
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
                    factors: Factors::NONE,
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
        let scheme = self.weights.scheme;
        let [high, wide] = scheme.axes().map(|axis| axis.results);
        let (rows, columns) = (high.min(height - down), wide.min(width - right));
        let side = if self.pooled { POOLED } else { 1 };
        let line = width / side * channels;
        let at = (image * height + down) / side * line + right / side * channels + own.start;
        // SAFETY: the patch begins within the output; `rows` and `columns` keep it there.
        let (source, target) = unsafe { (sums.at(row * own.len()), output.at(at)) };
        let (source, apart) = (source.cast_const(), sizes.output_apart);
        let bias = self.finish.bias[own.start..].as_ptr();
        let shortcut = self.finish.shortcut.map_or(std::ptr::null(), |s| s[at..].as_ptr());
        let (activation, across, channels) = (self.finish.activation, channels, own.len());
        let pooled = self.pooled;
        match scheme.line() {
            Some(axis) => {
                let (step, count) = if wide > 1 { (across, columns) } else { (line, rows) };
                self.level.run(line::Leave {
                    axis,
                    source,
                    apart,
                    channels,
                    target,
                    step,
                    count,
                    bias,
                    shortcut,
                    activation,
                });
            }
            None => self.level.run(square::Leave {
                results: high,
                source,
                apart,
                channels,
                target,
                line,
                across,
                rows,
                columns,
                pooled,
                bias,
                shortcut,
                activation,
            }),
        }
    }
}
