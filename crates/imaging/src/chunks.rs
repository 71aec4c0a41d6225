//! How much work the strips and tiles of a TIFF are.
//!
//! A directory may name the same bytes any number of times, so that a small file keeps a decoder busy for
//! hours. Here the work is measured before anything is decoded, and has to be in proportion to the image and
//! to the file.

use std::io::{Read, Seek};

use ::tiff::decoder::{ChunkType, Decoder};
use ::tiff::tags::Tag;

/// `Compression`: each strip or tile is as it is.
const NONE: u16 = 1;

/// Strips and tiles beside one for each 16 × 16 pixels, the smallest tile that TIFF allows. An image has
/// at most so many rows.
const MOST_CHUNKS: u64 = 1 << 16;
const SMALLEST_TILE: u64 = 16 * 16;

/// Tiles may reach over the image's edge: how often they may have its pixels, and how many more.
const PADDED: u64 = 4;
const MORE_PIXELS: u64 = 1 << 26;

/// Blank tiles may share their bytes: a pixel of the image may take as many, and all together as many more,
/// beside those that the file has.
const BYTES_OF_A_PIXEL: u64 = 8;
const MORE_BYTES: u64 = 1 << 24;

/// Otherwise compressed, they take no more bytes than as many times those that they are, and so many more,
/// for each of them too.
const COMPRESSED: u64 = 2;
const MORE_COMPRESSED: u64 = 1 << 20;
const COMPRESSED_CHUNK: u64 = 16;

/// Samples of a pixel, most of which nobody looks at.
const MOST_SAMPLES: u64 = 64;

/// Planes of samples that count.
const MOST_PLANES: u64 = 8;

/// Decoding takes more work than the image is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMuch {
    /// What there is too much of.
    pub(crate) what: &'static str,
    /// How much there is.
    pub(crate) found: u64,
    /// How much is allowed.
    pub(crate) limit: u64,
}

/// The strips or tiles of an image.
struct Chunks {
    /// Where each begins, and how many bytes of the file it takes.
    ranges: Vec<(u64, u64)>,
    /// Width and height of each in pixels.
    size: [u64; 2],
    /// How often they cover the image: once for each plane of samples that are stored apart.
    planes: u64,
    /// Pixels of the image.
    area: u64,
    /// Samples of a pixel, and bits of a sample.
    samples: u64,
    bits: u64,
    compression: u16,
}

/// Measures the image that `decoder` is at; `bytes` are the whole file. What cannot be understood is left to
/// the decoder.
///
/// # Errors
///
/// If decoding it takes far more work than an image of its size in a file of this length.
pub(crate) fn check<R: Read + Seek>(decoder: &mut Decoder<R>, bytes: &[u8]) -> Result<(), TooMuch> {
    let Some(chunks) = Chunks::new(decoder, bytes.len() as u64) else { return Ok(()) };
    chunks.check_count()?;
    chunks.check_bytes(bytes.len() as u64)?;
    match chunks.compression {
        NONE => Ok(()),
        _ => chunks.check_compressed(),
    }
}

impl Chunks {
    fn new<R: Read + Seek>(decoder: &mut Decoder<R>, length: u64) -> Option<Self> {
        let (width, height) = decoder.dimensions().ok()?;
        let (width, height) = (u64::from(width), u64::from(height));
        let mut size = <[u32; 2]>::from(decoder.chunk_dimensions()).map(u64::from);
        let (offsets, counts) = match decoder.get_chunk_type() {
            ChunkType::Strip => {
                // One strip may claim more rows than there are.
                size[1] = size[1].min(height);
                (Tag::StripOffsets, Tag::StripByteCounts)
            }
            ChunkType::Tile => (Tag::TileOffsets, Tag::TileByteCounts),
        };
        let offsets = decoder.find_tag_unsigned_vec::<u64>(offsets).ok()??;
        let counts = decoder.find_tag_unsigned_vec::<u64>(counts).ok()??;
        let left = |offset: u64| length.saturating_sub(offset);
        let ranges = offsets.iter().zip(&counts);
        let ranges: Vec<_> =
            ranges.map(|(&offset, &count)| (offset, count.min(left(offset)))).collect();
        let each = width.div_ceil(size[0].max(1)).saturating_mul(height.div_ceil(size[1].max(1)));
        let planes = (ranges.len() as u64).checked_div(each)?.clamp(1, MOST_PLANES);
        let compression = decoder.find_tag_unsigned(Tag::Compression).ok()?.unwrap_or(NONE);
        let area = width.saturating_mul(height);
        let samples = decoder.find_tag_unsigned(Tag::SamplesPerPixel).ok()?.unwrap_or(1);
        let bits = u64::from(decoder.colortype().ok()?.bit_depth());
        Some(Self { ranges, size, planes, area, samples, bits, compression })
    }

    /// How many there are, and how many pixels they have.
    fn check_count(&self) -> Result<(), TooMuch> {
        within("the number of samples of a pixel", self.samples, MOST_SAMPLES)?;
        let found = self.ranges.len() as u64;
        let each = self.area.div_euclid(SMALLEST_TILE).saturating_add(MOST_CHUNKS);
        within("the number of its strips or tiles", found, each.saturating_mul(self.planes))?;
        let [width, height] = self.size;
        let pixels = width.saturating_mul(height).saturating_mul(found);
        let each = self.area.saturating_mul(PADDED).saturating_add(MORE_PIXELS);
        within(
            "the number of pixels in its strips or tiles",
            pixels,
            each.saturating_mul(self.planes),
        )
    }

