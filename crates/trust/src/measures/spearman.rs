//! Spearman's rank correlation of two maps.

use crate::order::varied;
use crate::{Better, Compute, Evidence, Group, Measure, Undefined};

pub(super) static SPEARMAN: Measure = Measure {
    name: "spearman",
    title: "Rank correlation",
    group: Group::Agreement,
    question: "Do two maps put the places in the same order?",
    formula: "the correlation of the ranks of both maps' values; equal values share their mean rank",
    source: "Spearman, The Proof and Measurement of Association between Two Things, 1904; for \
             maps: Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018",
    url: "https://arxiv.org/abs/1810.03292",
    misleads: "Every place counts the same, so the many places of the background decide. Two \
               smooth maps with a high middle correlate whatever network they are of.",
    better: Some(Better::Higher),
    range: [-1.0, 1.0],
    limit: None,
    compute: Compute::Pair(spearman),
};

pub(super) fn spearman(a: &Evidence, b: &Evidence) -> Result<f64, Undefined> {
    [a, b].into_iter().try_for_each(varied)?;
    burncam_evaluation::spearman(&a.values, &b.values).ok_or(Undefined::ConstantMap)
}
