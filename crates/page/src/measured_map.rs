//! What a run has measured of a map, in the numbers that the page shows.

use crate::document::MeasuredMap;
use burncam_record::Measurement;
use burncam_trust::{Group, find};

const SHARES: &str = "region-mass";
const PEAK: &str = "region-peak";

/// What was measured of the map of an explanation itself, controls left out; `None` if nothing was.
pub(super) fn measured_map(
    measurements: &[Measurement],
    explanation: &str,
) -> Option<Box<MeasuredMap>> {
    let mut measured = MeasuredMap::default();
    let own = |one: &&Measurement| one.explanation == explanation && one.control.is_empty();
    for one in measurements.iter().filter(own) {
        let Some(value) = one.value else { continue };
        let region = || one.condition.clone();
        match one.measure.as_str() {
            SHARES => {
                let shares = [value, one.chance.unwrap_or_default()].map(rounded);
                measured.regions.insert(region(), shares);
            }
            PEAK if value > 0.0 => measured.peak_region = Some(region()),
            measure if one.condition.is_empty() && has_order(measure) => {
                measured.measures.insert(measure.to_owned(), value as f32);
            }
            _ => {}
        }
    }
    (measured.is_finite() && measured != MeasuredMap::default()).then(|| Box::new(measured))
}

/// Whether maps can be put in order by a measure: it is of one map and says which values are better.
pub(super) fn has_order(measure: &str) -> bool {
    find(measure).is_some_and(|measure| {
        measure.better.is_some() && !matches!(measure.group, Group::Regions | Group::Agreement)
    })
}

/// A share to the hundredth of a percent.
fn rounded(share: f64) -> f32 {
    ((share * 1e4).round() / 1e4) as f32
}

impl MeasuredMap {
    /// Whether all of its numbers are numbers.
    pub(super) fn is_finite(&self) -> bool {
        let shares = self.regions.values().flatten();
        self.measures.values().chain(shares).all(|value| value.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measurement(measure: &str, condition: &str, value: f64) -> Measurement {
        Measurement {
            explanation: "GradCAM".to_owned(),
            control: String::new(),
            measure: measure.to_owned(),
            condition: condition.to_owned(),
            value: Some(value),
            chance: Some(0.125),
            undefined: String::new(),
            curve: Vec::new(),
        }
    }

    #[test]
    fn it_has_what_is_of_the_map_itself() {
        let control =
            Measurement { control: "random".to_owned(), ..measurement("insertion", "", 0.9) };
        let other = Measurement {
            explanation: "GradCAM ~ LayerCAM".to_owned(),
            ..measurement("spearman", "", 0.9)
        };
        let undefined = Measurement { value: None, ..measurement("iou", "", 0.0) };
        let all = [
            measurement("deletion", "", 0.25),
            measurement("deletion", "blur", 0.5),
            measurement("region-mass", "eyes", 0.123_456),
            measurement("region-mass", "mouth", 0.5),
            measurement("region-peak", "eyes", 0.0),
            measurement("region-peak", "mouth", 1.0),
            measurement("a measure of another version", "", 0.5),
            control,
            other,
            undefined,
        ];
        let found = measured_map(&all, "GradCAM").expect("values");
        assert_eq!(found.measures, [("deletion".to_owned(), 0.25)].into());
        let shares = [("eyes".to_owned(), [0.1235, 0.125]), ("mouth".to_owned(), [0.5, 0.125])];
        assert_eq!(found.regions, shares.into());
        assert_eq!(found.peak_region.as_deref(), Some("mouth"));
        assert_eq!(measured_map(&all, "LayerCAM"), None);
        assert_eq!(measured_map(&[], "GradCAM"), None);
    }
}
