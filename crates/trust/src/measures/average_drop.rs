//! Average drop.

use crate::shown::shown_probabilities;
use crate::{Better, Compute, Evidence, Group, Measure, Measured, Network, Undefined};

pub(super) static AVERAGE_DROP: Measure = Measure {
    name: "average-drop",
    title: "Average drop",
    group: Group::Faithfulness,
    question: "Which share of its probability does the class lose when only what the map shows is \
               left of the image?",
    formula: "max(y - y', 0) / y; y: probability of the image; y': of the image times the map, \
              which is divided by its largest value; the rest of each pixel is the baseline's",
    source: "Chattopadhay, Sarkar, Howlader, Balasubramanian, Grad-CAM++, WACV 2018",
    url: "https://arxiv.org/abs/1710.11063",
    misleads: "A map that shows the whole image loses nothing, so it is best without explaining \
               anything: read it beside complexity. A dimmed image is unlike the images of the \
               training, so a drop may come from the dimming.",
    better: Some(Better::Lower),
    range: [0.0, 1.0],
    limit: None,
    compute: Compute::Network(average_drop),
};

fn average_drop(map: &Evidence, network: &mut Network<'_>) -> Measured {
    Ok(shown_probabilities(map, network)?.and_then(drop_share))
}

/// The share that is lost of the first probability. If they are differences of two probabilities,
/// a second one below 0 counts as 0: all is lost.
pub(super) fn drop_share([whole, shown]: [f64; 2]) -> Result<f64, Undefined> {
    if whole <= 0.0 {
        return Err(Undefined::ZeroScore);
    }
    Ok((whole - shown.max(0.0)).max(0.0) / whole)
}
