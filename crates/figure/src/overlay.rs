//! Pictures of single maps with their colour bar.

use burncam_page::Language;
use burncam_render::{Scale, Style, hatched, magnification, over_photograph};
use image::{Rgb, RgbImage};

use crate::bars::{number, spectrum, ticks};
use crate::font::{Face, Typeface};
use crate::look::Look;
use crate::raster::raster;
use crate::scene::{Item, POINT, Place, Scene, Text};

/// Widths of the space beside the bar and of the bar, and the numbers' size, in pixels of a small photograph.
const GAP: f32 = 6.0;
const BAR: f32 = 10.0;
const SIZE: f32 = 9.0;

/// The height of digits over the baseline, and how far round ones reach below it, as shares of the size.
const DIGITS: f32 = 0.76;
const BELOW: f32 = 0.03;

/// The map [over the photograph](over_photograph), and a colour bar with its numbers to the right.
///
/// # Shapes
///
/// `map` is `[height, width]` of `map_size`, row by row, over the whole photograph. The picture has the photograph's
/// height.
///
/// # Panics
///
/// If the map does not have its size, or one has no pixels.
#[must_use]
pub fn clean_overlay(
    photograph: &RgbImage,
    map: &[f32],
    map_size: (usize, usize),
    style: &Style,
) -> RgbImage {
    let height = photograph.height();
    let bar = bar(&style.scale, room(photograph), height, magnification(photograph));
    beside(&over_photograph(photograph, map, map_size, style), bar.as_ref())
}

/// The photograph where there is no map to be read: [hatched], and without a colour bar. Of the size of a
/// clean overlay.
///
/// # Panics
///
/// If it has no pixels.
#[must_use]
pub fn crossed_out(photograph: &RgbImage) -> RgbImage {
    beside(&hatched(photograph), None)
}

/// The picture, and the bar at its right, or white in its place.
fn beside(picture: &RgbImage, bar: Option<&RgbImage>) -> RgbImage {
    let (width, height) = picture.dimensions();
    let room = room(picture);
    let [own, free] = [width, room].map(|side| 3 * side as usize);
    let white = vec![255; free];
    let mut rows = Vec::with_capacity((own + free) * height as usize);
    for (row, line) in picture.as_raw().chunks_exact(own).enumerate() {
        rows.extend_from_slice(line);
        rows.extend_from_slice(bar.map_or(&white, |bar| &bar.as_raw()[row * free..][..free]));
    }
    RgbImage::from_raw(width + room, height, rows).expect("rows of a picture and its bar")
}

/// What the bar and its widest number take beside a photograph, in pixels.
fn room(photograph: &RgbImage) -> u32 {
    /// Scenes are in millimetres, and this one has a pixel for each.
    static WIDEST: std::sync::LazyLock<f32> = std::sync::LazyLock::new(|| {
        let typeface = Typeface::default();
        let widths = (0..10).map(|digit| {
            let text = format!("−{digit}.{digit}{digit}e−{digit}{digit}");
            typeface.width(Face::Regular, &text, SIZE / POINT)
        });
        widths.fold(0.0, f32::max)
    });
    ((GAP + BAR + GAP + *WIDEST + 1.0) * magnification(photograph) as f32).ceil() as u32
}

/// The bar of a photograph's height and its numbers; a millimetre is a pixel.
fn bar(scale: &Scale, width: u32, height: u32, magnification: u32) -> Option<RgbImage> {
    let look = Look {
        language: Language::English,
        width: None,
        colormap: scale.colormap,
        title: None,
        typeface: Typeface::default(),
    };
    let mut scene = Scene::new(String::new(), &look);
    (scene.width, scene.height) = (width as f32, height as f32);
    let factor = magnification as f32;
    let colours: Vec<[u8; 3]> = spectrum(scale, height).collect();
    let picture = RgbImage::from_fn((BAR * factor) as u32, height, |_, y| {
        Rgb(colours[(height - 1 - y) as usize])
    });
    let place = Place { left: GAP * factor, top: 0.0, width: BAR * factor, height: scene.height };
    scene.add(Item::Picture { place, picture });
    let size = (SIZE * factor).min(scene.height * 0.4);
    for (at, value) in ticks(scale) {
        // The number in the middle needs a space above and below.
        if at == 0.5 && scene.height < 3.0 * size {
            continue;
        }
        let (highest, lowest) = (DIGITS * size, scene.height - BELOW * size);
        let baseline = lowest + at * (highest - lowest);
        let left = (GAP + BAR + GAP) * factor;
        let text = number(value, look.language);
        scene.text(Text::new(text, [left, baseline], size / POINT));
    }
    raster(&scene, width, height)
}

