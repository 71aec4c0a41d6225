//! The small picture of an image in the page's gallery.

use image::{Rgb, RgbImage, imageops};

use crate::pillow::resize_bicubic;

/// The longest side of each of its parts, in pixels.
const SIDE: u32 = 240;

/// Original, map and overlay side by side, each as it is or, where it is larger, brought to 240
/// pixels; each part is as large as the original's. An overlay of another shape is fitted in.
///
/// # Panics
///
/// If one has no pixels.
#[must_use]
pub fn thumbnail(original: &RgbImage, map: &RgbImage, overlay: &RgbImage) -> RgbImage {
    let (width, height) = inside(original.dimensions(), (SIDE, SIDE));
    let mut strip = RgbImage::from_pixel(3 * width, height, Rgb([255; 3]));
    for (place, part) in [original, map, overlay].into_iter().enumerate() {
        let size = inside(part.dimensions(), (width, height));
        let part = if part.dimensions() == size {
            part.clone()
        } else {
            resize_bicubic(part, size.0, size.1)
        };
        let left = place as u32 * width + (width - size.0) / 2;
        imageops::replace(&mut strip, &part, i64::from(left), i64::from((height - size.1) / 2));
    }
    strip
}

/// The largest size of this shape that is neither larger than `most` nor than it is.
fn inside((width, height): (u32, u32), most: (u32, u32)) -> (u32, u32) {
    let scale = |side: u32, most: u32| f64::from(most) / f64::from(side);
    let scale = scale(width, most.0).min(scale(height, most.1)).min(1.0);
    let side = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
    (side(width), side(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_fitted_in() {
        let colour = |width, height, level| RgbImage::from_pixel(width, height, Rgb([level; 3]));
        let strip = thumbnail(&colour(224, 224, 10), &colour(224, 224, 20), &colour(600, 300, 30));
        assert_eq!(strip.dimensions(), (672, 224));
        let at = |x, y| strip.get_pixel(x, y).0[0];
        assert_eq!([at(0, 0), at(223, 223), at(224, 0), at(447, 100)], [10, 10, 20, 20]);
        // 600 × 300 becomes 224 × 112, in the middle.
        assert_eq!([at(560, 10), at(560, 112), at(560, 213)], [255, 30, 255]);
        let large = thumbnail(&colour(299, 299, 1), &colour(299, 299, 1), &colour(299, 299, 1));
        assert_eq!(large.dimensions(), (720, 240));
    }
}
