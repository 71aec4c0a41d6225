//! Whether two models differ, by their results on the same folds.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// The corrected resampled t-test of two models over the folds that both have.
///
/// The training sets of folds overlap, so that differences between folds are not independent and
/// an ordinary t-test, or an analysis of variance over folds, finds differences too easily. The
/// correction adds the ratio of the sizes of test and training set to the variance: `t = mean(d) /
/// sqrt((1 / k + test / train) var(d))`, with `k - 1` degrees of freedom. Source: Nadeau, Bengio,
/// "Inference for the Generalization Error", Machine Learning 52, 2003, equation 15.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TTest {
    /// The number of folds.
    pub folds: usize,
    /// The mean of first less second.
    pub mean_difference: f64,
    /// The standard deviation of the differences, with `n - 1`.
    pub sd: f64,
    /// `test / train`.
    pub ratio: f64,
    /// The statistic; `None` where all differences are equal.
    pub t: Option<f64>,
    /// The probability, were there no difference, of a statistic at least as large, on both sides.
    pub p: Option<f64>,
}

/// Compares two models by a measure of each on each fold, in the same order; `ratio` is the size of
/// a test set over that of a training set.
///
/// `None` for fewer than two folds.
///
/// # Panics
///
/// If there are not as many values of one as of the other.
#[must_use]
pub fn corrected_t_test(first: &[f64], second: &[f64], ratio: f64) -> Option<TTest> {
    assert_eq!(first.len(), second.len(), "both models have a value for each fold");
    let folds = first.len();
    if folds < 2 {
        return None;
    }
    let differences: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
    let count = folds as f64;
    let mean = differences.iter().sum::<f64>() / count;
    let variance = variance(&differences, mean);
    let error = ((1.0 / count + ratio) * variance).sqrt();
    // Differences that are equal but for rounding have no spread to compare with.
    let spread = error > 1e-12 * mean.abs().max(1e-3);
    let t = spread.then(|| mean / error);
    let p = t.map(|t| two_sided(t, folds - 1));
    Some(TTest { folds, mean_difference: mean, sd: variance.sqrt(), ratio, t, p })
}

/// The variance of a sample of this mean, with `n - 1`.
pub(crate) fn variance(values: &[f64], mean: f64) -> f64 {
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    squares / (values.len() as f64 - 1.0)
}

/// The probability of a value of Student's distribution at least as far from 0 as `t`. Source:
/// Abramowitz, Stegun, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4.
pub(crate) fn two_sided(t: f64, freedom: usize) -> f64 {
    let angle = (t.abs() / (freedom as f64).sqrt()).atan();
    let (sin, cos) = angle.sin_cos();
    let odd = freedom % 2 == 1;
    let (mut term, mut sum) = (if odd { cos } else { 1.0 }, 0.0);
    for place in 1..=freedom / 2 {
        sum += term;
        let (above, below) =
            if odd { (2 * place, 2 * place + 1) } else { (2 * place - 1, 2 * place) };
        term *= cos * cos * above as f64 / below as f64;
    }
    let inside = if odd { 2.0 / PI * (angle + sin * sum) } else { sin * sum };
    (1.0 - inside).clamp(0.0, 1.0)
}

/// Holm's correction of several p-values, in their order: what each would have to be below for all
/// to hold together. Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure",
/// Scandinavian Journal of Statistics 6, 1979.
#[must_use]
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let (mut adjusted, mut least) = (vec![0.0; p.len()], 0.0_f64);
    for (place, &index) in order.iter().enumerate() {
        least = least.max((p[index] * (p.len() - place) as f64).min(1.0));
        adjusted[index] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_distribution() {
        // Where the distribution has a closed form: 1 and 2 degrees of freedom.
        for t in [0.0, 0.3, 1.0, 2.5, 12.0_f64] {
            let one = 1.0 - 2.0 / PI * t.atan();
            assert!((two_sided(t, 1) - one).abs() < 1e-15, "{t}");
            let two = 1.0 - t / (2.0 + t * t).sqrt();
            assert!((two_sided(-t, 2) - two).abs() < 1e-15, "{t}");
        }
        // Tabled: the 97.5 % points.
        for (freedom, t) in [
            (3, 3.182_446_305_284_263),
            (4, 2.776_445_105_197_799),
            (5, 2.570_581_835_636_305),
            (9, 2.262_157_162_740_992),
            (29, 2.045_229_642_132_703),
        ] {
            assert!((two_sided(t, freedom) - 0.05).abs() < 1e-9, "{freedom}");
        }
    }

    #[test]
    fn by_hand() {
        let test = corrected_t_test(&[3.0, 5.0, 7.0], &[1.0, 2.0, 3.0], 0.5).expect("folds");
        assert_eq!((test.folds, test.mean_difference, test.sd), (3, 3.0, 1.0));
        let t = 3.0 / (1.0_f64 / 3.0 + 0.5).sqrt();
        assert!((test.t.expect("t") - t).abs() < 1e-12);
        let p = 1.0 - t / (2.0 + t * t).sqrt();
        assert!((test.p.expect("p") - p).abs() < 1e-12);
    }

    #[test]
    fn one_fold_and_equal_differences_have_no_test() {
        assert_eq!(corrected_t_test(&[0.5], &[0.4], 0.1), None);
        let equal = corrected_t_test(&[0.5, 0.7], &[0.4, 0.6], 0.1).expect("two folds");
        assert_eq!((equal.t, equal.p), (None, None));
        assert!((equal.mean_difference - 0.1).abs() < 1e-12);
    }

    #[test]
    fn holms_correction() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        let expected = [0.03, 0.06, 0.06, 0.02];
        assert!(adjusted.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{adjusted:?}");
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert_eq!(holm(&[]), [0.0; 0]);
    }
}
