//! A map laid over its image.
//!
//! [`overlay`] is the whole way; its steps are public because each has numbers of its own that
//! can be compared: [`levels`], [`coloured`], [`enlarged`], [`blended`]. Signed values are [`tinted`].

use burncam_evaluation::resample;
use image::RgbImage;

use crate::clean::mix;
use crate::colormap::jet;
use crate::pillow::resize_bicubic;
use crate::scale::Scale;

/// The opacity of the map that the notebook uses.
pub const ALPHA: f32 = 0.4;

/// The map as levels of the colour table: `max(raw, 0) / max(raw)`, times 255, fraction dropped.
///
/// Where that is not a number (the map's largest value is 0, or a value is NaN or infinite) the
/// level is 0. So is it everywhere when all values are negative.
///
/// # Shapes
///
/// The result has the shape of `raw`, whatever that is.
#[must_use]
pub fn levels(raw: &[f32]) -> Vec<u8> {
    let max = raw.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    raw.iter().map(|&value| (255.0 * (value.max(0.0) / max)) as u8).collect()
}

/// The map as levels of the colour table on a scale of its own, from 0 to the scale's top.
#[must_use]
pub fn levels_on(scale: &Scale, map: &[f32]) -> Vec<u8> {
    map.iter().map(|&value| (scale.share(value).max(0.0) * 255.0) as u8).collect()
}

/// Keras' `array_to_img` with scaling: the smallest value becomes 0, the largest 255.
///
/// A constant array becomes 0 throughout, and so does one with a value that is not a number.
#[must_use]
pub fn array_to_img(values: &[f32]) -> Vec<u8> {
    let (min, max) = range(values);
    // Subtraction keeps the order, so this is the largest of the differences.
    let max = max - min;
    let divisor = if max == 0.0 { 1.0 } else { max };
    // No value is above 255: a cast by way of 32 bits is one instruction for several of them.
    values.iter().map(|&value| ((value - min) / divisor * 255.0) as i32 as u8).collect()
}

/// The smallest and the largest value, as numpy's `min` and `max` find them: NaN where one is NaN.
fn range(values: &[f32]) -> (f32, f32) {
    /// Lanes that are compared at once.
    const LANES: usize = 16;
    let (lines, rest) = values.as_chunks::<LANES>();
    let (mut min, mut max) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
    let mut nan = [false; LANES];
    for line in lines {
        for lane in 0..LANES {
            let value = line[lane];
            min[lane] = if value < min[lane] { value } else { min[lane] };
            max[lane] = if value > max[lane] { value } else { max[lane] };
            nan[lane] |= value.is_nan();
        }
    }
    if nan.contains(&true) || rest.iter().any(|value| value.is_nan()) {
        return (f32::NAN, f32::NAN);
    }
    let least = min.iter().chain(rest).copied().fold(f32::INFINITY, f32::min);
    let most = max.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max);
    (least, most)
}

/// The colours of a map, stretched over 0..=255, at the map's own size `(height, width)`.
///
/// # Panics
///
/// If there are not `height * width` levels, or none.
#[must_use]
pub fn coloured(levels: &[u8], map_size: (usize, usize)) -> RgbImage {
    let jet = jet();
    let colours: Vec<f32> = levels
        .iter()
        .flat_map(|&level| jet[usize::from(level)].map(|value| value as f32))
        .collect();
    picture(array_to_img(&colours), map_size)
}

/// A coloured map at the frame's size `(height, width)`.
///
/// # Panics
///
/// If either has no pixels.
#[must_use]
pub fn enlarged(coloured: &RgbImage, frame_size: (usize, usize)) -> RgbImage {
    resize_bicubic(coloured, side(frame_size.1), side(frame_size.0))
}

/// `map * alpha + frame`, stretched over 0..=255. The frame is `[height, width, 3]`, row-major,
/// in 0..=255, of the map's size.
///
/// # Panics
///
/// If the frame is not of the map's size.
#[must_use]
pub fn blended(map: &RgbImage, frame: &[f32], alpha: f32) -> RgbImage {
    assert_eq!(map.as_raw().len(), frame.len(), "the map must have the frame's size");
    let mixed: Vec<f32> = map
        .as_raw()
        .iter()
        .zip(frame)
        .map(|(&colour, &pixel)| f32::from(colour) * alpha + pixel)
        .collect();
    picture(array_to_img(&mixed), (map.height() as usize, map.width() as usize))
}

/// The map laid over the frame it explains, as the notebook draws it.
///
/// `levels` are the map's, see [`levels`]; `alpha` is the map's weight, [`ALPHA`] in the
/// notebook. Sizes are `(height, width)`.
///
/// # Shapes
///
/// `levels` is `[height, width]` of `map_size`, `frame` is `[height, width, 3]` of `frame_size`,
/// both row-major, the frame in 0..=255; the result has the frame's size.
///
/// # Panics
///
/// If a slice does not have its size, or has no pixels.
#[must_use]
pub fn overlay(
    levels: &[u8],
    map_size: (usize, usize),
    frame: &[f32],
    frame_size: (usize, usize),
    alpha: f32,
) -> RgbImage {
    blended(&enlarged(&coloured(levels, map_size), frame_size), frame, alpha)
}

