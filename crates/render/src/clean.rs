//! A map over a photograph, made to be read: on screen, in print, in grey, and by people who do not
//! tell colours apart.

use image::{Rgb, RgbImage};

use crate::scale::Scale;
use burncam_evaluation::resample;

/// How a clean overlay is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Style {
    /// The colours of the map's values.
    pub scale: Scale,
    /// The weight of the map, in 0..=1.
    pub alpha: f32,
    /// Whether a line is drawn. It would be all over a map with a value for each pixel.
    pub line: bool,
}

/// The share of the scale where a line is drawn, on either side of 0.
const LINE: f32 = 0.5;

/// Steps between the lines that cross out a photograph without a map, in pixels.
const HATCH: u32 = 16;

/// The map over the photograph at the photograph's own size.
///
/// The map is interpolated as numbers and coloured after. The photograph becomes grey, so that all
/// colour is the map's, and is not stretched: `(1 - weight) * grey + weight * colour`, the weight by
/// [`Scale::weight`]. A line, white inside and black outside, may run at half of the scale, so that the
/// place can be read in grey as well. Equal values of two overlays of one scale have equal colours.
///
/// # Shapes
///
/// `map` is `[height, width]` of `map_size`, row by row, over the whole photograph.
///
/// # Panics
///
/// If the map does not have its size, or one has no pixels.
#[must_use]
pub fn over_photograph(
    photograph: &RgbImage,
    map: &[f32],
    map_size: (usize, usize),
    style: &Style,
) -> RgbImage {
    let (width, height) = photograph.dimensions();
    let scale = style.scale;
    let shares = map.iter().map(|value| scale.share(*value)).collect::<Vec<f32>>();
    let shares = resample(&shares, map_size, (height as usize, width as usize));
    let mut picture = RgbImage::new(width, height);
    for (x, y, pixel) in photograph.enumerate_pixels() {
        let share = shares[(y * width + x) as usize];
        let (grey, weight) = (grey(*pixel), scale.weight(share, style.alpha));
        let mixed = scale.colour(share).map(|value| mix(grey, value, weight));
        picture.put_pixel(x, y, Rgb(mixed));
    }
    if style.line {
        outline(&mut picture, &shares, (width, height));
    }
    picture
}

/// The photograph in grey, crossed out, at its own size.
///
/// # Panics
///
/// If it has no pixels.
#[must_use]
pub fn hatched(photograph: &RgbImage) -> RgbImage {
    let mut picture = photograph.clone();
    let step = HATCH * magnification(photograph);
    for (x, y, pixel) in photograph.enumerate_pixels() {
        let grey = grey(*pixel) as u8;
        let value = match (x + y) % step {
            0 => 255,
            1 => 0,
            _ => grey,
        };
        picture.put_pixel(x, y, Rgb([value; 3]));
    }
    picture
}

/// Luma by ITU-R BT.601, as Pillow's `convert("L")` has it.
fn grey(Rgb([red, green, blue]): Rgb<u8>) -> f32 {
    0.299 * f32::from(red) + 0.587 * f32::from(green) + 0.114 * f32::from(blue)
}

pub(crate) fn mix(below: f32, colour: u8, weight: f32) -> u8 {
    (below * (1.0 - weight) + f32::from(colour) * weight).round() as u8
}

/// How large lines and digits on a photograph are: 1 for small ones.
#[must_use]
pub fn magnification(photograph: &RgbImage) -> u32 {
    (photograph.width().min(photograph.height()) / 200).max(1)
}

