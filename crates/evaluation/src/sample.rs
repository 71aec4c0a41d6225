//! The judged images of a model, and the measures of a classifier.

use serde::{Deserialize, Serialize};

use super::curves::{BINS, bin};

/// One image whose true class is known.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The true class, as an index.
    pub truth: usize,
    /// The predicted class.
    pub predicted: usize,
    /// The probabilities, one a class.
    pub probabilities: &'a [f32],
}

/// The names of the measures, in the order of [`Scores::values`].
pub const MEASURES: [&str; 8] = [
    "accuracy",
    "balanced_accuracy",
    "sensitivity",
    "specificity",
    "auc",
    "f1",
    "brier",
    "calibration_error",
];

/// The measures of a classifier. All are in 0..=1, but for a Brier score over all classes, which is
/// in 0..=2; `None` where one is not defined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// The share of images that are right.
    pub accuracy: Option<f64>,
    /// The mean, over the classes that occur, of the share of each that is right.
    pub balanced_accuracy: Option<f64>,
    /// The share of the positive class that is found.
    pub sensitivity: Option<f64>,
    /// The share of all else that is not taken for the positive class.
    pub specificity: Option<f64>,
    /// The area under the ROC curve: how often an image of the positive class has a higher
    /// probability of it than another image; a tie counts one half.
    pub auc: Option<f64>,
    /// `2 TP / (2 TP + FP + FN)` of the positive class.
    pub f1: Option<f64>,
    /// The mean squared error of the probability of the positive class; without a positive class,
    /// of all probabilities together.
    pub brier: Option<f64>,
    /// The expected calibration error: the distance of confidence from accuracy, over bins of
    /// confidence.
    pub calibration_error: Option<f64>,
}

impl Scores {
    /// The measures in the order of [`MEASURES`].
    #[must_use]
    pub fn values(&self) -> [Option<f64>; MEASURES.len()] {
        [
            self.accuracy,
            self.balanced_accuracy,
            self.sensitivity,
            self.specificity,
            self.auc,
            self.f1,
            self.brier,
            self.calibration_error,
        ]
    }
}

/// What is kept of a case: 24 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub squared_error: f64,
    pub truth: u32,
    pub predicted: u32,
    /// The probability of the positive class.
    pub score: f32,
    /// The probability of the predicted class.
    pub confidence: f32,
}

/// Judged images that come one by one.
#[derive(Clone, Debug, Default)]
pub struct Cases {
    rows: Vec<Row>,
    classes: usize,
    positive: Option<usize>,
}

impl Cases {
    /// None yet, of a network with this number of classes, one of which may be the positive one.
    ///
    /// # Panics
    ///
    /// If the positive class is not one of them.
    #[must_use]
    pub fn new(classes: usize, positive: Option<usize>) -> Self {
        assert!(positive.is_none_or(|class| class < classes), "the positive class is one of them");
        Self { rows: Vec::new(), classes, positive }
    }

    /// Adds one.
    ///
    /// # Panics
    ///
    /// If a class is not one of them, or the case has not one probability for each.
    pub fn add(&mut self, case: Case<'_>) {
        assert!(case.truth < self.classes, "the true class is one of them");
        self.rows.push(Row {
            squared_error: squared_error(&case, self.positive),
            truth: case.truth as u32,
            predicted: case.predicted as u32,
            score: self.positive.map_or(0.0, |class| case.probabilities[class]),
            confidence: case.probabilities[case.predicted],
        });
    }

    /// All of them.
    #[must_use]
    pub fn sample(self) -> Sample {
        let Self { rows, classes, positive } = self;
        let mut truths: Vec<u32> = rows.iter().map(|row| row.truth).collect();
        truths.sort_unstable();
        truths.dedup();
        let mut order: Vec<u32> = (0..rows.len() as u32).collect();
        let score = |index: u32| rows[index as usize].score;
        // Of equal scores, the earlier comes first.
        order.sort_unstable_by(|&a, &b| score(b).total_cmp(&score(a)).then(a.cmp(&b)));
        Sample { rows, classes, positive, order, truths }
    }
}

/// The judged images of a model.
#[derive(Clone, Debug)]
pub struct Sample {
    pub(super) rows: Vec<Row>,
    classes: usize,
    pub(super) positive: Option<usize>,
    /// Rows by falling score.
    pub(super) order: Vec<u32>,
    /// The true classes that occur, sorted: mostly far fewer than the network has.
    truths: Vec<u32>,
}