/// The map over the frame, each place with the scale's colour and weight, nothing stretched. Sizes are
/// `(height, width)`; shapes are those of [`overlay`].
///
/// # Panics
///
/// If a slice does not have its size, or has no pixels.
#[must_use]
pub fn tinted(
    map: &[f32],
    map_size: (usize, usize),
    frame: &[f32],
    frame_size: (usize, usize),
    (scale, alpha): (&Scale, f32),
) -> RgbImage {
    assert_eq!(frame.len(), frame_size.0 * frame_size.1 * 3, "the frame must have its size");
    let shares: Vec<f32> = map.iter().map(|&value| scale.share(value)).collect();
    let shares = resample(&shares, map_size, frame_size);
    let (pixels, _) = frame.as_chunks::<3>();
    let mixed = shares.iter().zip(pixels).flat_map(|(&share, below)| {
        let (colour, weight) = (scale.colour(share), scale.weight(share, alpha));
        std::array::from_fn::<u8, 3, _>(|channel| mix(below[channel], colour[channel], weight))
    });
    picture(mixed.collect(), frame_size)
}

fn picture(bytes: Vec<u8>, (height, width): (usize, usize)) -> RgbImage {
    assert_eq!(bytes.len(), height * width * 3, "the values must fill {height} x {width} pixels");
    RgbImage::from_raw(side(width), side(height), bytes).expect("the length was checked")
}

fn side(pixels: usize) -> u32 {
    u32::try_from(pixels).expect("an image's side fits 32 bits")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use burncam_evaluation::Values;

    use super::{ALPHA, array_to_img, blended, coloured, levels, levels_on, overlay, tinted};
    use crate::{Colormap, Scale};

    #[test]
    fn levels_are_the_share_of_the_maximum() {
        assert_eq!(levels(&[-1.0, 0.0, 1.0, 2.0, 4.0]), [0, 0, 63, 127, 255]);
        assert_eq!(levels(&[0.5, 0.5]), [255, 255]);
    }

    #[test]
    fn levels_of_a_map_without_evidence_are_zero() {
        assert_eq!(levels(&[-1.0, -2.0]), [0, 0]);
        assert_eq!(levels(&[0.0, -0.0, -3.0]), [0, 0, 0]);
        assert_eq!(levels(&[f32::NAN, f32::NAN]), [0, 0]);
        assert_eq!(levels(&[1.0, f32::NAN]), [255, 0]);
        assert_eq!(levels(&[1.0, f32::INFINITY]), [0, 0]);
        assert_eq!(levels(&[]), [0_u8; 0]);
    }

    #[test]
    fn stretching_covers_the_range() {
        assert_eq!(array_to_img(&[2.0, 3.0, 4.0]), [0, 127, 255]);
        assert_eq!(array_to_img(&[7.0, 7.0]), [0, 0]);
        assert_eq!(array_to_img(&[7.0, f32::NAN]), [0, 0]);
        assert_eq!(array_to_img(&[f32::NAN, 7.0]), [0, 0]);
        assert_eq!(array_to_img(&[]), [0_u8; 0]);
    }

    proptest! {
        /// One value after the other, as numpy does.
        #[test]
        fn stretching_is_that_of_single_values(
            mut values in prop::collection::vec(-300.0_f32..300.0, 1..70),
            odd in prop::sample::select(vec![0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY]),
            place in 0_usize..140,
        ) {
            if let Some(value) = values.get_mut(place) {
                *value = odd;
            }
            let least = |a: f32, b: f32| if a.is_nan() || b.is_nan() { f32::NAN } else { a.min(b) };
            let most = |a: f32, b: f32| if a.is_nan() || b.is_nan() { f32::NAN } else { a.max(b) };
            let min = values.iter().copied().fold(f32::INFINITY, least);
            let max = values.iter().map(|value| value - min).fold(f32::NEG_INFINITY, most);
            let divisor = if max == 0.0 { 1.0 } else { max };
            let expected: Vec<u8> =
                values.iter().map(|value| ((value - min) / divisor * 255.0) as u8).collect();
            prop_assert_eq!(array_to_img(&values), expected);
        }
    }

    #[test]
    fn colours_are_stretched_over_the_whole_map() {
        let image = coloured(&[0, 255], (1, 2));
        assert_eq!(image.as_raw(), &[0, 0, 255, 255, 0, 0]);
    }

    #[test]
    fn blending_adds_and_stretches() {
        let map = coloured(&[0, 255], (1, 2));
        let image = blended(&map, &[10.0, 10.0, 10.0, 112.0, 10.0, 61.0], ALPHA);
        assert_eq!(image.as_raw(), &[0, 0, 127, 255, 0, 63]);
    }

    #[test]
    fn a_blank_map_tints_blue() {
        let image = overlay(&[0; 4], (2, 2), &[128.0; 27], (3, 3), ALPHA);
        assert!(image.pixels().all(|pixel| pixel.0 == [0, 0, 255]));
    }

    #[test]
    fn levels_on_a_scale_end_at_its_top() {
        let scale = Scale { colormap: Colormap::Jet, values: Values::Sizes, top: 2.0 };
        assert_eq!(levels_on(&scale, &[0.0, 1.0, 2.0, 9.0]), [0, 127, 255, 255]);
        let raw = [-1.0, 0.0, 1.0, 2.0, 4.0];
        assert_eq!(levels_on(&Scale { top: 4.0, ..scale }, &raw), levels(&raw));
    }

    #[test]
    fn signed_values_tint_the_frame_on_both_sides_of_zero() {
        let scale = Scale { colormap: Colormap::Jet, values: Values::Signed, top: 2.0 };
        let frame = [[10.0, 20.0, 30.0]; 3].concat();
        let picture = tinted(&[-2.0, 0.0, 2.0], (1, 3), &frame, (1, 3), (&scale, ALPHA));
        let expected = [scale.colour(-1.0), [10, 20, 30], scale.colour(1.0)];
        assert_eq!(picture.as_raw(), expected.as_flattened());
    }
}
