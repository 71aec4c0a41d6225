//! What networks are computed in.

use std::fmt;
use std::str::FromStr;

/// The numbers that weights and activations are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit floating point.
    #[default]
    Single,
    /// 16-bit floating point: half the memory, and three digits.
    Half,
}

impl Precision {
    /// Every precision.
    pub const ALL: &[Self] = &[Self::Single, Self::Half];

    /// Size of a value in bytes.
    pub fn bytes(self) -> u64 {
        match self {
            Self::Single => 4,
            Self::Half => 2,
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Single => "f32",
            Self::Half => "f16",
        })
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().copied().find(|precision| precision.to_string() == text);
        known.ok_or_else(|| format!("there is no precision `{text}`"))
    }
}
