//! What the values of a map mean.

use serde::{Deserialize, Serialize};

/// What the values of a map mean.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Values {
    /// Those above 0 speak for the class. Others are not shown.
    #[default]
    Positive,
    /// Those above 0 speak for the class, those below against it.
    Signed,
    /// They say how much a place counts, and not for what. None is below 0.
    Sizes,
}

impl Values {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Positive, Self::Signed, Self::Sizes];

    /// `positive`, `signed` or `sizes`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Signed => "signed",
            Self::Sizes => "sizes",
        }
    }
}
