//! Small pictures that stand in the page itself.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

use crate::document::Report;
use crate::mean_maps;
use burncam_render::Scale;

/// Values in their colours, row by row.
pub(super) fn coloured(shares: &[f32], height: usize, scale: &Scale) -> RgbImage {
    let width = (shares.len() / height) as u32;
    RgbImage::from_fn(width, height as u32, |x, y| {
        Rgb(scale.colour(shares[(y * width + x) as usize]))
    })
}

/// A picture as the address of itself.
#[must_use]
pub fn data_uri(image: impl Into<DynamicImage>) -> String {
    let image = image.into();
    let mut bytes = Cursor::new(Vec::new());
    // Writing a small PNG to memory cannot fail; a page without a picture would still be one.
    match image.write_to(&mut bytes, ImageFormat::Png) {
        Ok(()) => format!("data:image/png;base64,{}", base64(bytes.get_ref())),
        Err(_) => "data:,".to_owned(),
    }
}

/// The digits of base64.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 4648.
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |place: usize| u32::from(three.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= three.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// The mean photograph of a report, if it has one that can be decoded.
#[must_use]
pub fn mean_face(report: &Report<'_>) -> Option<RgbImage> {
    let digits = mean_maps::face(report)?.rsplit(',').next()?;
    let png = from_base64(digits)?;
    Some(image::load_from_memory_with_format(&png, ImageFormat::Png).ok()?.into_rgb8())
}

/// RFC 4648; `None` for other characters.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for digit in text.trim_end_matches('=').bytes() {
        let value = DIGITS.iter().position(|known| *known == digit)? as u32;
        bits = (bits << 6 | value) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 255) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_the_rfc() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
            assert_eq!(from_base64(coded).as_deref(), Some(plain.as_bytes()));
        }
    }
}
