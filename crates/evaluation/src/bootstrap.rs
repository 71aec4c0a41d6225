//! Percentile intervals by resampling.
//!
//! Images of one subject are alike, so whole subjects are drawn, with all their images, where it is
//! known who is who. Source: Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, chapter
//! 13 (percentile interval); Field, Welsh, "Bootstrapping clustered data", JRSS B 69, 2007.

use serde::{Deserialize, Serialize};

use super::Random;
use super::sample::{MEASURES, Sample};

/// How often and how is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resampling {
    /// The number of samples that are drawn.
    pub resamples: usize,
    /// Where the generator begins; equal seeds give equal intervals.
    pub seed: u64,
    /// The share of the samples that lies inside the interval.
    pub level: f64,
}

impl Default for Resampling {
    fn default() -> Self {
        Self { resamples: 2000, seed: 1, level: 0.95 }
    }
}

/// The lower and upper end of the percentile interval of each measure. `units` has, for each image of
/// the sample, the number of the subject that it belongs to; where each image has a number of its
/// own, images are drawn.
///
/// `None` where there is but one unit, or where the measure is undefined in more than half of the
/// draws.
///
/// # Panics
///
/// If there is not one unit for each image.
#[must_use]
pub fn bootstrap_intervals(
    sample: &Sample,
    units: &[usize],
    how: &Resampling,
) -> [Option<[f64; 2]>; MEASURES.len()] {
    assert_eq!(units.len(), sample.len(), "one unit for each image");
    let mut known = units.to_vec();
    known.sort_unstable();
    known.dedup();
    if known.len() < 2 {
        return [None; MEASURES.len()];
    }
    let place = |unit| known.binary_search(unit).unwrap_or_default();
    let units: Vec<usize> = units.iter().map(place).collect();
    let mut generator = Random::new(how.seed);
    let mut found = vec![Vec::with_capacity(how.resamples); MEASURES.len()];
    let (mut drawn, mut weights) = (vec![0; known.len()], vec![0; units.len()]);
    for _ in 0..how.resamples {
        drawn.fill(0);
        for _ in 0..known.len() {
            drawn[generator.below(known.len())] += 1;
        }
        for (weight, &unit) in weights.iter_mut().zip(&units) {
            *weight = drawn[unit];
        }
        for (found, value) in found.iter_mut().zip(sample.weighted(&weights).values()) {
            found.extend(value);
        }
    }
    let mut found = found.into_iter();
    std::array::from_fn(|_| found.next().and_then(|values| interval(values, how)))
}

fn interval(mut values: Vec<f64>, how: &Resampling) -> Option<[f64; 2]> {
    if values.is_empty() || values.len() * 2 < how.resamples {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let tail = (1.0 - how.level) / 2.0;
    Some([tail, 1.0 - tail].map(|share| quantile(&values, share)))
}

/// The quantile of sorted values, linear between two of them: numpy's default.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::super::sample::tests::sample;
    use super::*;

    #[test]
    fn quantiles_are_linear() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.5), 2.0);
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), 3.0);
        assert_eq!(quantile(&[1.0], 0.3), 1.0);
    }

    #[test]
    fn equal_seeds_give_equal_intervals_and_others_do_not() {
        let cases: Vec<(usize, f32)> =
            (0..40).map(|i| (i % 2, ((i * 37) % 41) as f32 / 41.0)).collect();
        let (sample, units) = (sample(&cases, 0), (0..40).collect::<Vec<_>>());
        let one = |seed| {
            let how = Resampling { seed, ..Resampling::default() };
            bootstrap_intervals(&sample, &units, &how)
        };
        assert_eq!(one(1), one(1));
        assert_ne!(one(1), one(2));
        for (interval, value) in one(1).iter().zip(sample.scores().values()) {
            let ([low, high], value) = (interval.expect("an interval"), value.expect("a value"));
            assert!(low < high);
            // The calibration error of a resample is larger than that of the sample.
            assert!(low <= value, "{low} {value}");
        }
    }

    #[test]
    fn images_of_one_subject_say_less_than_as_many_subjects() {
        let cases: Vec<(usize, f32)> =
            (0..60).map(|i| (i % 2, if i / 6 % 2 == i % 2 { 0.9 } else { 0.2 })).collect();
        let sample = sample(&cases, 0);
        let width = |units: Vec<usize>| {
            let accuracy = bootstrap_intervals(&sample, &units, &Resampling::default())[0];
            accuracy.map(|[low, high]| high - low).expect("some")
        };
        let (images, subjects) =
            (width((0..60).collect()), width((0..60).map(|i| i / 6).collect()));
        assert!(images > 0.0 && subjects >= 0.0);
        assert_ne!(images, subjects);
    }

    #[test]
    fn one_unit_has_no_interval() {
        let one = sample(&[(0, 0.9), (1, 0.1)], 0);
        let found = bootstrap_intervals(&one, &[5, 5], &Resampling::default());
        assert_eq!(found, [None; MEASURES.len()]);
    }

    #[test]
    fn undefined_measures_have_none() {
        let one = sample(&[(0, 0.9), (0, 0.1), (0, 0.7)], 0);
        let found = bootstrap_intervals(&one, &[0, 1, 2], &Resampling::default());
        assert!(found[0].is_some() && found[3].is_none() && found[4].is_none());
    }
}
