//! TIFF with a palette, or with grey and alpha: the two that `image` leaves out.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use ::tiff::decoder::{ChunkType, Decoder, DecodingResult, Limits};
use ::tiff::tags::Tag;
use ::tiff::{ColorType, TiffError};
use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};

use crate::chunks::{self, TooMuch};
use crate::pixels::Alpha;
use crate::tiff_directory::Directory;

/// `PhotometricInterpretation`: how samples become colours.
const PHOTOMETRIC: u16 = 262;
const WHITE_IS_ZERO: u16 = 0;
const BLACK_IS_ZERO: u16 = 1;
const YCBCR: u16 = 6;
const PALETTE: u16 = 3;

/// `FillOrder`: the lowest bit of a byte is its first pixel.
const LOWEST_FIRST: u16 = 2;

/// `Compression`: three ways of a fax, two of JPEGs, and LZW.
const FAX: [u16; 3] = [2, 3, 4];
const JPEG: [u16; 2] = [6, 7];
const LZW: u16 = 5;

/// `PlanarConfiguration`: all samples of one kind, then those of the next.
const PLANAR: u16 = 284;
const SEPARATE: u16 = 2;

/// `ExtraSamples`: the colours were multiplied by alpha.
const EXTRA_SAMPLES: u16 = 338;
const ASSOCIATED: u16 = 1;

/// Colours of a palette of 8 bits.
const COLOURS: usize = 256;

/// What the image has that is not read: compression like a fax; JPEGs, which the decoder decodes otherwise than
/// libjpeg; the bits of each byte in reverse order, which it passes over; YCbCr colours; or planes in tiles that
/// end beyond the image, for which it makes no room.
pub(crate) fn unread(bytes: &[u8]) -> Option<&'static str> {
    let mut decoder = Decoder::new(Cursor::new(bytes)).ok()?;
    let mut is = |tag, of: &[u16]| {
        let found = decoder.find_tag_unsigned(tag).ok().flatten();
        found.is_some_and(|found| of.contains(&found))
    };
    if is(Tag::Compression, &FAX) {
        return Some("fax compression (CCITT)");
    }
    if is(Tag::Compression, &JPEG) {
        return Some("JPEG compression in a TIFF");
    }
    if is(Tag::FillOrder, &[LOWEST_FIRST]) {
        return Some("its bits in reverse order (FillOrder 2)");
    }
    let directory = Directory::read(bytes)?;
    if directory.value(PHOTOMETRIC) == Some(YCBCR) {
        return Some("YCbCr colours in a TIFF");
    }
    let (tile, image) = (decoder.chunk_dimensions(), decoder.dimensions().ok()?);
    let beyond = image.0.checked_rem(tile.0) != Some(0) || image.1.checked_rem(tile.1) != Some(0);
    let separate = directory.value(PLANAR) == Some(SEPARATE);
    let tiles = decoder.get_chunk_type() == ChunkType::Tile;
    (separate && tiles && beyond).then_some("planes in tiles that reach over its edge")
}

/// What an image has that the decoder could not decode, though it may be whole: it loses the end of some
/// tiles.
pub(crate) fn seldom_read(bytes: &[u8]) -> Option<&'static str> {
    let mut decoder = Decoder::new(Cursor::new(bytes)).ok()?;
    let compression = decoder.find_tag_unsigned(Tag::Compression).ok().flatten();
    let tiles = decoder.get_chunk_type() == ChunkType::Tile;
    (tiles && compression == Some(LZW)).then_some("damage, or tiles with LZW compression of a kind")
}

/// Whether the decoder has inverted its grey, which Pillow does for up to 8 bits only.
pub(crate) fn is_inverted(bytes: &[u8]) -> bool {
    Directory::read(bytes).and_then(|first| first.value(PHOTOMETRIC)) == Some(WHITE_IS_ZERO)
}

/// What its alpha did to its colours.
pub(crate) fn alpha(bytes: &[u8]) -> Alpha {
    match Directory::read(bytes).and_then(|first| first.value(EXTRA_SAMPLES)) {
        Some(ASSOCIATED) => Alpha::Associated,
        _ => Alpha::Beside,
    }
}

