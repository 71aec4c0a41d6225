//! How often the predictions were right.

use std::borrow::Borrow;
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
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// One score a fold, sorted by the fold's name.
    pub folds: Vec<FoldScore>,
    /// All images together, under the name `All`.
    pub total: FoldScore,
    /// How many maps have each status.
    pub by_status: BTreeMap<String, usize>,
}

impl Default for Summary {
    fn default() -> Self {
        let total = FoldScore { fold: "All".to_owned(), ..FoldScore::default() };
        Self { folds: Vec::new(), total, by_status: BTreeMap::new() }
    }
}

impl Summary {
    /// Counts predictions.
    #[must_use]
    pub fn of(predictions: impl IntoIterator<Item = impl Borrow<Prediction>>) -> Self {
        let mut summary = Self::default();
        predictions.into_iter().for_each(|prediction| summary.add(prediction.borrow()));
        summary
    }

    /// Counts one more prediction.
    pub fn add(&mut self, prediction: &Prediction) {
        let fold = &prediction.fold;
        let place =
            self.folds.binary_search_by(|known| known.fold.cmp(fold)).unwrap_or_else(|at| {
                self.folds.insert(at, FoldScore { fold: fold.clone(), ..FoldScore::default() });
                at
            });
        self.folds[place].add(prediction);
        self.total.add(prediction);
        if let Some(explained) = &prediction.explained {
            *self.by_status.entry(explained.map.status.clone()).or_default() += 1;
        }
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
