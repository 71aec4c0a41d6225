//! The region of a face in which a map is highest.

use crate::regions::{peak_region, region_shares};
use crate::{Compute, Group, Measure};

pub(super) static REGION_PEAK: Measure = Measure {
    name: "region-peak",
    title: "Peak by region",
    group: Group::Regions,
    question: "In which region of the face is the map highest?",
    formula: "for each region 1 if the map's largest value is in it, else 0; over images the share \
              of maps that are highest there; beside it the region's share of the picture",
    source: "Burncam's own; as the pointing game (Zhang et al., ECCV 2016), region by region",
    url: "https://arxiv.org/abs/1608.00507",
    misleads: "One pixel decides. Where a map has several places of nearly the same height, the \
               next network may well choose another.",
    better: None,
    range: [0.0, 1.0],
    limit: None,
    compute: Compute::Regions(|map, regions| {
        let peak = peak_region(map, regions)?;
        let shares = region_shares(map, regions)?;
        let is_peak = |name: &str| f64::from(u8::from(name == peak));
        Ok(shares.iter().map(|share| (is_peak(&share.name), share.area)).collect())
    }),
};
