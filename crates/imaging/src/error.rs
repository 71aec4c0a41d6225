//! What can go wrong between a file and its pixels.

use std::path::PathBuf;

use crate::OtherFormat;

/// Why an image file gave no pixels. Every case names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The image file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The file has no bytes.
    #[error("{} is empty", path.display())]
    Empty {
        /// The image file.
        path: PathBuf,
    },
    /// The content is none of PNG, JPEG, BMP, TIFF and WebP, whatever the file's name says.
    #[error("{} is not a PNG, JPEG, BMP, TIFF or WebP image", path.display())]
    NotAnImage {
        /// The image file.
        path: PathBuf,
    },
    /// The content is of a format that is known and not read, whatever the file's name says.
    #[error(
        "{} is a {} file, which Burncam does not read: {} it with `{}`",
        path.display(), format.name(),
        if format.is_archive() { "unpack" } else { "convert" }, format.command()
    )]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// The format.
        format: OtherFormat,
    },
    /// The file ends before its image does.
    #[error("{} is truncated", path.display())]
    Truncated {
        /// The image file.
        path: PathBuf,
    },
    /// The file, or the image that it declares, is larger than the limits allow.
    #[error("{} is too large: {what} is {found}, the limit {limit}", path.display())]
    TooLarge {
        /// The image file.
        path: PathBuf,
        /// The quantity that passed its limit.
        what: &'static str,
        /// Its value.
        found: u64,
        /// The largest value allowed.
        limit: u64,
    },
    /// The file is an image, but its content is damaged or of a kind the decoder does not know.
    #[error("cannot decode {}", path.display())]
    Decode {
        /// The image file.
        path: PathBuf,
        /// What the decoder said.
        #[source]
        source: image::ImageError,
    },
    /// The image is of a kind that is not read, or that the decoder would read otherwise than Pillow: a TIFF that is
    /// compressed like a fax, to be decoded in a time that grows with the square of its size, or as JPEGs, with
    /// reversed bits, with YCbCr colours or with planes in tiles beyond its edge; a JPEG with arithmetic or
    /// lossless coding, with other than 8 bits, or with unusual samples of its colours.
    #[error(
        "{} has {what}, which Burncam does not read: save it as PNG",
        path.display()
    )]
    Unread {
        /// The image file.
        path: PathBuf,
        /// What it has.
        what: &'static str,
    },
    /// The decoder knows the pixel type, but there is no rule for turning it into RGB.
    #[error("{}: pixels of type {pixels} are not supported", path.display())]
    Pixels {
        /// The image file.
        path: PathBuf,
        /// The pixel type.
        pixels: String,
    },
    /// The decoder panicked on this file.
    #[error("cannot decode {}: the decoder failed on damaged content", path.display())]
    Panic {
        /// The image file.
        path: PathBuf,
    },
}
