//! The share of a map at the image's border.

use super::shares::shares;
use crate::{Compute, Evidence, Group, Measure, Undefined};

pub(super) static BORDER_SHARE: Measure = Measure {
    name: "border-share",
    title: "Share at the border",
    group: Group::Concentration,
    question: "How much of the map lies at the very edge of the image, where networks often answer \
               to the padding and not to the picture?",
    formula: "sum of |values| in the border / sum of all |values|; the border is 1/16 of each side \
              wide, rounded down, and at least one pixel",
    source: "Burncam's own; on why borders matter: Alsallakh et al., Mind the Pad: CNNs Can \
             Develop Blind Spots, ICLR 2021",
    url: "https://arxiv.org/abs/2010.02178",
    misleads: "A map that is equal everywhere has the border's share of the area, 23 % for large \
               images: only more than that is suspicious. What is to be seen may well reach the \
               edge of the picture.",
    better: None,
    range: [0.0, 1.0],
    limit: None,
    compute: Compute::Map(border_share),
};

fn border_share(map: &Evidence) -> Result<f64, Undefined> {
    let [height, width] = map.size;
    let at_edge = |place: usize, side: usize| {
        let border = (side / 16).max(1);
        place < border || place + border >= side
    };
    let share = |(place, share): (usize, f64)| {
        let inside = !at_edge(place / width, height) && !at_edge(place % width, width);
        if inside { 0.0 } else { share }
    };
    Ok(shares(map)?.into_iter().enumerate().map(share).sum::<f64>().min(1.0))
}
