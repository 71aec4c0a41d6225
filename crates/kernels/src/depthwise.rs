//! Convolution of each channel, or each narrow group, by itself.

use std::ops::Range;

use crate::buffers::{LINE, to_line};
use crate::convolution;
use crate::direct::Finish;
use crate::narrow::Narrow;
use crate::parallel::{Shared, each_line, threads};
use crate::shape::{Shape, Window};
use crate::simd::{Kernel, Level, Simd};
use crate::tile::{activate, activate_one};

/// Rows of the output that a thread computes at a time, at most.
const LINES: usize = 8;

/// Numbers of the input that stay in the first-level cache while a row is computed.
const NEAR: usize = 6 * 1024;

/// Fewer lines of the cache at each position are not worth a block of their own.
const FEW_LINES: usize = 4;

/// A kernel `[height, width, channels of a group, filters]`, its filters scaled.
#[derive(Debug)]
pub(crate) struct Weights {
    values: Vec<f32>,
    /// Where they begin: on a line of the cache.
    start: usize,
    /// What groups of more than one channel and filter need.
    narrow: Option<Narrow>,
}

impl Weights {
    /// Copies a kernel with one filter a channel, or narrow groups.
    pub(crate) fn new(weights: &convolution::Weights<'_>, narrow: Option<Narrow>) -> Self {
        let mut values = vec![0.0; weights.kernel.len() + LINE];
        let start = to_line(&values);
        let own = &mut values[start..start + weights.kernel.len()];
        own.copy_from_slice(weights.kernel);
        if let Some(scale) = weights.scale {
            for tap in own.chunks_exact_mut(scale.len()) {
                tap.iter_mut().zip(scale).for_each(|(w, s)| *w *= s);
            }
        }
        Self { values, start, narrow }
    }
}

/// A convolution to run.
pub(crate) struct Depthwise<'a> {
    pub level: Level,
    pub weights: &'a Weights,
    pub window: Window,
    pub finish: Finish<'a>,
    pub input: &'a [f32],
    pub input_shape: Shape,
    pub output_shape: Shape,
}

impl Depthwise<'_> {
    /// Computes into `output`, of `output_shape`.
    pub(crate) fn run(&self, output: &mut [f32]) {
        assert_eq!(self.input.len(), self.input_shape.len(), "the input has its shape");
        assert_eq!(output.len(), self.output_shape.len(), "the output has its shape");
        assert!(self.finish.shortcut.is_none_or(|s| s.len() == output.len()), "as the output");
        let Shape { batch, height, width, .. } = self.output_shape;
        let [high, wide] = self.window.size;
        let is_whole = |right: &usize| self.taps(*right) == (0..wide);
        let first = (0..width).find(is_whole).unwrap_or(width);
        let last = (first..width).rfind(is_whole).map_or(first, |last| last + 1);
        let (output, products) = (Shared::new(output), self.output_shape.len() * high * wide);
        let lines = batch * height;
        let in_strip = (lines / (4 * threads())).clamp(1, LINES);
        // A product takes less time than what other work does to a number.
        each_line(lines.div_ceil(in_strip), products / 4, |strip| {
            let lines = strip * in_strip..((strip + 1) * in_strip).min(lines);
            self.level.run(Strip { all: self, inner: first..last, output, lines });
        });
    }

    /// The neighbours from a position of the output on: its image, row and column, and its taps
    /// within the border.
    #[inline(always)]
    fn spot(&self, [image, down, right]: [usize; 3], [rows, taps]: [Range<usize>; 2]) -> Spot {
        let Shape { height, width, channels, .. } = self.input_shape;
        let Window { size, strides, dilation, before } = self.window;
        // Where no tap is within the border, nothing is read.
        let y = (down * strides[0] + rows.start * dilation[0]).wrapping_sub(before[0]);
        let x = (right * strides[1] + taps.start * dilation[1]).wrapping_sub(before[1]);
        let at = (image * height).wrapping_add(y).wrapping_mul(width).wrapping_add(x);
        let filters = self.output_shape.channels;
        let tap = self.weights.narrow.as_ref().map_or(1, |narrow| narrow.depth) * filters;
        let first = self.weights.start + (rows.start * size[1] + taps.start) * tap;
        let line = image * self.output_shape.height + down;
        Spot {
            source: self.input.as_ptr().wrapping_add(at.wrapping_mul(channels)),
            weights: self.weights.values.as_ptr().wrapping_add(first),
            target: (line * self.output_shape.width + right) * filters,
            taps: [rows.len(), taps.len()],
            across: strides[1] * channels,
            steps: [dilation[0] * width * channels, dilation[1] * channels],
            row: size[1] * tap,
            filters,
        }
    }

    /// The taps of an output column that lie within the border.
    #[inline(always)]
    fn taps(&self, right: usize) -> Range<usize> {
        self.window.taps(1, right, self.input_shape.width)
    }
}

