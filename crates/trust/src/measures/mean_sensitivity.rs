//! The mean change of a map under little noise.

use super::noisy::distances;
use crate::{Better, Compute, Evidence, Group, Measure, Measured, Network};

pub(super) static MEAN_SENSITIVITY: Measure = Measure {
    name: "mean-sensitivity",
    title: "Mean sensitivity",
    group: Group::Robustness,
    question: "How much does the map usually change where the image changes so little that nobody \
               sees it?",
    formula: "the mean ||M - M'|| / ||M|| of the maps M' of 10 copies of the image with uniform \
              noise of at most 2 % of its range; the copies of max-sensitivity",
    source: "Yeh et al., On the (In)fidelity and Sensitivity of Explanations, NeurIPS 2019, over \
             the norm of the map as in Captum",
    url: "https://arxiv.org/abs/1901.09392",
    misleads: "A map that never changes scores 0, such as one that ignores the image. Smooth maps \
               of deep layers are steadier than fine ones, and no more right for that.",
    better: Some(Better::Lower),
    range: [0.0, f64::INFINITY],
    limit: None,
    compute: Compute::Network(mean_sensitivity),
};

fn mean_sensitivity(map: &Evidence, network: &mut Network<'_>) -> Measured {
    let mean = |distances: Vec<f64>| distances.iter().sum::<f64>() / distances.len() as f64;
    Ok(distances(map, network)?.map(mean))
}
