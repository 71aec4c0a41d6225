//! The map of another class, by structure.

use super::ssim::ssim;
use crate::{Better, Compute, Counterpart, Group, Measure};

pub(super) static OTHER_CLASS_SSIM: Measure = Measure {
    name: "other-class-ssim",
    title: "Other class, by structure",
    group: Group::Sanity,
    question: "Does the map of another class look like another map?",
    formula: "structural similarity of the raw map and that of the most likely of the other classes",
    source: "Sixt, Granz, Landgraf, When Explanations Lie, ICML 2020 (random logit)",
    url: "https://arxiv.org/abs/1912.09818",
    misleads: "Classes that are told apart by the same place may well share a map, and flat maps \
               are alike.",
    better: Some(Better::Lower),
    range: [-1.0, 1.0],
    limit: None,
    compute: Compute::Against(Counterpart::OtherClass, ssim),
};