/// Some rows of an output.
pub(crate) struct Strip<'a> {
    all: &'a Depthwise<'a>,
    /// The columns whose windows are whole.
    inner: Range<usize>,
    output: Shared,
    /// Their numbers over all images.
    lines: Range<usize>,
}

/// Neighbours in a row of the output whose windows have the same taps within the border.
#[derive(Clone, Copy)]
pub(crate) struct Spot {
    /// The channels of the input under the first tap of the first neighbour.
    pub source: *const f32,
    /// That tap's weights.
    pub weights: *const f32,
    /// The first neighbour's place in the output.
    target: usize,
    pub taps: [usize; 2],
    /// Numbers of the input from one neighbour to the next.
    pub across: usize,
    /// Numbers of the input from one tap to the next, down and to the right.
    pub steps: [usize; 2],
    /// Numbers of the kernel in a row of taps.
    pub row: usize,
    pub filters: usize,
}

impl Kernel for Strip<'_> {
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let Shape { width, channels, .. } = self.all.input_shape;
        let lines = NEAR / (self.all.window.size[0] * width * LINE).max(1);
        // Narrow blocks of wide rows would be fetched from all over the memory.
        let all = lines < FEW_LINES || self.all.weights.narrow.is_some();
        let block = if all { channels } else { lines * LINE };
        for first in (0..channels).step_by(block) {
            let block = first..(first + block).min(channels);
            for line in self.lines.clone() {
                // SAFETY: the caller's promise.
                unsafe { self.line::<S>(line, block.clone()) };
            }
        }
    }
}

