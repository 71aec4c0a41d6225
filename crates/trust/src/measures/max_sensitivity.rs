//! The largest change of a map under little noise.

use super::noisy::distances;
use crate::{Better, Compute, Evidence, Group, Measure, Measured, Network};

pub(super) static MAX_SENSITIVITY: Measure = Measure {
    name: "max-sensitivity",
    title: "Largest sensitivity",
    group: Group::Robustness,
    question: "How much can the map change where the image changes so little that nobody sees it?",
    formula: "the largest ||M - M'|| / ||M|| of the maps M' of 10 copies of the image with uniform \
              noise of at most 2 % of its range",
    source: "Yeh et al., On the (In)fidelity and Sensitivity of Explanations, NeurIPS 2019, over \
             the norm of the map as in Captum",
    url: "https://arxiv.org/abs/1901.09392",
    misleads: "A map that never changes scores 0, such as one that ignores the image. Ten draws \
               miss the worst case, and where the network itself changes its mind the map is right \
               to change.",
    better: Some(Better::Lower),
    range: [0.0, f64::INFINITY],
    limit: None,
    compute: Compute::Network(max_sensitivity),
};

fn max_sensitivity(map: &Evidence, network: &mut Network<'_>) -> Measured {
    let largest = |distances: Vec<f64>| distances.into_iter().fold(0.0, f64::max);
    Ok(distances(map, network)?.map(largest))
}
