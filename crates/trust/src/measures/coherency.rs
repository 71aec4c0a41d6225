//! Coherency.

use crate::correlation::pearson;
use crate::order::varied;
use crate::shown::shown_image;
use crate::{Better, Compute, Evidence, Group, Measure, Measured, Network, Undefined};

pub(super) static COHERENCY: Measure = Measure {
    name: "coherency",
    title: "Coherency",
    group: Group::Robustness,
    question: "Does the map stay the same when it is computed again of only what it shows of the \
               image?",
    formula: "(Pearson correlation of the map of x' with the map of x + 1) / 2; x': the image x \
              times its map, which is divided by its largest value; the rest of each pixel is the \
              baseline's",
    source: "Poppi, Cornia, Baraldi, Cucchiara, ADCC, CVPR Workshops 2021",
    url: "https://arxiv.org/abs/2104.10252",
    misleads: "A method that always shows the same region, whatever the image or the network, is \
               perfectly coherent. It is 0.5 where the two maps have nothing in common.",
    better: Some(Better::Higher),
    range: [0.0, 1.0],
    limit: None,
    compute: Compute::Network(coherency),
};

fn coherency(map: &Evidence, network: &mut Network<'_>) -> Measured {
    match shown_image(map, network) {
        Ok(shown) => agreement(map, &shown, network),
        Err(undefined) => Ok(Err(undefined)),
    }
}

/// How far the map agrees with that of the image that it shows.
pub(super) fn agreement(map: &Evidence, shown: &[f32], network: &mut Network<'_>) -> Measured {
    if let Err(undefined) = varied(map) {
        return Ok(Err(undefined));
    }
    let again = match (network.explain)(shown)?.swap_remove(0) {
        Ok(again) => again,
        Err(undefined) => return Ok(Err(undefined)),
    };
    if let Err(undefined) = varied(&again) {
        return Ok(Err(undefined));
    }
    assert_eq!(map.size, again.size, "maps of one size");
    let [map, again] =
        [map, &again].map(|map| map.values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>());
    Ok(pearson(&map, &again).map(|r| (r + 1.0) / 2.0).ok_or(Undefined::ConstantMap))
}
