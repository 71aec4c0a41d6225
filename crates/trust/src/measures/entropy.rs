//! The entropy of a map.

use super::shares::shares;
use crate::{Compute, Evidence, Group, Measure, Undefined};

pub(super) static ENTROPY: Measure = Measure {
    name: "entropy",
    title: "Entropy",
    group: Group::Concentration,
    question: "Over how many places is the map spread?",
    formula: "-sum of p ln p, with p = |value| / sum of |values| and 0 ln 0 = 0; in nats",
    source: "Bhatt, Weller, Moura, Evaluating and Aggregating Feature-based Model Explanations, \
             IJCAI 2020 (complexity)",
    url: "https://arxiv.org/abs/2005.00631",
    misleads: "The largest possible value is ln n, so maps of n places do not compare with maps of \
               another size: relative-entropy does. A low entropy says nothing of whether the \
               places are right.",
    better: None,
    range: [0.0, f64::INFINITY],
    limit: None,
    compute: Compute::Map(entropy),
};

/// In nats: e to its power is the number of equal places that would be as spread.
pub(super) fn entropy(map: &Evidence) -> Result<f64, Undefined> {
    Ok(entropy_of(shares(map)?))
}

/// The entropy of shares that add up to 1.
pub(super) fn entropy_of(shares: impl IntoIterator<Item = f64>) -> f64 {
    let positive = shares.into_iter().filter(|&share| share > 0.0);
    // Not -0 where one place has everything.
    (-positive.map(|share| share * share.ln()).sum::<f64>()).max(0.0)
}
