//! How much work the segments of a JPEG are.
//!
//! After each marker the decoder compares all parts of extended XMP data that it has met, it builds every
//! Huffman table whether a scan follows or not, and it keeps every part of a colour profile. What is a
//! marker and what is within a segment it decides in its own way where a file is damaged, so all bytes
//! are counted here that could be a marker, wherever they stand.

use std::iter;

use crate::chunks::{TooMuch, within};

const SOF2: u8 = 0xc2;

/// Frames without loss, in differences, and with arithmetic coding.
const NEVER_DECODED: [u8; 10] = [0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf];

const DHT: u8 = 0xc4;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;

/// What begins a part of extended XMP data, and a part of a colour profile, after the length.
const EXTENDED_XMP: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
const ICC_PROFILE: &[u8] = b"ICC_PROFILE\0";

/// Parts of extended XMP data, times markers: a photograph with a depth map of 10 MB has 160 parts.
const MOST_COMPARISONS: u64 = 1 << 27;

/// Huffman tables, and how many more for each JPEG if there are several.
const MOST_TABLES: u64 = 1 << 18;
const TABLES_OF_A_JPEG: u64 = 8;

/// Parts of colour profiles; one has 255 at most.
const MOST_PARTS: u64 = 1 << 16;

/// What all JPEGs of a file have together.
#[derive(Debug)]
pub(crate) struct Segments {
    comparisons: u64,
    tables: u64,
    most_tables: u64,
    progressive: bool,
}

/// As [`Segments::add`], of a file that is one JPEG: whether a progressive frame may be in it. Nothing
/// else has that marker but what is passed over, such as a small picture in the metadata.
pub(crate) fn check(bytes: &[u8]) -> Result<bool, TooMuch> {
    let mut segments = Segments::of(1);
    segments.add(bytes, 1)?;
    Ok(segments.progressive)
}

impl Segments {
    /// Those of a file of so many JPEGs, none of which is added yet.
    pub(crate) const fn of(jpegs: u64) -> Self {
        let more = jpegs.saturating_mul(TABLES_OF_A_JPEG);
        let most_tables = MOST_TABLES.saturating_add(more);
        Self { comparisons: 0, tables: 0, most_tables, progressive: false }
    }

    /// Adds a JPEG that is decoded so many times.
    ///
    /// # Errors
    ///
    /// If the segments of all that were added are too much work.
    pub(crate) fn add(&mut self, jpeg: &[u8], times: u64) -> Result<(), TooMuch> {
        let (mut markers, mut xmp, mut profile) = (0_u64, 0_u64, 0_u64);
        let mut rest = jpeg;
        while let Some((marker, after)) = next_marker(rest) {
            markers = markers.saturating_add(1);
            let begins = |name| after.get(2..).is_some_and(|data| data.starts_with(name));
            match marker {
                // Tables may be among the symbols of others: they are counted no further than the limit.
                DHT => self.add_tables(huffman_tables(after), times)?,
                SOF2 => self.progressive = true,
                APP1 if begins(EXTENDED_XMP) => xmp = xmp.saturating_add(1),
                APP2 if begins(ICC_PROFILE) => profile = profile.saturating_add(1),
                _ => (),
            }
            rest = after;
        }
        within("the number of parts of its colour profile", profile, MOST_PARTS)?;
        let each = xmp.saturating_mul(markers);
        self.comparisons = self.comparisons.saturating_add(each.saturating_mul(times));
        within(
            "the number of its segments of extended XMP times its markers",
            self.comparisons,
            MOST_COMPARISONS,
        )
    }

    fn add_tables(&mut self, tables: u64, times: u64) -> Result<(), TooMuch> {
        self.tables = self.tables.saturating_add(tables.saturating_mul(times));
        within("the number of its Huffman tables", self.tables, self.most_tables)
    }
}

/// Whether a file that cannot be decoded may be one of those that are never.
pub(crate) fn is_never_decoded(bytes: &[u8]) -> bool {
    let mut markers = iter::successors(next_marker(bytes), |(_, after)| next_marker(after));
    markers.any(|(marker, _)| NEVER_DECODED.contains(&marker))
}

