//! How sure each measure is, and by which method.

use serde::{Deserialize, Serialize};

use super::bootstrap::{Resampling, bootstrap_intervals};
use super::sample::{MEASURES, Sample};
use super::wilson::wilson_interval;

/// Of fewer subjects or images than this, draws say little.
pub const FEW: usize = 10;

/// Ends that are no further apart differ by rounding only.
const NO_WIDTH: f64 = 1e-9;

/// An interval around a measure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// How it is made.
    pub method: Method,
    /// How many subjects or images it rests on. A proportion's are those that have an image that the
    /// proportion counts.
    pub units: usize,
    /// What keeps it from being taken at its word; of Wilson's, why it is none of draws.
    pub remark: Option<Remark>,
}

/// How an interval is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Percentiles of draws with replacement.
    #[default]
    Bootstrap,
    /// Wilson's score interval of a proportion.
    Wilson,
}

/// What is to be known of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remark {
    /// All draws give the same value, as where every image is right. It does not mean that the value
    /// is certain.
    NoSpread,
    /// There are fewer than [`FEW`] subjects or images.
    FewUnits,
}

/// An interval for each of [`MEASURES`], in their order; `None` where a measure is not defined, or is
/// no proportion and rests on one unit.
pub type Intervals = [Option<Interval>; MEASURES.len()];

/// The intervals of all measures. `subjects` has, for each image of the sample, the number of the
/// subject that it shows; without, images are taken as independent.
///
/// A proportion has Wilson's interval where images are independent. Where subjects are known it has
/// the percentiles of draws of whole subjects; and where these draws do not vary, or fewer than
/// [`FEW`] subjects have an image that the proportion counts, Wilson's with the number of these
/// subjects in place of the number of images, as if all images of a subject said the same. All other
/// measures have the percentiles of draws. No interval is without width, or it has a remark.
///
/// # Panics
///
/// If there is not one subject for each image.
#[must_use]
pub fn intervals(sample: &Sample, subjects: Option<&[usize]>, how: &Resampling) -> Intervals {
    let images: Vec<usize> = (0..sample.len()).collect();
    let units = subjects.unwrap_or(&images);
    let draws = bootstrap_intervals(sample, units, how);
    let scores = sample.scores().values();
    std::array::from_fn(|at| {
        let drawn = || Some(from_draws(draws[at]?, distinct(units.iter().copied())));
        let Some(counted) = sample.counted_by(MEASURES[at]) else { return drawn() };
        let counted = units.iter().zip(counted).filter(|(_, counted)| *counted);
        let count = distinct(counted.map(|(&unit, _)| unit));
        let remark = match (subjects, draws[at]) {
            (None, _) => None,
            (Some(_), _) if count < FEW => Some(Remark::FewUnits),
            (Some(_), Some(ends)) if has_width(ends) => return drawn(),
            (Some(_), _) => Some(Remark::NoSpread),
        };
        let [low, high] = wilson_interval(scores[at]?, count, how.level)?;
        Some(Interval { low, high, method: Method::Wilson, units: count, remark })
    })
}

fn from_draws(ends: [f64; 2], units: usize) -> Interval {
    let remark = match has_width(ends) {
        false => Some(Remark::NoSpread),
        true => (units < FEW).then_some(Remark::FewUnits),
    };
    Interval { low: ends[0], high: ends[1], method: Method::Bootstrap, units, remark }
}

fn has_width([low, high]: [f64; 2]) -> bool {
    high - low > NO_WIDTH
}

fn distinct(units: impl Iterator<Item = usize>) -> usize {
    let mut units: Vec<usize> = units.collect();
    units.sort_unstable();
    units.dedup();
    units.len()
}

#[cfg(test)]
mod tests {
    use super::super::sample::tests::sample;
    use super::*;

    fn of(cases: &[(usize, f32)], subjects: Option<Vec<usize>>) -> [Option<Interval>; 8] {
        intervals(&sample(cases, 0), subjects.as_deref(), &Resampling::default())
    }

