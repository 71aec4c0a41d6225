//! The intersection over union of a map's highest places and a mask.

use super::hypergeometric::expectation;
use super::masked::{highest, places};
use crate::{Better, Compute, Evidence, Group, Measure, WithChance};

pub(super) static IOU: Measure = Measure {
    name: "iou",
    title: "Intersection over union",
    group: Group::GroundTruth,
    question: "How far are the map's highest places, as many as the mask has, and the mask the same \
               region?",
    formula: "|top ∩ mask| / |top ∪ mask|, where top are the |mask| highest places; of equal values \
              at its end each is as likely to be in, and the mean is taken. By chance: the mean of \
              h / (2 |mask| - h) over the hypergeometric overlap h",
    source: "Jaccard, The Distribution of the Flora in the Alpine Zone, New Phytologist 1912; of \
             as many places as the mask has, so no threshold is to be chosen",
    url: "https://doi.org/10.1111/j.1469-8137.1912.tb05611.x",
    misleads: "It is rank-accuracy on another scale, where half the places right is 0.33 and not \
               0.5. Coarse maps cannot follow the outline of a mask.",
    better: Some(Better::Higher),
    range: [0.0, 1.0],
    limit: None,
    compute: Compute::Mask(iou),
};

fn iou(map: &Evidence, mask: &[bool]) -> WithChance {
    let places = places(map, mask)?;
    let top = highest(map, mask, places);
    let ratio = |inside: usize| inside as f64 / (2 * places - inside) as f64;
    let value =
        expectation(top.equal, top.equal_inside, top.taken, |equal| ratio(top.sure + equal));
    Ok((value, expectation(mask.len(), places, places, ratio)))
}