/// The Huffman tables of a segment that begins with its length, up to one that cannot be right.
fn huffman_tables(segment: &[u8]) -> u64 {
    let Some((&length, _)) = segment.split_first_chunk() else { return 0 };
    let end = usize::from(u16::from_be_bytes(length)).min(segment.len());
    let mut rest = segment.get(2..end).unwrap_or_default();
    let mut found = 0_u64;
    while let Some((&[kind, ref counts @ ..], after)) = rest.split_first_chunk::<17>() {
        let symbols = counts.iter().copied().map(usize::from).fold(0, usize::saturating_add);
        let Some(next) = after.get(symbols..).filter(|_| kind & !0x13 == 0 && symbols <= 256)
        else {
            break;
        };
        found = found.saturating_add(1);
        rest = next;
    }
    found
}

/// The next code that follows 0xff and is a marker's, and the bytes after it.
pub(crate) fn next_marker(mut bytes: &[u8]) -> Option<(u8, &[u8])> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(marker: u8, name: &[u8], rest: usize) -> Vec<u8> {
        let length = (2 + name.len() + rest) as u16;
        [&[0xff, marker], &length.to_be_bytes()[..], name, &vec![0; rest]].concat()
    }

    #[test]
    fn extended_xmp_that_is_compared_at_every_marker_is_refused() {
        let part = segment(APP1, EXTENDED_XMP, 41);
        let comment = segment(0xfe, b"", 0);
        let photograph = [part.repeat(160), comment.repeat(2_000)].concat();
        assert_eq!(check(&photograph), Ok(false));
        let hostile = [part.repeat(10_000), comment.repeat(50_000)].concat();
        let refused = check(&hostile).expect_err("600 million comparisons");
        assert_eq!((refused.found, refused.limit), (600_000_000, 1 << 27), "{}", refused.what);
    }

    #[test]
    fn a_marker_within_a_segment_counts_too() {
        // The decoder takes 0xffd0 for a segment with a length, and what follows for its content.
        let part = segment(APP1, EXTENDED_XMP, 41);
        let hidden = [segment(0xd0, b"\xff\xe1\xff\xff", 0), part.repeat(12_000)].concat();
        assert!(check(&hidden).is_err());
    }

    #[test]
    fn a_progressive_frame_is_found_wherever_it_stands() {
        let [baseline, progressive] = [0xc0, SOF2].map(|frame| segment(frame, b"", 15));
        let hidden = segment(APP1, &progressive, 0);
        assert_eq!(check(&baseline), Ok(false));
        assert_eq!(check(&[0xff, 0x00, SOF2]), Ok(false));
        for found in [&progressive, &hidden, &[&[0xff][..], &progressive].concat()] {
            assert_eq!(check(found), Ok(true), "{found:x?}");
        }
    }

    #[test]
    fn what_is_decoded_often_counts_often() {
        let part = segment(APP1, EXTENDED_XMP, 41).repeat(100);
        let mut segments = Segments::of(20_000);
        assert_eq!(segments.add(&part, 10_000), Ok(()));
        assert!(segments.add(&part, 10_000).is_err());
    }

    #[test]
    fn huffman_tables_without_number_are_refused() {
        let tables = [&[0x10][..], &[0; 16]].concat().repeat(3_854);
        assert_eq!(huffman_tables(&segment(DHT, &tables, 0)[2..]), 3_854);
        assert_eq!(check(&segment(DHT, &tables, 0).repeat(68)), Ok(false));
        let refused = check(&segment(DHT, &tables, 0).repeat(69)).expect_err("265,926 tables");
        assert_eq!((refused.found, refused.limit), (265_926, (1 << 18) + 8), "{}", refused.what);
    }

    #[test]
    fn bytes_that_are_no_huffman_tables_do_not_count() {
        let noise: Vec<u8> =
            (0..60_000_u32).map(|at| (at.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
        assert!(huffman_tables(&segment(DHT, &noise, 0)[2..]) < 2);
        for kind in [0x04, 0x20, 0x40, 0x80, 0x08] {
            let wrong = [&[kind][..], &[0; 16]].concat();
            assert_eq!(huffman_tables(&segment(DHT, &wrong, 0)[2..]), 0, "{kind}");
        }
        for kind in [0x00, 0x03, 0x10, 0x13] {
            let right = [&[kind][..], &[0; 16]].concat();
            assert_eq!(huffman_tables(&segment(DHT, &right, 0)[2..]), 1, "{kind}");
        }
    }

    #[test]
    fn a_colour_profile_of_too_many_parts_is_refused() {
        let part = segment(APP2, ICC_PROFILE, 3);
        assert_eq!(check(&part.repeat(255)), Ok(false));
        let refused = check(&part.repeat(65_537)).expect_err("65,537 parts");
        assert_eq!((refused.found, refused.limit), (65_537, 65_536), "{}", refused.what);
    }
}
