//! How much there is in a PNG beside its pixels.

use crate::chunks::{TooMuch, within};

/// Bytes before the first chunk.
const SIGNATURE: usize = 8;

/// Chunks that are no pixels, up to the end of the image. The decoder keeps every text.
const MOST_CHUNKS: u64 = 1 << 16;

/// Compressed pixels take no more bytes than as many times those that they are, and so many more.
const COMPRESSED: u64 = 2;
const MORE_COMPRESSED: u64 = 1 << 20;

/// What the decoder may allocate for texts, a colour profile and a row of pixels.
pub(crate) const BESIDE_THE_PIXELS: u64 = 64 << 20;

/// Checks that decoding the image takes no more work than it is worth. What cannot be understood is left to the
/// decoder.
pub(crate) fn check(bytes: &[u8]) -> Result<(), TooMuch> {
    let (mut others, mut compressed) = (0_u64, 0_u64);
    let mut rest = bytes.get(SIGNATURE..).unwrap_or_default();
    while let Some((length, kind, next)) = chunk(rest) {
        if kind == *b"IDAT" {
            compressed = compressed.saturating_add(length);
        } else if compressed > 0 {
            break;
        } else {
            others = others.saturating_add(1);
        }
        rest = next;
    }
    within("the number of chunks before its pixels", others, MOST_CHUNKS)?;
    let Some(raw) = raw(bytes) else { return Ok(()) };
    let limit = raw.saturating_mul(COMPRESSED).saturating_add(MORE_COMPRESSED);
    within("the number of bytes of its compressed pixels", compressed, limit)
}

/// Length and kind of the first chunk, and what follows it.
fn chunk(bytes: &[u8]) -> Option<(u64, [u8; 4], &[u8])> {
    let (&length, rest) = bytes.split_first_chunk()?;
    let (&kind, rest) = rest.split_first_chunk()?;
    let length = u32::from_be_bytes(length);
    // A checksum of 4 bytes follows the data.
    let next = usize::try_from(length).ok()?.checked_add(4)?;
    Some((u64::from(length), kind, rest.get(next..).unwrap_or_default()))
}

/// Bytes of the pixels and of one filter for each row, as the header in the first chunk declares them.
fn raw(bytes: &[u8]) -> Option<u64> {
    let (&width, rest) = bytes.get(SIGNATURE..)?.get(8..)?.split_first_chunk()?;
    let (&height, rest) = rest.split_first_chunk()?;
    let &[depth, colour] = rest.first_chunk()?;
    let samples = match colour {
        0 | 3 => 1,
        2 => 3,
        4 => 2,
        6 => 4,
        _ => return None,
    };
    let bits = u64::from(u32::from_be_bytes(width)).saturating_mul(samples);
    let row = bits.saturating_mul(u64::from(depth)).div_ceil(8).saturating_add(1);
    Some(row.saturating_mul(u64::from(u32::from_be_bytes(height))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(chunks: &[u8]) -> Vec<u8> {
        let header = [0, 0, 0, 16, 0, 0, 0, 10, 8, 2, 0, 0, 0];
        [&b"\x89PNG\r\n\x1a\n"[..], &chunk_of(b"IHDR", &header), chunks].concat()
    }

    fn chunk_of(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        [&(data.len() as u32).to_be_bytes()[..], kind, data, &[0; 4]].concat()
    }

    #[test]
    fn texts_without_number_are_refused() {
        let (text, pixels) = (chunk_of(b"tEXt", b"a\0"), chunk_of(b"IDAT", &[0; 100]));
        let chunks = |count: usize| png(&[text.repeat(count), pixels.clone()].concat());
        assert_eq!(check(&chunks(65_535)), Ok(()));
        let refused = check(&chunks(65_536)).expect_err("65,537 chunks with the header");
        assert_eq!((refused.found, refused.limit), (65_537, 65_536), "{}", refused.what);
        // An empty chunk of pixels does not end the search.
        let hidden = [chunk_of(b"IDAT", b""), text.repeat(65_536), pixels].concat();
        assert!(check(&png(&hidden)).is_err());
    }

    #[test]
    fn what_stands_after_the_pixels_is_not_counted() {
        let pixels = chunk_of(b"IDAT", &[0; 100]).repeat(100_000 / 100);
        let after = chunk_of(b"tEXt", b"a\0").repeat(70_000);
        assert_eq!(check(&png(&[pixels, after].concat())), Ok(()));
    }

    #[test]
    fn more_compressed_bytes_than_pixels_are_refused() {
        let raw = 10 * (1 + 16 * 3);
        let most = 2 * raw + (1 << 20);
        assert_eq!(super::raw(&png(&[])), Some(raw));
        assert_eq!(check(&png(&chunk_of(b"IDAT", &vec![0; most as usize]))), Ok(()));
        let halves = chunk_of(b"IDAT", &vec![0; most as usize / 2 + 1]).repeat(2);
        let refused = check(&png(&halves)).expect_err("more than twice as many");
        assert_eq!((refused.found, refused.limit), (most + 2, most), "{}", refused.what);
    }

    #[test]
    fn damaged_files_are_left_to_the_decoder() {
        let whole = png(&chunk_of(b"IDAT", &[0; 100]));
        for length in 0..whole.len() {
            assert_eq!(check(&whole[..length]), Ok(()), "{length}");
        }
    }
}
