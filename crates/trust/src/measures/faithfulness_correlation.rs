//! Faithfulness correlation.

use crate::copies::{mask, scores_without};
use crate::correlation::pearson;
use crate::draws::subset;
use crate::order::varied;
use crate::{Better, Compute, Evidence, Group, Measure, Measured, Network, Undefined};
use burncam_evaluation::Random;

pub(super) static FAITHFULNESS_CORRELATION: Measure = Measure {
    name: "faithfulness-correlation",
    title: "Faithfulness correlation",
    group: Group::Faithfulness,
    question: "Does the score fall the more, the more of the map lies on the regions that are \
               taken away?",
    formula: "Pearson correlation of the map's sum over the removed cells with score(image) - \
              score(copy), over 100 seeded draws of 16 of the 81 cells of a 9 x 9 grid",
    source: "Bhatt, Weller, Moura, Evaluating and aggregating feature-based model explanations, \
             IJCAI 2020",
    url: "https://arxiv.org/abs/2005.00631",
    misleads: "It assumes that regions add up, which they do not where the network needs any one \
               of several. With 100 draws the value is known to about 0.1, and maps finer than the \
               grid are judged by their sums alone.",
    better: Some(Better::Higher),
    range: [-1.0, 1.0],
    limit: None,
    compute: Compute::Network(correlation),
};

/// Cells along each side of the grid.
const GRID: usize = 9;

/// Cells that are removed: 20 % of them.
const REMOVED: usize = GRID * GRID / 5;

const DRAWS: usize = 100;

fn correlation(map: &Evidence, network: &mut Network<'_>) -> Measured {
    if let Err(undefined) = varied(map) {
        return Ok(Err(undefined));
    }
    let mut random = Random::new(network.seed);
    let draws: Vec<Vec<usize>> =
        (0..DRAWS).map(|_| subset(&mut random, REMOVED, GRID * GRID)).collect();
    let [height, width] = map.size;
    let places = (0..map.values.len()).map(|place| (place / width, place % width));
    let cells: Vec<usize> =
        places.map(|(y, x)| y * GRID / height * GRID + x * GRID / width).collect();
    let removed = |draw: usize| {
        let drawn = mask(GRID * GRID, &draws[draw]);
        cells.iter().map(|&cell| drawn[cell]).collect()
    };
    let scores = network.shared("scores without drawn cells", |network| {
        scores_without(network, network.protocol.baseline, DRAWS, removed)
    });
    let scores = match scores? {
        Ok(scores) => scores,
        Err(undefined) => return Ok(Err(undefined)),
    };
    let mut mass = [0.0; GRID * GRID];
    cells.iter().zip(&map.values).for_each(|(&cell, &value)| mass[cell] += f64::from(value));
    let sums: Vec<f64> =
        draws.iter().map(|draw| draw.iter().map(|&cell| mass[cell]).sum()).collect();
    let whole = network.whole.on(network.protocol.scale);
    let drops: Vec<f64> = scores.iter().map(|score| whole - score).collect();
    if scores.iter().all(|&score| score == scores[0]) {
        return Ok(Err(Undefined::EqualScores));
    }
    Ok(pearson(&sums, &drops).ok_or(Undefined::ConstantMap))
}
