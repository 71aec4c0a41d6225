//! The entropy of a map over the largest possible one.

use super::entropy::entropy;
use crate::{Compute, Evidence, Group, Measure, Undefined};

pub(super) static RELATIVE_ENTROPY: Measure = Measure {
    name: "relative-entropy",
    title: "Relative entropy",
    group: Group::Concentration,
    question: "How near does the map come to being equal everywhere?",
    formula: "entropy / ln n, with n places: 1 for a map that is equal everywhere, 0 for a map of \
              one place",
    source: "Bhatt, Weller, Moura, Evaluating and Aggregating Feature-based Model Explanations, \
             IJCAI 2020, divided by its largest value",
    url: "https://arxiv.org/abs/2005.00631",
    misleads: "Coarse maps that were enlarged are smooth and so stay near 1, even where they look \
               focused: compare methods at one layer. It says nothing of whether the places are \
               right.",
    better: None,
    range: [0.0, 1.0],
    limit: None,
    compute: Compute::Map(relative_entropy),
};

fn relative_entropy(map: &Evidence) -> Result<f64, Undefined> {
    let entropy = entropy(map)?;
    let places = map.values.len();
    if places < 2 {
        return Err(Undefined::ConstantMap);
    }
    Ok((entropy / (places as f64).ln()).min(1.0))
}
