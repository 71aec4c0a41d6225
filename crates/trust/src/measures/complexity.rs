//! Complexity.

use crate::order::shares;
use crate::{Better, Compute, Evidence, Group, Measure, Undefined};

pub(super) static COMPLEXITY: Measure = Measure {
    name: "complexity",
    title: "Complexity",
    group: Group::Concentration,
    question: "How much of the image does the map show?",
    formula: "mean of the map, which is divided by its largest value; values below 0 count as 0",
    source: "Poppi, Cornia, Baraldi, Cucchiara, ADCC, CVPR Workshops 2021",
    url: "https://arxiv.org/abs/2104.10252",
    misleads: "It does not look at the network at all: a single bright pixel anywhere is best. One \
               outlier makes the rest of a map dark, and so the value low.",
    better: Some(Better::Lower),
    range: [0.0, 1.0],
    limit: None,
    compute: Compute::Map(complexity),
};

/// The mean of the map in 0..=1.
pub(super) fn complexity(map: &Evidence) -> Result<f64, Undefined> {
    let shares = shares(map)?;
    Ok(shares.iter().sum::<f64>() / shares.len() as f64)
}
