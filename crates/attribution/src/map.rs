//! Maps, and whether they can be read.

use std::fmt;

use burn::tensor::Tensor;
use burncam_net::layers::{largest_sizes, product_sums};

use crate::Sign;

/// The raw maps of a batch, before any rectification or scaling.
pub struct Maps {
    /// One map an image, row by row: `[batch, 1, height * width]`.
    pub values: Tensor<3>,
    /// Height and width of a map.
    pub size: [usize; 2],
    /// Why the method is not defined for some images, and 1 for each of them: `[batch, 1]`.
    pub undefined: Option<(MapStatus, Tensor<2>)>,
}

impl Maps {
    /// Maps of a size.
    #[must_use]
    pub fn new(values: Tensor<3>, size: [usize; 2]) -> Self {
        Self { values, size, undefined: None }
    }

    /// The same, not defined for the images that have 1 in `flags`, `[batch, 1]`.
    #[must_use]
    pub fn undefined_where(self, status: MapStatus, flags: Tensor<2>) -> Self {
        Self { undefined: Some((status, flags)), ..self }
    }

    /// The sum over the channels of `[batch, channels, height, width]`.
    #[must_use]
    pub fn sum(maps: Tensor<4>) -> Self {
        let [.., height, width] = maps.dims();
        Self::new(maps.sum_dim(1).flatten(2, 3), [height, width])
    }

    /// The sum over the channels of the products of two maps, both `[batch, channels, height, width]`.
    #[must_use]
    pub fn sum_of_products(a: Tensor<4>, b: Tensor<4>) -> Self {
        let [.., height, width] = a.dims();
        Self::new(product_sums(a, b), [height, width])
    }

    /// The largest value by size of the channels of `[batch, channels, height, width]`.
    #[must_use]
    pub fn largest(maps: Tensor<4>) -> Self {
        let [.., height, width] = maps.dims();
        Self::new(largest_sizes(maps), [height, width])
    }
}

/// What keeps a raw map from being read as a picture of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MapStatus {
    /// Nothing: it is not everywhere the same and, unless values are signed, positive somewhere.
    Ok,
    /// Its largest value is zero or less: no position speaks for the class.
    AllNonpositive,
    /// Its values are sizes, and all are zero: no position matters.
    AllZero,
    /// Every position has the same value.
    Constant,
    /// A value is NaN or infinite.
    NonFinite,
    /// The first principal component of the channels is the same everywhere.
    ConstantComponent,
    /// No gradient is positive, and the method reads no other.
    NoPositiveGradient,
    /// Every masked image has the same score.
    EqualScores,
}

impl MapStatus {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::Ok,
        Self::AllNonpositive,
        Self::AllZero,
        Self::Constant,
        Self::NonFinite,
        Self::ConstantComponent,
        Self::NoPositiveGradient,
        Self::EqualScores,
    ];

    /// The name in tables: `ok`, `all_nonpositive`, `constant`, `nonfinite`, …
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::AllNonpositive => "all_nonpositive",
            Self::AllZero => "all_zero",
            Self::Constant => "constant",
            Self::NonFinite => "nonfinite",
            Self::ConstantComponent => "constant_component",
            Self::NoPositiveGradient => "no_positive_gradient",
            Self::EqualScores => "equal_scores",
        }
    }

    /// The status of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// One sentence for a user who meets the status.
    #[must_use]
    pub fn explanation(self) -> &'static str {
        match self {
            Self::Ok => "the map has evidence to show",
            Self::AllNonpositive => {
                "nowhere positive: no position of the layer raises the class logit, so there is \
                 nothing to show"
            }
            Self::AllZero => {
                "zero everywhere: nothing at this place of the network changes the class logit"
            }
            Self::Constant => "the same everywhere: the map does not point at any place",
            Self::NonFinite => "not a number somewhere: the network overflowed",
            Self::ConstantComponent => {
                "what the channels have in common is the same everywhere: it points at no place"
            }
            Self::NoPositiveGradient => {
                "no gradient is positive: no place of the layer, in any channel, raises the class logit"
            }
            Self::EqualScores => {
                "every masked image has the same score: the masks do not tell channels or places apart"
            }
        }
    }
}

