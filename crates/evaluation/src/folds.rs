//! How a measure varies over folds.

use serde::{Deserialize, Serialize};

/// Mean and standard deviation of a measure over the folds where it is defined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MeanSd {
    /// The number of these folds.
    pub folds: usize,
    /// The mean.
    pub mean: Option<f64>,
    /// The standard deviation with `n - 1`; `None` for fewer than two folds.
    pub sd: Option<f64>,
}

impl MeanSd {
    /// Of the values that are there.
    #[must_use]
    pub fn compute(values: impl IntoIterator<Item = Option<f64>>) -> Self {
        let values: Vec<f64> = values.into_iter().flatten().collect();
        let folds = values.len();
        if folds == 0 {
            return Self::default();
        }
        let mean = values.iter().sum::<f64>() / folds as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let sd = (folds > 1).then(|| (squares / (folds - 1) as f64).sqrt());
        Self { folds, mean: Some(mean), sd }
    }
}

#[cfg(test)]
mod tests {
    use super::MeanSd;

    #[test]
    fn by_hand() {
        let three = MeanSd::compute([Some(1.0), None, Some(2.0), Some(6.0)]);
        assert_eq!(three, MeanSd { folds: 3, mean: Some(3.0), sd: Some(7.0_f64.sqrt()) });
        assert_eq!(MeanSd::compute([Some(0.5)]), MeanSd { folds: 1, mean: Some(0.5), sd: None });
        assert_eq!(MeanSd::compute([None]), MeanSd::default());
    }
}
