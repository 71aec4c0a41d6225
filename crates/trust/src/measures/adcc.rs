//! ADCC.

use super::average_drop::drop_share;
use super::coherency::agreement;
use super::complexity::complexity;
use crate::shown::{probabilities, shown_image};
use crate::{Better, Compute, Evidence, Group, Measure, Measured, Network};

pub(super) static ADCC: Measure = Measure {
    name: "adcc",
    title: "ADCC",
    group: Group::Composite,
    question: "Is the map at once coherent, small, and enough to keep the class's probability?",
    formula: "3 / (1 / coherency + 1 / (1 - complexity) + 1 / (1 - average drop)), 0 where one of \
              the three is 0",
    source: "Poppi, Cornia, Baraldi, Cucchiara, ADCC, CVPR Workshops 2021",
    url: "https://arxiv.org/abs/2104.10252",
    misleads: "One number hides which of the three is bad: look at each of them. A map that is \
               small and always the same can have a high value and be of no use.",
    better: Some(Better::Higher),
    range: [0.0, 1.0],
    limit: None,
    compute: Compute::Network(adcc),
};

fn adcc(map: &Evidence, network: &mut Network<'_>) -> Measured {
    let (shown, complexity) = match (shown_image(map, network), complexity(map)) {
        (Ok(shown), Ok(complexity)) => (shown, complexity),
        (Err(undefined), _) | (_, Err(undefined)) => return Ok(Err(undefined)),
    };
    let drop = match probabilities(network, &shown)?.and_then(drop_share) {
        Ok(drop) => drop,
        Err(undefined) => return Ok(Err(undefined)),
    };
    let harmonic = |coherency: f64| {
        let terms = [coherency, 1.0 - complexity, 1.0 - drop];
        if terms.contains(&0.0) { 0.0 } else { 3.0 / terms.map(f64::recip).iter().sum::<f64>() }
    };
    Ok(agreement(map, &shown, network)?.map(harmonic))
}
