//! The change of a map where the image moves by a pixel.

use crate::{Better, Compute, Evidence, Group, Image, Measure, Measured, Network, Undefined};

pub(super) static SHIFT_SENSITIVITY: Measure = Measure {
    name: "shift-sensitivity",
    title: "Sensitivity to shifts",
    group: Group::Robustness,
    question: "Does the map move along where the image moves by one pixel, or does it change?",
    formula: "the mean of ||M' moved back - M|| / ||M|| over the maps M' of the image moved up, \
              down, left and right by a pixel, its edge repeated, on the places that both maps have",
    source: "Burncam's own; on why networks change with shifts: Azulay, Weiss, Why do Deep \
             Convolutional Networks Generalize so Poorly to Small Image Transformations?, JMLR 2019",
    url: "https://arxiv.org/abs/1805.12177",
    misleads: "Smooth maps of deep layers hardly change when they stay where they are, and fine \
               lines of one pixel change most: compare methods at one layer. A smooth map that \
               ignores the image scores near 0.",
    better: Some(Better::Lower),
    range: [0.0, f64::INFINITY],
    limit: None,
    compute: Compute::Network(shift_sensitivity),
};

/// Down and right, in pixels.
type Shift = [isize; 2];

const SHIFTS: [Shift; 4] = [[-1, 0], [1, 0], [0, -1], [0, 1]];

fn shift_sensitivity(map: &Evidence, network: &mut Network<'_>) -> Measured {
    if map.values.iter().all(|&value| value == 0.0) {
        return Ok(Err(Undefined::EmptyMap));
    }
    let mut sum = 0.0;
    for shifts in SHIFTS.chunks(network.at_once.max(1)) {
        let copies: Vec<f32> = shifts.iter().flat_map(|&by| moved(network.image, by)).collect();
        for (other, &by) in (network.explain)(&copies)?.into_iter().zip(shifts) {
            match other.and_then(|other| change(map, &other, by)) {
                Ok(change) => sum += change,
                Err(undefined) => return Ok(Err(undefined)),
            }
        }
    }
    Ok(Ok(sum / SHIFTS.len() as f64))
}

/// The image's content, moved; its edge is repeated.
fn moved(image: &Image, [down, right]: Shift) -> Vec<f32> {
    let [height, width] = image.size;
    let before =
        |place: usize, by: isize, side: usize| place.saturating_add_signed(-by).min(side - 1);
    let mut values = Vec::with_capacity(image.values.len());
    for channel in image.values.chunks_exact(height * width) {
        for y in 0..height {
            let row = before(y, down, height) * width;
            values.extend((0..width).map(|x| channel[row + before(x, right, width)]));
        }
    }
    values
}

/// How far the map of the moved image is from the map, on the places that both have.
fn change(map: &Evidence, other: &Evidence, [down, right]: Shift) -> Result<f64, Undefined> {
    assert_eq!(map.size, other.size, "maps of one size");
    let [height, width] = map.size;
    let after = |place: usize, by: isize, side: usize| {
        place.checked_add_signed(by).filter(|&place| place < side)
    };
    let (mut squares, mut size) = (0.0, 0.0);
    for y in 0..height {
        let Some(other_y) = after(y, down, height) else { continue };
        for x in 0..width {
            let Some(other_x) = after(x, right, width) else { continue };
            let value = f64::from(map.values[y * width + x]);
            let other = f64::from(other.values[other_y * width + other_x]);
            squares += (other - value).powi(2);
            size += value * value;
        }
    }
    if size > 0.0 { Ok((squares / size).sqrt()) } else { Err(Undefined::EmptyMap) }
}
