//! How often the predictions were right.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Attribution, MapMeasures, Prediction};
use burncam_evaluation::{Outcome, Peaks};
use burncam_evaluation::{SwappedNames, swapped_names};

/// The status of a map that can be read.
pub const READABLE: &str = "ok";

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

/// How many maps of an explanation can be read, and where they peak.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MapCounts {
    /// How many maps have each status.
    pub by_status: BTreeMap<String, usize>,
    /// Where the maps that can be read have their largest value.
    pub peaks: Peaks,
}

impl MapCounts {
    fn add(&mut self, map: &MapMeasures) {
        *self.by_status.entry(map.status.clone()).or_default() += 1;
        if let Some(peak) = map.argmax.filter(|_| map.status == READABLE) {
            self.peaks.add((map.height, map.width), peak);
        }
    }
}

/// The scores of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// One score a fold, sorted by the fold's name.
    pub folds: Vec<FoldScore>,
    /// All images together, under the name `All`.
    pub total: FoldScore,
    /// The maps of each explanation, by its name, in the order of the first prediction's.
    pub maps: Vec<(String, MapCounts)>,
    /// Right and wrong predictions by true class.
    pub by_class: BTreeMap<String, [usize; 2]>,
}

impl Default for Summary {
    fn default() -> Self {
        let total = FoldScore { fold: "All".to_owned(), ..FoldScore::default() };
        Self { folds: Vec::new(), total, maps: Vec::new(), by_class: BTreeMap::new() }
    }
}

impl Summary {
    /// Counts predictions.
    #[must_use]
    pub fn count(predictions: impl IntoIterator<Item = impl Borrow<Prediction>>) -> Self {
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
        if let (Some(label), Some(outcome)) = (&prediction.label, prediction.outcome()) {
            let [right, wrong] = self.by_class.entry(label.clone()).or_default();
            *if outcome == Outcome::Right { right } else { wrong } += 1;
        }
        for Attribution { explanation, map, .. } in &prediction.attributions {
            let place = self.maps.iter().position(|(name, _)| name == explanation);
            let place = place.unwrap_or_else(|| {
                self.maps.push((explanation.clone(), MapCounts::default()));
                self.maps.len() - 1
            });
            self.maps[place].1.add(map);
        }
    }

    /// Whether two classes, all that a network has, seem to have each other's names.
    #[must_use]
    pub fn swapped_names(&self, classes: &[String]) -> Option<SwappedNames> {
        let [first, second] = classes else { return None };
        let of = |class: &String| self.by_class.get(class).copied().unwrap_or_default();
        let ([right, wrong], [other_right, other_wrong]) = (of(first), of(second));
        swapped_names([[right, wrong], [other_wrong, other_right]])
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
        let summary = Summary::count(&rows);
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
        let [(explanation, maps)] = summary.maps.as_slice() else { panic!("one explanation") };
        assert_eq!((explanation.as_str(), maps.by_status["ok"]), ("GradCAM", 4));
        assert_eq!(summary.by_class["Pain"], [1, 0]);
        assert_eq!(summary.by_class["No_pain"], [0, 2]);
        assert_eq!((maps.peaks.maps, maps.peaks.border), (4, 0));
    }

    #[test]
    fn names_of_two_classes_may_be_swapped() {
        let rows: Vec<_> =
            (0..9).map(|image| prediction(&format!("{image}.png"), Some("No_pain"))).collect();
        let classes = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        let summary = Summary::count(&rows);
        assert!(summary.swapped_names(&classes(&["Pain", "No_pain"])).is_some());
        assert!(summary.swapped_names(&classes(&["No_pain", "Pain"])).is_some());
        assert_eq!(summary.swapped_names(&classes(&["Pain", "No_pain", "Hunger"])), None);
    }
}
