//! Convolution of few channels, whose rows are computed with fewer multiplications.
//!
//! A row of the input becomes its values at six points once, for all rows of the kernel and all filters. The sums at
//! the points stay in registers until they are results.

use std::ops::Range;

use super::points::{enter, finished, leave};
use super::scheme::{Axis, Scheme};
use crate::buffers::{LINE, to_line};
use crate::convolution;
use crate::direct::{Finish, inside};
use crate::parallel::{Shared, each, scratch, threads};
use crate::shape::{Shape, Window};
use crate::simd::{Kernel, Level, Simd, Tiling};

const POINTS: usize = 6;

/// Vectors of filters that are summed beside each other.
const BESIDE: usize = 2;

/// Rows of the output that a thread computes at a time.
const BAND: usize = 8;

/// A kernel, transformed along its rows.
#[derive(Debug)]
pub(crate) struct StemWeights {
    axis: Axis,
    /// For each panel of filters, channel, row and point as many numbers as `BESIDE` vectors have.
    values: Vec<f32>,
    /// Where they begin: on a line of the cache.
    start: usize,
}

impl StemWeights {
    /// Transforms a kernel `[height, width, channels, filters]`, if the method applies.
    pub(crate) fn new(
        window: Window,
        channels: usize,
        weights: &convolution::Weights<'_>,
        tiling: Tiling,
    ) -> Option<Self> {
        let (filters, width) = (weights.bias.len(), BESIDE * tiling.lanes);
        let axis = Scheme::along_rows(window).filter(|_| filters.is_multiple_of(tiling.lanes))?;
        let (points, [high, wide]) = (axis.kernel(), window.size);
        let panels = filters.div_ceil(width);
        let mut values = vec![0.0; panels * channels * high * POINTS * width + LINE];
        let start = to_line(&values);
        let mut rows = values[start..].chunks_exact_mut(width);
        for panel in 0..panels {
            let columns = panel * width..((panel + 1) * width).min(filters);
            for (channel, y) in (0..channels).flat_map(|c| (0..high).map(move |y| (c, y))) {
                for point in &points {
                    let row = rows.next().expect("room for all");
                    for (target, filter) in row.iter_mut().zip(columns.clone()) {
                        let weight = |x: usize| {
                            let at = ((y * wide + x) * channels + channel) * filters + filter;
                            point[x] * f64::from(weights.kernel[at])
                        };
                        let scale = weights.scale.map_or(1.0, |scale| f64::from(scale[filter]));
                        *target = (scale * (0..wide).map(weight).sum::<f64>()) as f32;
                    }
                }
            }
        }
        Some(Self { axis, values, start })
    }
}

/// A convolution to run.
pub(crate) struct Stem<'a> {
    pub level: Level,
    pub weights: &'a StemWeights,
    pub window: Window,
    pub finish: Finish<'a>,
    pub input: &'a [f32],
    pub input_shape: Shape,
    pub output_shape: Shape,
}

impl Stem<'_> {
    /// Computes into `output`, of `output_shape`.
    pub(crate) fn run(&self, output: &mut [f32]) {
        assert_eq!(output.len(), self.output_shape.len(), "the output has its shape");
        assert!(self.finish.shortcut.is_none_or(|s| s.len() == output.len()), "as the output");
        let Shape { batch, height, width, channels } = self.output_shape;
        let in_band = BAND.min((batch * height).div_ceil(4 * threads())).max(1);
        let bands = height.div_ceil(in_band);
        let output = Shared::new(output);
        each(batch * bands, |task| {
            let (image, first) = (task / bands, task % bands * in_band);
            let rows = first..(first + in_band).min(height);
            let at = (image * height + first) * width * channels;
            let len = rows.len() * width * channels;
            // SAFETY: each band is a part of the output of its own.
            let target = unsafe { std::slice::from_raw_parts_mut(output.at(at), len) };
            self.rows(image, rows, target);
        });
    }

    /// Computes some rows of an image into `target`.
    pub(crate) fn rows(&self, image: usize, rows: Range<usize>, target: &mut [f32]) {
        assert_eq!(self.input.len(), self.input_shape.len(), "the input has its shape");
        let line = self.output_shape.width * self.output_shape.channels;
        assert_eq!(target.len(), rows.len() * line, "room for the rows");
        let (lanes, channels) = (self.level.tile().lanes, self.input_shape.channels);
        let patches = self.output_shape.width.div_ceil(self.weights.axis.results);
        let starts = patches * self.weights.axis.results * channels;
        let blocks = starts.div_ceil(lanes);
        let line = blocks * lanes + POINTS * channels;
        let lines = rows.len() + self.window.size[0] - 1;
        scratch(line + LINE + lines * blocks * POINTS * lanes, |buffer| {
            let (line, points) = buffer.split_at_mut(line.next_multiple_of(LINE));
            let (points, target) = (points.as_mut_ptr(), target.as_mut_ptr());
            self.level.run(Band { stem: self, image, rows, line, points, blocks, target });
        });
    }
}

/// Some rows of an image.
struct Band<'a> {
    stem: &'a Stem<'a>,
    image: usize,
    rows: Range<usize>,
    /// Room for a row of the input within its border.
    line: &'a mut [f32],
    /// Room for the transformed rows: for each, blocks of as many places as a vector has, at each point.
    points: *mut f32,
    blocks: usize,
    target: *mut f32,
}

impl Kernel for Band<'_> {
    #[inline(always)]
    unsafe fn call<S: Simd>(mut self) {
        // SAFETY: the caller's promise.
        unsafe {
            self.enter::<S>();
            match (self.stem.weights.axis.results, S::ROWS * S::COLUMNS >= 24) {
                (2, true) => self.products::<S, 2, 2>(),
                (2, false) => self.products::<S, 2, 1>(),
                (4, true) => self.products::<S, 4, 2>(),
                (4, false) => self.products::<S, 4, 1>(),
                _ => unreachable!("no such scheme"),
            }
        }
    }
}

