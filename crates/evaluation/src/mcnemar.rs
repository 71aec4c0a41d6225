//! Whether two classifiers are right on the same images.

/// The exact two-sided p of `McNemar`'s test: of the cases that only one of two classifiers got right, how
/// likely a split as uneven as this is if each is as likely to be the one. `None` where there is no such case.
///
/// Cases must be independent. Source: `McNemar`, Psychometrika 12, 1947; the binomial form is in Fagerland, Lydersen,
/// Laake, BMC Medical Research Methodology 13:91, 2013.
#[must_use]
pub fn mcnemar(first_only: usize, second_only: usize) -> Option<f64> {
    let all = first_only + second_only;
    if all == 0 {
        return None;
    }
    let fewer = first_only.min(second_only);
    let places = 1..=fewer;
    // The logarithm of the probability of `fewer` of all; those of still fewer follow by ratios.
    let log: f64 = places.map(|k| ((all - fewer + k) as f64 / k as f64).ln()).sum::<f64>()
        - all as f64 * std::f64::consts::LN_2;
    let (mut term, mut sum) = (1.0, 0.0);
    for k in (0..=fewer).rev() {
        sum += term;
        term *= k as f64 / (all - k + 1) as f64;
        if term < f64::EPSILON * sum {
            break;
        }
    }
    Some((2.0 * (log + f64::ln(sum)).exp()).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::mcnemar;

    /// `scipy.stats.binomtest(min(b, c), b + c).pvalue`.
    #[test]
    fn as_the_binomial_test() {
        for (first, second, wanted) in [
            (1, 1, 1.0),
            (0, 5, 0.0625),
            (2, 10, 0.038_574_218_75),
            (12, 3, 0.035_156_25),
            (10, 30, 0.002_221_433_773_229_364_3),
        ] {
            let p = mcnemar(first, second).expect("cases");
            assert!((p - wanted).abs() < 1e-12, "{first} {second}: {p}");
            assert_eq!(mcnemar(second, first), Some(p));
        }
        assert_eq!(mcnemar(0, 0), None);
        let many = mcnemar(25_000, 24_000).expect("cases");
        assert!((6e-6..7e-6).contains(&many), "{many}");
        assert_eq!(mcnemar(0, 50_000), Some(0.0));
    }
}
