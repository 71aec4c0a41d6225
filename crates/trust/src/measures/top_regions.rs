//! How far the densest regions of two maps are the same.

use crate::regions::{BACKGROUND, RegionShare, Regions, region_shares, top_regions_agreement};
use crate::{Better, Compute, Evidence, Group, Measure, Undefined, WithChance};

pub(super) static TOP_REGIONS: Measure = Measure {
    name: "top-regions",
    title: "Top three regions",
    group: Group::Agreement,
    question: "Do two maps agree on the three regions of the face that matter most?",
    formula: "of the three regions with the most of the map for their area, the share that both \
              maps have; the background is none of them",
    source: "as in Comparative and Functional Evaluation of XAI Methods for Neonatal Pain \
             Recognition Models, a notebook of AI-Assessment-of-Pain-in-Newborns, 2025",
    url: "https://github.com/darkrubiks/AI-Assessment-of-Pain-in-Newborns",
    misleads: "Small regions get high densities from few pixels, and with few regions two maps agree \
               on most of three by chance.",
    better: Some(Better::Higher),
    range: [0.0, 1.0],
    limit: None,
    compute: Compute::RegionPair(top_regions),
};

const TOP: usize = 3;

fn top_regions(a: &Evidence, b: &Evidence, regions: &Regions) -> WithChance {
    let [a, b] = [face_shares(a, regions)?, face_shares(b, regions)?];
    let agreement = top_regions_agreement(&a, &b, TOP).ok_or(Undefined::FewRegions)?;
    let regions = a.iter().filter(|share| share.density.is_some()).count();
    Ok((agreement, TOP as f64 / regions as f64))
}

fn face_shares(map: &Evidence, regions: &Regions) -> Result<Vec<RegionShare>, Undefined> {
    let mut shares = region_shares(map, regions)?;
    shares.retain(|share| share.name != BACKGROUND);
    Ok(shares)
}
