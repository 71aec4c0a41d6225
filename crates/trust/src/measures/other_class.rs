//! The map of another class, by rank.

use super::spearman::spearman;
use crate::{Better, Compute, Counterpart, Group, Measure};

pub(super) static OTHER_CLASS: Measure = Measure {
    name: "other-class",
    title: "Other class",
    group: Group::Sanity,
    question: "Is the map of another class another map?",
    formula: "rank correlation of the raw map and that of the most likely of the other classes",
    source: "Sixt, Granz, Landgraf, When Explanations Lie, ICML 2020 (random logit); by rank as \
             Adebayo et al., NeurIPS 2018",
    url: "https://arxiv.org/abs/1912.09818",
    misleads: "Of two classes with one neuron one map is the negative of the other, and the value \
               -1 for every method that keeps signs, whatever it shows. Methods that show sizes \
               cannot tell two such classes apart.",
    better: Some(Better::Lower),
    range: [-1.0, 1.0],
    limit: Some(0.5),
    compute: Compute::Against(Counterpart::OtherClass, spearman),
};
