//! ROAD, most relevant first.

use super::road::{End, mean_score};
use crate::{Better, Compute, Evidence, Group, Measure, Measured, Network};

pub(super) static ROAD_MOST: Measure = Measure {
    name: "road-most",
    title: "ROAD, most relevant first",
    group: Group::Faithfulness,
    question: "What is left of the score when the pixels that the map ranks highest are painted \
               over from their surroundings?",
    formula: "mean score with the most relevant p % removed, p = 10, 20 .. 90; removed pixels are \
              filled in from their neighbours, with little noise; 0..1 for probabilities",
    source: "Rong, Leemann, Borisov, Kasneci, Kasneci, ROAD, ICML 2022",
    url: "https://arxiv.org/abs/2202.00449",
    misleads: "A network that gives up its score for any change has a low value with every map: \
               read it beside the value of the least relevant first. Filled-in regions can still \
               hint at what was there.",
    better: Some(Better::Lower),
    range: [f64::NEG_INFINITY, f64::INFINITY],
    limit: None,
    compute: Compute::Network(road_most),
};

fn road_most(map: &Evidence, network: &mut Network<'_>) -> Measured {
    mean_score(map, network, End::Most)
}
