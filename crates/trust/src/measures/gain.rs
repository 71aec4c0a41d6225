//! Average gain.

use crate::shown::shown_probabilities;
use crate::{Better, Compute, Evidence, Group, Measure, Measured, Network};

pub(super) static GAIN: Measure = Measure {
    name: "gain",
    title: "Average gain",
    group: Group::Faithfulness,
    question: "Which share of its missing probability does the class gain when only what the map \
               shows is left of the image?",
    formula: "max(y' - y, 0) / (1 - y), 0 if y = 1; y: probability of the image; y': of the image \
              times the map, which is divided by its largest value; the rest of each pixel is the \
              baseline's",
    source: "Zhang, Torres, Sicre, Avrithis, Ayache, Opti-CAM, 2023",
    url: "https://arxiv.org/abs/2301.07002",
    misleads: "Where the network is already nearly sure, a tiny gain is divided by a tiny rest and \
               weighs as much as a large one. A map that shows the whole image has gain 0 and drop \
               0.",
    better: Some(Better::Higher),
    range: [0.0, 1.0],
    limit: None,
    compute: Compute::Network(gain),
};

fn gain(map: &Evidence, network: &mut Network<'_>) -> Measured {
    let share = |[whole, shown]: [f64; 2]| {
        if whole < 1.0 { (shown - whole).max(0.0) / (1.0 - whole) } else { 0.0 }
    };
    Ok(shown_probabilities(map, network)?.map(share))
}
