//! How much more disordered the map of the untrained network is.

use super::entropy::entropy_of;
use crate::order::varied;
use crate::{Better, Compute, Counterpart, Evidence, Group, Measure, Undefined};

pub(super) static UNTRAINED_ENTROPY: Measure = Measure {
    name: "untrained-entropy",
    title: "Disorder without training",
    group: Group::Sanity,
    question: "Does the map lose its order when the network forgets all that it has learned?",
    formula: "(H(M') - H(M)) / H(M) of the raw map M and that of the untrained network M', H the \
              entropy of a histogram of 100 bins from the smallest to the largest value, mean over \
              3 draws of weights",
    source: "Hedström et al., A Fresh Look at Sanity Checks for Saliency Maps, 2024",
    url: "https://arxiv.org/abs/2405.02383",
    misleads: "Only how often each value occurs counts, not where: a map may move elsewhere and \
               keep its value, and small maps fill few of the bins.",
    better: Some(Better::Higher),
    range: [-1.0, f64::INFINITY],
    limit: None,
    compute: Compute::Against(Counterpart::Untrained, gain_of_entropy),
};

const BINS: usize = 100;

fn gain_of_entropy(map: &Evidence, untrained: &Evidence) -> Result<f64, Undefined> {
    [map, untrained].into_iter().try_for_each(varied)?;
    let own = histogram_entropy(&map.values);
    if own <= 0.0 {
        return Err(Undefined::ConstantMap);
    }
    Ok((histogram_entropy(&untrained.values) - own) / own)
}

/// The last bin has the largest value, too.
fn histogram_entropy(values: &[f32]) -> f64 {
    let values = || values.iter().map(|&value| f64::from(value));
    let smallest = values().fold(f64::INFINITY, f64::min);
    let largest = values().fold(f64::NEG_INFINITY, f64::max);
    let mut counts = [0.0; BINS];
    for value in values() {
        let bin = (value - smallest) / (largest - smallest) * BINS as f64;
        counts[(bin as usize).min(BINS - 1)] += 1.0;
    }
    entropy_of(counts.map(|count| count / values().count() as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncam_evaluation::Values;

    #[test]
    fn only_how_often_values_occur_counts() {
        let map = |values: [f32; 4]| {
            Evidence::new(values.to_vec(), [2, 2], Values::Signed).expect("finite values")
        };
        let (one, other) = (map([0.0, 0.0, 0.0, 1.0]), map([1.0, 2.0, 3.0, 4.0]));
        let known = 0.25_f64 * 4.0_f64.ln() + 0.75 * (4.0_f64 / 3.0).ln();
        let gain = gain_of_entropy(&one, &other).expect("two maps");
        assert!((gain - (4.0_f64.ln() - known) / known).abs() < 1e-12);
        assert_eq!(gain_of_entropy(&one, &map([5.0, -2.0, -2.0, -2.0])), Ok(0.0));
        assert_eq!(gain_of_entropy(&one, &map([0.0; 4])), Err(Undefined::EmptyMap));
    }
}
