//! An overlay into a file's bytes.

use std::fmt;
use std::io::Cursor;
use std::path::Path;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ImageFormat, RgbImage};
use libjpeg_turbo_rs::{PixelFormat, Subsampling};

use crate::EncodeError;

/// A format that overlays are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// PNG.
    Png,
    /// Baseline JPEG, byte for byte as Pillow writes it by default: quality 75, colour at half resolution.
    Jpeg,
    /// BMP.
    Bmp,
    /// Uncompressed TIFF.
    Tiff,
    /// Lossless WebP, where Pillow's default is lossy: no overlay is blurred by its file.
    WebP,
}

impl Format {
    /// The format that the extension of `file_name` stands for, in any mixture of cases.
    ///
    /// # Errors
    ///
    /// [`EncodeError::UnknownFormat`] if there is no extension or none of `png`, `jpg`, `jpeg`,
    /// `jfif`, `bmp`, `tif`, `tiff` and `webp`.
    pub fn of_name(file_name: impl AsRef<Path>) -> Result<Self, EncodeError> {
        let file_name = file_name.as_ref();
        let extension = file_name.extension().unwrap_or_default().to_ascii_lowercase();
        match extension.to_str() {
            Some("png") => Ok(Self::Png),
            Some("jpg" | "jpeg" | "jfif") => Ok(Self::Jpeg),
            Some("bmp") => Ok(Self::Bmp),
            Some("tif" | "tiff") => Ok(Self::Tiff),
            Some("webp") => Ok(Self::WebP),
            _ => Err(EncodeError::UnknownFormat { name: file_name.display().to_string() }),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
            Self::WebP => "WebP",
        })
    }
}

/// The bytes of `image` in `format`. Equal images give equal bytes. PNG is compressed for speed.
///
/// # Errors
///
/// [`EncodeError::Encode`] if the image is too large for the format or has no pixels.
pub fn encode(image: &RgbImage, format: Format) -> Result<Vec<u8>, EncodeError> {
    let encoded = match format {
        Format::Jpeg => jpeg(image),
        Format::Png => png(image),
        Format::Bmp => plain(image, ImageFormat::Bmp),
        Format::Tiff => plain(image, ImageFormat::Tiff),
        Format::WebP => plain(image, ImageFormat::WebP),
    };
    let (width, height) = image.dimensions();
    encoded.map_err(|source| EncodeError::Encode { format, width, height, source })
}

type Encoded = Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>;

fn jpeg(image: &RgbImage) -> Encoded {
    let (width, height) = (u16::try_from(image.width())?, u16::try_from(image.height())?);
    let (width, height) = (usize::from(width), usize::from(height));
    let quality = 75;
    let (pixels, sampling) = (PixelFormat::Rgb, Subsampling::S420);
    Ok(libjpeg_turbo_rs::compress(image.as_raw(), width, height, pixels, quality, sampling)?)
}

fn png(image: &RgbImage) -> Encoded {
    let mut bytes = Vec::new();
    // As small as with the best filter of each line, in seven eighths of the time: an overlay's
    // lines nearly all want this one.
    let encoder =
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Paeth);
    image.write_with_encoder(encoder)?;
    Ok(bytes)
}

fn plain(image: &RgbImage, format: ImageFormat) -> Encoded {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format)?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use image::RgbImage;

    use super::{Format, encode};

    const FORMATS: [Format; 5] =
        [Format::Png, Format::Jpeg, Format::Bmp, Format::Tiff, Format::WebP];

    fn picture() -> RgbImage {
        RgbImage::from_fn(33, 17, |x, y| image::Rgb([x as u8 * 7, y as u8 * 15, 128]))
    }

    /// The 64 values of the quantisation table `index`, in zigzag order.
    fn quantisation(jpeg: &[u8], index: u8) -> &[u8] {
        let marker = [0xff, 0xdb, 0x00, 0x43, index];
        let start = jpeg.windows(5).position(|window| window == marker).expect("the table");
        &jpeg[start + 5..start + 69]
    }

    #[test]
    fn the_extension_names_the_format() {
        for (name, format) in [
            ("x.png", Format::Png),
            ("x.PNG", Format::Png),
            ("x.png.jpg", Format::Jpeg),
            ("x.JPEG", Format::Jpeg),
            ("x.JFIF", Format::Jpeg),
            ("x.bmp", Format::Bmp),
            ("x.tif", Format::Tiff),
            ("x.tiff", Format::Tiff),
            ("x.WebP", Format::WebP),
        ] {
            assert_eq!(Format::of_name(name).expect("a known extension"), format, "{name}");
        }
        for name in ["x", "x.txt", "png", ".png", ""] {
            assert!(Format::of_name(name).is_err(), "{name}");
        }
    }

    fn read_jpeg(bytes: &[u8]) -> RgbImage {
        let decoder = libjpeg_turbo_rs::Decoder::new(bytes).expect("a JPEG");
        let (width, height) = (decoder.header().width, decoder.header().height);
        let samples = decoder.decode_image().expect("pixels").into_vec();
        RgbImage::from_raw(width.into(), height.into(), samples).expect("as many samples")
    }

    #[test]
    fn every_format_can_be_read_back() {
        for format in FORMATS {
            let bytes = encode(&picture(), format).expect("a small image");
            if format == Format::Jpeg {
                assert_eq!(read_jpeg(&bytes).dimensions(), picture().dimensions());
            } else {
                let back = image::load_from_memory(&bytes).expect("an image").into_rgb8();
                assert_eq!(back, picture(), "{format}");
            }
        }
    }

    #[test]
    fn jpeg_tables_and_sampling_are_those_of_quality_75() {
        let bytes = encode(&picture(), Format::Jpeg).expect("a small image");
        assert_eq!(quantisation(&bytes, 0)[..8], [8, 6, 6, 7, 6, 5, 8, 7]);
        assert_eq!(quantisation(&bytes, 0)[63], 50);
        assert_eq!(quantisation(&bytes, 1)[..8], [9, 9, 9, 12, 11, 12, 24, 13]);
        let frame = [0xff, 0xc0, 0x00, 0x11, 8, 0, 17, 0, 33, 3];
        let start = bytes.windows(10).position(|window| window == frame).expect("baseline");
        let sampling: Vec<u8> = bytes[start + 10..].chunks(3).take(3).map(|c| c[1]).collect();
        assert_eq!(sampling, [0x22, 0x11, 0x11]);
    }

    #[test]
    fn jpeg_colour_is_averaged_not_picked() {
        let stripes = RgbImage::from_fn(32, 32, |x, _| {
            image::Rgb(if x % 2 == 0 { [255, 0, 0] } else { [0, 0, 255] })
        });
        let bytes = encode(&stripes, Format::Jpeg).expect("a small image");
        let back = read_jpeg(&bytes);
        let sum = |channel: usize| back.pixels().map(|p| u64::from(p.0[channel])).sum::<u64>();
        let (red, blue) = (sum(0) / 1024, sum(2) / 1024);
        assert!(red.abs_diff(blue) < 16, "{red} {blue}");
    }

    #[test]
    fn an_image_without_pixels_is_an_error_for_jpeg() {
        assert!(encode(&RgbImage::new(0, 0), Format::Jpeg).is_err());
        assert!(encode(&RgbImage::new(70_000, 1), Format::Jpeg).is_err());
    }
}
