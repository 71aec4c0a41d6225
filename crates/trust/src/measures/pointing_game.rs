//! The pointing game.

use super::masked::places;
use crate::{Better, Compute, Evidence, Group, Measure, WithChance};

pub(super) static POINTING_GAME: Measure = Measure {
    name: "pointing-game",
    title: "Pointing game",
    group: Group::GroundTruth,
    question: "Does the map's highest point lie where an expert would point?",
    formula: "highest places in the mask / highest places: 1 or 0 unless several share the largest \
              value. By chance: places in the mask / all places",
    source: "Zhang et al., Top-Down Neural Attention by Excitation Backprop, IJCV 2018",
    url: "https://arxiv.org/abs/1608.00507",
    misleads: "One place decides, and the rest of the map may lie anywhere. Where the mask is in \
               the middle of most pictures, a map that always points to the middle wins: compare \
               with the control centred-gaussian.",
    better: Some(Better::Higher),
    range: [0.0, 1.0],
    limit: None,
    compute: Compute::Mask(pointing_game),
};

fn pointing_game(map: &Evidence, mask: &[bool]) -> WithChance {
    let places = places(map, mask)?;
    let largest = map.values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let highest = || map.values.iter().zip(mask).filter(|&(&value, _)| value == largest);
    let inside = highest().filter(|&(_, &inside)| inside).count();
    Ok((inside as f64 / highest().count() as f64, places as f64 / mask.len() as f64))
}