impl Strip<'_> {
    /// Some channels of a row.
    #[inline(always)]
    unsafe fn line<S: Simd>(&self, line: usize, block: Range<usize>) {
        let all = self.all;
        let narrow = all.weights.narrow.as_ref();
        let (width, wide) = (all.output_shape.width, all.window.size[1]);
        let (image, down) = (line / all.output_shape.height, line % all.output_shape.height);
        let rows = all.window.taps(0, down, all.input_shape.height);
        let mut right = 0;
        // SAFETY: the caller's promise; the taps are within the border.
        unsafe {
            while right < width {
                let inner = self.inner.contains(&right);
                let taps = if inner { 0..wide } else { all.taps(right) };
                let spot = all.spot([image, down, right], [rows.clone(), taps]);
                if let Some(narrow) = narrow {
                    right += match inner && right + 4 <= self.inner.end {
                        true => self.groups::<S, 4>(narrow, spot),
                        false => self.groups::<S, 1>(narrow, spot),
                    };
                    continue;
                }
                right += match self.inner.end.saturating_sub(right) {
                    8.. if inner => self.channels::<S, 8, 1>(spot, block.clone()),
                    4.. if inner => self.channels::<S, 4, 2>(spot, block.clone()),
                    2.. if inner => self.channels::<S, 2, 4>(spot, block.clone()),
                    _ => self.channels::<S, 1, 4>(spot, block.clone()),
                };
            }
        }
    }

    /// Some channels of `N` neighbours, `V` vectors at a time; returns `N`.
    #[inline(always)]
    unsafe fn channels<S: Simd, const N: usize, const V: usize>(
        &self,
        spot: Spot,
        block: Range<usize>,
    ) -> usize {
        // SAFETY: the caller's promise; channels are those of the shapes.
        unsafe {
            let mut channel = block.start;
            while channel + V * S::LANES <= block.end {
                self.vectors::<S, N, V>(spot, channel);
                channel += V * S::LANES;
            }
            while channel < block.end && spot.filters >= S::LANES {
                // The last vector may begin among the channels of the one before.
                channel = channel.min(spot.filters - S::LANES);
                self.vectors::<S, N, 1>(spot, channel);
                channel += S::LANES;
            }
            while channel < block.end {
                for n in 0..N {
                    self.one(spot, n, channel);
                }
                channel += 1;
            }
        }
        N
    }

    /// `V` vectors of `N` neighbours, from `channel` on.
    #[inline(always)]
    unsafe fn vectors<S: Simd, const N: usize, const V: usize>(&self, spot: Spot, channel: usize) {
        // SAFETY: taps are within the border, neighbours within the output, and all have the
        // vectors from `channel` on; each line is written by one thread.
        unsafe {
            let mut sums = [[S::splat(0.0); V]; N];
            let mut line = (spot.source.wrapping_add(channel), spot.weights.wrapping_add(channel));
            for _ in 0..spot.taps[0] {
                let (mut source, mut weights) = line;
                for _ in 0..spot.taps[1] {
                    let mut own = [S::splat(0.0); V];
                    for v in 0..V {
                        own[v] = S::load(weights.add(v * S::LANES));
                    }
                    for n in 0..N {
                        for v in 0..V {
                            let value = S::load(source.add(n * spot.across + v * S::LANES));
                            sums[n][v] = S::fma(value, own[v], sums[n][v]);
                        }
                    }
                    source = source.wrapping_add(spot.steps[1]);
                    weights = weights.wrapping_add(spot.filters);
                }
                line = (line.0.wrapping_add(spot.steps[0]), line.1.wrapping_add(spot.row));
            }
            for v in 0..V {
                let channel = channel + v * S::LANES;
                for n in 0..N {
                    self.finish::<S>(spot, n, channel, sums[n][v]);
                }
            }
        }
    }

    /// Bias, shortcut, activation; then stores a vector of neighbour `n`.
    #[inline(always)]
    pub(crate) unsafe fn finish<S: Simd>(&self, spot: Spot, n: usize, channel: usize, sum: S::V) {
        let finish = &self.all.finish;
        let at = spot.target + n * spot.filters + channel;
        // SAFETY: as above.
        unsafe {
            let mut value = S::add(sum, S::load(finish.bias.as_ptr().add(channel)));
            if let Some(shortcut) = finish.shortcut {
                value = S::add(value, S::load(shortcut.as_ptr().add(at)));
            }
            S::store(self.output.at(at), activate::<S>(finish.activation, value));
        }
    }

    /// One channel of one neighbour.
    #[inline(always)]
    unsafe fn one(&self, spot: Spot, n: usize, channel: usize) {
        let finish = &self.all.finish;
        let mut sum = 0.0;
        // SAFETY: as above.
        unsafe {
            for y in 0..spot.taps[0] {
                for x in 0..spot.taps[1] {
                    let at = n * spot.across + y * spot.steps[0] + x * spot.steps[1] + channel;
                    let weight = *spot.weights.add(y * spot.row + x * spot.filters + channel);
                    sum += *spot.source.add(at) * weight;
                }
            }
            let at = spot.target + n * spot.filters + channel;
            sum += finish.bias[channel];
            if let Some(shortcut) = finish.shortcut {
                sum += shortcut[at];
            }
            *self.output.at(at) = activate_one(finish.activation, sum);
        }
    }
}
