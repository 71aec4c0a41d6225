//! Whether paired differences are above 0.

use serde::{Deserialize, Serialize};

use crate::compare::{two_sided, variance};

/// The mean of paired differences, and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedDifference {
    /// Pairs: one for each subject, or image.
    pub units: usize,
    /// The mean difference.
    pub mean: f64,
    /// Its interval by Student's distribution; `None` for a single pair.
    pub interval: Option<[f64; 2]>,
    /// The probability, were the mean 0 or below, of a mean at least as large; `None` for a single pair. Where all
    /// differences are equal it is that of all having this sign.
    pub p: Option<f64>,
}

/// The mean difference, with an interval that holds it in a share `level` of such samples.
///
/// `None` where there is no pair.
#[must_use]
pub fn paired_difference(differences: &[f64], level: f64) -> Option<PairedDifference> {
    let units = differences.len();
    if units == 0 {
        return None;
    }
    let mean = differences.iter().sum::<f64>() / units as f64;
    if units == 1 {
        return Some(PairedDifference { units, mean, interval: None, p: None });
    }
    let error = (variance(differences, mean) / units as f64).sqrt();
    if error <= 1e-12 * mean.abs().max(1e-3) {
        let p = if mean > 0.0 { 0.5_f64.powi(units.min(1000) as i32) } else { 1.0 };
        return Some(PairedDifference { units, mean, interval: Some([mean; 2]), p: Some(p) });
    }
    let (t, freedom) = (mean / error, units - 1);
    let both = two_sided(t, freedom);
    let p = if t > 0.0 { both / 2.0 } else { 1.0 - both / 2.0 };
    let reach = quantile(1.0 - level, freedom) * error;
    Some(PairedDifference { units, mean, interval: Some([mean - reach, mean + reach]), p: Some(p) })
}

/// The value of Student's distribution that is passed, on both sides, with this probability.
fn quantile(p: f64, freedom: usize) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while two_sided(high, freedom) > p && high < 1e9 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        match two_sided(middle, freedom) > p {
            true => low = middle,
            false => high = middle,
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As SciPy's `ttest_1samp([1, 2, 4, 0.5], 0, alternative="greater")` and its confidence interval.
    #[test]
    fn the_test_is_students() {
        let test = paired_difference(&[1.0, 2.0, 4.0, 0.5], 0.95).expect("pairs");
        assert_eq!((test.units, test.mean), (4, 1.875));
        let [low, high] = test.interval.expect("an interval");
        let expected = [-0.587_971_524_115_146_4, 4.337_971_524_115_146];
        let error = (low - expected[0]).abs().max((high - expected[1]).abs());
        assert!(error < 1e-9, "{low} {high}");
        assert!((test.p.expect("p") - 0.046_969_977_567_890_95).abs() < 1e-9, "{:?}", test.p);
    }

    #[test]
    fn students_points_are_those_of_tables() {
        for (freedom, t) in [(3, 3.182_446_305_284_263), (29, 2.045_229_642_132_703)] {
            assert!((quantile(0.05, freedom) - t).abs() < 1e-9, "{freedom}");
        }
    }

    #[test]
    fn equal_differences_count_by_their_sign() {
        let p = |values: &[f64]| paired_difference(values, 0.95).and_then(|test| test.p);
        assert_eq!(p(&[0.5; 6]), Some(1.0 / 64.0));
        assert_eq!(p(&[-0.5; 6]), Some(1.0));
        assert_eq!(p(&[0.5]), None);
        assert_eq!(paired_difference(&[], 0.95), None);
    }
}
