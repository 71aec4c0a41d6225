//! What networks are computed in.

use std::fmt;

use clap::ValueEnum;

/// The numbers that weights and activations are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Precision {
    /// 32-bit floating point.
    #[default]
    #[value(name = "f32")]
    Single,
    /// 16-bit floating point: half the memory, and three digits.
    #[value(name = "f16")]
    Half,
}

impl Precision {
    /// Size of a value in bytes.
    pub(crate) fn bytes(self) -> u64 {
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
