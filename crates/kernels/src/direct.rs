//! Convolution as a matrix product that reads its windows in place.

use std::ops::Range;

use crate::buffers::LINE;
use crate::panels::{Panel, Panels};
use crate::parallel::{Shared, each, scratch, threads};
use crate::shape::{Shape, Window};
use crate::simd::{Kernel, Level, Simd};
use crate::tile::{Activation, Ahead, Factors, Tile};

/// Rows of the left matrix that a thread works on at a time should fit the second-level cache
/// beside a panel of weights, in numbers.
const BLOCK: usize = 64 * 1024;

/// So many weights stay in the second-level cache.
const NEAR: usize = 512 * 1024;

/// Rows that lie this many numbers apart, or a multiple, push each other out of the first-level
/// cache: they are copied closer.
const COLLISION: usize = 512;

/// What a product needs beside its two matrices.
#[derive(Clone, Copy)]
pub(crate) struct Finish<'a> {
    /// A number for each column, padded to whole panels.
    pub bias: &'a [f32],
    /// What each image's sums are then multiplied by, `[batch, filters]`.
    pub factors: Option<&'a [f32]>,
    /// What is added before the activation, of the output's shape.
    pub shortcut: Option<&'a [f32]>,
    pub activation: Activation,
}

/// A convolution to run.
pub(crate) struct Direct<'a> {
    pub level: Level,
    pub weights: &'a Panels,
    pub window: Window,
    pub finish: Finish<'a>,
    pub input: &'a [f32],
    pub input_shape: Shape,
    pub output_shape: Shape,
}

