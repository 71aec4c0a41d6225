//! Maps, and whether they can be read.

use std::fmt;

use burn::tensor::Tensor;

use crate::Sign;

/// The raw maps of a batch, before any rectification or scaling.
pub struct Maps {
    /// One map an image, row by row: `[batch, 1, height * width]`.
    pub values: Tensor<3>,
    /// Height and width of a map.
    pub size: [usize; 2],
}

impl Maps {
    /// The sum over the channels of `[batch, channels, height, width]`.
    #[must_use]
    pub fn sum(maps: Tensor<4>) -> Self {
        let [.., height, width] = maps.dims();
        Self { values: maps.sum_dim(1).flatten(2, 3), size: [height, width] }
    }

    /// The largest value by size of the channels of `[batch, channels, height, width]`.
    #[must_use]
    pub fn largest(maps: Tensor<4>) -> Self {
        let [.., height, width] = maps.dims();
        Self { values: maps.abs().max_dim(1).flatten(2, 3), size: [height, width] }
    }
}

/// What keeps a raw map from being read as a picture of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MapStatus {
    /// Nothing: it is positive somewhere and not everywhere the same.
    Ok,
    /// Its largest value is zero or less: no position speaks for the class.
    AllNonpositive,
    /// Every position has the same value.
    Constant,
    /// A value is NaN or infinite.
    NonFinite,
}

impl MapStatus {
    /// The name in tables: `ok`, `all_nonpositive`, `constant`, `nonfinite`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::AllNonpositive => "all_nonpositive",
            Self::Constant => "constant",
            Self::NonFinite => "nonfinite",
        }
    }

    /// The status of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Ok, Self::AllNonpositive, Self::Constant, Self::NonFinite];
        all.into_iter().find(|status| status.name() == name)
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
            Self::Constant => "the same everywhere: the map does not point at any place",
            Self::NonFinite => "not a number somewhere: the network overflowed",
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
            () if sign != Sign::Signed && summary.max <= 0.0 => MapStatus::AllNonpositive,
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
    }

    #[test]
    fn the_first_largest_value_is_the_argmax() {
        let summary = MapSummary::compute(&[-3.0, 2.0, 2.0], Sign::Positive);
        assert_eq!((summary.min, summary.max, summary.argmax), (-3.0, 2.0, 1));
    }
}
