//! Cascading randomisation from the head down, by rank.

use super::spearman::spearman;
use crate::{Better, Compute, Counterpart, Group, Measure};

pub(super) static HEAD_DOWN: Measure = Measure {
    name: "head-down",
    title: "Randomised from the head",
    group: Group::Sanity,
    question: "Does the map change when the network forgets, layer after layer from its end, what \
               it has learned?",
    formula: "rank correlation of the raw map and that of the network whose last layers are \
              untrained, mean over at most 8 steps to the untrained network and 3 draws of its \
              weights",
    source: "Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018",
    url: "https://arxiv.org/abs/1810.03292",
    misleads: "Activations of trained layers before the untrained ones still show the image, so \
               part of a map may stay for good reasons; maps that are nearly noise change most. A \
               low value says that the map depends on the network, and not that it is right.",
    better: Some(Better::Lower),
    range: [-1.0, 1.0],
    limit: Some(0.5),
    compute: Compute::Against(Counterpart::HeadDown, spearman),
};
