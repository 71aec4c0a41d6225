//! The change of a map under JPEG compression.

use super::noisy::{distance, norm};
use crate::{Better, Compute, Evidence, Group, Measure, Measured, Network, Undefined};

/// The quality of JPEG, of 100, at which [`Network::compressed`] is stored.
pub const JPEG_QUALITY: u8 = 75;

pub(super) static JPEG_SENSITIVITY: Measure = Measure {
    name: "jpeg-sensitivity",
    title: "Sensitivity to JPEG",
    group: Group::Robustness,
    question: "Does the map stay when the picture is stored as JPEG, as cameras and e-mail do?",
    formula: "||M - M'|| / ||M|| of the map M' of the picture stored as JPEG of quality 75 at the \
              network's size",
    source: "Burncam's own; on compression and networks: Dodge, Karam, Understanding How Image \
             Quality Affects Deep Neural Networks, 2016",
    url: "https://arxiv.org/abs/1604.04004",
    misleads: "Pictures that were stored as JPEG before change less than others, and a map that \
               ignores the image does not change at all.",
    better: Some(Better::Lower),
    range: [0.0, f64::INFINITY],
    limit: None,
    compute: Compute::Network(jpeg_sensitivity),
};

fn jpeg_sensitivity(map: &Evidence, network: &mut Network<'_>) -> Measured {
    let size = norm(&map.values);
    if size == 0.0 {
        return Ok(Err(Undefined::EmptyMap));
    }
    let mut maps = (network.explain)(network.compressed)?.into_iter();
    let other = maps.next().unwrap_or(Err(Undefined::Method));
    Ok(other.map(|other| distance(map, &other) / size))
}
