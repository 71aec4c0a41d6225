//! The Gini index.

use super::shares::shares;
use crate::{Compute, Evidence, Group, Measure, Undefined};

pub(super) static GINI: Measure = Measure {
    name: "gini",
    title: "Gini index",
    group: Group::Concentration,
    question: "Does the map consist of a few places, or is it spread over the whole image?",
    formula: "sum of (2k - n - 1) a_k / (n sum of a_k), with the sizes |value| of the n places \
              sorted from the smallest, a_1, to the largest, a_n",
    source: "Hurley, Rickard, Comparing Measures of Sparsity, 2009; for maps: Chalasani et al., \
             Concise Explanations of Neural Networks using Adversarial Training, ICML 2020",
    url: "https://arxiv.org/abs/0811.4706",
    misleads: "A map of few places may be of the wrong ones: this says how it looks, not whether \
               it is right. It depends on the method's resolution, and grows where values below 0 \
               are not shown.",
    better: None,
    range: [0.0, 1.0],
    limit: None,
    compute: Compute::Map(gini),
};

fn gini(map: &Evidence) -> Result<f64, Undefined> {
    let mut sizes = shares(map)?;
    sizes.sort_by(f64::total_cmp);
    let places = sizes.len() as f64;
    let weight = |index: usize| 2.0 * (index as f64 + 1.0) - places - 1.0;
    let sum: f64 = sizes.iter().enumerate().map(|(index, size)| weight(index) * size).sum();
    Ok(sum / places)
}