/// Draws the line at half of the scale.
fn outline(picture: &mut RgbImage, shares: &[f32], (width, height): (u32, u32)) {
    let reach = i64::from(magnification(picture));
    let inside = |x: i64, y: i64| {
        let (x, y) = (x.clamp(0, i64::from(width) - 1), y.clamp(0, i64::from(height) - 1));
        shares[(y * i64::from(width) + x) as usize].abs() >= LINE
    };
    for y in 0..i64::from(height) {
        for x in 0..i64::from(width) {
            let own = inside(x, y);
            let near = [(reach, 0), (-reach, 0), (0, reach), (0, -reach)];
            if near.iter().any(|(right, down)| inside(x + right, y + down) != own) {
                picture.put_pixel(x as u32, y as u32, Rgb([if own { 255 } else { 0 }; 3]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use burncam_evaluation::Values;

    use super::*;
    use crate::Colormap;

    const SCALE: Scale = Scale { colormap: Colormap::Viridis, values: Values::Positive, top: 2.0 };
    const STYLE: Style = Style { scale: SCALE, alpha: 0.4, line: true };

    fn photograph(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([100, (x % 50) as u8, (y % 50) as u8]))
    }

    #[test]
    fn the_photograph_keeps_its_size_and_is_not_stretched() {
        let photograph = RgbImage::from_pixel(90, 60, Rgb([120, 120, 120]));
        let picture = over_photograph(&photograph, &[0.0; 6], (2, 3), &STYLE);
        assert_eq!(picture.dimensions(), (90, 60));
        let low = Colormap::Viridis.colours()[0];
        let expected = low.map(|value| (120.0 * 0.6 + f32::from(value) * 0.4).round() as u8);
        assert!((0..90).all(|x| picture.get_pixel(x, 30).0 == expected));
    }

    #[test]
    fn equal_values_have_equal_colours_in_two_maps_of_one_scale() {
        let photograph = RgbImage::from_pixel(40, 40, Rgb([90; 3]));
        let one = over_photograph(&photograph, &[0.4], (1, 1), &STYLE);
        let other = over_photograph(&photograph, &[0.4, 0.4, 0.4, 2.0], (2, 2), &STYLE);
        assert_eq!(one.get_pixel(2, 2), other.get_pixel(2, 2));
        let image = Style { scale: Scale { top: 0.4, ..SCALE }, ..STYLE };
        assert_ne!(
            over_photograph(&photograph, &[0.4], (1, 1), &image).get_pixel(2, 2),
            one.get_pixel(2, 2)
        );
    }

    #[test]
    fn numbers_are_interpolated_before_they_are_coloured() {
        let photograph = RgbImage::from_pixel(64, 8, Rgb([0; 3]));
        let style = Style { alpha: 1.0, ..STYLE };
        let picture = over_photograph(&photograph, &[0.0, 2.0], (1, 2), &style);
        let colours = Colormap::Viridis.colours();
        for x in [18, 24, 40, 46] {
            let value = (x as f32 + 0.5) / 32.0 - 0.5;
            assert_eq!(picture.get_pixel(x, 4).0, colours[(value * 255.0).round() as usize], "{x}");
        }
    }

    #[test]
    fn a_strong_place_can_be_told_in_grey() {
        let mut map = [0.0; 49];
        map[24] = 2.0;
        let picture = over_photograph(&photograph(140, 140), &map, (7, 7), &STYLE);
        let line: Vec<f32> = (0..140).map(|x| grey(*picture.get_pixel(x, 70))).collect();
        let white = line.iter().filter(|&&value| value == 255.0).count();
        let black = line.iter().filter(|&&value| value == 0.0).count();
        assert_eq!((white, black), (2, 2), "the line is crossed twice");
        assert!(line[70] > line[10] + 20.0, "{} {}", line[70], line[10]);
    }

    #[test]
    fn signed_values_are_drawn_on_both_sides_of_the_photograph() {
        let photograph = RgbImage::from_pixel(90, 30, Rgb([100; 3]));
        let scale = Scale { values: Values::Signed, ..SCALE };
        let style = Style { scale, line: false, ..STYLE };
        let picture = over_photograph(&photograph, &[-2.0, 0.0, 2.0], (1, 3), &style);
        assert_eq!(picture.get_pixel(2, 9).0, scale.colour(-1.0));
        assert_eq!(picture.get_pixel(45, 9).0, [100; 3], "nothing at zero");
        assert_eq!(picture.get_pixel(87, 9).0, scale.colour(1.0));
        // The line runs around both sides.
        let lined =
            over_photograph(&photograph, &[-2.0, 0.0, 2.0], (1, 3), &Style { line: true, ..style });
        let white = (0..90).filter(|&x| lined.get_pixel(x, 9).0 == [255; 3]).count();
        assert_eq!(white, 2);
    }

    #[test]
    fn a_photograph_without_a_map_is_crossed_out() {
        let photograph = photograph(100, 80);
        let picture = hatched(&photograph);
        assert_eq!(picture.dimensions(), (100, 80));
        assert_eq!((picture.get_pixel(16, 0).0, picture.get_pixel(17, 0).0), ([255; 3], [0; 3]));
        assert!(picture.pixels().all(|Rgb([r, g, b])| r == g && g == b));
    }
}
