//! Small pictures that stand in the page itself.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

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

/// RFC 4648.
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
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
        }
    }
}
