//! Why a picture could not be encoded.

use crate::Format;

/// Why a picture could not be encoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The file name's extension names no format that this crate writes.
    #[error(
        "`{name}`: unknown image format: expected png, jpg, jpeg, jfif, bmp, tif, tiff or webp"
    )]
    UnknownFormat {
        /// The file name.
        name: String,
    },
    /// The image does not fit the format, for example a JPEG wider than 65,535 pixels.
    #[error("cannot encode a {width} x {height} image as {format}")]
    Encode {
        /// The format.
        format: Format,
        /// Width of the image in pixels.
        width: u32,
        /// Height of the image in pixels.
        height: u32,
        /// What the encoder said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
