//! A figure as PNG.

use std::io::Cursor;

use burncam_render::resize_bicubic;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use crate::error::Error;
use crate::raster::raster;
use crate::scene::{Item, Scene};

/// More pixels than a figure of a paper has; each takes 4 bytes.
const MOST_PIXELS: f64 = 2e8;

/// Millimetres of an inch.
const INCH: f64 = 25.4;

/// The bytes before the first chunk, and those of the first chunk, IHDR.
const HEAD: usize = 8 + 25;

/// The figure as a PNG file of so many pixels an inch, which the file says.
///
/// # Errors
///
/// [`Error::Draw`] if it would have more than 200 million pixels.
pub fn png(scene: &Scene, dpi: f32) -> Result<Vec<u8>, Error> {
    let side = |length: f32| (f64::from(length) * f64::from(dpi) / INCH).round().max(1.0);
    let (width, height) = (side(scene.width), side(scene.height));
    if width * height > MOST_PIXELS {
        return Err(Error::Draw(format!(
            "a PNG of {width} × {height} pixels is larger than this program draws\n\
             hint: lower --dpi or --width, or write a .pdf"
        )));
    }
    let (width, height) = (width as u32, height as u32);
    let pixels = raster(&fitted(scene, dpi), width, height)
        .ok_or_else(|| Error::Draw("the picture has no size".to_owned()))?;
    let mut bytes = Cursor::new(Vec::new());
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive)
        .write_image(pixels.as_raw(), width, height, ExtendedColorType::Rgb8)
        .map_err(|error| Error::Draw(error.to_string()))?;
    Ok(with_density(bytes.into_inner(), dpi))
}

/// The figure with pictures of no more pixels than are drawn: the renderer would take some of theirs and leave out others.
fn fitted(scene: &Scene, dpi: f32) -> Scene {
    let mut scene = scene.clone();
    for item in &mut scene.items {
        let Item::Picture { place, picture } = item else { continue };
        let side = |length: f32| ((length * dpi / INCH as f32).round() as u32).max(1);
        let (width, height) = (side(place.width), side(place.height));
        if width < picture.width() || height < picture.height() {
            let (width, height) = (width.min(picture.width()), height.min(picture.height()));
            *picture = resize_bicubic(picture, width, height);
        }
    }
    scene
}

/// Puts the chunk that has the pixels per metre behind the first one.
fn with_density(mut png: Vec<u8>, dpi: f32) -> Vec<u8> {
    let per_metre = (f64::from(dpi) * 1000.0 / INCH).round() as u32;
    let mut chunk = b"pHYs".to_vec();
    chunk.extend(per_metre.to_be_bytes());
    chunk.extend(per_metre.to_be_bytes());
    // The unit is the metre.
    chunk.push(1);
    let sum = crc32fast::hash(&chunk);
    let length = (chunk.len() - 4) as u32;
    let whole = length.to_be_bytes().into_iter().chain(chunk).chain(sum.to_be_bytes());
    png.splice(HEAD..HEAD, whole);
    png
}
