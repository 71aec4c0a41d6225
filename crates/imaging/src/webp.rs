//! How much work the Huffman codes of a WebP are.

use crate::chunks::{TooMuch, within};
use crate::vp8l::{alpha_groups, groups};

/// Groups of Huffman codes; the library of the format's makers writes 2,600 at most.
const MOST_GROUPS: u64 = 1 << 12;

/// Where the first chunk begins, and the first after one that describes the file.
const FIRST: usize = 12;

/// Bytes of a frame before its own chunks.
const FRAME: usize = 16;

/// `VP8X`: the file is an animation.
const ANIMATED: u8 = 2;

/// A chunk without its name and length.
type Chunk<'a> = (&'a [u8; 4], &'a [u8]);

/// Checks the images that the decoder may read. What cannot be understood is left to it.
pub(crate) fn check(bytes: &[u8]) -> Result<(), TooMuch> {
    let mut all = chunks(bytes.get(FIRST..).unwrap_or_default()).peekable();
    let Some(&(first, header)) = all.peek() else { return Ok(()) };
    if first != b"VP8X" {
        return check_image((first, header), None);
    }
    let canvas = header.get(4..).and_then(size);
    let (mut lossless, mut alpha, mut frame) = (None, None, None);
    for (name, data) in all {
        match name {
            b"VP8L" => lossless = lossless.or(Some((name, data))),
            b"ALPH" => alpha = alpha.or(Some((name, data))),
            b"ANMF" => frame = frame.or(Some(data)),
            _ => (),
        }
    }
    lossless.into_iter().chain(alpha).try_for_each(|chunk| check_image(chunk, canvas))?;
    let Some(frame) = frame else { return Ok(()) };
    let animated = header.first().is_some_and(|flags| flags & ANIMATED != 0);
    let own = if animated { frame.get(6..).and_then(size) } else { canvas };
    let mut inside = chunks(frame.get(FRAME..).unwrap_or_default()).take(2);
    inside.try_for_each(|chunk| check_image(chunk, own))
}

/// Checks an image, or an alpha channel of this size.
fn check_image((name, data): Chunk<'_>, size: Option<[u32; 2]>) -> Result<(), TooMuch> {
    let found = match name {
        b"VP8L" => groups(data),
        // The first byte says how it is stored.
        b"ALPH" => data.get(1..).zip(size).and_then(|(data, [w, h])| alpha_groups(data, w, h)),
        _ => None,
    };
    within("the number of its groups of Huffman codes", found.unwrap_or(0).into(), MOST_GROUPS)
}

/// Chunks, of which the last may be cut short.
fn chunks(mut bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    std::iter::from_fn(move || {
        let (name, rest) = bytes.split_first_chunk()?;
        let (&length, rest) = rest.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(length)).ok()?;
        let padded = length.checked_next_multiple_of(2)?;
        bytes = rest.get(padded..).unwrap_or_default();
        Some((name, rest.get(..length).unwrap_or(rest)))
    })
}

/// Width and height, less one, of three bytes each.
fn size(bytes: &[u8]) -> Option<[u32; 2]> {
    let &[a, b, c, d, e, f] = bytes.first_chunk()?;
    Some([[a, b, c, 0], [d, e, f, 0]].map(|side| u32::from_le_bytes(side).saturating_add(1)))
}

/// Whether the file has as many bytes as its RIFF header declares.
pub(crate) fn is_complete(bytes: &[u8]) -> bool {
    let Some(&[a, b, c, d]) = bytes.get(4..8) else { return false };
    let declared = u64::from(u32::from_le_bytes([a, b, c, d]));
    (bytes.len() as u64).checked_sub(8).is_some_and(|found| found >= declared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vp8l::tests::wanting;

    fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let mut bytes = [&name[..], &(data.len() as u32).to_le_bytes(), data].concat();
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        bytes
    }

    fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
        [&b"RIFF\0\0\0\0WEBP"[..], &chunks.concat()].concat()
    }

    fn lossless(groups: u32) -> Vec<u8> {
        chunk(b"VP8L", &[&[0x2f, 3, 0xc0, 0, 0][..], &wanting(groups)].concat())
    }

    fn alpha(groups: u32) -> Vec<u8> {
        chunk(b"ALPH", &[&[1][..], &wanting(groups)].concat())
    }

    fn header(flags: u8, side: u8) -> Vec<u8> {
        chunk(b"VP8X", &[flags, 0, 0, 0, side - 1, 0, 0, side - 1, 0, 0])
    }

    fn frame(side: u8, inside: &[Vec<u8>]) -> Vec<u8> {
        let own = [0, 0, 0, 0, 0, 0, side - 1, 0, 0, side - 1, 0, 0, 0, 0, 0, 0];
        chunk(b"ANMF", &[&own[..], &inside.concat()].concat())
    }

    #[test]
    fn images_that_want_too_many_groups_are_refused_wherever_they_are() {
        let other = || chunk(b"abcd", b"odd");
        let files = |groups| {
            [
                webp(&[lossless(groups)]),
                webp(&[header(0, 4), other(), lossless(groups)]),
                webp(&[header(0x10, 4), other(), alpha(groups), chunk(b"VP8 ", b"")]),
                webp(&[header(2, 40), chunk(b"ANIM", &[0; 6]), frame(4, &[lossless(groups)])]),
                webp(&[header(2, 40), frame(4, &[alpha(groups), chunk(b"VP8 ", b"")])]),
                webp(&[header(0x10, 4), frame(40, &[alpha(groups)]), chunk(b"VP8 ", b"")]),
            ]
        };
        for file in files(4_096) {
            assert_eq!(check(&file), Ok(()));
        }
        for (file, at) in files(4_097).iter().zip(0..) {
            let refused = check(file).expect_err("too many groups");
            assert_eq!((refused.found, refused.limit), (4_097, 4_096), "{at}: {}", refused.what);
        }
    }

    #[test]
    fn damaged_files_are_left_to_the_decoder() {
        let whole = webp(&[header(2, 40), frame(4, &[alpha(9), lossless(9)])]);
        for length in 0..whole.len() {
            assert_eq!(check(&whole[..length]), Ok(()), "{length}");
        }
    }

    #[test]
    fn a_file_has_the_length_it_declares() {
        let file = b"RIFF\x06\x00\x00\x00WEBPVP";
        assert!(is_complete(file));
        assert!(!is_complete(&file[..13]));
        assert!(!is_complete(&file[..6]));
    }
}