impl Direct<'_> {
    /// Computes into `output`, of `output_shape`; each tap is one position.
    pub(crate) fn run(&self, output: &mut [f32]) {
        self.run_deep(self.input_shape.channels, output);
    }

    /// As [`run`](Self::run); each tap is the `depth` numbers from its position on, which the groups
    /// share.
    pub(crate) fn run_deep(&self, depth: usize, output: &mut [f32]) {
        assert_eq!(self.input.len(), self.input_shape.len(), "the input has its shape");
        assert_eq!(output.len(), self.output_shape.len(), "the output has its shape");
        assert!(self.finish.shortcut.is_none_or(|s| s.len() == output.len()), "as the output");
        let rows = self.level.tile().rows;
        let positions = self.output_shape.positions();
        let tiles = positions.div_ceil(rows);
        // A point's output is as large as what it reads; of a wider window each number is read again. Where
        // all weights have to come from further away for each block, blocks are as large as can be.
        let filters = self.output_shape.channels;
        let (read, made) = match self.window.is_point() {
            true if depth * filters > NEAR => (depth, 0),
            true => (depth, filters),
            false => (depth * self.window.size[0].min(2), 0),
        };
        let in_block =
            (BLOCK / (rows * (read + made))).clamp(1, tiles.div_ceil(4 * threads()).max(1));
        let blocks = tiles.div_ceil(in_block);
        // Few rows: the threads share the panels too.
        let panels = self.weights.count();
        let parts = (2 * threads()).div_ceil(blocks).min(panels);
        let output = Shared::new(output);
        let zeros = vec![0.0_f32; depth];
        each(blocks * parts, |task| {
            let (block, part) = (task / parts, task % parts);
            let tiles = block * in_block..((block + 1) * in_block).min(tiles);
            let positions = tiles.start * rows..(tiles.end * rows).min(positions);
            let panels = part * panels / parts..(part + 1) * panels / parts;
            self.block(positions, panels, (&zeros, depth), (output, 0));
        });
    }

    /// Computes some rows of an image into `target`; each tap is `depth` numbers.
    pub(crate) fn rows(&self, image: usize, rows: Range<usize>, depth: usize, target: &mut [f32]) {
        let Shape { height, width, channels, .. } = self.output_shape;
        let line = |row: usize| (image * height + row) * width;
        let (start, end) = (line(rows.start), line(rows.end));
        assert_eq!(self.input.len(), self.input_shape.len(), "the input has its shape");
        assert_eq!(target.len(), (end - start) * channels, "room for the rows");
        let target = (Shared::new(target), start);
        let zeros = vec![0.0; depth];
        self.block(start..end, 0..self.weights.count(), (&zeros, depth), target);
    }

    /// The product of some positions and some panels, into an output that begins with the position `start`.
    fn block(
        &self,
        positions: Range<usize>,
        panels: Range<usize>,
        (zeros, depth): (&[f32], usize),
        (output, start): (Shared, usize),
    ) {
        let (first, last) = (positions.start, positions.end);
        let apart = depth + 16;
        let copies = self.window.size == [1, 1] && depth.is_multiple_of(COLLISION);
        let len = if copies { (last - first) * apart } else { 0 };
        scratch(len, |near| {
            let mut runs = self.runs(first..last, zeros);
            if copies {
                for (row, run) in runs.iter_mut().enumerate() {
                    let near = &mut near[row * apart..][..depth];
                    // SAFETY: a run has `depth` numbers, and the buffer is not the input.
                    unsafe { std::ptr::copy_nonoverlapping(*run, near.as_mut_ptr(), depth) };
                    *run = near.as_ptr();
                }
            }
            // Rows that lie one after the other are asked for a tile ahead, until they are in the cache.
            let in_order = self.is_in_order() && !copies;
            for number in panels.clone() {
                let panel = self.weights.panel(number);
                let ahead = in_order && number == panels.start;
                let (runs, positions) = (&*runs, positions.clone());
                let target = (output, start);
                self.level.run(Strip { all: self, positions, runs, panel, ahead, depth, target });
            }
        });
    }

    /// Whether each position reads the numbers after those of the one before it. Rows that a border was added to
    /// are longer than the output's.
    fn is_in_order(&self) -> bool {
        let (input, output) = (self.input_shape, self.output_shape);
        self.window.is_point() && [input.height, input.width] == [output.height, output.width]
    }

    /// Numbers from a tap of a window to the next, if no window reaches over the border and taps are one below the
    /// other: then the place of the first tells those of all.
    fn line(&self) -> Option<usize> {
        let Shape { height, width, channels, .. } = self.input_shape;
        let (window, output) = (self.window, self.output_shape);
        let fits = |axis: usize, windows: usize, size: usize| {
            let last = (windows.max(1) - 1) * window.strides[axis] + window.extent(axis);
            window.before[axis] == 0 && last <= size
        };
        let fits = fits(0, output.height, height) && fits(1, output.width, width);
        (fits && window.size[1] == 1).then_some(window.dilation[0] * width * channels)
    }

    /// Where the runs of the output positions start: for each tile all of its rows' first taps,
    /// then the second, …; or the first taps of all positions, if they tell the [line](Self::line) of the others.
    fn runs(&self, positions: Range<usize>, zeros: &[f32]) -> Vec<*const f32> {
        let Shape { height, width, channels, .. } = self.input_shape;
        if self.is_in_order() {
            return positions.map(|at| self.input[at * channels..].as_ptr()).collect();
        }
        if self.line().is_some() {
            let [down, right] = self.window.strides;
            let mut place = Place::new(positions.start, self.output_shape);
            let first = |_| {
                let line = (place.image * height + place.down * down) * width;
                let run = &self.input[(line + place.right * right) * channels..];
                place.step(self.output_shape);
                run.as_ptr()
            };
            return positions.map(first).collect();
        }
        let rows = self.level.tile().rows;
        let Window { size: [taps_down, taps_right], dilation, .. } = self.window;
        let taps = taps_down * taps_right;
        let mut runs = vec![zeros.as_ptr(); positions.len() * taps];
        let inner = [(0, height), (1, width)]
            .map(|(axis, size)| 0..size as isize - self.window.extent(axis) as isize + 1);
        let mut place = Place::new(positions.start, self.output_shape);
        for first in (0..positions.len()).step_by(rows) {
            let stride = rows.min(positions.len() - first);
            let runs = &mut runs[first * taps..(first + stride) * taps];
            for row in 0..stride {
                let (top, left) =
                    (self.window.start(0, place.down), self.window.start(1, place.right));
                if inner[0].contains(&top) && inner[1].contains(&left) {
                    // Most windows: no tap is beyond the border.
                    let start =
                        ((place.image * height + top as usize) * width + left as usize) * channels;
                    let start = self.input[start..].as_ptr();
                    for y in 0..taps_down {
                        for x in 0..taps_right {
                            let tap = (y * dilation[0] * width + x * dilation[1]) * channels;
                            runs[(y * taps_right + x) * stride + row] = start.wrapping_add(tap);
                        }
                    }
                    place.step(self.output_shape);
                    continue;
                }
                for y in 0..taps_down {
                    let Some(line) = inside(top + (y * dilation[0]) as isize, height) else {
                        continue;
                    };
                    let line = (place.image * height + line) * width;
                    for x in 0..taps_right {
                        let Some(column) = inside(left + (x * dilation[1]) as isize, width) else {
                            continue;
                        };
                        let run = &self.input[(line + column) * channels..];
                        runs[(y * taps_right + x) * stride + row] = run.as_ptr();
                    }
                }
                place.step(self.output_shape);
            }
        }
        runs
    }
}

