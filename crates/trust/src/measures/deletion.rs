//! Deletion.

use std::iter::once;

use crate::copies::{mask, scores_without};
use crate::curve::{area, counts, points};
use crate::order::descending;
use crate::{Better, Compute, Evidence, Group, Measure, Measured, Network};

pub(super) static DELETION: Measure = Measure {
    name: "deletion",
    title: "Deletion",
    group: Group::Faithfulness,
    question: "How fast does the network lose its score when the pixels that the map ranks highest \
               are taken away first?",
    formula: "area under score(share of pixels removed), the map's largest values first, in \
              steps of equal counts (20), by trapezoids; 0..1 for probabilities",
    source: "Petsiuk, Das, Saenko, BMVC 2018; steps and ties as in torch-cam",
    url: "https://arxiv.org/abs/1806.07421",
    misleads: "Images with holes are unlike anything the network was trained on, so a score may \
               fall because of the holes and not because of what is gone. A value says nothing by \
               itself: compare it with that of a random map of the same image.",
    better: Some(Better::Lower),
    range: [f64::NEG_INFINITY, f64::INFINITY],
    limit: None,
    compute: Compute::Network(deletion),
};

fn deletion(map: &Evidence, network: &mut Network<'_>) -> Measured {
    let order = match descending(map) {
        Ok(order) => order,
        Err(undefined) => return Ok(Err(undefined)),
    };
    let counts = counts(order.len(), network.protocol.steps);
    let removed = |point: usize| mask(order.len(), &order[..counts[point + 1]]);
    let baseline = network.protocol.baseline;
    let scores = scores_without(network, baseline, counts.len() - 1, removed)?;
    let whole = network.whole.on(network.protocol.scale);
    Ok(scores.map(|scores| {
        let scores: Vec<f64> = once(whole).chain(scores).collect();
        network.memory.insert(DELETION.name, Ok(points(&counts, &scores)));
        area(&counts, &scores)
    }))
}
