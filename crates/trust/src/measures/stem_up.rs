//! Cascading randomisation from the stem up, by rank.

use super::spearman::spearman;
use crate::{Better, Compute, Counterpart, Group, Measure};

pub(super) static STEM_UP: Measure = Measure {
    name: "stem-up",
    title: "Randomised from the stem",
    group: Group::Sanity,
    question: "Does the map change when the network forgets, layer after layer from its beginning, \
               what it has learned?",
    formula: "rank correlation of the raw map and that of the network whose first layers are \
              untrained, mean over at most 8 steps to the untrained network and 3 draws of its \
              weights",
    source: "Hedström et al., Sanity Checks Revisited, 2024, after Adebayo et al., NeurIPS 2018",
    url: "https://arxiv.org/abs/2401.06465",
    misleads: "The first untrained layer already takes all sense from what follows, so the curve \
               falls at once for most methods and says little about the later layers.",
    better: Some(Better::Lower),
    range: [-1.0, 1.0],
    limit: None,
    compute: Compute::Against(Counterpart::StemUp, spearman),
};
