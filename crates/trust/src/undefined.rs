//! Why a measure has no value.

use std::fmt;

/// Why a measure has no value for an image. Such images are counted, and never averaged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Undefined {
    /// A value of the map, or a score, is NaN or infinite.
    NotFinite,
    /// The method gives no map of the image.
    Method,
    /// The map is 0 everywhere.
    EmptyMap,
    /// The map is the same everywhere.
    ConstantMap,
    /// The image is the same everywhere, and the measure changes it by its range.
    ConstantImage,
    /// The mask has no pixel.
    EmptyMask,
    /// The mask has every pixel.
    FullMask,
    /// The score of the whole image is not above 0, and the measure divides by it.
    ZeroScore,
    /// The face has fewer regions than are compared.
    FewRegions,
    /// The scores do not differ, so nothing correlates with them.
    EqualScores,
}

impl Undefined {
    /// The name in tables: `empty_map`, ….
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotFinite => "not_finite",
            Self::Method => "method",
            Self::EmptyMap => "empty_map",
            Self::ConstantMap => "constant_map",
            Self::ConstantImage => "constant_image",
            Self::EmptyMask => "empty_mask",
            Self::FullMask => "full_mask",
            Self::ZeroScore => "zero_score",
            Self::FewRegions => "few_regions",
            Self::EqualScores => "equal_scores",
        }
    }
}

impl fmt::Display for Undefined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
