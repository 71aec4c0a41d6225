//! The share of the highest places that lie inside a mask.

use super::masked::{highest, places};
use crate::{Better, Compute, Evidence, Group, Measure, WithChance};

pub(super) static RANK_ACCURACY: Measure = Measure {
    name: "rank-accuracy",
    title: "Rank accuracy",
    group: Group::GroundTruth,
    question: "Of the places that the map puts first, as many as the mask has, how many lie in the \
               mask?",
    formula: "|top ∩ mask| / |mask|, where top are the |mask| highest places; of equal values at \
              its end each is as likely to be in, and the mean is taken. By chance: |mask| / n",
    source: "Arras, Osman, Samek, CLEVR-XAI: A Benchmark Dataset for the Ground Truth Evaluation \
             of Neural Network Explanations, Information Fusion 2022 (relevance rank accuracy)",
    url: "https://arxiv.org/abs/2003.07258",
    misleads: "Only the order counts: a map that hardly differs from place to place may score 1. \
               Where most of the map is 0 and the mask is large, places that the map says nothing \
               of fill the rest at chance.",
    better: Some(Better::Higher),
    range: [0.0, 1.0],
    limit: None,
    compute: Compute::Mask(rank_accuracy),
};

fn rank_accuracy(map: &Evidence, mask: &[bool]) -> WithChance {
    let places = places(map, mask)?;
    let top = highest(map, mask, places);
    let equal = top.taken as f64 * top.equal_inside as f64 / top.equal as f64;
    let inside = top.sure as f64 + equal;
    Ok((inside / places as f64, places as f64 / mask.len() as f64))
}