#[cfg(test)]
mod tests {
    use burncam_evaluation::Values;
    use burncam_render::Colormap;

    use image::imageops;

    use super::*;

    const SCALE: Scale = Scale { colormap: Colormap::Viridis, values: Values::Positive, top: 2.0 };
    const STYLE: Style = Style { scale: SCALE, alpha: 0.4, line: true };

    fn photograph(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([100, (x % 50) as u8, (y % 50) as u8]))
    }

    /// The place right of the bar, where numbers are, as columns and rows with ink.
    fn ink(picture: &RgbImage, from: u32) -> Vec<(u32, u32)> {
        let all =
            picture.enumerate_pixels().filter(|(x, _, pixel)| *x >= from && pixel.0 != [255; 3]);
        all.map(|(x, y, _)| (x, y)).collect()
    }

    #[test]
    fn the_map_lies_over_the_photograph_as_it_does_without_a_bar() {
        for (width, height) in [(90, 60), (450, 601), (3, 2)] {
            let photograph = photograph(width, height);
            let picture = clean_overlay(&photograph, &[0.0, 2.0], (1, 2), &STYLE);
            let own = over_photograph(&photograph, &[0.0, 2.0], (1, 2), &STYLE);
            assert_eq!(imageops::crop_imm(&picture, 0, 0, width, height).to_image(), own);
            assert_eq!(picture.height(), height);
            assert!(picture.width() > width);
        }
    }

    #[test]
    fn the_bar_runs_from_the_highest_colour_to_the_lowest() {
        for (values, factor) in [(Values::Positive, 1), (Values::Signed, 1), (Values::Sizes, 3)] {
            let side = 200 * factor;
            let scale = Scale { values, ..SCALE };
            let style = Style { scale, ..STYLE };
            let picture = clean_overlay(&photograph(side, side), &[1.0], (1, 1), &style);
            for x in [side + 6 * factor, side + 16 * factor - 1] {
                assert_eq!(picture.get_pixel(x, 0).0, scale.colour(1.0));
                assert_eq!(picture.get_pixel(x, side - 1).0, scale.colour(scale.bottom()));
            }
            for x in [side, side + 6 * factor - 1, side + 16 * factor] {
                assert_eq!(picture.get_pixel(x, side / 2).0, [255; 3], "{x}");
            }
        }
    }

    #[test]
    fn numbers_are_whole() {
        for (width, height) in [(64, 64), (224, 224), (640, 480), (30, 5)] {
            for top in [1.0, 0.734, 888.8, 8.88e-38, 3.4e38] {
                let scale = Scale { values: Values::Signed, top, ..SCALE };
                let photograph = photograph(width, height);
                let style = Style { scale, ..STYLE };
                let picture = clean_overlay(&photograph, &[top], (1, 1), &style);
                let factor = magnification(&photograph);
                let ink = ink(&picture, width + 17 * factor);
                assert!(!ink.is_empty(), "{top} {height}");
                assert!(ink.iter().all(|(x, _)| x + 1 < picture.width()), "{top} {height}");
                if height > 5 {
                    let rows = (0..height).filter(|y| ink.iter().any(|(_, row)| row == y));
                    let rows: Vec<u32> = rows.collect();
                    // Three blocks of rows: the numbers do not touch.
                    let gaps = rows.windows(2).filter(|pair| pair[1] > pair[0] + 1).count();
                    assert_eq!(gaps, 2, "{top} {height} {rows:?}");
                }
            }
        }
    }

    #[test]
    fn a_picture_is_the_same_in_every_thread() {
        let draw = || clean_overlay(&photograph(224, 224), &[0.3, 2.0], (1, 2), &STYLE);
        let own = draw();
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..4).map(|_| scope.spawn(draw)).collect();
            for one in all {
                assert_eq!(one.join().expect("a picture"), own);
            }
        });
        let other = Style { scale: Scale { top: 3.0, ..SCALE }, ..STYLE };
        let other = clean_overlay(&photograph(224, 224), &[0.45, 3.0], (1, 2), &other);
        assert_ne!(ink(&other, 241), ink(&own, 241), "another scale has other numbers");
    }

    #[test]
    fn a_photograph_without_a_map_is_crossed_out() {
        let photograph = photograph(100, 80);
        let picture = crossed_out(&photograph);
        let overlay = clean_overlay(&photograph, &[1.0], (1, 1), &STYLE);
        assert_eq!(picture.dimensions(), overlay.dimensions());
        assert_eq!((picture.get_pixel(16, 0).0, picture.get_pixel(17, 0).0), ([255; 3], [0; 3]));
        assert!(picture.pixels().all(|Rgb([r, g, b])| r == g && g == b));
    }
}
