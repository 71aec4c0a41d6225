//! A map as shares of its sum.

use crate::{Evidence, Undefined};

/// The size of each value over the sum of all sizes: `[height, width]`, adding up to 1.
pub(super) fn shares(map: &Evidence) -> Result<Vec<f64>, Undefined> {
    let sizes = map.values.iter().map(|&value| f64::from(value).abs());
    let sum: f64 = sizes.clone().sum();
    if sum > 0.0 { Ok(sizes.map(|size| size / sum).collect()) } else { Err(Undefined::EmptyMap) }
}
