//! Maps into pictures.
//!
//! A raw map and the frame that it explains become an [`overlay`], as the notebook makes it, or one that is made to be
//! read ([`over_photograph`]), and [`encode`] turns either into a file's bytes. Values of other kinds than the notebook's have
//! their colours by a [`Scale`]. Colours, sizes and roundings are those of numpy,
//! matplotlib, Pillow and Keras, to the last bit: only the bytes of compressed files differ.
//!
//! This crate must never know Burn or write a file.
//!
//! ```
//! use burncam_render::{ALPHA, Format, encode, levels, overlay};
//!
//! let raw_map = [-0.5, 0.0, 0.5, 1.0];
//! let frame = vec![128.0; 120 * 120 * 3];
//! let picture = overlay(&levels(&raw_map), (2, 2), &frame, (120, 120), ALPHA);
//! let png = encode(&picture, Format::Png)?;
//! assert!(png.starts_with(b"\x89PNG"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod clean;
mod colormap;
mod colormap_tables;
mod encode;
mod error;
mod overlay;
mod pillow;
mod scale;
mod thumbnail;

pub use clean::{Style, hatched, magnification, over_photograph};
pub use colormap::{Colormap, diverging, jet};
pub use encode::{Format, encode};
pub use error::EncodeError;
pub use image::RgbImage;
pub use overlay::{
    ALPHA, array_to_img, blended, coloured, enlarged, levels, levels_on, overlay, tinted,
};
pub use pillow::resize_bicubic;
pub use scale::{PIXELS_BELOW_TOP, Scale, top};
pub use thumbnail::thumbnail;