impl Sample {
    /// Cases of a network with this number of classes, one of which may be the positive one.
    ///
    /// # Panics
    ///
    /// If a class is not one of them, or a case has not one probability for each.
    #[must_use]
    pub fn new<'a>(
        cases: impl IntoIterator<Item = Case<'a>>,
        classes: usize,
        positive: Option<usize>,
    ) -> Self {
        let mut all = Cases::new(classes, positive);
        cases.into_iter().for_each(|case| all.add(case));
        all.sample()
    }

    /// The cases at these places.
    #[must_use]
    pub fn part(&self, places: &[usize]) -> Self {
        let rows = places.iter().map(|&place| self.rows[place]);
        let (rows, classes, positive) = (rows.collect(), self.classes, self.positive);
        Cases { rows, classes, positive }.sample()
    }

    pub(super) fn row(&self, index: u32) -> &Row {
        &self.rows[index as usize]
    }

    /// The number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no images.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The measures of all images.
    #[must_use]
    pub fn scores(&self) -> Scores {
        self.weighted(&vec![1; self.rows.len()])
    }

    /// The measures where each image counts as often as its weight says.
    ///
    /// # Panics
    ///
    /// If there is not one weight for each image.
    #[must_use]
    pub fn weighted(&self, weights: &[u32]) -> Scores {
        assert_eq!(weights.len(), self.rows.len(), "one weight for each image");
        let counts = Counts::new(self, weights);
        let auc = self.positive.and_then(|positive| self.auc(positive, weights));
        let two = |yes: u64, no: u64| share(yes as f64, (yes + no) as f64);
        let of_positive = |value: Option<f64>| self.positive.and(value);
        Scores {
            accuracy: share(counts.right.iter().sum::<u64>() as f64, counts.all),
            balanced_accuracy: counts.mean_recall(),
            sensitivity: of_positive(two(counts.found, counts.missed)),
            specificity: of_positive(two(counts.passed, counts.false_alarms)),
            auc,
            f1: of_positive(two(2 * counts.found, counts.false_alarms + counts.missed)),
            brier: share(counts.squared_error, counts.all),
            calibration_error: counts.calibration_error(),
        }
    }

    /// Whether each image is one of those that a measure is a share of; `None` where the measure is no
    /// proportion of images, or no class is positive.
    pub(super) fn counted_by(&self, measure: &str) -> Option<Vec<bool>> {
        let of = |counts: &dyn Fn(&Row) -> bool| Some(self.rows.iter().map(counts).collect());
        let is_positive = |row: &Row, class: usize| as_index(row.truth) == class;
        match (measure, self.positive) {
            ("accuracy", _) => of(&|_| true),
            ("sensitivity", Some(class)) => of(&|row| is_positive(row, class)),
            ("specificity", Some(class)) => of(&|row| !is_positive(row, class)),
            _ => None,
        }
    }

    /// Area under the ROC curve, by counting pairs: groups of equal scores, the highest first.
    fn auc(&self, positive: usize, weights: &[u32]) -> Option<f64> {
        let (mut higher, mut pairs, mut others) = (0.0, 0.0, 0.0);
        for group in self.order.chunk_by(|&a, &b| self.row(a).score == self.row(b).score) {
            let (mut yes, mut no) = (0.0, 0.0);
            for &index in group {
                let count = f64::from(weights[index as usize]);
                if self.row(index).truth as usize == positive { yes += count } else { no += count }
            }
            pairs += no * (higher + yes / 2.0);
            higher += yes;
            others += no;
        }
        share(pairs, higher * others)
    }

    /// How often each true class was taken for each class, of the classes that occur as either, in
    /// their order; of two classes, both. Nothing where more than [`CONFUSED`] occur.
    #[must_use]
    pub fn confusion(&self) -> Confusion {
        let both = self.rows.iter().flat_map(|row| [row.truth, row.predicted].map(as_index));
        let mut classes: Vec<usize> =
            both.chain((0..self.classes).take_while(|_| self.classes <= 2)).collect();
        classes.sort_unstable();
        classes.dedup();
        if classes.len() > CONFUSED {
            return Confusion::default();
        }
        let mut counts = vec![vec![0; classes.len()]; classes.len()];
        for row in &self.rows {
            let place = |class| classes.binary_search(&as_index(class)).unwrap_or_default();
            counts[place(row.truth)][place(row.predicted)] += 1;
        }
        Confusion { classes, counts }
    }
}

/// How many classes a table of confusions has at most.
pub const CONFUSED: usize = 1000;

