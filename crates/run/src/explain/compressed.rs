//! An image as it is after it was stored as JPEG.

use std::path::Path;

use anyhow::Result;
use burncam_imaging::{DecodeOptions, Frame, decode_bytes};
use burncam_render::{Format, encode};
use image::RgbImage;

/// The frame after it was stored as JPEG of the quality that [`burncam_trust::JPEG_QUALITY`] says; fractions are rounded.
///
/// # Errors
///
/// If it cannot be stored.
pub(crate) fn compressed(frame: &Frame) -> Result<Frame> {
    let bytes = frame.rgb.iter().map(|&value| value.round().clamp(0.0, 255.0) as u8).collect();
    let (width, height) = (u32::try_from(frame.width)?, u32::try_from(frame.height)?);
    let image = RgbImage::from_raw(width, height, bytes).unwrap_or_default();
    let jpeg = encode(&image, Format::Jpeg)?;
    let decoded = decode_bytes(Path::new("frame.jpg"), &jpeg, DecodeOptions::default())?;
    let rgb = decoded.pixels.as_raw().iter().map(|&value| f32::from(value)).collect();
    Ok(Frame { rgb, ..*frame })
}
