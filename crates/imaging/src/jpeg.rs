//! JPEG, with the pixels of libjpeg-turbo, with which Pillow decodes.
//!
//! The decoder bounds scans and checks what it indexes. What is left is in [`check`], the tables and segments that
//! it would take any number of, and in [`unread`], what it would decode otherwise than libjpeg. ITU-T T.81,
//! annex B, has the markers.

use std::path::Path;

use image::error::{DecodingError, ImageFormatHint};
use image::metadata::Orientation;
use image::{DynamicImage, ImageError, ImageFormat, RgbImage};
use libjpeg_turbo_rs::{DecodeLimits, Decoder, FrameHeader, JpegError, PixelFormat};

use crate::chunks::{TooMuch, within};
use crate::decode::{check_size, kept, too_large};
use crate::memory_budget::PIXELS;
use crate::{DecodeOptions, Decoded, Error, Exif, Remarks};

const SOF2: u8 = 0xc2;
const DHT: u8 = 0xc4;
const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const DQT: u8 = 0xdb;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;

/// Scans of an image; progressive files have about ten.
const MOST_SCANS: usize = 100;

/// Bytes of Huffman tables, each of which is built whether a scan follows or not: 100 scans need 0.2 MiB.
const MOST_TABLES: u64 = 1 << 24;

/// Segments of metadata that are kept in pieces: a photograph with a depth map of 10 MB has 160.
const MOST_PIECES: u64 = 1 << 16;

/// Samples along a block's side.
const BLOCK: u64 = 8;

/// Decodes a JPEG.
pub(crate) fn decode(path: &Path, bytes: &[u8], options: DecodeOptions) -> Result<Decoded, Error> {
    let outline = Outline::read(bytes);
    let failed = |error| failure(path, error, &outline);
    check(bytes).map_err(|TooMuch { what, found, limit }| too_large(path, what, found, limit))?;
    let side = usize::from(u16::MAX);
    let limits = DecodeLimits {
        max_width: side,
        max_height: side,
        max_pixels: u64::MAX,
        max_scans: MOST_SCANS,
        max_memory: None,
    };
    let decoder = Decoder::new_with_limits(bytes, limits).map_err(failed)?;
    let header = decoder.header();
    let size = (u32::from(header.width), u32::from(header.height));
    check_size(path, size, options)?;
    if let Some(what) = unread(&decoder, &outline) {
        return Err(Error::Unread { path: path.to_owned(), what });
    }
    if !outline.ended {
        return Err(Error::Truncated { path: path.to_owned() });
    }
    if let Some(what) = outline.damage {
        return Err(damaged(path, what));
    }
    let inks = header.components.len() == 4;
    let pixels = u64::from(size.0).saturating_mul(size.1.into());
    let handed_out = pixels.saturating_mul(if inks { 4 } else { 3 });
    if handed_out > options.max_bytes {
        let what = "the number of bytes of its pixels";
        return Err(too_large(path, what, handed_out, options.max_bytes));
    }
    let memory = while_decoding(header).saturating_add(bytes.len() as u64);
    let mut room = PIXELS.take(memory.saturating_add(pixels.saturating_mul(options.beside)));
    let stored = decoder.exif_orientation().and_then(Orientation::from_exif);
    let stored = stored.unwrap_or(Orientation::NoTransforms);
    let (orientation, not_upright) = match options.exif {
        Exif::Apply => (stored, false),
        Exif::Ignore => (Orientation::NoTransforms, stored != Orientation::NoTransforms),
    };
    let format = if inks { PixelFormat::Cmyk } else { PixelFormat::Rgb };
    // As libjpeg does by default: it matters to progressive files without their last scans.
    let decoder = decoder.with_output_format(format).with_block_smoothing(true);
    let samples = decoder.decode_image().map_err(failed)?.into_vec();
    drop(decoder);
    let samples = if inks { rgb_of_inks(&samples) } else { samples };
    let image = RgbImage::from_raw(size.0, size.1, samples)
        .ok_or_else(|| damaged(path, "its pixels are not as many as it says"))?;
    let mut upright = DynamicImage::ImageRgb8(image);
    upright.apply_orientation(orientation);
    let upright = upright.into_rgb8();
    room.keep(kept(&upright, options));
    let remarks = Remarks { not_upright, ..Remarks::default() };
    Ok(Decoded { pixels: room.hold(upright), remarks })
}