/// How often each true class was taken for each class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    /// The classes, as indices.
    pub classes: Vec<usize>,
    /// A row for each true class, a column for each predicted one.
    pub counts: Vec<Vec<usize>>,
}

fn as_index(class: u32) -> usize {
    class as usize
}

fn squared_error(case: &Case<'_>, positive: Option<usize>) -> f64 {
    let error = |class: usize| {
        let truth = if class == case.truth { 1.0 } else { 0.0 };
        (f64::from(case.probabilities[class]) - truth).powi(2)
    };
    match positive {
        Some(class) => error(class),
        None => (0..case.probabilities.len()).map(error).sum(),
    }
}

pub(super) fn share(part: f64, all: f64) -> Option<f64> {
    (all > 0.0).then(|| part / all)
}

/// What the measures are made of.
struct Counts {
    all: f64,
    /// By true class that occurs: images, and those that are right.
    images: Vec<u64>,
    right: Vec<u64>,
    found: u64,
    missed: u64,
    false_alarms: u64,
    passed: u64,
    squared_error: f64,
    /// By bin of confidence: right images less confidence.
    surplus: [f64; BINS],
}

impl Counts {
    fn new(sample: &Sample, weights: &[u32]) -> Self {
        let mut counts = Self {
            all: 0.0,
            images: vec![0; sample.truths.len()],
            right: vec![0; sample.truths.len()],
            found: 0,
            missed: 0,
            false_alarms: 0,
            passed: 0,
            squared_error: 0.0,
            surplus: [0.0; BINS],
        };
        for (row, &weight) in sample.rows.iter().zip(weights) {
            let (count, often) = (u64::from(weight), f64::from(weight));
            let right = row.truth == row.predicted;
            let truth = sample.truths.binary_search(&row.truth).unwrap_or_default();
            counts.all += often;
            counts.images[truth] += count;
            counts.right[truth] += if right { count } else { 0 };
            let positive = |class: u32| Some(as_index(class)) == sample.positive;
            *match (positive(row.truth), positive(row.predicted)) {
                (true, true) => &mut counts.found,
                (true, false) => &mut counts.missed,
                (false, true) => &mut counts.false_alarms,
                (false, false) => &mut counts.passed,
            } += count;
            counts.squared_error += row.squared_error * often;
            let hit = if right { 1.0 } else { 0.0 };
            let confidence = f64::from(row.confidence);
            counts.surplus[bin(confidence)] += (hit - confidence) * often;
        }
        counts
    }

    fn mean_recall(&self) -> Option<f64> {
        let (mut sum, mut classes) = (0.0, 0.0);
        for (&right, &images) in self.right.iter().zip(&self.images) {
            if let Some(recall) = share(right as f64, images as f64) {
                sum += recall;
                classes += 1.0;
            }
        }
        share(sum, classes)
    }

