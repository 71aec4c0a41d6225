//! ROC curve, reliability and histogram of confidence.

use serde::{Deserialize, Serialize};

use super::sample::{Sample, share};

/// Bins of confidence for reliability and calibration error, each a tenth wide.
pub const BINS: usize = 10;

/// The bin of a confidence: bin `i` holds all above `i / 10` up to `(i + 1) / 10`, and the first
/// one 0 too. Source: Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks",
/// ICML 2017.
pub(super) fn bin(confidence: f64) -> usize {
    let above = (confidence * BINS as f64).ceil() as usize;
    above.clamp(1, BINS) - 1
}

/// The images of one bin of confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Number of images.
    pub images: usize,
    /// Their mean confidence.
    pub confidence: Option<f64>,
    /// The share of them that is right.
    pub accuracy: Option<f64>,
}

/// How many images have which confidence: 20 bins, each a twentieth wide.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    /// Right predictions by bin.
    pub right: Vec<usize>,
    /// Wrong predictions by bin.
    pub wrong: Vec<usize>,
    /// Predictions of images without a label, by bin.
    pub unknown: Vec<usize>,
}

impl Histogram {
    /// Number of bins.
    pub const BINS: usize = 20;

    /// Counts confidences, each with whether it was right, where that is known.
    #[must_use]
    pub fn from_confidences(confidences: impl IntoIterator<Item = (f32, Option<bool>)>) -> Self {
        let empty = || vec![0; Self::BINS];
        let mut counted = Self { right: empty(), wrong: empty(), unknown: empty() };
        confidences.into_iter().for_each(|(confidence, right)| counted.add(confidence, right));
        counted
    }

    /// Counts one more.
    pub fn add(&mut self, confidence: f32, right: Option<bool>) {
        let bin = (f64::from(confidence) * Self::BINS as f64).ceil() as usize;
        let bins = match right {
            Some(true) => &mut self.right,
            Some(false) => &mut self.wrong,
            None => &mut self.unknown,
        };
        bins[bin.clamp(1, Self::BINS) - 1] += 1;
    }
}

impl Sample {
    /// The corners of the ROC curve as `[1 - specificity, sensitivity]`, from `[0, 0]` to
    /// `[1, 1]`; nothing where it is not defined. Equal probabilities are one step.
    #[must_use]
    pub fn roc(&self) -> Vec<[f64; 2]> {
        let Some(positive) = self.positive else { return Vec::new() };
        let is_positive = |&&index: &&u32| self.row(index).truth as usize == positive;
        let positives = self.order.iter().filter(is_positive).count();
        let others = self.rows.len() - positives;
        if positives == 0 || others == 0 {
            return Vec::new();
        }
        let (mut found, mut alarms) = (0, 0);
        let mut corners = vec![[0.0, 0.0]];
        for group in self.order.chunk_by(|&a, &b| self.row(a).score == self.row(b).score) {
            let yes = group.iter().filter(is_positive).count();
            found += yes;
            alarms += group.len() - yes;
            corners.push([alarms as f64 / others as f64, found as f64 / positives as f64]);
        }
        without_straight(corners)
    }

    /// Confidence and accuracy by bin of confidence.
    #[must_use]
    pub fn reliability(&self) -> Vec<Bin> {
        let mut sums = [(0, 0.0, 0.0); BINS];
        for row in &self.rows {
            let (images, confidence, right) = &mut sums[bin(row.confidence.into())];
            *images += 1;
            *confidence += f64::from(row.confidence);
            *right += if row.truth == row.predicted { 1.0 } else { 0.0 };
        }
        let one = |(images, confidence, right): (usize, f64, f64)| Bin {
            images,
            confidence: share(confidence, images as f64),
            accuracy: share(right, images as f64),
        };
        sums.map(one).to_vec()
    }
}

/// Leaves out corners on a straight line between their neighbours.
fn without_straight(corners: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    let mut kept: Vec<[f64; 2]> = Vec::new();
    for corner in corners {
        if let [.., a, b] = kept.as_slice() {
            let turn = (b[0] - a[0]) * (corner[1] - a[1]) - (b[1] - a[1]) * (corner[0] - a[0]);
            if turn.abs() < 1e-15 {
                kept.pop();
            }
        }
        kept.push(corner);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::sample::tests::sample;
    use super::*;

    #[test]
    fn bins_are_open_below_and_closed_above() {
        assert_eq!([0.0, 0.05, 0.1, 0.11, 0.5, 0.51, 1.0].map(bin), [0, 0, 0, 1, 4, 5, 9]);
    }

    #[test]
    fn the_curve_takes_ties_in_one_step_and_drops_straight_corners() {
        let cases = [(0, 0.75), (0, 0.5), (0, 0.25), (1, 0.5), (1, 0.25), (1, 0.25), (1, 0.0)];
        let third = 1.0 / 3.0;
        let expected = [[0.0, 0.0], [0.0, third], [0.25, 2.0 * third], [0.75, 1.0], [1.0, 1.0]];
        assert_eq!(sample(&cases, 0).roc(), expected);
        let apart = [(0, 0.9), (0, 0.8), (1, 0.2), (1, 0.1)];
        assert_eq!(sample(&apart, 0).roc(), [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]]);
        assert!(sample(&[(0, 0.9)], 0).roc().is_empty());
    }

    #[test]
    fn reliability_by_bin() {
        let bins = sample(&[(0, 0.95), (1, 0.97), (0, 0.55)], 0).reliability();
        assert_eq!(bins.len(), BINS);
        assert_eq!((bins[9].images, bins[9].accuracy), (2, Some(0.5)));
        assert!((bins[9].confidence.expect("images") - 0.96).abs() < 1e-7);
        assert_eq!((bins[5].images, bins[5].accuracy), (1, Some(1.0)));
        assert_eq!(bins[0], Bin::default());
    }

    #[test]
    fn a_histogram_counts_everything() {
        let found =
            Histogram::from_confidences([(1.0, Some(true)), (0.5, Some(false)), (0.51, None)]);
        assert_eq!((found.right[19], found.wrong[9], found.unknown[10]), (1, 1, 1));
        let all = found.right.iter().chain(&found.wrong).chain(&found.unknown);
        assert_eq!(all.sum::<usize>(), 3);
    }
}
