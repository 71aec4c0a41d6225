//! Increase in confidence.

use crate::shown::shown_probabilities;
use crate::{Better, Compute, Evidence, Group, Measure, Measured, Network};

pub(super) static INCREASE: Measure = Measure {
    name: "increase",
    title: "Increase in confidence",
    group: Group::Faithfulness,
    question: "Is the network more sure of the class when only what the map shows is left of the \
               image?",
    formula: "1 if y' > y, else 0; y: probability of the image; y': of the image times the map, \
              which is divided by its largest value; the rest of each pixel is the baseline's",
    source: "Chattopadhay, Sarkar, Howlader, Balasubramanian, Grad-CAM++, WACV 2018",
    url: "https://arxiv.org/abs/1710.11063",
    misleads: "It counts the smallest increase like a large one, and says nothing for a single \
               image: read its mean over images. An image that the network is already sure of can \
               hardly increase.",
    better: Some(Better::Higher),
    range: [0.0, 1.0],
    limit: None,
    compute: Compute::Network(increase),
};

fn increase(map: &Evidence, network: &mut Network<'_>) -> Measured {
    let probabilities = shown_probabilities(map, network)?;
    Ok(probabilities.map(|[whole, shown]| if shown > whole { 1.0 } else { 0.0 }))
}