    fn calibration_error(&self) -> Option<f64> {
        share(self.surplus.iter().map(|surplus| surplus.abs()).sum(), self.all)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Cases from truth, and the probability of class 0 of two.
    pub(crate) fn sample(cases: &[(usize, f32)], positive: usize) -> Sample {
        let probabilities: Vec<[f32; 2]> = cases.iter().map(|&(_, p)| [p, 1.0 - p]).collect();
        let case = |(&(truth, p), probabilities): (&(usize, f32), &'_ [f32; 2])| {
            (truth, usize::from(p < 0.5), *probabilities)
        };
        let owned: Vec<_> = cases.iter().zip(&probabilities).map(case).collect();
        let cases = owned.iter().map(|(truth, predicted, probabilities)| Case {
            truth: *truth,
            predicted: *predicted,
            probabilities,
        });
        Sample::new(cases, 2, Some(positive))
    }

    #[test]
    fn by_hand() {
        // Positive: .75, .5, .25; negative: .5, .25, .25, .0
        let cases = [(0, 0.75), (0, 0.5), (0, 0.25), (1, 0.5), (1, 0.25), (1, 0.25), (1, 0.0)];
        let scores = sample(&cases, 0).scores();
        assert_eq!(scores.accuracy, Some(5.0 / 7.0));
        assert_eq!(scores.sensitivity, Some(2.0 / 3.0));
        assert_eq!(scores.specificity, Some(3.0 / 4.0));
        assert_eq!(scores.balanced_accuracy, Some((2.0 / 3.0 + 3.0 / 4.0) / 2.0));
        // .75 beats 4; .5 ties with 1 and beats 3; .25 ties with 2 and beats 1.
        assert_eq!(scores.auc, Some((4.0 + 3.5 + 2.0) / 12.0));
        assert_eq!(scores.f1, Some(4.0 / 6.0));
        let squares = 0.0625 + 0.25 + 0.5625 + 0.25 + 0.0625 + 0.0625;
        assert_eq!(scores.brier, Some(squares / 7.0));
        // Confidences .75 ×4 (3 right), .5 ×2 (1 right), 1 (right): |3 - 3| + |1 - 1| + |1 - 1|.
        assert_eq!(scores.calibration_error, Some(0.0));
        assert_eq!(sample(&cases, 0).confusion().counts, [[2, 1], [1, 3]]);
        let one = sample(&[(0, 0.9)], 0).confusion();
        assert_eq!((one.classes, one.counts), (vec![0, 1], vec![vec![1, 0], vec![0, 0]]));
    }

    #[test]
    fn the_other_class_as_positive_swaps_two_measures() {
        let cases = [(0, 0.9), (0, 0.8), (0, 0.3), (1, 0.6), (1, 0.1)];
        let (a, b) = (sample(&cases, 0).scores(), sample(&cases, 1).scores());
        assert_eq!((a.sensitivity, a.specificity), (b.specificity, b.sensitivity));
        assert_eq!((a.accuracy, a.balanced_accuracy), (b.accuracy, b.balanced_accuracy));
        assert_eq!(a.auc, b.auc);
    }

    #[test]
    fn what_is_not_defined_is_none() {
        let scores = sample(&[(0, 0.75), (0, 0.25)], 0).scores();
        assert_eq!(scores.accuracy, Some(0.5));
        assert_eq!(scores.balanced_accuracy, Some(0.5));
        assert_eq!((scores.sensitivity, scores.specificity), (Some(0.5), None));
        assert_eq!(scores.auc, None);
        let other = sample(&[(0, 0.75), (0, 0.75)], 1).scores();
        assert_eq!((other.sensitivity, other.specificity), (None, Some(1.0)));
        assert_eq!(other.f1, None);
        assert_eq!(sample(&[], 0).scores(), Scores::default());
    }

    #[test]
    fn without_a_positive_class_every_class_counts_alike() {
        let probabilities = [[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.0, 1.0, 0.0]];
        let case = |(&truth, probabilities): (&usize, &'static [f32; 3])| {
            let predicted = if truth == 2 { 1 } else { truth };
            Case { truth, predicted, probabilities }
        };
        static P: [[f32; 3]; 3] = [[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.0, 1.0, 0.0]];
        assert_eq!(probabilities, P);
        let scores = Sample::new([0, 1, 2].iter().zip(&P).map(case), 3, None).scores();
        assert_eq!(scores.accuracy, Some(2.0 / 3.0));
        assert_eq!(scores.balanced_accuracy, Some(2.0 / 3.0));
        assert_eq!(scores.brier, Some((0.375 + 0.375 + 2.0) / 3.0));
        assert_eq!((scores.sensitivity, scores.auc, scores.f1), (None, None, None));
    }

    /// Every draw of an interval counts them, so a class that does not occur must cost nothing.
    #[test]
    fn only_classes_that_occur_are_counted() {
        let mut cases = Cases::new(1 << 24, None);
        let row = Row { squared_error: 0.5, truth: 0, predicted: 7, score: 0.0, confidence: 0.25 };
        cases.rows = vec![row, Row { truth: 7, ..row }, Row { truth: 9_000_000, ..row }];
        let sample = cases.sample();
        let counts = Counts::new(&sample, &[1, 2, 1]);
        assert_eq!((counts.images, counts.right), (vec![1, 2, 1], vec![0, 2, 0]));
        assert_eq!(sample.weighted(&[1, 2, 1]).balanced_accuracy, Some(1.0 / 3.0));
    }

    #[test]
    fn a_weight_is_a_repetition() {
        let cases = [(0, 0.9), (0, 0.8), (0, 0.3), (1, 0.6), (1, 0.1)];
        let repeated = [(0, 0.9), (0, 0.9), (0, 0.3), (1, 0.6), (1, 0.6), (1, 0.6), (1, 0.1)];
        let weighted = sample(&cases, 0).weighted(&[2, 0, 1, 3, 1]);
        for (a, b) in weighted.values().iter().zip(sample(&repeated, 0).scores().values()) {
            let (a, b) = (a.expect("defined"), b.expect("defined"));
            assert!((a - b).abs() < 1e-15, "{a} {b}");
        }
    }
}
