//! An image of any size into a frame of the network's size.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "places in images whose sizes are known, and arithmetic of pixels"
)]

use std::fmt;
use std::str::FromStr;

use image::RgbImage;

use crate::tensorflow;

/// Which pixels of the source make one pixel of the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Resize {
    /// The pixel under the centre, by Pillow's arithmetic: what `load_img` of Keras does.
    #[default]
    Nearest,
    /// `tf.image.resize` with `method="bilinear"`: half-pixel centres, no antialiasing.
    Bilinear,
}

impl Resize {
    /// Every rule.
    pub const ALL: [Self; 2] = [Self::Nearest, Self::Bilinear];

    /// The rule's name: `nearest` or `bilinear`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nearest => "nearest",
            Self::Bilinear => "bilinear",
        }
    }
}

impl fmt::Display for Resize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A name that is not a resize rule's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown resize rule `{0}`: expected `nearest` or `bilinear`")]
pub struct UnknownResize(pub String);

impl FromStr for Resize {
    type Err = UnknownResize;

    fn from_str(name: &str) -> Result<Self, UnknownResize> {
        Self::ALL
            .into_iter()
            .find(|rule| rule.name() == name)
            .ok_or_else(|| UnknownResize(name.to_owned()))
    }
}

/// An image of the network's input size.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// `[height, width, 3]`, row-major, red first, each value in 0..=255. Nearest gives whole
    /// numbers, bilinear also fractions.
    pub rgb: Vec<f32>,
}

/// Resizes `image` to `height` x `width` pixels. An image of that size already is left as it is.
///
/// # Shapes
///
/// The frame's values are `[height, width, 3]`.
///
/// # Panics
///
/// If the image or the wanted size has no pixels.
#[must_use]
pub fn resize(image: &RgbImage, height: usize, width: usize, rule: Resize) -> Frame {
    assert!(height > 0 && width > 0, "a frame has at least one pixel");
    assert!(image.width() > 0 && image.height() > 0, "an image has at least one pixel");
    let rgb = match rule {
        Resize::Nearest => nearest(image, height, width),
        Resize::Bilinear => {
            let from = [image.height() as usize, image.width() as usize];
            tensorflow::bilinear(image.as_raw(), from, [height, width])
        }
    };
    Frame { height, width, rgb }
}

fn nearest(image: &RgbImage, height: usize, width: usize) -> Vec<f32> {
    let rows = nearest_indices(image.height() as usize, height);
    let columns = nearest_indices(image.width() as usize, width);
    let stride = image.width() as usize * 3;
    let mut rgb = Vec::with_capacity(height * width * 3);
    for &row in &rows {
        let line = &image.as_raw()[row * stride..][..stride];
        for &column in &columns {
            rgb.extend(line[column * 3..][..3].iter().map(|&value| f32::from(value)));
        }
    }
    rgb
}

/// The source index of each of `to` positions along an axis of `from` pixels.
///
/// Pillow adds the step again and again in `f64` instead of multiplying. The rounding errors
/// that this gathers decide which of two neighbours is taken, so they are part of the rule.
fn nearest_indices(from: usize, to: usize) -> Vec<usize> {
    let step = from as f64 / to as f64;
    let mut position = step * 0.5;
    (0..to)
        .map(|_| {
            let index = (position as usize).min(from - 1);
            position += step;
            index
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use image::RgbImage;
    use proptest::prelude::*;

    use super::{Resize, nearest_indices, resize};

    /// A `height` x `width` image whose red channel holds `values`.
    fn red(height: u32, width: u32, values: &[u8]) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([values[(y * width + x) as usize], 0, 255])
        })
    }

    fn reds(image: &RgbImage, height: usize, width: usize, rule: Resize) -> Vec<f32> {
        resize(image, height, width, rule).rgb.iter().step_by(3).copied().collect()
    }

    #[test]
    fn names_round_trip() {
        for rule in Resize::ALL {
            assert_eq!(rule.to_string().parse(), Ok(rule));
        }
        assert!("cubic".parse::<Resize>().is_err());
    }

    #[test]
    fn equal_size_is_the_identity() {
        let image = red(2, 3, &[0, 50, 100, 150, 200, 250]);
        for rule in Resize::ALL {
            let frame = resize(&image, 2, 3, rule);
            let pixels: Vec<f32> = image.as_raw().iter().map(|&v| f32::from(v)).collect();
            assert_eq!(frame.rgb, pixels, "{rule}");
        }
    }

    #[test]
    fn nearest_takes_the_pixel_under_the_centre() {
        assert_eq!(nearest_indices(4, 2), [1, 3]);
        assert_eq!(nearest_indices(2, 4), [0, 0, 1, 1]);
        assert_eq!(nearest_indices(5, 3), [0, 2, 4]);
        let image = red(1, 4, &[1, 2, 3, 4]);
        assert_eq!(reds(&image, 1, 2, Resize::Nearest), [2.0, 4.0]);
    }

    /// Sizes where the sum of steps and the product fall on two sides of a pixel's edge.
    #[test]
    fn nearest_sums_its_steps() {
        assert_eq!(nearest_indices(14, 5)[2], 6);
        assert_eq!(nearest_indices(112, 5)[2], 55);
        assert_eq!(nearest_indices(214, 5)[2], 106);
    }

    #[test]
    fn bilinear_is_tensorflows() {
        let values = [0, 50, 100, 150, 7, 255, 13, 99, 200, 1, 2, 3];
        let image = red(3, 4, &values);
        assert_eq!(reds(&image, 2, 2, Resize::Bilinear), [51.5, 107.75, 108.125, 15.875]);
        assert_eq!(reds(&image, 1, 1, Resize::Bilinear), [134.0]);
        let up = reds(&image, 4, 7, Resize::Bilinear);
        let first_two_rows = [
            0.0, 17.857147, 46.42857, 75.0, 103.57144, 132.14287, 150.0, 4.375, 66.42858, 165.7143,
            111.875, 50.803_59, 92.232155, 118.125,
        ];
        for (value, expected) in up.iter().zip(first_two_rows) {
            assert!((value - expected).abs() < 1e-4, "{value} {expected}");
        }
    }

    proptest! {
        /// The exact index is the whole part of (2i + 1) * from / (2 * to) in integers. The sum
        /// of steps may only leave it where that quotient is a whole number.
        #[test]
        fn nearest_is_exact_but_on_edges(from in 1usize..5000, to in 1usize..700) {
            for (i, &index) in nearest_indices(from, to).iter().enumerate() {
                let numerator = (2 * i + 1) * from;
                let exact = numerator / (2 * to);
                let on_edge = numerator.is_multiple_of(2 * to);
                prop_assert!(index == exact || (on_edge && index + 1 == exact), "{i}");
            }
        }

        #[test]
        fn bilinear_stays_between_its_neighbours(
            values in prop::collection::vec(any::<u8>(), 12),
            height in 1usize..9,
            width in 1usize..9,
        ) {
            let image = red(3, 4, &values);
            let (low, high) = (values.iter().min(), values.iter().max());
            let low = f32::from(*low.expect("twelve values"));
            let high = f32::from(*high.expect("twelve values"));
            for value in reds(&image, height, width, Resize::Bilinear) {
                prop_assert!((low - 1e-3..=high + 1e-3).contains(&value));
            }
        }
    }
}
