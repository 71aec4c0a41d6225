//! ROAD, least relevant first.

use super::road::{End, mean_score};
use crate::{Better, Compute, Evidence, Group, Measure, Measured, Network};

pub(super) static ROAD_LEAST: Measure = Measure {
    name: "road-least",
    title: "ROAD, least relevant first",
    group: Group::Faithfulness,
    question: "Does the score hold when the pixels that the map ranks lowest are painted over from \
               their surroundings?",
    formula: "mean score with the least relevant p % removed, p = 10, 20 .. 90; removed pixels are \
              filled in from their neighbours, with little noise; 0..1 for probabilities",
    source: "Rong, Leemann, Borisov, Kasneci, Kasneci, ROAD, ICML 2022",
    url: "https://arxiv.org/abs/2202.00449",
    misleads: "A network that keeps its score whatever is removed has a high value with every map: \
               read it beside the value of the most relevant first. Where many values of a map are \
               equal, such as 0, a fixed order from the bottom right decides which of them go \
               first.",
    better: Some(Better::Higher),
    range: [f64::NEG_INFINITY, f64::INFINITY],
    limit: None,
    compute: Compute::Network(road_least),
};

fn road_least(map: &Evidence, network: &mut Network<'_>) -> Measured {
    mean_score(map, network, End::Least)
}