/// Checks that tables and metadata are no more work, and take no more memory, than an image is worth. Every byte
/// counts that could begin such a segment, wherever it stands.
fn check(bytes: &[u8]) -> Result<(), TooMuch> {
    let (mut tables, mut pieces) = (0_u64, 0_u64);
    let mut rest = bytes;
    while let Some((marker, after)) = next_marker(rest) {
        match marker {
            DHT => tables = tables.saturating_add(length(after).unwrap_or_default() as u64),
            APP1 | APP2 => pieces = pieces.saturating_add(1),
            _ => (),
        }
        rest = after;
    }
    within("the number of bytes of its Huffman tables", tables, MOST_TABLES)?;
    within("the number of its segments of metadata", pieces, MOST_PIECES)
}

/// What it has that is not read: what few files have, and what the decoder gives other pixels than libjpeg for.
fn unread(decoder: &Decoder<'_>, outline: &Outline) -> Option<&'static str> {
    let header = decoder.header();
    if decoder.is_arithmetic() || header.is_lossless {
        return Some("arithmetic or lossless coding");
    }
    if header.precision != 8 {
        return Some("samples of more than 8 bits");
    }
    let samplings = header.components.iter();
    let mut samplings = samplings.map(|one| (one.horizontal_sampling, one.vertical_sampling));
    let (across, down) = samplings.next()?;
    match header.components.len() {
        1 | 3 => (),
        4 if samplings.clone().all(|other| other == (across, down)) => (),
        4 => return Some("four colours with more samples of one than of another"),
        _ => return Some("two colours"),
    }
    if samplings.any(|other| other.0 > across || other.1 > down) {
        return Some("more samples of its colours than of its brightness");
    }
    outline.late_tables.then_some("quantisation tables between its scans")
}

/// Bytes that decoding takes, with the pixels that come of it.
fn while_decoding(header: &FrameHeader) -> u64 {
    let components = || header.components.iter();
    let most = |factor: fn(&libjpeg_turbo_rs::ComponentInfo) -> u8| {
        u64::from(components().map(factor).max().unwrap_or(1).max(1))
    };
    let (across, down) = (
        most(|component| component.horizontal_sampling),
        most(|component| component.vertical_sampling),
    );
    // Each component has a block, or several, in each of these units.
    let units = |side: u16, factor: u64| u64::from(side).div_ceil(BLOCK.saturating_mul(factor));
    let units = units(header.width, across).saturating_mul(units(header.height, down));
    let blocks = components()
        .map(|one| u64::from(one.horizontal_sampling).saturating_mul(one.vertical_sampling.into()))
        .fold(0, u64::saturating_add);
    let samples = units.saturating_mul(blocks).saturating_mul(BLOCK * BLOCK);
    let whole = units.saturating_mul(across).saturating_mul(down).saturating_mul(BLOCK * BLOCK);
    // Two planes at full size; then what is handed out, and RGB of inks.
    let planes = if components().len() == 1 { 0 } else { whole.saturating_mul(2) };
    let pixels = u64::from(header.width).saturating_mul(header.height.into());
    let out = if components().len() == 4 { 7 } else { 3 };
    let converted = planes.saturating_add(pixels.saturating_mul(out));
    // 16-bit coefficients of all scans, and what is known of each block, are there before.
    let coefficients =
        if header.is_progressive { samples.saturating_mul(9).div_ceil(4) } else { 0 };
    samples.saturating_add(converted.max(coefficients))
}

/// RGB of inverted cyan, magenta, yellow and black, as Pillow converts what Adobe's programs write.
fn rgb_of_inks(samples: &[u8]) -> Vec<u8> {
    let pixel = |&[cyan, magenta, yellow, white]: &[u8; 4]| {
        [cyan, magenta, yellow].map(|light| {
            let ink = u32::from(u8::MAX.saturating_sub(light));
            let product = ink.saturating_mul(white.into()).saturating_add(128);
            let rounded = (product >> 8).saturating_add(product) >> 8;
            white.saturating_sub(u8::try_from(rounded).unwrap_or(u8::MAX))
        })
    };
    samples.as_chunks().0.iter().flat_map(pixel).collect()
}

/// What stands between a file's scans.
#[derive(Debug, Default)]
struct Outline {
    /// The end marker follows the last scan. Pillow wants it, the decoder not always.
    ended: bool,
    /// What the decoder passes over, and libjpeg repairs in another way or refuses.
    damage: Option<&'static str>,
    /// Tables of quantisation follow a scan, which the decoder would use for the scans before them, too.
    late_tables: bool,
}

impl Outline {
    fn read(bytes: &[u8]) -> Self {
        let mut outline = Self::default();
        let mut progressive = false;
        // The number of the next restart marker, once there is a scan.
        let mut restart = None;
        let mut rest = bytes.get(2..);
        while let Some((marker, after)) = rest.and_then(next_marker) {
            rest = Some(after);
            match marker {
                EOI => {
                    outline.ended = true;
                    break;
                }
                0xd0..=0xd7 => {
                    if restart != Some(marker & 7) {
                        outline.damage = Some("its restart markers are out of order");
                    }
                    restart = Some(marker.wrapping_add(1) & 7);
                }
                0x01 | SOI => (),
                _ => {
                    outline.late_tables |= marker == DQT && restart.is_some();
                    progressive |= marker == SOF2;
                    if marker == SOS {
                        restart = Some(0);
                        if progressive && !is_scan(after) {
                            outline.damage = Some("a scan of coefficients that do not exist");
                        }
                    }
                    rest = length(after).and_then(|length| after.get(length..));
                }
            }
        }
        outline
    }
}

/// Whether a progressive scan has the first coefficient or some of the others, and all their bits above one or one
/// bit more.
fn is_scan(segment: &[u8]) -> bool {
    let count = segment.get(2).copied().unwrap_or_default();
    let rest = segment.get(3..).and_then(|names| names.get(usize::from(count).saturating_mul(2)..));
    let Some(&[first, last, bits, ..]) = rest else { return false };
    let (high, low) = (bits >> 4, bits & 0xf);
    let coefficients = match first {
        0 => last == 0,
        _ => (first..64).contains(&last) && count == 1,
    };
    coefficients && low <= 13 && (high == 0 || high.checked_sub(1) == Some(low))
}

/// The length that a segment begins with.
fn length(segment: &[u8]) -> Option<usize> {
    segment.first_chunk().map(|&length| usize::from(u16::from_be_bytes(length)))
}

/// The next code that follows 0xff and is a marker's, and the bytes after it.
fn next_marker(mut bytes: &[u8]) -> Option<(u8, &[u8])> {
    loop {
        let at = bytes.iter().position(|&byte| byte == 0xff)?;
        match bytes.get(at..)? {
            [_, 0xff, ..] | [_] => bytes = bytes.get(at..)?.get(1..)?,
            [_, 0x00, rest @ ..] => bytes = rest,
            [_, marker, rest @ ..] => return Some((*marker, rest)),
            [] => return None,
        }
    }
}

fn failure(path: &Path, error: JpegError, outline: &Outline) -> Error {
    match error {
        JpegError::UnexpectedEof if !outline.ended => Error::Truncated { path: path.to_owned() },
        JpegError::LimitExceeded { actual, limit, .. } => {
            too_large(path, "its number of scans", actual, limit)
        }
        JpegError::UnexpectedEof => damaged(path, "its coded data end before its last pixel"),
        error => damaged(path, error),
    }
}

fn damaged(path: &Path, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    let hint = ImageFormatHint::Exact(ImageFormat::Jpeg);
    let source = ImageError::Decoding(DecodingError::new(hint, error));
    Error::Decode { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use libjpeg_turbo_rs::{Encoder, ScanScript, Subsampling};

    use super::*;

    fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u16 + 2).to_be_bytes();
        [&[0xff, marker], &length[..], content].concat()
    }

    fn picture() -> Vec<u8> {
        (0..40 * 24 * 3_u32).map(|at| (at * at / 7 % 251) as u8).collect()
    }

    fn encoder(pixels: &[u8]) -> Encoder<'_> {
        Encoder::new(pixels, 40, 24, PixelFormat::Rgb).subsampling(Subsampling::S420)
    }

    fn baseline() -> Vec<u8> {
        encoder(&picture()).encode().expect("a JPEG")
    }

    /// Width and height of what is decoded.
    fn open(bytes: &[u8]) -> Result<(u32, u32), Error> {
        let image = decode(Path::new("a.jpg"), bytes, DecodeOptions::default())?;
        Ok(image.pixels.dimensions())
    }

    fn refused(bytes: &[u8]) -> String {
        let error = open(bytes).expect_err("refused");
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        format!("{error}: {}", cause.unwrap_or_default())
    }

    /// With these segments in front.
    fn with(segments: &[u8]) -> Vec<u8> {
        let mut bytes = baseline();
        bytes.splice(2..2, segments.iter().copied());
        bytes
    }

    #[test]
    fn huffman_tables_without_number_are_refused() {
        let tables = [&[0x10][..], &[0; 16]].concat().repeat(3_854);
        let segment = segment(DHT, &tables);
        // The file's own tables have 0.4 KiB.
        let most = (1 << 24) / (segment.len() - 2);
        assert!(open(&with(&segment.repeat(most))).is_ok());
        let error = refused(&with(&segment.repeat(most + 1)));
        assert!(error.contains("bytes of its Huffman tables is 16"), "{error}");
    }

    #[test]
    fn metadata_in_pieces_without_number_is_refused() {
        let part = segment(APP2, b"ICC_PROFILE\0\x01\x01");
        assert!(open(&with(&part.repeat(65_536))).is_ok());
        let error = refused(&with(&part.repeat(65_537)));
        assert!(error.contains("segments of metadata is 65537, the limit 65536"), "{error}");
        // The decoder takes 0xffd0 here for a segment with a length, and what follows for its content.
        let hidden = [&segment(0xd0, b"\xff\xe1\xff\xff")[..], &part.repeat(65_537)].concat();
        assert!(matches!(open(&with(&hidden)), Err(Error::TooLarge { .. })));
    }

    #[test]
    fn a_hundred_scans_are_enough() {
        let of = |scans: usize| {
            let scan = |start, end, high, low| ScanScript {
                components: vec![0],
                ss: start,
                se: end,
                ah: high,
                al: low,
            };
            let mut script = vec![scan(0, 0, 0, 0)];
            // The first coefficients bit by bit, as often as the format allows; then all of them again.
            let bits = (1..=63).flat_map(|at| [scan(at, at, 0, 1), scan(at, at, 1, 0)]);
            script.extend(bits.take(scans - 1));
            let grey: Vec<u8> = picture().into_iter().step_by(3).collect();
            let encoder = Encoder::new(&grey, 40, 24, PixelFormat::Grayscale);
            encoder.progressive(true).scan_script(script).encode().expect("a JPEG")
        };
        assert!(open(&of(100)).is_ok());
        let error = refused(&of(101));
        assert!(error.contains("its number of scans is 101, the limit 100"), "{error}");
    }

    #[test]
    fn what_the_decoder_would_decode_otherwise_is_refused() {
        let pixels = picture();
        let sampled = |samplings: [u8; 3]| {
            let factors = samplings.map(|one| (one >> 4, one & 0xf)).to_vec();
            encoder(&pixels).sampling_factors(factors).encode().expect("a JPEG")
        };
        assert!(open(&sampled([0x22, 0x21, 0x12])).is_ok());
        assert!(refused(&sampled([0x11, 0x11, 0x22])).contains("more samples of its colours"));
        for encoder in [encoder(&pixels).arithmetic(true), encoder(&pixels).lossless(true)] {
            let bytes = encoder.encode().expect("a JPEG");
            assert!(refused(&bytes).contains("arithmetic or lossless coding"));
        }
        // The crate makes these two that have a larger sampling in their first and last colour.
        let inks: Vec<u8> = pixels.chunks(3).flat_map(|p| [p[0], p[1], p[2], 9]).collect();
        let inks = |subsampling| {
            let encoder = Encoder::new(&inks, 40, 24, PixelFormat::Cmyk);
            encoder.subsampling(subsampling).encode().expect("a JPEG")
        };
        assert!(open(&inks(Subsampling::S444)).is_ok());
        assert!(refused(&inks(Subsampling::S420)).contains("four colours"));
        let mut twelve = baseline();
        let frame = twelve.windows(2).position(|two| two == [0xff, 0xc0]).expect("a frame");
        twelve[frame + 4] = 12;
        assert!(refused(&twelve).contains("more than 8 bits"));
    }

    #[test]
    fn quantisation_tables_between_scans_are_refused() {
        let bytes = encoder(&picture()).progressive(true).encode().expect("a JPEG");
        assert!(open(&bytes).is_ok());
        let second = bytes.windows(2).rposition(|two| two == [0xff, SOS]).expect("a scan");
        let table = segment(DQT, &[&[0][..], &[1; 64]].concat());
        let late = [&bytes[..second], &table, &bytes[second..]].concat();
        assert!(refused(&late).contains("quantisation tables between its scans"));
    }

    #[test]
    fn restart_markers_count_up() {
        let bytes = encoder(&picture()).restart_blocks(1).encode().expect("a JPEG");
        assert!(open(&bytes).is_ok());
        let place = bytes.windows(2).position(|two| two == [0xff, 0xd1]).expect("the second");
        let mut other = bytes.clone();
        other[place + 1] = 0xd3;
        assert!(refused(&other).contains("out of order"));
        let cut = [&bytes[..place], &bytes[place + 2..]].concat();
        assert!(refused(&cut).contains("out of order"));
    }

    #[test]
    fn progressive_scans_have_coefficients_and_bits_that_exist() {
        let bytes = encoder(&picture()).progressive(true).encode().expect("a JPEG");
        let last = bytes.windows(2).rposition(|two| two == [0xff, SOS]).expect("a scan");
        // All but the first coefficient of the first colour, of which the last bit is refined.
        assert_eq!(bytes[last + 4..last + 10], [1, 1, 0, 1, 63, 0x10]);
        for (place, value) in [(7, 0), (7, 64), (8, 0), (8, 64), (9, 0x20), (9, 0xf), (9, 0x0e)] {
            let mut other = bytes.clone();
            other[last + place] = value;
            assert!(refused(&other).contains("do not exist"), "{place} {value}");
        }
    }

    #[test]
    fn a_file_ends_with_its_own_end_marker() {
        // That of a small picture in a segment does not count.
        let bytes = with(&segment(APP1, b"Exif\0\0\xff\xd9"));
        assert!(open(&bytes).is_ok());
        for missing in 1..bytes.len() - 2 {
            let cut = open(&bytes[..bytes.len() - missing]);
            assert!(matches!(cut, Err(Error::Truncated { .. })), "{missing}: {cut:?}");
        }
        assert!(open(&[&bytes[..], b"what a camera adds"].concat()).is_ok());
    }

    #[test]
    fn data_that_end_early_are_no_truncated_file() {
        let mut bytes = baseline();
        let end = bytes.len() - 2;
        bytes.drain(end - 40..end);
        assert!(refused(&bytes).contains("its coded data end before its last pixel"));
    }

    #[test]
    fn memory_counts_planes_coefficients_and_what_is_handed_out() {
        let memory = |bytes: &[u8]| while_decoding(Decoder::new(bytes).expect("a header").header());
        // 48 × 32 with the edges: 1.5 samples a pixel, 2 planes; 3 bytes for each pixel of 40 × 24.
        let (samples, planes, out) = (48 * 32 * 3 / 2, 2 * 48 * 32, 3 * 40 * 24);
        assert_eq!(memory(&baseline()), samples + planes + out);
        let pixels = picture();
        let progressive = encoder(&pixels).progressive(true);
        let halved = progressive.encode().expect("a JPEG");
        assert_eq!(memory(&halved), samples + planes + out);
        let whole = encoder(&pixels).progressive(true).subsampling(Subsampling::S444).encode();
        let samples = 40 * 24 * 3;
        assert_eq!(memory(&whole.expect("a JPEG")), samples + samples * 9 / 4);
    }
}
