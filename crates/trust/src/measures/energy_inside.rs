//! The share of a map's energy inside a mask.

use super::masked::places;
use crate::{Better, Compute, Evidence, Group, Measure, Undefined, WithChance};

pub(super) static ENERGY_INSIDE: Measure = Measure {
    name: "energy-inside",
    title: "Energy inside",
    group: Group::GroundTruth,
    question: "How much of what speaks for the class lies where it should?",
    formula: "sum of the positive values in the mask / sum of all positive values. By chance: \
              places in the mask / all places",
    source: "Wang et al., Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural \
             Networks, CVPR Workshops 2020 (energy-based pointing game)",
    url: "https://arxiv.org/abs/1910.01279",
    misleads: "Large masks are easy: read it beside its chance. Coarse maps spill over the edges \
               of small masks however right they are.",
    better: Some(Better::Higher),
    range: [0.0, 1.0],
    limit: None,
    compute: Compute::Mask(energy_inside),
};

fn energy_inside(map: &Evidence, mask: &[bool]) -> WithChance {
    let places = places(map, mask)?;
    let (mut inside, mut outside) = (0.0, 0.0);
    for (&value, &is_inside) in map.values.iter().zip(mask) {
        let sum = if is_inside { &mut inside } else { &mut outside };
        *sum += f64::from(value.max(0.0));
    }
    if inside + outside == 0.0 {
        return Err(Undefined::EmptyMap);
    }
    Ok((inside / (inside + outside), places as f64 / mask.len() as f64))
}