impl Band<'_> {
    /// Transforms the rows that windows read, at all places of them.
    #[inline(always)]
    unsafe fn enter<S: Simd>(&mut self) {
        let Shape { height, width, channels, .. } = self.stem.input_shape;
        let Window { size, before, .. } = self.stem.window;
        let numbers = self.blocks * POINTS * S::LANES;
        self.line.fill(0.0);
        let (left, len) = ((before[1] * channels).min(self.line.len()), width * channels);
        let len = len.min(self.line.len() - left);
        for number in 0..self.rows.len() + size[0] - 1 {
            let target = self.points.wrapping_add(number * numbers);
            let row = (self.rows.start + number) as isize - before[0] as isize;
            // SAFETY: the scratch has room for all rows, and a line for what the last block reads.
            unsafe {
                let Some(row) = inside(row, height) else {
                    std::slice::from_raw_parts_mut(target, numbers).fill(0.0);
                    continue;
                };
                let from = (self.image * height + row) * width * channels;
                self.line[left..left + len].copy_from_slice(&self.stem.input[from..from + len]);
                for block in 0..self.blocks {
                    let mut d = [S::splat(0.0); POINTS];
                    for x in 0..POINTS {
                        d[x] = S::load(self.line.as_ptr().add(block * S::LANES + x * channels));
                    }
                    let values = enter::<S>(d);
                    for point in 0..POINTS {
                        S::store(target.add((block * POINTS + point) * S::LANES), values[point]);
                    }
                }
            }
        }
    }

    /// All results, of so many patches at a time.
    #[inline(always)]
    unsafe fn products<S: Simd, const RESULTS: usize, const PATCHES: usize>(&self) {
        let Shape { width, channels: filters, .. } = self.stem.output_shape;
        let depth = self.stem.input_shape.channels * self.stem.window.size[0];
        let panel = depth * POINTS * BESIDE * S::LANES;
        let patches = width.div_ceil(RESULTS);
        for (number, first) in (0..filters).step_by(BESIDE * S::LANES).enumerate() {
            let weights = &self.stem.weights;
            let weights = &weights.values[weights.start + number * panel..][..panel];
            for row in 0..self.rows.len() {
                for patch in (0..patches).step_by(PATCHES) {
                    // SAFETY: the caller's promise.
                    unsafe {
                        self.tile::<S, RESULTS, PATCHES>(row, patch, first, weights.as_ptr());
                    }
                }
            }
        }
    }

    /// The results of some patches for `BESIDE` vectors of filters.
    #[inline(always)]
    unsafe fn tile<S: Simd, const RESULTS: usize, const PATCHES: usize>(
        &self,
        row: usize,
        patch: usize,
        filter: usize,
        mut weights: *const f32,
    ) {
        let Shape { height, width, channels: filters, .. } = self.stem.output_shape;
        let channels = self.stem.input_shape.channels;
        let numbers = self.blocks * POINTS * S::LANES;
        let patches = width.div_ceil(RESULTS);
        // SAFETY: transformed rows have a block for each place that a patch begins at; the target has all rows.
        unsafe {
            let mut sums = [[[S::splat(0.0); BESIDE]; POINTS]; PATCHES];
            for channel in 0..channels {
                let mut sources = [std::ptr::null::<f32>(); PATCHES];
                for p in 0..PATCHES {
                    // A patch too many is the last once more.
                    let place = (patch + p).min(patches - 1) * RESULTS * channels + channel;
                    let (block, lane) = (place / S::LANES, place % S::LANES);
                    let block = row * numbers + block * POINTS * S::LANES;
                    sources[p] = self.points.add(block + lane);
                }
                for _ in 0..self.stem.window.size[0] {
                    for point in 0..POINTS {
                        let mut own = [S::splat(0.0); BESIDE];
                        for n in 0..BESIDE {
                            own[n] = S::load(weights.add((point * BESIDE + n) * S::LANES));
                        }
                        for p in 0..PATCHES {
                            let value = S::splat(*sources[p].add(point * S::LANES));
                            for n in 0..BESIDE {
                                sums[p][point][n] = S::fma(value, own[n], sums[p][point][n]);
                            }
                        }
                    }
                    weights = weights.add(POINTS * BESIDE * S::LANES);
                    for p in 0..PATCHES {
                        sources[p] = sources[p].wrapping_add(numbers);
                    }
                }
            }
            let finish = &self.stem.finish;
            let shortcut = finish.shortcut.map_or(std::ptr::null(), <[f32]>::as_ptr);
            let line = (self.image * height + self.rows.start + row) * width;
            for n in 0..BESIDE {
                let filter = filter + n * S::LANES;
                if filter >= filters {
                    break;
                }
                let bias = S::load(finish.bias.as_ptr().add(filter));
                for p in 0..PATCHES {
                    let mut own = [S::splat(0.0); POINTS];
                    for point in 0..POINTS {
                        own[point] = sums[p][point][n];
                    }
                    let results = leave::<S, RESULTS>(own);
                    for x in 0..RESULTS {
                        let right = (patch + p) * RESULTS + x;
                        if right >= width {
                            break;
                        }
                        let shortcut = (shortcut, (line + right) * filters + filter);
                        let value = finished::<S>(results[x], bias, shortcut, finish.activation);
                        let target = self.target.add((row * width + right) * filters + filter);
                        S::store(target, value);
                    }
                }
            }
        }
    }
}
