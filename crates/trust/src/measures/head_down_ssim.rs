//! Cascading randomisation from the head down, by structure.

use super::ssim::ssim;
use crate::{Better, Compute, Counterpart, Group, Measure};

pub(super) static HEAD_DOWN_SSIM: Measure = Measure {
    name: "head-down-ssim",
    title: "Randomised from the head, by structure",
    group: Group::Sanity,
    question: "Does the map still look the same when the network forgets, layer after layer from \
               its end, what it has learned?",
    formula: "structural similarity of the raw map and that of the network whose last layers are \
              untrained, mean over at most 8 steps to the untrained network and 3 draws of its \
              weights",
    source: "Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018",
    url: "https://arxiv.org/abs/1810.03292",
    misleads: "A map turned into its negative has a low value though nothing was forgotten, and \
               two maps that are flat nearly everywhere are alike.",
    better: Some(Better::Lower),
    range: [-1.0, 1.0],
    limit: None,
    compute: Compute::Against(Counterpart::HeadDown, ssim),
};
