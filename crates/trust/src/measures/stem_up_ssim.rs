//! Cascading randomisation from the stem up, by structure.

use super::ssim::ssim;
use crate::{Better, Compute, Counterpart, Group, Measure};

pub(super) static STEM_UP_SSIM: Measure = Measure {
    name: "stem-up-ssim",
    title: "Randomised from the stem, by structure",
    group: Group::Sanity,
    question: "Does the map still look the same when the network forgets, layer after layer from \
               its beginning, what it has learned?",
    formula: "structural similarity of the raw map and that of the network whose first layers are \
              untrained, mean over at most 8 steps to the untrained network and 3 draws of its \
              weights",
    source: "Hedström et al., Sanity Checks Revisited, 2024, after Adebayo et al., NeurIPS 2018",
    url: "https://arxiv.org/abs/2401.06465",
    misleads: "As the same from the head: a negative has a low value, and two maps that are flat \
               nearly everywhere are alike.",
    better: Some(Better::Lower),
    range: [-1.0, 1.0],
    limit: None,
    compute: Compute::Against(Counterpart::StemUp, ssim),
};
