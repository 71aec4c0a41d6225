//! Digits as pixels, for the numbers of a colour bar.

use image::{Rgb, RgbImage};

/// The room of one character in pixels, the space after it included.
pub(crate) const WIDTH: u32 = 6;

/// The height of a character in pixels.
pub(crate) const HEIGHT: u32 = 7;

/// The characters of a number, each seven rows of five pixels, the first the highest bit.
const GLYPHS: [(char, [u8; 7]); 13] = [
    ('0', [0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110]),
    ('1', [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110]),
    ('2', [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111]),
    ('3', [0b01110, 0b10001, 0b00001, 0b00110, 0b00001, 0b10001, 0b01110]),
    ('4', [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010]),
    ('5', [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110]),
    ('6', [0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110]),
    ('7', [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000]),
    ('8', [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110]),
    ('9', [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100]),
    ('.', [0b00000, 0b00000, 0b00000, 0b00000, 0b00000, 0b00110, 0b00110]),
    ('-', [0b00000, 0b00000, 0b00000, 0b11111, 0b00000, 0b00000, 0b00000]),
    ('e', [0b00000, 0b00000, 0b01110, 0b10001, 0b11111, 0b10000, 0b01110]),
];

/// Writes the characters that have a glyph in black from the place `(left, top)`, each pixel `scale`
/// pixels wide. What does not fit the picture is left out.
pub(crate) fn write(picture: &mut RgbImage, text: &str, (left, top): (u32, u32), scale: u32) {
    for (place, character) in (0..).zip(text.chars()) {
        let Some((_, rows)) = GLYPHS.iter().find(|(known, _)| *known == character) else {
            continue;
        };
        for (y, row) in (0..).zip(rows) {
            for x in (0..5).filter(|x| row >> (4 - x) & 1 == 1) {
                let corner = (left + (place * WIDTH + x) * scale, top + y * scale);
                square(picture, corner, scale);
            }
        }
    }
}

fn square(picture: &mut RgbImage, (left, top): (u32, u32), side: u32) {
    for y in top..top + side {
        for x in left..left + side {
            if let Some(pixel) = picture.get_pixel_mut_checked(x, y) {
                *pixel = Rgb([0; 3]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_one_is_a_one() {
        let mut picture = RgbImage::from_pixel(8, 8, Rgb([255; 3]));
        write(&mut picture, "1", (1, 0), 1);
        let row = |y: u32| {
            (0..8)
                .map(|x| if picture.get_pixel(x, y).0[0] == 0 { '#' } else { ' ' })
                .collect::<String>()
        };
        assert_eq!([row(0), row(1), row(6)], ["   #    ", "  ##    ", "  ###   "]);
        write(&mut picture, "888", (6, 5), 3);
    }
}
