//! A file's bytes into RGB pixels.

use std::fs::File;
use std::io::{Cursor, ErrorKind, Read};
use std::panic;
use std::path::Path;

use image::error::{DecodingError, ImageFormatHint};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};

use crate::chunks::TooMuch;
use crate::memory_budget::{FILES, Held, PIXELS, Reservation};
use crate::pixels::{Alpha, Grey16, to_rgb};
use crate::tiff::{Uncommon, check_common};
use crate::{Error, OtherFormat, jpeg, png, tiff, tiff_directory, webp};

/// Bytes of a decoded pixel.
const RGB: u64 = 3;

/// Bytes of a pixel of grey and alpha, in 16 bits each.
const UNCOMMON: u8 = 4;

/// Whether the orientation that a camera wrote into the file's EXIF data turns the pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Exif {
    /// The pixels stay as they are stored, as Pillow's `Image.open` leaves them.
    #[default]
    Ignore,
    /// The pixels are turned upright, as Pillow's `ImageOps.exif_transpose` does.
    Apply,
}

impl Exif {
    /// `ignore` or `apply`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Apply => "apply",
        }
    }
}

/// How to decode, and how much a file may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeOptions {
    /// What to do with the EXIF orientation.
    pub exif: Exif,
    /// The most pixels an image may declare. The default, 178,956,970, is the number above
    /// which Pillow refuses an image as a decompression bomb.
    pub max_pixels: u64,
    /// The largest height or width an image may declare, in pixels; 65,535 by default.
    pub max_side: u32,
    /// The most bytes that the file may have, and that its pixels may have as they are decoded;
    /// 1 GiB by default.
    pub max_bytes: u64,
    /// Bytes for each pixel that whoever asked will need beside the image as long as it is held;
    /// none by default.
    pub beside: u64,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            exif: Exif::Ignore,
            max_pixels: 178_956_970,
            max_side: 65_535,
            max_bytes: 1 << 30,
            beside: 0,
        }
    }
}

/// What its user should know of how a file became pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Remarks {
    /// It has 16-bit grey, of which all above 255 became white, as with Pillow; and it has such values.
    pub saturated: bool,
    /// Its EXIF data say how to turn it upright, and [`Exif::Ignore`] left it as it is stored.
    pub not_upright: bool,
}

/// A decoded image.
#[derive(Debug)]
pub struct Decoded {
    /// Its pixels.
    pub pixels: Held<RgbImage>,
    /// What to know about them.
    pub remarks: Remarks,
}

/// Decodes the PNG, JPEG, BMP, TIFF or WebP file at `path`, whatever its name's extension.
///
/// The pixels are those of Pillow's `Image.open(path).convert("RGB")`: grey is replicated,
/// palettes are looked up, alpha is dropped rather than composited, 16-bit grey saturates at
/// 255, and other 16-bit values keep their high byte. The orientation tag of a TIFF is always
/// applied, because Pillow does so too.
///
/// 16-bit BMP may differ by one level. JPEG with arithmetic or lossless coding, and TIFF with grey or a palette
/// of fewer than 8 bits, with 32-bit grey, or compressed like a fax or as a JPEG, is not supported.
///
/// # Errors
///
/// If the file cannot be read, is empty, truncated, damaged or not an image, or asks for more
/// than `options` allows. Declared sizes are checked before any pixel is decoded.
pub fn decode(path: &Path, options: DecodeOptions) -> Result<Held<RgbImage>, Error> {
    decode_bytes(path, &read(path, options)?, options).map(|decoded| decoded.pixels)
}

/// The bytes of an image file, for [`decode_bytes`].
///
/// # Errors
///
/// If the file cannot be read, is empty, or is larger than `options` allows.
pub fn read(path: &Path, options: DecodeOptions) -> Result<Held<Vec<u8>>, Error> {
    let limit = options.max_bytes;
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    // Opening a pipe would wait for its other end.
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(failed(ErrorKind::InvalidInput.into()));
    }
    if metadata.len() > limit {
        return Err(too_large(path, "its size in bytes", metadata.len(), limit));
    }
    let room = FILES.take(metadata.len());
    let file = File::open(path).map_err(failed)?;
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    let found = bytes.len() as u64;
    if found > limit {
        return Err(too_large(path, "its size in bytes", found, limit));
    }
    if bytes.is_empty() {
        return Err(Error::Empty { path: path.to_owned() });
    }
    Ok(room.hold(bytes))
}

