//! One map of several layers.

use std::str::FromStr;

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burncam_net::layers::Sampling;

use crate::peer::enlarged;
use crate::{AttributionError, Maps};

/// How the maps of several layers become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fuse {
    /// By their mean, as in pytorch-grad-cam.
    Mean,
    /// By the largest, as in LayerCAM's paper.
    Max,
}

impl FromStr for Fuse {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(name));
        known.ok_or_else(|| format!("there is no way to fuse maps `{name}`"))
    }
}

impl Fuse {
    /// Every way.
    pub const ALL: [Self; 2] = [Self::Mean, Self::Max];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Max => "max",
        }
    }

    /// Joins maps at the size of the largest. If they are to be `scaled`, each is rectified and divided by its
    /// largest value first, since layers have values of different sizes.
    pub(crate) fn join(self, maps: Vec<Maps>, scaled: bool) -> Result<Maps, AttributionError> {
        let size = maps.iter().map(|maps| maps.size).max_by_key(|[height, width]| height * width);
        let size = size.ok_or(AttributionError::Layers { count: 0 })?;
        let count = maps.len() as f32;
        let one = |maps: Maps| {
            let values = if scaled { shares(maps.values) } else { maps.values };
            enlarged(Maps::new(values, maps.size), size, Sampling::HalfPixel).values
        };
        let joined = maps.into_iter().map(one).reduce(|joined, next| match self {
            Self::Mean => joined + next,
            Self::Max => joined.max_pair(next),
        });
        let joined = joined.ok_or(AttributionError::Layers { count: 0 })?;
        Ok(Maps::new(if self == Self::Mean { joined / count } else { joined }, size))
    }
}

/// What is positive of each map, as shares of its largest value.
fn shares(values: Tensor<3>) -> Tensor<3> {
    let positive = relu(values);
    let largest = positive.clone().max_dim(2);
    let none = largest.clone().equal_elem(0.0);
    positive / largest.mask_fill(none, 1.0)
}