/// As [`Uncommon::check`], of any other TIFF.
pub(crate) fn check_common(bytes: &[u8]) -> Result<(), TooMuch> {
    match Decoder::new(Cursor::new(bytes)) {
        Ok(mut decoder) => chunks::check(&mut decoder, bytes),
        // `image` begins in the same way, and says what is wrong.
        Err(_) => Ok(()),
    }
}

/// An image of one of these kinds, not yet decoded.
pub(crate) struct Uncommon<'a> {
    decoder: Decoder<Patched<'a>>,
    /// Levels of red, green and blue.
    palette: Option<[[u16; COLOURS]; 3]>,
}

impl<'a> Uncommon<'a> {
    /// The image, if it is of one of these kinds; decoding allocates `max_bytes` at most.
    pub(crate) fn open(bytes: &'a [u8], max_bytes: u64) -> Option<Self> {
        // The reader refuses a palette, so its indices are read as grey.
        let patch = other_photometric(bytes, PALETTE, BLACK_IS_ZERO);
        let palette = patch.is_some();
        let file = Patched { file: Cursor::new(bytes), patch };
        let max_bytes = usize::try_from(max_bytes).unwrap_or(usize::MAX);
        let mut limits = Limits::default();
        limits.decoding_buffer_size = max_bytes;
        limits.intermediate_buffer_size = max_bytes;
        let mut decoder = Decoder::new(file).ok()?.with_limits(limits);
        let palette = match (decoder.colortype().ok()?, palette) {
            (ColorType::Gray(8), true) => {
                let colours = decoder.get_tag_u16_vec(Tag::ColorMap).ok()?;
                let (planes, rest) = colours.as_chunks::<COLOURS>();
                Some(<[_; 3]>::try_from(planes).ok().filter(|_| rest.is_empty())?)
            }
            (ColorType::Multiband { bit_depth: 8 | 16, num_samples: 2 }, false) => None,
            _ => return None,
        };
        Some(Self { decoder, palette })
    }

    /// Checks that decoding takes no more work than the image is worth; `bytes` are the file's.
    pub(crate) fn check(&mut self, bytes: &[u8]) -> Result<(), TooMuch> {
        chunks::check(&mut self.decoder, bytes)
    }

    /// Width and height in pixels.
    pub(crate) fn dimensions(&mut self) -> Result<(u32, u32), TiffError> {
        self.decoder.dimensions()
    }

    /// The pixels, turned as the file's orientation says, which Pillow does too. Alpha is
    /// dropped; of 16 bits the high byte is kept.
    pub(crate) fn decode(mut self) -> Result<Option<RgbImage>, TiffError> {
        let (width, height) = self.decoder.dimensions()?;
        let orientation = self.decoder.find_tag_unsigned::<u8>(Tag::Orientation)?;
        let rgb: Option<Vec<u8>> = match (self.decoder.read_image()?, &self.palette) {
            (DecodingResult::U8(indices), Some(planes)) => {
                // Every index has a colour, since a plane has 256.
                let level = |plane: &[u16; COLOURS], index: u8| {
                    plane.get(usize::from(index)).map_or(0, |&level| high_byte(level))
                };
                let colour = |&index: &u8| planes.each_ref().map(|plane| level(plane, index));
                Some(indices.iter().flat_map(colour).collect())
            }
            (DecodingResult::U8(samples), None) => {
                Some(samples.as_chunks().0.iter().flat_map(|&[grey, _]| [grey; 3]).collect())
            }
            (DecodingResult::U16(samples), None) => {
                let high = |&[grey, _]: &[u16; 2]| [high_byte(grey); 3];
                Some(samples.as_chunks().0.iter().flat_map(high).collect())
            }
            _ => None,
        };
        let image = rgb.and_then(|rgb| RgbImage::from_raw(width, height, rgb));
        let turn = orientation.and_then(Orientation::from_exif);
        Ok(image.map(|image| {
            let mut upright = DynamicImage::ImageRgb8(image);
            upright.apply_orientation(turn.unwrap_or(Orientation::NoTransforms));
            upright.into_rgb8()
        }))
    }
}

/// Two bytes and where they stand.
type Patch = (u64, [u8; 2]);

