//! Pearson's correlation.

/// Pearson's correlation of two series of one length, in -1..=1. `None` where one of them has but
/// one value.
pub(crate) fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    if [a, b].iter().any(|series| series.windows(2).all(|pair| pair[0] == pair[1])) {
        return None;
    }
    let mean = |series: &[f64]| series.iter().sum::<f64>() / series.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let [mut product, mut square_a, mut square_b] = [0.0; 3];
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        product += a * b;
        square_a += a * a;
        square_b += b * b;
    }
    let spread = (square_a * square_b).sqrt();
    (spread > 0.0).then(|| (product / spread).clamp(-1.0, 1.0))
}