/// The product of some positions and a panel.
struct Strip<'a> {
    all: &'a Direct<'a>,
    positions: Range<usize>,
    /// As [`Direct::runs`] gives them.
    runs: &'a [*const f32],
    panel: Panel,
    /// Whether each tile asks for the rows of the next one.
    ahead: bool,
    /// Numbers of a tap, over all groups.
    depth: usize,
    /// The output and its first position.
    target: (Shared, usize),
}

impl Kernel for Strip<'_> {
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let (all, panel) = (self.all, self.panel);
        let depth = self.depth / all.weights.groups();
        let (apart, taps) = (all.output_shape.channels, all.window.size[0] * all.window.size[1]);
        let (first, end) = (self.positions.start, self.positions.end);
        let (output, start) = self.target;
        let bias = all.finish.bias[panel.column..].as_ptr();
        let line = all.line();
        let plane = all.output_shape.height * all.output_shape.width;
        // Pointers of each position.
        let own = if line.is_some() { 1 } else { taps };
        let mut position = first;
        while position < end {
            let rows = (end - position).min(S::ROWS);
            let at = (position - start) * apart + panel.column;
            let next = self.runs.get((position + rows - first) * own).filter(|_| self.ahead);
            let ahead = next.map_or(Ahead::NONE, |&first| {
                let rows = S::ROWS.min(end - position - rows);
                Ahead { first, lines: rows * self.depth / LINE }
            });
            let factors = all.finish.factors.map_or(Factors::NONE, |factors| Factors {
                values: factors[position / plane * apart + panel.column..].as_ptr(),
                apart,
                before: position % plane,
                plane,
            });
            let tile = Tile {
                runs: &self.runs[(position - first) * own..][..rows * own],
                stride: if line.is_some() { 0 } else { rows },
                line: line.unwrap_or(0),
                rows,
                taps,
                channel: panel.group * depth,
                depth,
                panel: panel.values,
                vectors: panel.vectors,
                bias,
                factors,
                // SAFETY: the caller checked the output's size; each tile has positions and columns of its
                // own.
                output: unsafe { output.at(at) },
                apart,
                shortcut: all.finish.shortcut.map_or(std::ptr::null(), |s| s[at..].as_ptr()),
                activation: all.finish.activation,
                columns: panel.columns,
                ahead,
            };
            // SAFETY: the caller's promise.
            unsafe { tile.call::<S>() };
            position += rows;
        }
    }
}

/// A position of the output.
struct Place {
    image: usize,
    down: usize,
    right: usize,
}

impl Place {
    fn new(position: usize, shape: Shape) -> Self {
        let (line, right) = (position / shape.width, position % shape.width);
        Self { image: line / shape.height, down: line % shape.height, right }
    }

    /// Goes on to the next.
    fn step(&mut self, shape: Shape) {
        self.right += 1;
        if self.right == shape.width {
            (self.right, self.down) = (0, self.down + 1);
        }
        if self.down == shape.height {
            (self.down, self.image) = (0, self.image + 1);
        }
    }
}

/// `at` as an index, if it lies within the border.
pub(crate) fn inside(at: isize, size: usize) -> Option<usize> {
    usize::try_from(at).ok().filter(|&at| at < size)
}