/// A file of which two bytes read otherwise.
struct Patched<'a> {
    file: Cursor<&'a [u8]>,
    patch: Option<Patch>,
}

impl Read for Patched<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let from = self.file.position();
        let read = self.file.read(to)?;
        let (at, pair) = self.patch.unwrap_or_default();
        for (place, byte) in (at..).zip(pair).filter(|_| self.patch.is_some()) {
            let inside = place.checked_sub(from).and_then(|inside| usize::try_from(inside).ok());
            let slot = inside.filter(|&inside| inside < read).and_then(|inside| to.get_mut(inside));
            slot.into_iter().for_each(|slot| *slot = byte);
        }
        Ok(read)
    }
}

impl Seek for Patched<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

fn high_byte(value: u16) -> u8 {
    let [high, _] = value.to_be_bytes();
    high
}

/// What gives the file's first directory another photometric interpretation, where it now is `from`.
fn other_photometric(bytes: &[u8], from: u16, to: u16) -> Option<Patch> {
    let directory = Directory::read(bytes)?;
    let value = directory.entries().find(|entry| entry.tag == PHOTOMETRIC)?.value;
    if directory.short(value)? != from {
        return None;
    }
    Some((u64::try_from(value).ok()?, directory.pair(to)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{DecodeOptions, Error};

    /// Tag, type (3 is a short, 4 a long), count and value of each entry of a directory.
    type Entries<'a> = &'a [(u16, u16, u32, u32)];

    /// A little-endian TIFF of 2 × 1 pixels whose data begin at byte 200.
    fn file(entries: Entries<'_>, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"II*\0\x08\0\0\0".to_vec();
        bytes.extend((entries.len() as u16).to_le_bytes());
        for (tag, kind, count, value) in entries {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(kind.to_le_bytes());
            bytes.extend(count.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        bytes.resize(200, 0);
        bytes.extend(data);
        bytes
    }

    fn decoded(bytes: &[u8]) -> Vec<u8> {
        let image = Uncommon::open(bytes, 1 << 20).expect("of one of these kinds");
        image.decode().expect("whole").expect("pixels").into_raw()
    }

    #[test]
    fn a_palette_is_looked_up() {
        let mut data = vec![1, 255];
        let mut colours = [0_u16; 3 * COLOURS];
        (colours[1], colours[COLOURS + 1], colours[2 * COLOURS + 1]) = (0x1234, 0x5678, 0xffff);
        colours[255] = 0xff00;
        data.extend(colours.iter().flat_map(|colour| colour.to_le_bytes()));
        let entries = [
            (256, 3, 1, 2),
            (257, 3, 1, 1),
            (258, 3, 1, 8),
            (259, 3, 1, 1),
            (262, 3, 1, 3),
            (273, 4, 1, 200),
            (277, 3, 1, 1),
            (278, 3, 1, 1),
            (279, 4, 1, 2),
            (320, 3, 768, 202),
        ];
        assert_eq!(decoded(&file(&entries, &data)), [0x12, 0x56, 0xff, 0xff, 0, 0]);
    }

    #[test]
    fn alpha_beside_grey_is_dropped() {
        let entries = [
            (256, 3, 1, 2),
            (257, 3, 1, 1),
            (258, 3, 2, 0x0008_0008),
            (259, 3, 1, 1),
            (262, 3, 1, 1),
            (273, 4, 1, 200),
            (277, 3, 1, 2),
            (278, 3, 1, 1),
            (279, 4, 1, 4),
            (338, 3, 1, 2),
        ];
        assert_eq!(decoded(&file(&entries, &[7, 0, 9, 128])), [7, 7, 7, 9, 9, 9]);
    }

    #[test]
    fn a_fax_jpegs_and_reversed_bits_are_known_by_their_tags() {
        let fax = Some("fax compression (CCITT)");
        let jpeg = Some("JPEG compression in a TIFF");
        let reversed = Some("its bits in reverse order (FillOrder 2)");
        for (compression, order, what) in [
            (1, 1, None),
            (2, 1, fax),
            (3, 1, fax),
            (4, 2, fax),
            (5, 1, None),
            (6, 1, jpeg),
            (7, 1, jpeg),
            (1, 2, reversed),
            (5, 2, reversed),
        ] {
            let entries = [
                (256, 3, 1, 2),
                (257, 3, 1, 1),
                (258, 3, 1, 1),
                (259, 3, 1, compression),
                (262, 3, 1, 0),
                (266, 3, 1, order),
                (273, 4, 1, 200),
                (277, 3, 1, 1),
                (278, 3, 1, 1),
                (279, 4, 1, 1),
            ];
            assert_eq!(unread(&file(&entries, &[0])), what, "{compression} {order}");
            let result = crate::decode_bytes(
                Path::new("a.tif"),
                &file(&entries, &[0]),
                DecodeOptions::default(),
            );
            let refused = matches!(result, Err(Error::Unread { .. }));
            assert_eq!(refused, what.is_some(), "{result:?}");
        }
    }

    fn pixels(bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let image = crate::decode_bytes(Path::new("a.tif"), bytes, DecodeOptions::default())?;
        Ok(image.pixels.as_raw().clone())
    }

    #[test]
    fn grey_of_16_bits_is_not_inverted() {
        for (photometric, bits, data, expected) in [
            (0, 16, &[9, 0, 0, 1][..], [9, 9, 9, 255, 255, 255]),
            (1, 16, &[9, 0, 0, 1], [9, 9, 9, 255, 255, 255]),
            (0, 8, &[9, 200], [246, 246, 246, 55, 55, 55]),
        ] {
            let entries = [
                (256, 3, 1, 2),
                (257, 3, 1, 1),
                (258, 3, 1, bits),
                (259, 3, 1, 1),
                (262, 3, 1, photometric),
                (273, 4, 1, 200),
                (277, 3, 1, 1),
                (278, 3, 1, 1),
                (279, 4, 1, data.len() as u32),
            ];
            let found = pixels(&file(&entries, data)).expect("grey");
            assert_eq!(found, expected, "{photometric} {bits}");
        }
    }

    #[test]
    fn associated_alpha_is_divided_by() {
        let mut data = vec![50, 100, 3, 100, 9, 8, 7, 0];
        data.extend([8_u16; 4].map(u16::to_le_bytes).concat());
        for (extra, expected) in [(1, [127, 255, 7, 0, 0, 0]), (2, [50, 100, 3, 9, 8, 7])] {
            let entries = [
                (256, 3, 1, 2),
                (257, 3, 1, 1),
                (258, 3, 4, 208),
                (259, 3, 1, 1),
                (262, 3, 1, 2),
                (273, 4, 1, 200),
                (277, 3, 1, 4),
                (278, 3, 1, 1),
                (279, 4, 1, 8),
                (338, 3, 1, extra),
            ];
            assert_eq!(pixels(&file(&entries, &data)).expect("colours"), expected, "{extra}");
        }
    }

    #[test]
    fn planes_in_tiles_beyond_the_edge_and_ycbcr_are_known() {
        let beyond = Some("planes in tiles that reach over its edge");
        let colours = Some("YCbCr colours in a TIFF");
        for (width, planar, photometric, what) in [
            (32, 1, 1, None),
            (32, 2, 1, None),
            (17, 1, 1, None),
            (17, 2, 1, beyond),
            (32, 1, 6, colours),
        ] {
            let entries = [
                (256, 3, 1, width),
                (257, 3, 1, 16),
                (258, 3, 1, 8),
                (259, 3, 1, 1),
                (262, 3, 1, photometric),
                (277, 3, 1, 1),
                (284, 3, 1, planar),
                (322, 3, 1, 16),
                (323, 3, 1, 16),
                (324, 4, 2, 160),
                (325, 4, 2, 168),
            ];
            let mut bytes = file(&entries, &[0; 600]);
            bytes[160..168].copy_from_slice(&[200_u32, 200].map(u32::to_le_bytes).concat());
            bytes[168..176].copy_from_slice(&[256_u32, 256].map(u32::to_le_bytes).concat());
            assert_eq!(unread(&bytes), what, "{width} {planar} {photometric}");
        }
    }

    #[test]
    fn damaged_directories_are_no_such_image() {
        for bytes in [&b"II*\0"[..], b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\0\x05", b"GIF89a"]
        {
            assert!(Uncommon::open(bytes, 1 << 20).is_none());
        }
    }
}
