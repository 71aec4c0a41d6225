//! An image to the size of a network that may resize its own input.

#![expect(clippy::arithmetic_side_effects, reason = "arithmetic of pixels")]

use burncam_net::{ChannelOrder, InputSpec, OwnResizing};
use image::{Rgb, RgbImage};

use crate::{Frame, Resize, resize, tensorflow};

/// Brings `image` to the size of the network's first layer. `rule` makes the size that the network
/// is given; where the network resizes its input itself, its own rule does the rest, or all of it
/// if it takes images of any size.
///
/// The frame still holds pixels in 0..=255: a network may scale before it resizes, but both are
/// linear, so their order changes nothing but the last digits.
///
/// # Shapes
///
/// The frame has the height and width of `input`.
///
/// # Panics
///
/// If the image or one of the sizes has no pixels.
#[must_use]
pub fn fit(image: &RgbImage, input: &InputSpec, rule: Resize) -> Frame {
    let grey = (input.order == ChannelOrder::Grey).then(|| lightness(image));
    let image = grey.as_ref().unwrap_or(image);
    match input.resizing {
        None => resize(image, input.height, input.width, rule),
        Some(OwnResizing { from: Some([height, width]), .. }) => {
            own_resizing(resize(image, height, width, rule), input)
        }
        Some(OwnResizing { from: None, interpolation }) => {
            let from = [image.height() as usize, image.width() as usize];
            let to = [input.height, input.width];
            let rgb = tensorflow::resize(image.as_raw(), from, to, interpolation);
            Frame { height: input.height, width: input.width, rgb }
        }
    }
}

/// The same image in grey, each number as Pillow's `convert("L")` rounds it.
fn lightness(image: &RgbImage) -> RgbImage {
    let mut grey = image.clone();
    for Rgb(rgb) in grey.pixels_mut() {
        let [red, green, blue] = rgb.map(u32::from);
        let sum = 19_595 * red + 38_470 * green + 7_471 * blue + 0x8000;
        *rgb = [(sum >> 16) as u8; 3];
    }
    grey
}

/// What the network's own resizing, if it has one, makes of what it is given.
///
/// # Shapes
///
/// `frame` has the size that the network is given, the result the height and width of `input`.
///
/// # Panics
///
/// If one of the sizes has no pixels.
#[must_use]
pub fn own_resizing(frame: Frame, input: &InputSpec) -> Frame {
    let Some(own) = input.resizing else { return frame };
    let (from, to) = ([frame.height, frame.width], [input.height, input.width]);
    assert!(from.iter().chain(&to).all(|&size| size > 0), "a frame has at least one pixel");
    let rgb = tensorflow::resize(&frame.rgb, from, to, own.interpolation);
    Frame { height: input.height, width: input.width, rgb }
}

#[cfg(test)]
mod tests {
    use burncam_net::{ChannelOrder, InputSpec, Interpolation, OwnResizing};
    use image::{Rgb, RgbImage};

    use super::fit;
    use crate::Resize;

    /// The red channel of a row of pixels, as a network sees it that resizes to two.
    fn reds(pixels: &[u8], from: Option<usize>, interpolation: Interpolation) -> Vec<f32> {
        let image =
            RgbImage::from_fn(pixels.len() as u32, 1, |x, _| Rgb([pixels[x as usize], 0, 0]));
        let resizing = OwnResizing { from: from.map(|width| [1, width]), interpolation };
        let input = InputSpec {
            height: 1,
            width: 2,
            resizing: Some(resizing),
            ..InputSpec::scaled(2, ChannelOrder::Rgb, 255.0)
        };
        fit(&image, &input, Resize::Nearest).rgb.iter().step_by(3).copied().collect()
    }

    #[test]
    fn an_image_goes_through_both_sizes_or_straight_to_the_last() {
        let pixels = [0, 10, 20, 30, 40, 50, 60, 70];
        // Nearest to four pixels (10, 30, 50, 70), then the means of pairs.
        assert_eq!(reds(&pixels, Some(4), Interpolation::Bilinear), [20.0, 60.0]);
        assert_eq!(reds(&pixels, None, Interpolation::Bilinear), [15.0, 55.0]);
        assert_eq!(reds(&pixels, Some(4), Interpolation::Nearest), [30.0, 70.0]);
        assert_eq!(reds(&pixels, None, Interpolation::Nearest), [20.0, 60.0]);
    }
}
