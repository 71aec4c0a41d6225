//! The share of a map in each region of a face.

use crate::regions::region_shares;
use crate::{Compute, Group, Measure};

pub(super) static REGION_MASS: Measure = Measure {
    name: "region-mass",
    title: "Share of the map by region",
    group: Group::Regions,
    question: "Which regions of the face does the map lie on?",
    formula: "for each region the sum of the map's values in it / the sum of all; beside it the \
              region's share of the picture, which is what chance gives",
    source: "Burncam's own; as energy inside a mask (Wang et al., Score-CAM, CVPRW 2020), region by \
             region",
    url: "https://arxiv.org/abs/1910.01279",
    misleads: "Large regions have large shares: divide by the share of the picture. Coarse maps \
               spill over small regions such as the eyes into what is beside them.",
    better: None,
    range: [0.0, 1.0],
    limit: None,
    compute: Compute::Regions(|map, regions| {
        let shares = region_shares(map, regions)?;
        Ok(shares.into_iter().map(|share| (share.mass, share.area)).collect())
    }),
};