impl fmt::Display for MapStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The figures of a raw map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MapSummary {
    /// Smallest value, of those that are numbers.
    pub min: f32,
    /// Largest value, of those that are numbers.
    pub max: f32,
    /// Index of the first largest value, row by row.
    pub argmax: usize,
    /// Whether the map can be read.
    pub status: MapStatus,
}

impl MapSummary {
    /// The same for a map that the method leaves undefined, if it does.
    #[must_use]
    pub fn with_undefined(self, undefined: Option<MapStatus>) -> Self {
        match undefined {
            Some(status) if self.status != MapStatus::NonFinite => Self { status, ..self },
            _ => self,
        }
    }

    /// Summarises a raw map, whose values mean what `sign` says.
    #[must_use]
    pub fn compute(raw: &[f32], sign: Sign) -> Self {
        let mut summary =
            Self { min: f32::INFINITY, max: f32::NEG_INFINITY, argmax: 0, status: MapStatus::Ok };
        for (index, &value) in raw.iter().enumerate() {
            summary.min = summary.min.min(value);
            if value > summary.max {
                (summary.max, summary.argmax) = (value, index);
            }
        }
        summary.status = match () {
            () if raw.iter().any(|value| !value.is_finite()) => MapStatus::NonFinite,
            () if sign == Sign::Positive && summary.max <= 0.0 => MapStatus::AllNonpositive,
            () if sign == Sign::Magnitude && summary.max <= 0.0 => MapStatus::AllZero,
            () if summary.min == summary.max => MapStatus::Constant,
            () => MapStatus::Ok,
        };
        summary
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses() {
        for (raw, status) in [
            ([0.0, 1.0, -2.0, 0.5], MapStatus::Ok),
            ([0.0, 0.0, 0.0, 0.0], MapStatus::AllNonpositive),
            ([-0.0, -1.0, -2.0, -1.0], MapStatus::AllNonpositive),
            ([0.5, 0.5, 0.5, 0.5], MapStatus::Constant),
            ([0.5, f32::NAN, 0.5, 0.5], MapStatus::NonFinite),
            ([0.5, f32::INFINITY, 0.5, 0.5], MapStatus::NonFinite),
        ] {
            assert_eq!(MapSummary::compute(&raw, Sign::Positive).status, status, "{raw:?}");
        }
    }

    #[test]
    fn a_signed_map_may_speak_against_the_class_alone() {
        let raw = [-1.0, -2.0];
        assert_eq!(MapSummary::compute(&raw, Sign::Signed).status, MapStatus::Ok);
        assert_eq!(MapSummary::compute(&[-1.0; 2], Sign::Signed).status, MapStatus::Constant);
        assert_eq!(MapSummary::compute(&[0.0; 2], Sign::Signed).status, MapStatus::Constant);
    }

    #[test]
    fn sizes_may_all_be_zero() {
        let status = |raw: &[f32]| MapSummary::compute(raw, Sign::Magnitude).status;
        assert_eq!(status(&[0.0, -0.0]), MapStatus::AllZero);
        assert_eq!(status(&[0.5; 2]), MapStatus::Constant);
        assert_eq!(status(&[0.0, 0.5]), MapStatus::Ok);
    }

    #[test]
    fn the_argmax_of_a_signed_map_speaks_most_for_the_class() {
        assert_eq!(MapSummary::compute(&[-9.0, 1.0, 2.0], Sign::Signed).argmax, 2);
    }

    #[test]
    fn statuses_have_names() {
        for status in MapStatus::ALL {
            assert_eq!(MapStatus::from_name(status.name()), Some(status));
        }
    }

    #[test]
    fn the_first_largest_value_is_the_argmax() {
        let summary = MapSummary::compute(&[-3.0, 2.0, 2.0], Sign::Positive);
        assert_eq!((summary.min, summary.max, summary.argmax), (-3.0, 2.0, 1));
    }
}
