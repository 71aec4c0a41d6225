//! Insertion.

use crate::copies::{mask, scores_without};
use crate::curve::{area, counts, points};
use crate::order::descending;
use crate::{Better, Compute, Evidence, Group, Measure, Measured, Network};

pub(super) static INSERTION: Measure = Measure {
    name: "insertion",
    title: "Insertion",
    group: Group::Faithfulness,
    question: "How fast does the network reach its score when an emptied image gets back the \
               pixels that the map ranks highest first?",
    formula: "area under score(share of pixels brought back), the map's largest values first, in \
              steps of equal counts (20), by trapezoids; 0..1 for probabilities",
    source: "Petsiuk, Das, Saenko, BMVC 2018; steps and ties as in torch-cam",
    url: "https://arxiv.org/abs/1806.07421",
    misleads: "The value depends on what the emptied image looks like, and smooth, compact maps \
               gain by bringing back whole patches. If the emptied image already has a high score \
               for the class, every map has a high value.",
    better: Some(Better::Higher),
    range: [f64::NEG_INFINITY, f64::INFINITY],
    limit: None,
    compute: Compute::Network(insertion),
};

fn insertion(map: &Evidence, network: &mut Network<'_>) -> Measured {
    let order = match descending(map) {
        Ok(order) => order,
        Err(undefined) => return Ok(Err(undefined)),
    };
    let counts = counts(order.len(), network.protocol.steps);
    let removed = |point: usize| mask(order.len(), &order[counts[point]..]);
    let baseline = network.protocol.baseline;
    let scores = scores_without(network, baseline, counts.len() - 1, removed)?;
    let whole = network.whole.on(network.protocol.scale);
    Ok(scores.map(|scores| {
        let scores = [scores, vec![whole]].concat();
        network.memory.insert(INSERTION.name, Ok(points(&counts, &scores)));
        area(&counts, &scores)
    }))
}
