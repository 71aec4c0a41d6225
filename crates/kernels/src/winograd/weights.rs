//! Kernels in the form of the products.

use rayon::prelude::*;

use super::Scheme;
use crate::convolution;
use crate::panels::Panels;
use crate::simd::{Kernel, Level, Simd};

/// One matrix `[channels, filters]` for each point and group.
#[derive(Debug)]
pub(crate) struct Weights {
    pub scheme: Scheme,
    pub points: Vec<Panels>,
    /// Whether they have to be fetched again for each block of patches.
    pub is_large: bool,
}

/// So many numbers stay in the cache of a core.
const NEAR: usize = 1 << 20;

impl Weights {
    /// Transforms a kernel `[height, width, channels, filters]`, where `channels` are those of a group.
    pub(crate) fn new(
        level: Level,
        scheme: Scheme,
        weights: &convolution::Weights<'_>,
        channels: usize,
    ) -> Self {
        let (groups, filters) = (weights.groups, weights.bias.len());
        let zeros = || Panels::zeros(groups, channels, filters / groups, level.tile());
        let mut points: Vec<_> = std::iter::repeat_with(zeros).take(scheme.points()).collect();
        let [down, right] = scheme.axes().map(super::scheme::Axis::kernel);
        // The points of one row share what they make of the kernel's columns.
        let row = if down.len() > 1 { right.len() } else { 1 };
        points.par_chunks_mut(row).enumerate().for_each(|(task, points)| {
            let first = task * row;
            let (down, right) = (&*down[first / right.len()], &right[first % right.len()..]);
            level.run(Transform { weights, channels, filters, down, right, points });
        });
        let is_large = scheme.points() * channels * filters > NEAR;
        Self { scheme, points, is_large }
    }

    /// Whether patches are of whole windows that results are pooled in.
    pub(crate) fn can_pool(&self) -> bool {
        self.scheme.axes().iter().all(|axis| axis.results.is_multiple_of(super::POOLED))
    }
}

/// The kernel's transformation (`G g Gᵀ` of the paper), for points of one row.
struct Transform<'a> {
    weights: &'a convolution::Weights<'a>,
    channels: usize,
    filters: usize,
    /// Factors of the taps in a column, and for each point of those in a row.
    down: &'a [f64],
    right: &'a [Vec<f64>],
    points: &'a mut [Panels],
}

/// Filters at a time: whole vectors, in any instruction set.
const FILTERS: usize = 32;

impl Kernel for Transform<'_> {
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        match self.right[0].len() {
            1 => self.transform::<1>(),
            3 => self.transform::<3>(),
            5 => self.transform::<5>(),
            7 => self.transform::<7>(),
            _ => unreachable!("no such scheme"),
        }
    }
}

impl Transform<'_> {
    /// Of a kernel so many taps wide.
    #[inline(always)]
    fn transform<const WIDE: usize>(self) {
        for columns in self.points[0].ranges() {
            let (first, count) = (columns.start, columns.len());
            for channel in 0..self.channels {
                // The columns of the kernel, each summed over its rows.
                let mut down = [[0.0_f64; FILTERS]; WIDE];
                for x in 0..WIDE {
                    for y in 0..self.down.len() {
                        let at = ((y * WIDE + x) * self.channels + channel) * self.filters + first;
                        let kernel = &self.weights.kernel[at..at + count];
                        let factor = self.down[y];
                        for n in 0..count {
                            down[x][n] += factor * f64::from(kernel[n]);
                        }
                    }
                }
                for (right, point) in self.right.iter().zip(self.points.iter_mut()) {
                    let mut factors = [0.0; WIDE];
                    factors.copy_from_slice(right);
                    let mut sums = [0.0_f32; FILTERS];
                    for n in 0..count {
                        let mut sum = 0.0;
                        for x in 0..WIDE {
                            sum += factors[x] * down[x][n];
                        }
                        let scale = self.weights.scale.map_or(1.0, |s| f64::from(s[first + n]));
                        sums[n] = (scale * sum) as f32;
                    }
                    point.set(channel, first, &sums[..count]);
                }
            }
        }
    }
}
