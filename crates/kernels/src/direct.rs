//! Convolution as a matrix product that reads its windows in place.

use crate::panels::Panels;
use crate::parallel::{Shared, each, scratch, threads};
use crate::shape::{Shape, Window};
use crate::simd::Level;
use crate::tile::{Activation, Tile};

/// Rows of the left matrix that a thread works on at a time should fit the second-level cache
/// beside a panel of weights, in numbers.
const BLOCK: usize = 64 * 1024;

/// Rows that lie this many numbers apart, or a multiple, push each other out of the first-level
/// cache: they are copied closer.
const COLLISION: usize = 512;

/// What a product needs beside its two matrices.
#[derive(Clone, Copy)]
pub(crate) struct Finish<'a> {
    /// A number for each column, padded to whole panels.
    pub bias: &'a [f32],
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
        let tiles = self.output_shape.positions().div_ceil(rows);
        let in_block = (BLOCK / (rows * depth * self.window.size[0].min(2)))
            .clamp(1, tiles.div_ceil(4 * threads()).max(1));
        let blocks = tiles.div_ceil(in_block);
        // Few rows: the threads share the panels too.
        let panels = self.weights.count();
        let parts = (2 * threads()).div_ceil(blocks).min(panels);
        let output = Shared::new(output);
        let zeros = vec![0.0_f32; depth];
        each(blocks * parts, |task| {
            let (block, part) = (task / parts, task % parts);
            let tiles = block * in_block..((block + 1) * in_block).min(tiles);
            let panels = part * panels / parts..(part + 1) * panels / parts;
            self.block(tiles, panels, (&zeros, depth), output);
        });
    }

    /// The product of some tiles of rows and some panels.
    fn block(
        &self,
        tiles: std::ops::Range<usize>,
        panels: std::ops::Range<usize>,
        (zeros, depth): (&[f32], usize),
        output: Shared,
    ) {
        let rows = self.level.tile().rows;
        let positions = self.output_shape.positions();
        let of = |tile: usize| tile * rows..((tile + 1) * rows).min(positions);
        let (first, last) = (tiles.start * rows, (tiles.end * rows).min(positions));
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
            let taps = self.window.size[0] * self.window.size[1];
            for panel in panels.clone() {
                for tile in tiles.clone() {
                    let rows = of(tile);
                    let runs = &runs[(rows.start - first) * taps..][..rows.len() * taps];
                    self.tile(runs, rows, (panel, depth), output);
                }
            }
        });
    }

    /// Where the runs of the output positions start: for each tile all of its rows' first taps,
    /// then the second, ….
    fn runs(&self, positions: std::ops::Range<usize>, zeros: &[f32]) -> Vec<*const f32> {
        let rows = self.level.tile().rows;
        let Window { size: [taps_down, taps_right], dilation, .. } = self.window;
        let taps = taps_down * taps_right;
        let Shape { height, width, channels, .. } = self.input_shape;
        let mut runs = vec![zeros.as_ptr(); positions.len() * taps];
        let mut place = Place::new(positions.start, self.output_shape);
        for first in (0..positions.len()).step_by(rows) {
            let stride = rows.min(positions.len() - first);
            let runs = &mut runs[first * taps..(first + stride) * taps];
            for row in 0..stride {
                let (top, left) =
                    (self.window.start(0, place.down), self.window.start(1, place.right));
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

    fn tile(
        &self,
        runs: &[*const f32],
        rows: std::ops::Range<usize>,
        (panel, depth): (usize, usize),
        out: Shared,
    ) {
        let panel = self.weights.panel(panel);
        let depth = depth / self.weights.groups();
        let columns = self.output_shape.channels;
        let at = rows.start * columns + panel.column;
        self.level.run(Tile {
            runs,
            stride: rows.len(),
            rows: rows.len(),
            taps: self.window.size[0] * self.window.size[1],
            channel: panel.group * depth,
            depth,
            panel: panel.values,
            vectors: panel.vectors,
            bias: self.finish.bias[panel.column..].as_ptr(),
            // SAFETY: `run` checked the output's size; each tile has positions and columns of its
            // own.
            output: unsafe { out.at(at) },
            apart: columns,
            shortcut: self.finish.shortcut.map_or(std::ptr::null(), |s| s[at..].as_ptr()),
            activation: self.finish.activation,
            columns: panel.columns,
        });
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