/// As [`decode`], of the `bytes` that were read from `path`.
///
/// # Errors
///
/// As those of [`decode`].
pub fn decode_bytes(path: &Path, bytes: &[u8], options: DecodeOptions) -> Result<Decoded, Error> {
    // The decoders are written not to panic, but they are large and the files are strangers'.
    // A panic in one of them must cost one image, not the whole run.
    panic::catch_unwind(|| pixels_of(path, bytes, options))
        .unwrap_or_else(|_| Err(Error::Panic { path: path.to_owned() }))
}

fn pixels_of(path: &Path, bytes: &[u8], options: DecodeOptions) -> Result<Decoded, Error> {
    let format = sniff(bytes).ok_or_else(|| match OtherFormat::of_content(bytes) {
        Some(format) => Error::OtherFormat { path: path.to_owned(), format },
        None => Error::NotAnImage { path: path.to_owned() },
    })?;
    let failed = |source| failure(path, source);
    let uncommon = |error: ::tiff::TiffError| {
        let hint = ImageFormatHint::Exact(ImageFormat::Tiff);
        failure(path, ImageError::Decoding(DecodingError::new(hint, error)))
    };
    let too_much = |TooMuch { what, found, limit }| too_large(path, what, found, limit);
    if format == ImageFormat::Jpeg {
        return jpeg::decode(path, bytes, options);
    }
    let header = Header::read(format, bytes).map_err(too_much)?;
    if let Some(what) = header.unread {
        return Err(Error::Unread { path: path.to_owned(), what });
    }
    if format == ImageFormat::Tiff
        && let Some(mut image) = Uncommon::open(bytes, options.max_bytes)
    {
        let size = image.dimensions().map_err(uncommon)?;
        check_size(path, size, options)?;
        image.check(bytes).map_err(too_much)?;
        let mut room = room(size, UNCOMMON, options);
        let pixels = image.decode().map_err(uncommon)?;
        let unknown = || Error::Pixels { path: path.to_owned(), pixels: "TIFF".to_owned() };
        let pixels = pixels.ok_or_else(unknown)?;
        room.keep(kept(&pixels, options));
        return Ok(Decoded { pixels: room.hold(pixels), remarks: Remarks::default() });
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(options.max_side);
    limits.max_image_height = Some(options.max_side);
    limits.max_alloc = Some(match format {
        ImageFormat::Png => options.max_bytes.min(png::BESIDE_THE_PIXELS),
        _ => options.max_bytes,
    });
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(failed)?;
    check_size(path, decoder.dimensions(), options)?;
    if format == ImageFormat::Tiff {
        check_common(bytes).map_err(too_much)?;
    }
    let pixel = decoder.color_type().bytes_per_pixel();
    let pixel = pixel.saturating_add(while_decoding(format));
    let mut room = room(decoder.dimensions(), pixel, options);
    if !header.complete {
        return Err(Error::Truncated { path: path.to_owned() });
    }
    let mut remarks = Remarks::default();
    let mut orientation = Orientation::NoTransforms;
    if options.exif == Exif::Apply || format == ImageFormat::Tiff {
        orientation = decoder.orientation().map_err(failed)?;
    } else if format != ImageFormat::WebP {
        // The WebP decoder sets aside what an EXIF chunk claims to have, so it is not asked unless it must.
        remarks.not_upright = decoder.orientation().is_ok_and(|o| o != Orientation::NoTransforms);
    }
    let image = DynamicImage::from_decoder(decoder).map_err(|source| match format {
        ImageFormat::Tiff if let Some(what) = tiff::seldom_read(bytes) => {
            Error::Unread { path: path.to_owned(), what }
        }
        _ => failed(source),
    })?;
    let pixels = image.color();
    let alpha = if format == ImageFormat::Tiff { tiff::alpha(bytes) } else { Alpha::Beside };
    let grey16 = grey16(format, bytes);
    remarks.saturated = grey16.saturates(&image);
    let rgb = to_rgb(image, grey16, alpha)
        .ok_or_else(|| Error::Pixels { path: path.to_owned(), pixels: format!("{pixels:?}") })?;
    let mut upright = DynamicImage::ImageRgb8(rgb);
    upright.apply_orientation(orientation);
    let upright = upright.into_rgb8();
    room.keep(kept(&upright, options));
    Ok(Decoded { pixels: room.hold(upright), remarks })
}

/// What is header of a file before it is decoded.
struct Header {
    /// What it has that is not read.
    unread: Option<&'static str>,
    /// It has its end, if it is of a format whose decoder would paint over a gap without a word.
    complete: bool,
}

impl Header {
    /// # Errors
    ///
    /// If decoding the file would take more work than it is worth.
    fn read(format: ImageFormat, bytes: &[u8]) -> Result<Self, TooMuch> {
        let mut header = Self { unread: None, complete: true };
        match format {
            ImageFormat::Png => png::check(bytes)?,
            ImageFormat::WebP => {
                webp::check(bytes)?;
                header.complete = webp::is_complete(bytes);
            }
            ImageFormat::Tiff => {
                tiff_directory::check(bytes)?;
                header.unread = tiff::unread(bytes);
            }
            _ => (),
        }
        Ok(header)
    }
}

/// Bytes for each pixel that the decoder has beside it: WebP's own.
fn while_decoding(format: ImageFormat) -> u8 {
    if format == ImageFormat::WebP { 4 } else { 0 }
}

/// Memory for an image of this size: its pixels of so many bytes, those that become of them, and
/// what is needed beside them.
fn room((width, height): (u32, u32), bytes: u8, options: DecodeOptions) -> Reservation {
    let pixels = u64::from(width).saturating_mul(u64::from(height));
    let each = u64::from(bytes).saturating_add(RGB).saturating_add(options.beside);
    PIXELS.take(pixels.saturating_mul(each))
}

/// What of that memory is needed once the image is decoded.
pub(crate) fn kept(image: &RgbImage, options: DecodeOptions) -> u64 {
    let pixels = u64::from(image.width()).saturating_mul(u64::from(image.height()));
    pixels.saturating_mul(RGB.saturating_add(options.beside))
}

/// The format of `bytes`, if it is one that this crate reads.
fn sniff(bytes: &[u8]) -> Option<ImageFormat> {
    if tiff_directory::is_tiff(bytes) {
        return Some(ImageFormat::Tiff);
    }
    image::guess_format(bytes).ok().filter(|format| {
        use ImageFormat::{Bmp, Jpeg, Png, WebP};
        matches!(format, Png | Jpeg | Bmp | WebP)
    })
}

pub(crate) fn check_size(
    path: &Path,
    (width, height): (u32, u32),
    options: DecodeOptions,
) -> Result<(), Error> {
    let side = width.max(height);
    if side > options.max_side {
        let (found, limit) = (u64::from(side), u64::from(options.max_side));
        return Err(too_large(path, "its longer side in pixels", found, limit));
    }
    let count = u64::from(width).saturating_mul(u64::from(height));
    if count > options.max_pixels {
        return Err(too_large(path, "its number of pixels", count, options.max_pixels));
    }
    if count == 0 {
        return Err(Error::Empty { path: path.to_owned() });
    }
    Ok(())
}

/// PNG decoding turns grey with a transparent colour into grey with alpha. Pillow treats the
/// two apart, so the header's own colour type decides: 4 is grey with an alpha channel.
fn grey16(format: ImageFormat, bytes: &[u8]) -> Grey16 {
    match format {
        ImageFormat::Png if bytes.get(25) == Some(&4) => Grey16::HighByte,
        ImageFormat::Tiff if tiff::is_inverted(bytes) => Grey16::Inverted,
        _ => Grey16::Saturate,
    }
}

pub(crate) fn too_large(path: &Path, what: &'static str, found: u64, limit: u64) -> Error {
    Error::TooLarge { path: path.to_owned(), what, found, limit }
}

fn failure(path: &Path, source: ImageError) -> Error {
    match source {
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Error::Truncated { path: path.to_owned() }
        }
        source => Error::Decode { path: path.to_owned(), source },
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::path::Path;

    use image::{DynamicImage, ImageFormat, RgbImage};
    use libjpeg_turbo_rs::{PixelFormat, Subsampling, compress};

    use super::{DecodeOptions, Exif, Remarks, decode, pixels_of};
    use crate::{Error, Held, OtherFormat};

    const FORMATS: [ImageFormat; 5] = [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
        ImageFormat::WebP,
    ];

    fn picture() -> RgbImage {
        RgbImage::from_fn(9, 7, |x, y| image::Rgb([x as u8 * 28, y as u8 * 36, 200]))
    }

    fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let image = image.into();
        if format == ImageFormat::Jpeg {
            let (width, height) = (image.width() as usize, image.height() as usize);
            let (pixels, sampling) = (PixelFormat::Rgb, Subsampling::S420);
            return compress(image.as_bytes(), width, height, pixels, 75, sampling)
                .expect("a JPEG");
        }
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).expect("an image of supported pixels");
        bytes.into_inner()
    }

    fn open(bytes: &[u8], options: DecodeOptions) -> Result<Held<RgbImage>, Error> {
        pixels_of(Path::new("picture"), bytes, options).map(|decoded| decoded.pixels)
    }

    fn remarks(bytes: &[u8], options: DecodeOptions) -> Remarks {
        pixels_of(Path::new("picture"), bytes, options).expect("a whole file").remarks
    }

    #[test]
    fn lossless_formats_come_back_whatever_their_name() {
        for format in FORMATS {
            let back = open(&encoded(picture(), format), DecodeOptions::default());
            let back = back.expect("a whole file");
            assert_eq!(back.dimensions(), (9, 7));
            if format != ImageFormat::Jpeg {
                assert_eq!(*back, picture(), "{format:?}");
            }
        }
    }

    #[test]
    fn half_a_file_is_an_error() {
        for format in FORMATS {
            let bytes = encoded(picture(), format);
            let half = open(&bytes[..bytes.len() / 2], DecodeOptions::default());
            assert!(half.is_err(), "{format:?}");
        }
    }

    #[test]
    fn a_file_without_its_last_byte_is_truncated() {
        for format in [ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Bmp] {
            let bytes = encoded(picture(), format);
            let cut = open(&bytes[..bytes.len() - 1], DecodeOptions::default());
            assert!(matches!(cut, Err(Error::Truncated { .. })), "{format:?}: {cut:?}");
        }
    }

    #[test]
    fn files_that_are_no_images_say_so() {
        let text = open(b"Fold;Image;Class", DecodeOptions::default());
        assert!(matches!(text, Err(Error::NotAnImage { .. })));
        let gif = open(b"GIF89a\x01\x00\x01\x00\x00\x00\x00", DecodeOptions::default());
        assert!(matches!(gif, Err(Error::OtherFormat { format: OtherFormat::Gif, .. })));
    }

    #[test]
    fn a_missing_file_and_a_folder_cannot_be_read() {
        for path in [Path::new("no such file.png"), Path::new(".")] {
            let result = decode(path, DecodeOptions::default());
            assert!(matches!(result, Err(Error::Read { .. })), "{}", path.display());
        }
    }

    #[test]
    fn limits_hold_before_decoding() {
        let bytes = encoded(picture(), ImageFormat::Png);
        let pixels = open(&bytes, DecodeOptions { max_pixels: 62, ..DecodeOptions::default() });
        assert!(matches!(pixels, Err(Error::TooLarge { found: 63, limit: 62, .. })));
        let side = open(&bytes, DecodeOptions { max_side: 8, ..DecodeOptions::default() });
        assert!(side.is_err());
        assert!(open(&bytes, DecodeOptions { max_pixels: 63, ..DecodeOptions::default() }).is_ok());
    }

    #[test]
    fn a_png_bomb_is_refused_by_its_header() {
        let mut bytes = encoded(picture(), ImageFormat::Png);
        bytes[16..24].copy_from_slice(&[0, 0, 0x80, 0, 0, 0, 0x80, 0]);
        let checksum = crc32fast::hash(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
        let result = open(&bytes, DecodeOptions::default());
        assert!(matches!(result, Err(Error::TooLarge { found: 0x4000_0000, .. })), "{result:?}");
    }

    #[test]
    fn what_is_more_work_than_the_pixels_are_worth_is_too_large() {
        let part = b"\xff\xe1\x00\x26http://ns.adobe.com/xmp/extension/\0\0";
        let text = b"\0\0\0\x02tEXta\0\0\0\0\0";
        let numbers = b"RIFF\0\0\0\0WEBPVP8L\x12\0\0\0\x2f\x03\xc0\0\0";
        let mut jpeg = encoded(picture(), ImageFormat::Jpeg);
        jpeg.splice(2..2, part.repeat(65_537));
        let mut png = encoded(picture(), ImageFormat::Png);
        png.splice(33..33, text.repeat(65_536));
        let webp = [&numbers[..], &crate::vp8l::tests::wanting(65_536)].concat();
        for bytes in [jpeg, png, webp] {
            let result = open(&bytes, DecodeOptions::default());
            assert!(matches!(result, Err(Error::TooLarge { .. })), "{result:?}");
        }
    }

    #[test]
    fn exif_orientation_is_applied_only_on_request() {
        // An APP1 segment whose only tag, 0x0112, is 6: turn by 90 degrees clockwise.
        let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\
            \0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let mut bytes = encoded(picture(), ImageFormat::Jpeg);
        bytes.splice(2..2, exif.iter().copied());
        let stored = open(&bytes, DecodeOptions::default()).expect("a whole file");
        let options = DecodeOptions { exif: Exif::Apply, ..DecodeOptions::default() };
        let upright = open(&bytes, options).expect("a whole file");
        assert_eq!(stored.dimensions(), (9, 7));
        assert_eq!(upright.dimensions(), (7, 9));
        assert_eq!(upright.get_pixel(6, 0), stored.get_pixel(0, 0));
        let ignored = Remarks { not_upright: true, ..Remarks::default() };
        assert_eq!(remarks(&bytes, DecodeOptions::default()), ignored);
        assert_eq!(remarks(&bytes, options), Remarks::default());
    }

    #[test]
    fn sixteen_bit_grey_follows_its_colour_type() {
        let grey = image::ImageBuffer::from_pixel(1, 1, image::Luma([0x1234u16]));
        let with_alpha = image::ImageBuffer::from_pixel(1, 1, image::LumaA([0x1234u16, 0]));
        let options = DecodeOptions::default();
        let saturated = Remarks { saturated: true, ..Remarks::default() };
        for format in [ImageFormat::Png, ImageFormat::Tiff] {
            assert_eq!(remarks(&encoded(grey.clone(), format), options), saturated, "{format:?}");
        }
        let dark = image::ImageBuffer::from_pixel(1, 1, image::Luma([255u16]));
        assert_eq!(remarks(&encoded(dark, ImageFormat::Png), options), Remarks::default());
        let grey = open(&encoded(grey, ImageFormat::Png), options).expect("a whole file");
        assert_eq!(grey.get_pixel(0, 0).0, [255; 3]);
        let with_alpha = encoded(with_alpha, ImageFormat::Png);
        assert_eq!(remarks(&with_alpha, options), Remarks::default());
        let dropped = open(&with_alpha, options).expect("a whole file");
        assert_eq!(dropped.get_pixel(0, 0).0, [0x12; 3]);
    }

    #[test]
    fn damaged_files_never_panic() {
        for format in FORMATS {
            let bytes = encoded(picture(), format);
            for position in 0..bytes.len() {
                for value in [0, 0x7f, 0xff] {
                    let mut damaged = bytes.clone();
                    damaged[position] = value;
                    if let Ok(image) = open(&damaged, DecodeOptions::default()) {
                        assert!(image.width() > 0 && image.height() > 0);
                    }
                }
            }
        }
    }
}