    /// How many bytes are decompressed, of a file of this `length`.
    fn check_bytes(&self, length: u64) -> Result<(), TooMuch> {
        let found = self.taken();
        let pixels = self.area.saturating_mul(BYTES_OF_A_PIXEL).saturating_mul(self.planes);
        let limit = length.saturating_add(pixels).saturating_add(MORE_BYTES);
        within("the number of bytes in its strips or tiles", found, limit)
    }

    /// How many bytes of them are decompressed to nothing.
    fn check_compressed(&self) -> Result<(), TooMuch> {
        let found = self.taken();
        let bits = self.area.saturating_mul(self.samples).saturating_mul(self.bits);
        let chunks = (self.ranges.len() as u64).saturating_mul(COMPRESSED_CHUNK);
        let more = chunks.saturating_add(MORE_COMPRESSED);
        let limit = bits.div_ceil(8).saturating_mul(COMPRESSED).saturating_add(more);
        within("the number of compressed bytes in its strips or tiles", found, limit)
    }

    /// Bytes of all together.
    fn taken(&self) -> u64 {
        self.ranges.iter().map(|(_, count)| count).copied().fold(0, u64::saturating_add)
    }
}

pub(crate) fn within(what: &'static str, found: u64, limit: u64) -> Result<(), TooMuch> {
    if found > limit { Err(TooMuch { what, found, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A grey TIFF of `side` × `side` pixels, in tiles of `tile` × `tile` whose bytes are all the same.
    fn tiled(side: u32, tile: u32, compression: u32, data: &[u8]) -> Vec<u8> {
        let count = side.div_ceil(tile).pow(2);
        let lists = 8 + 2 + 10 * 12 + 4;
        let entries = [
            (256, 4, 1, side),
            (257, 4, 1, side),
            (258, 3, 1, 8),
            (259, 3, 1, compression),
            (262, 3, 1, 1),
            (277, 3, 1, 1),
            (322, 4, 1, tile),
            (323, 4, 1, tile),
            (324, 4, count, lists),
            (325, 4, count, lists + 4 * count),
        ];
        let mut bytes = b"II*\0\x08\0\0\0\x0a\0".to_vec();
        for (tag, kind, count, value) in entries {
            bytes.extend([u16::to_le_bytes(tag), u16::to_le_bytes(kind)].concat());
            bytes.extend([u32::to_le_bytes(count), u32::to_le_bytes(value)].concat());
        }
        bytes.extend([0; 4]);
        let (offset, length) = (lists + 8 * count, data.len() as u32);
        bytes.extend(offset.to_le_bytes().repeat(count as usize));
        bytes.extend(length.to_le_bytes().repeat(count as usize));
        bytes.extend(data);
        bytes
    }

    fn checked(bytes: &[u8]) -> Result<(), TooMuch> {
        check(&mut Decoder::new(Cursor::new(bytes)).expect("a TIFF"), bytes)
    }

    #[test]
    fn blank_tiles_may_share_their_bytes() {
        assert_eq!(checked(&tiled(512, 64, 1, &[0; 64 * 64])), Ok(()));
    }

    #[test]
    fn bytes_that_are_read_again_and_again_are_counted() {
        let data = vec![0; 100_000];
        let file = tiled(512, 16, 1, &data);
        let found = checked(&file).expect_err("the same bytes 1,024 times").found;
        assert_eq!(found, 1024 * 100_000);
        assert_eq!(checked(&tiled(512, 16, 1, &data[..10_000])), Ok(()));
    }

    #[test]
    fn more_compressed_bytes_than_pixels_are_refused() {
        let most = (2 * 128 * 128 + (1 << 20)) / 4 + 16;
        for compression in [5, 8, 32_773] {
            assert_eq!(checked(&tiled(128, 64, compression, &vec![0; most])), Ok(()));
            let refused = checked(&tiled(128, 64, compression, &vec![0; most + 1]));
            let refused = refused.expect_err("more than twice as many");
            assert_eq!((refused.found, refused.limit), (4 * most as u64 + 4, 4 * most as u64));
        }
    }

    #[test]
    fn pixels_of_too_many_samples_are_refused() {
        let mut file = tiled(16, 16, 1, &[0; 256]);
        let place = file.windows(2).position(|tag| tag == 277_u16.to_le_bytes()).expect("a tag");
        file[place + 8..place + 10].copy_from_slice(&65_u16.to_le_bytes());
        let refused = checked(&file);
        assert!(matches!(refused, Err(TooMuch { found: 65, limit: 64, .. })), "{refused:?}");
    }

    #[test]
    fn tiles_without_number_and_tiles_that_are_mostly_padding_are_refused() {
        let many = checked(&tiled(300, 1, 1, &[0])).expect_err("90,000 tiles");
        assert_eq!((many.found, many.limit), (90_000, 65_536 + 90_000 / 256));
        let large = checked(&tiled(16, 30_000, 1, &[0])).expect_err("a tile of 900 million pixels");
        assert_eq!((large.found, large.limit), (900_000_000, 4 * 256 + (1 << 26)));
    }
}