    /// Two classes in turn, each image right.
    fn all_right(images: usize) -> Vec<(usize, f32)> {
        (0..images).map(|image| (image % 2, [0.75, 0.25][image % 2])).collect()
    }

    #[test]
    fn no_interval_is_without_width_or_it_has_a_remark() {
        let one_wrong: Vec<_> = all_right(24).into_iter().chain([(0, 0.25)]).collect();
        let one_class: Vec<_> = (0..30).map(|_| (0, 0.75)).collect();
        for cases in [all_right(1), all_right(4), all_right(52), one_wrong, one_class] {
            let images = cases.len();
            let subjects = [1, 2, 9, 10, 1000].map(|many| (0..images).map(|i| i % many).collect());
            for subjects in subjects.into_iter().map(Some).chain([None]) {
                let found = of(&cases, subjects.clone());
                for (interval, measure) in found.iter().zip(MEASURES) {
                    let Some(one) = interval else { continue };
                    let what = format!("{measure} of {images} {subjects:?}: {one:?}");
                    assert!(one.high - one.low > 0.01 || one.remark.is_some(), "{what}");
                    assert!(one.method == Method::Bootstrap || one.high - one.low > 0.05, "{what}");
                }
                assert!(found[0].is_some(), "accuracy has one, of one image too");
            }
        }
    }

    #[test]
    fn proportions_of_independent_images_are_wilsons() {
        let found = of(&all_right(52), None);
        for (measure, units) in [(0, 52), (2, 26), (3, 26)] {
            let one = found[measure].expect("an interval");
            let [low, high] = wilson_interval(1.0, units, 0.95).expect("an interval");
            let expected = Interval { low, high, method: Method::Wilson, units, remark: None };
            assert_eq!(one, expected);
        }
        for measure in [1, 4, 5] {
            let one = found[measure].expect("an interval");
            assert_eq!((one.method, one.units), (Method::Bootstrap, 52));
            assert_eq!(one.remark, Some(Remark::NoSpread), "{}", MEASURES[measure]);
        }
    }

    #[test]
    fn few_subjects_and_draws_without_spread_have_wilsons_of_subjects() {
        let subjects = |many: usize| Some((0..52).map(|image| image / 2 % many).collect());
        let few = of(&all_right(52), subjects(9))[0].expect("an interval");
        assert_eq!((few.method, few.units), (Method::Wilson, 9));
        assert_eq!(few.remark, Some(Remark::FewUnits));
        assert_eq!(Some([few.low, few.high]), wilson_interval(1.0, 9, 0.95));
        let still = of(&all_right(52), subjects(13))[0].expect("an interval");
        assert_eq!((still.method, still.units), (Method::Wilson, 13));
        assert_eq!(still.remark, Some(Remark::NoSpread));
        let mut some_wrong = all_right(52);
        (some_wrong[3].1, some_wrong[20].1) = (0.75, 0.25);
        let drawn = of(&some_wrong, subjects(13))[0].expect("an interval");
        assert_eq!((drawn.method, drawn.units, drawn.remark), (Method::Bootstrap, 13, None));
    }

    #[test]
    fn a_proportion_rests_on_the_subjects_that_it_counts() {
        // 20 subjects; 4 of them have images of class 0.
        let cases: Vec<_> = (0..40).map(|i| (usize::from(i / 2 >= 4), 0.75)).collect();
        let found = of(&cases, Some((0..40).map(|image| image / 2).collect()));
        let [accuracy, sensitivity, specificity] = [0, 2, 3].map(|at| found[at].expect("one"));
        assert_eq!((accuracy.method, accuracy.units), (Method::Bootstrap, 20));
        assert_eq!((sensitivity.method, sensitivity.units), (Method::Wilson, 4));
        assert_eq!(sensitivity.remark, Some(Remark::FewUnits));
        assert_eq!((specificity.units, specificity.remark), (16, Some(Remark::NoSpread)));
    }
}
