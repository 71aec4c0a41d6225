//! What was measured of one network.

use super::layers::Step;
use super::networks::Network;
use super::whole::Whole;
use super::worker::Worker;

/// Milliseconds an image, and the largest memory so far in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    pub wall: f64,
    pub cpu: f64,
    pub memory: Option<f64>,
}

/// The rounds of one program at one batch size.
pub(super) struct Series {
    pub program: String,
    pub batch: usize,
    pub samples: Vec<Sample>,
}

/// The rounds of one network.
pub(super) struct Measured {
    pub network: &'static Network,
    /// Multiplications of an image, each with its addition.
    pub multiplications: f64,
    /// The same with Winograd's method.
    pub fewest: f64,
    /// Bytes that an image moves at least.
    pub bytes: f64,
    /// Bytes of the weights.
    pub weights: f64,
    pub series: Vec<Series>,
    pub whole: Vec<Whole>,
    /// Where Burncam's time goes.
    pub steps: Vec<Step>,
    /// Programs and their versions.
    pub versions: Vec<(String, String)>,
    /// Programs that lack a file.
    pub missing: Vec<String>,
}

impl Measured {
    pub(super) fn new(network: &'static Network) -> Self {
        Self {
            network,
            multiplications: 0.0,
            fewest: 0.0,
            bytes: 0.0,
            weights: 0.0,
            series: Vec::new(),
            whole: Vec::new(),
            steps: Vec::new(),
            versions: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// Takes over what Burncam says of the network.
    pub(super) fn describe(&mut self, burncam: &Worker) {
        self.multiplications = burncam.ready.number("multiplications").unwrap_or(0.0);
        self.fewest = burncam.ready.number("fewest").unwrap_or(0.0);
        self.bytes = burncam.ready.number("bytes").unwrap_or(0.0);
        self.weights = burncam.ready.number("weights").unwrap_or(0.0);
    }

    /// Adds a round.
    pub(super) fn add(&mut self, program: &str, batch: usize, sample: Sample) {
        let same = |series: &&mut Series| series.program == program && series.batch == batch;
        match self.series.iter_mut().find(same) {
            Some(series) => series.samples.push(sample),
            None => self.series.push(Series {
                program: program.to_owned(),
                batch,
                samples: vec![sample],
            }),
        }
    }

    /// The CPU times of a program, a round each.
    pub(super) fn cpu(&self, program: &str, batch: usize) -> Vec<f64> {
        let same = |series: &&Series| series.program == program && series.batch == batch;
        let found = self.series.iter().find(same);
        found.map_or(Vec::new(), |series| series.samples.iter().map(|sample| sample.cpu).collect())
    }
}

/// The value in the middle; of an even number, the mean of the two.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

/// The median of each round's own ratio.
pub(super) fn ratio(numerators: &[f64], denominators: &[f64]) -> Option<f64> {
    median(numerators.iter().zip(denominators).map(|(a, b)| a / b))
}

#[cfg(test)]
mod tests {
    use super::{median, ratio};

    #[test]
    fn a_median_is_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median([]), None);
    }

    #[test]
    fn a_ratio_is_taken_within_its_round() {
        // All took twice as long in the second round.
        assert_eq!(ratio(&[1.0, 2.0, 1.0], &[2.0, 4.0, 2.0]), Some(0.5));
        assert_eq!(ratio(&[1.0], &[]), None);
    }
}
