//! Image files into network input.
//!
//! Four steps, each a function of its own: [`decode`] a file into RGB pixels, [`fit`] them to
//! the network's input size, [`preprocess`] the frame into the network's values, and hand these
//! to the network as a tensor with [`stacked`]; [`to_tensor`] does the last two. The pixels are
//! those that Pillow's `Image.open(path).convert("RGB")` gives, the resized frame is that of Keras'
//! `load_img`, and the values equal numpy's to the last bit.
//!
//! This crate must never be bypassed: pixels become network input here only. It knows no
//! architecture, only the [`InputSpec`](burncam_net::InputSpec) of one, and it must never panic
//! on a file, however damaged.
//!
//! ```
//! use burncam_imaging::{DecodeOptions, Resize, decode, fit, preprocess};
//! use burncam_net::{ChannelOrder, InputSpec};
//!
//! # let folder = std::env::temp_dir().join(format!("burncam-imaging-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # let path = folder.join("face.png");
//! # image::RgbImage::from_pixel(640, 480, image::Rgb([255, 128, 0])).save(&path)?;
//! let spec = InputSpec::scaled(120, ChannelOrder::Rgb, 255.0);
//! let image = decode(&path, DecodeOptions::default())?;
//! let frame = fit(&image, &spec, Resize::Nearest);
//! let values = preprocess(&frame, &spec);
//! assert_eq!(values.len(), 3 * 120 * 120);
//! assert_eq!(values[0], 1.0);
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// A file is a stranger's: what it holds is looked up and computed with in ways that cannot fail.
#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
    )
)]

mod chunks;
mod decode;
mod error;
mod files;
mod fit;
mod jpeg;
mod memory_budget;
mod other_format;
mod pixels;
mod png;
mod preprocess;
mod resize;
mod tensor;
mod tensorflow;
mod tiff;
mod tiff_directory;
mod vp8l;
mod webp;

pub use decode::{DecodeOptions, Decoded, Exif, Remarks, decode, decode_bytes, read};
pub use error::Error;
pub use files::{EXTENSIONS, is_image_name};
pub use fit::{fit, own_resizing};
pub use image::RgbImage;
pub use memory_budget::Held;
pub use other_format::{OtherFormat, SIGNATURE};
pub use preprocess::preprocess;
pub use resize::{Frame, Resize, UnknownResize, resize};
pub use tensor::{stacked, to_tensor};
