//! Convolution in groups that are narrower than a vector: each vector has the filters of some groups,
//! and each lane takes the channels of its own group.

use crate::depthwise::{Spot, Strip};
use crate::simd::Simd;

/// Where the lanes of each vector of filters find their channels.
#[derive(Debug)]
pub(crate) struct Narrow {
    /// Channels of a group.
    pub depth: usize,
    /// For each vector the first channel that is loaded.
    first: Vec<usize>,
    /// For each vector and each of the `depth` channels, the lanes' places in what is loaded.
    places: Vec<f32>,
}

impl Narrow {
    /// For vectors of so many lanes; none if whole groups do not fit them, with as many filters as
    /// channels in each or more.
    pub(crate) fn new(
        lanes: usize,
        groups: usize,
        [channels, filters]: [usize; 2],
    ) -> Option<Self> {
        let (depth, own) = (channels / groups, filters / groups);
        let fits = groups > 1 && (1..lanes).contains(&own) && lanes.is_multiple_of(own);
        if !fits || depth > own || channels < lanes || filters < lanes {
            return None;
        }
        let (mut first, mut places) = (Vec::new(), Vec::new());
        for filter in (0..filters).step_by(lanes).map(|filter| filter.min(filters - lanes)) {
            let start = (filter / own * depth).min(channels - lanes);
            first.push(start);
            for k in 0..depth {
                let place = |lane: usize| (filter + lane) / own * depth + k - start;
                places.extend((0..lanes).map(|lane| f32::from_bits(place(lane) as u32)));
            }
        }
        Some(Self { depth, first, places })
    }
}

impl Strip<'_> {
    /// All filters of `N` neighbours; returns `N`.
    #[inline(always)]
    pub(crate) unsafe fn groups<S: Simd, const N: usize>(
        &self,
        narrow: &Narrow,
        spot: Spot,
    ) -> usize {
        for vector in 0..narrow.first.len() {
            // The last vector may begin among the filters of the one before.
            let filter = (vector * S::LANES).min(spot.filters - S::LANES);
            // SAFETY: taps are within the border, neighbours within the output; from its first
            // channel and filter on, each vector is whole.
            unsafe {
                let places = narrow.places.as_ptr().add(vector * narrow.depth * S::LANES);
                let mut sums = [S::splat(0.0); N];
                let source = spot.source.wrapping_add(narrow.first[vector]);
                let mut line = (source, spot.weights.wrapping_add(filter));
                for _ in 0..spot.taps[0] {
                    let (mut source, mut weights) = line;
                    for _ in 0..spot.taps[1] {
                        let mut values = [S::splat(0.0); N];
                        for n in 0..N {
                            values[n] = S::load(source.add(n * spot.across));
                        }
                        for k in 0..narrow.depth {
                            let places = S::load(places.add(k * S::LANES));
                            let own = S::load(weights);
                            for n in 0..N {
                                sums[n] = S::fma(S::pick(values[n], places), own, sums[n]);
                            }
                            weights = weights.wrapping_add(spot.filters);
                        }
                        source = source.wrapping_add(spot.steps[1]);
                    }
                    line = (line.0.wrapping_add(spot.steps[0]), line.1.wrapping_add(spot.row));
                }
                for n in 0..N {
                    self.finish::<S>(spot, n, filter, sums[n]);
                }
            }
        }
        N
    }
}
