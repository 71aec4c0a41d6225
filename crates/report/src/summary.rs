//! How often the predictions were right.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Outcome, Prediction};

/// The count of images and of outcomes in one fold, or in all of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FoldScore {
    /// The fold's name.
    pub fold: String,
    /// Images, failed ones included.
    pub images: usize,
    /// Images without a prediction.
    pub failed: usize,
    /// Images whose predicted class is the true one.
    pub right: usize,
    /// Images whose predicted class is another one.
    pub wrong: usize,
    /// Images whose true class is not known.
    pub unknown: usize,
    /// `right / (right + wrong)`, in 0..=1; nothing where both are 0.
    pub accuracy: Option<f64>,
}

impl FoldScore {
    fn add(&mut self, prediction: &Prediction) {
        self.images += 1;
        match prediction.outcome() {
            Some(Outcome::Right) => self.right += 1,
            Some(Outcome::Wrong) => self.wrong += 1,
            Some(Outcome::Unknown) => self.unknown += 1,
            None => self.failed += 1,
        }
        let judged = self.right + self.wrong;
        self.accuracy = (judged > 0).then(|| self.right as f64 / judged as f64);
    }
}

/// The scores of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// One score a fold, sorted by the fold's name.
    pub folds: Vec<FoldScore>,
    /// All images together, under the name `All`.
    pub total: FoldScore,
    /// How many maps have each status.
    pub by_status: BTreeMap<String, usize>,
}

impl Summary {
    /// Counts `predictions`.
    #[must_use]
    pub fn of(predictions: &[Prediction]) -> Self {
        let mut folds: BTreeMap<&str, FoldScore> = BTreeMap::new();
        let mut total = FoldScore { fold: "All".to_owned(), ..FoldScore::default() };
        let mut by_status = BTreeMap::new();
        for prediction in predictions {
            let empty = || FoldScore { fold: prediction.fold.clone(), ..FoldScore::default() };
            folds.entry(&prediction.fold).or_insert_with(empty).add(prediction);
            total.add(prediction);
            if let Some(explained) = &prediction.explained {
                *by_status.entry(explained.map.status.clone()).or_default() += 1;
            }
        }
        Self { folds: folds.into_values().collect(), total, by_status }
    }
}

#[cfg(test)]
mod tests {
    use super::Summary;
    use crate::predictions::tests::{failure, prediction};

    #[test]
    fn folds_and_total_are_counted() {
        let rows = [
            prediction("Fold1/a.png", Some("Pain")),
            prediction("Fold0/a.png", Some("No_pain")),
            prediction("Fold1/b.png", Some("No_pain")),
            prediction("Fold1/c.png", None),
            failure("Fold2/d.png"),
        ];
        let summary = Summary::of(&rows);
        let counts: Vec<_> = summary
            .folds
            .iter()
            .map(|f| (f.fold.as_str(), f.images, f.failed, f.right, f.wrong, f.unknown, f.accuracy))
            .collect();
        let expected = [
            ("Fold0", 1, 0, 0, 1, 0, Some(0.0)),
            ("Fold1", 3, 0, 1, 1, 1, Some(0.5)),
            ("Fold2", 1, 1, 0, 0, 0, None),
        ];
        assert_eq!(counts, expected);
        assert_eq!((summary.total.images, summary.total.failed), (5, 1));
        assert_eq!(summary.total.accuracy, Some(1.0 / 3.0));
        assert_eq!(summary.by_status["ok"], 4);
    }
}
