//! The sizes of kernels, and the points at which their products are taken.
//!
//! A row of results of a kernel's row is a product of polynomials: it is known from the products of their values at
//! as many points as it has coefficients, of which one may be infinite. The points 0, ±√½, ±√2 and ∞ have smaller
//! rounding errors than 0, ±1, ±2 and ∞ (Barabasz et al., *Error Analysis and Improving the Accuracy of Winograd
//! Convolution for Deep Neural Networks*, 2020, <https://arxiv.org/abs/1803.10986>). More points have larger ones:
//! of seven taps, four and three are computed apart and their results added.

use crate::convolution::FEW_CHANNELS;
use crate::shape::Window;
use crate::simd::Tiling;

pub(super) const A: f64 = std::f64::consts::FRAC_1_SQRT_2;
pub(super) const B: f64 = std::f64::consts::SQRT_2;

/// Finite points; the infinite one is the last of each.
const SIX: &[f64] = &[0.0, A, -A, B, -B];
const FIVE: &[f64] = &[0.0, A, -A, B];
const ONE: &[f64] = &[];

/// The most positions of the input that a patch reads.
pub(super) const MOST_READS: usize = 36;

/// How a kernel's taps along an axis are computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    /// Positions of the output that a patch gives.
    pub results: usize,
    /// Neighbouring taps, so many, and the finite points of their products; together they are all taps.
    shares: &'static [(usize, &'static [f64])],
}

/// How the kernels of one size are computed: down and to the right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scheme([Axis; 2]);

const SINGLE: Axis = Axis { results: 1, shares: &[(1, ONE)] };
const THREE: Axis = Axis { results: 4, shares: &[(3, SIX)] };
const FIVE_TAPS: Axis = Axis { results: 2, shares: &[(5, SIX)] };
const SEVEN: Axis = Axis { results: 3, shares: &[(4, SIX), (3, FIVE)] };

/// 36 products for 16 results of 9 taps, or for 4 of 25; 6 for 4 of 3; 11 for 3 of 7.
const SCHEMES: [Scheme; 6] = [
    Scheme([THREE, THREE]),
    Scheme([FIVE_TAPS, FIVE_TAPS]),
    Scheme([SINGLE, THREE]),
    Scheme([THREE, SINGLE]),
    Scheme([SINGLE, SEVEN]),
    Scheme([SEVEN, SINGLE]),
];

impl Axis {
    pub(super) fn taps(self) -> usize {
        self.shares.iter().map(|(taps, _)| taps).sum()
    }

    /// Positions of the input that a patch reads.
    pub(super) fn reads(self) -> usize {
        self.results + self.taps() - 1
    }

    /// Products of matrices.
    pub(super) fn points(self) -> usize {
        self.shares.iter().map(|(_, finite)| finite.len() + 1).sum()
    }

    /// What the kernel's taps become (`G` of the paper): for each point a factor for each tap.
    pub(super) fn kernel(self) -> Vec<Vec<f64>> {
        let (all, mut first) = (self.taps(), 0);
        let mut rows = Vec::with_capacity(self.points());
        for &(taps, finite) in self.shares {
            for (at, point) in finite.iter().enumerate() {
                let others = finite.iter().enumerate().filter(|(other, _)| *other != at);
                let distances: f64 = others.map(|(_, other)| point - other).product();
                let mut row = vec![0.0; all];
                let mut power = 1.0;
                for factor in &mut row[first..first + taps] {
                    *factor = power / distances;
                    power *= point;
                }
                rows.push(row);
            }
            first += taps;
            let mut infinite = vec![0.0; all];
            infinite[first - 1] = 1.0;
            rows.push(infinite);
        }
        rows
    }
}

impl Scheme {
    /// The one for a window, with so many channels and filters in a group.
    pub(crate) fn find(
        window: Window,
        channels: usize,
        filters: usize,
        tiling: Tiling,
    ) -> Option<Self> {
        let whole = [channels, filters].iter().all(|count| count.is_multiple_of(tiling.lanes));
        Self::of_size(window).filter(|_| whole)
    }

    fn of_size(window: Window) -> Option<Self> {
        let fits = window.strides == [1, 1] && window.is_dense();
        let mut schemes = SCHEMES.into_iter().filter(|_| fits);
        schemes.find(|Self([down, right])| window.size == [down.taps(), right.taps()])
    }

    /// Along the rows of a kernel, for a window on few channels.
    pub(super) fn along_rows(window: Window) -> Option<Axis> {
        let fits = window.strides == [1, 1] && window.is_dense() && window.size[0] > 1;
        [THREE, FIVE_TAPS].into_iter().find(|axis| fits && window.size[1] == axis.taps())
    }

    pub(super) fn axes(self) -> [Axis; 2] {
        self.0
    }

    /// The axis of a kernel that is one tap wide or high.
    pub(super) fn line(self) -> Option<Axis> {
        match self.0 {
            [SINGLE, axis] | [axis, SINGLE] => Some(axis),
            _ => None,
        }
    }

    /// Products of matrices.
    pub(super) fn points(self) -> usize {
        let [down, right] = self.0;
        down.points() * right.points()
    }
}

/// Multiplications of a convolution without groups that gives a map of `[height, width]`: as few as a method of
/// [`Convolution`](crate::Convolution) needs.
#[must_use]
pub fn fewest_multiplications(
    window: Window,
    [channels, filters]: [usize; 2],
    [height, width]: [usize; 2],
) -> usize {
    let [high, wide] = window.size;
    let each = match (Scheme::along_rows(window), Scheme::of_size(window)) {
        (Some(axis), _) if channels < FEW_CHANNELS => {
            height * high * width.div_ceil(axis.results) * axis.points()
        }
        (_, Some(scheme)) if channels >= FEW_CHANNELS => {
            let [down, right] = scheme.axes().map(|axis| axis.results);
            height.div_ceil(down) * width.div_ceil(right) * scheme.points()
        }
        _ => height * width * high * wide,
    };
    each * channels * filters
}
