//! The first directory of a TIFF, as it stands in the file: TIFF 6.0, section 2, and `BigTIFF`.

use std::ops::{Range, RangeInclusive};

use crate::chunks::{TooMuch, within};

/// An entry of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) tag: u16,
    /// How many values it has.
    pub(crate) count: u64,
    /// Where its value stands, if it is short, or the place of its values.
    pub(crate) value: usize,
}

/// The directory.
pub(crate) struct Directory<'a> {
    bytes: &'a [u8],
    little: bool,
    /// `BigTIFF`: counts and places have eight bytes.
    big: bool,
    /// Where its entries stand.
    entries: Range<usize>,
}

/// The first bytes: of both byte orders, TIFF and `BigTIFF`.
const BEGINNINGS: [&[u8; 4]; 4] = [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"];

/// Places and lengths of strips and tiles: more than the largest image has of the smallest tiles in three
/// planes. The decoder needs 48 bytes for each.
const PLACES: [u16; 4] = [273, 279, 324, 325];
const MOST_PLACES: u64 = 1 << 21;

/// What the decoder may look at beside them, of which a palette of 16 bits is the longest, and the texts
/// among it that it does not.
const READ: RangeInclusive<u16> = 254..=400;
const TEXTS: [u16; 10] = [269, 270, 271, 272, 285, 305, 306, 315, 316, 333];
const MOST_VALUES: u64 = 3 << 16;

/// Whether a file is a TIFF.
pub(crate) fn is_tiff(bytes: &[u8]) -> bool {
    BEGINNINGS.iter().any(|beginning| bytes.starts_with(*beginning))
}

/// Checks that no entry is a list far longer than any image has; the decoder needs up to 40 times its
/// bytes for one.
///
/// # Errors
///
/// If one is.
pub(crate) fn check(bytes: &[u8]) -> Result<(), TooMuch> {
    for Entry { tag, count, .. } in Directory::read(bytes).iter().flat_map(Directory::entries) {
        if PLACES.contains(&tag) {
            within("the number of its strips or tiles", count, MOST_PLACES)?;
        } else if READ.contains(&tag) && !TEXTS.contains(&tag) {
            within("the number of values of an entry", count, MOST_VALUES)?;
        }
    }
    Ok(())
}

impl<'a> Directory<'a> {
    /// The first of a file, if it has one.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        if !is_tiff(bytes) {
            return None;
        }
        let little = bytes.starts_with(b"II");
        let big = bytes.get(..4)?.contains(&b'+');
        let mut directory = Self { bytes, little, entries: 0..0, big };
        // The place of the directory stands after the beginning, in BigTIFF after two more numbers.
        let start = if big { directory.number(8, 8) } else { directory.number(4, 4) };
        let start = usize::try_from(start?).ok()?;
        let size = if big { 8 } else { 2 };
        let count = usize::try_from(directory.number(start, size)?).ok()?;
        let first = start.checked_add(size)?;
        let end = first.saturating_add(count.saturating_mul(directory.each())).min(bytes.len());
        directory.entries = first..end;
        Some(directory)
    }

    /// Bytes of an entry: tag, type, count and value.
    const fn each(&self) -> usize {
        if self.big { 20 } else { 12 }
    }

    /// All entries.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let size = if self.big { 8 } else { 4 };
        self.entries.clone().step_by(self.each()).map_while(move |place| {
            let count = place.checked_add(4)?;
            let value = count.checked_add(size)?;
            Some(Entry { tag: self.short(place)?, count: self.number(count, size)?, value })
        })
    }

    /// The value of a tag that has one short number.
    pub(crate) fn value(&self, tag: u16) -> Option<u16> {
        let entry = self.entries().find(|entry| entry.tag == tag && entry.count == 1)?;
        self.short(entry.value)
    }

    /// Two bytes at a place.
    pub(crate) fn short(&self, at: usize) -> Option<u16> {
        self.number(at, 2).and_then(|number| u16::try_from(number).ok())
    }

    /// A number of so many bytes, at most eight.
    fn number(&self, at: usize, size: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at.checked_add(size)?)?.iter();
        let next = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
        Some(if self.little { bytes.rev().fold(0, next) } else { bytes.fold(0, next) })
    }

    /// A number as two bytes of this file.
    pub(crate) fn pair(&self, number: u16) -> [u8; 2] {
        if self.little { number.to_le_bytes() } else { number.to_be_bytes() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of both kinds and byte orders whose directory has these tags, counts and short values.
    fn file(beginning: &[u8; 4], entries: &[(u16, u64, u16)]) -> Vec<u8> {
        let little = beginning.starts_with(b"II");
        let number = |value: u64, size: usize| match little {
            true => value.to_le_bytes()[..size].to_vec(),
            false => value.to_be_bytes()[8 - size..].to_vec(),
        };
        let big = beginning.contains(&b'+');
        let mut bytes = beginning.to_vec();
        if big {
            bytes.extend([number(8, 2), number(0, 2), number(16, 8)].concat());
        } else {
            bytes.extend(number(8, 4));
        }
        bytes.extend(number(entries.len() as u64, if big { 8 } else { 2 }));
        for &(tag, count, value) in entries {
            let wide = if big { 8 } else { 4 };
            bytes.extend([number(tag.into(), 2), number(3, 2), number(count, wide)].concat());
            bytes.extend([number(value.into(), 2), vec![0; wide - 2]].concat());
        }
        bytes
    }

    #[test]
    fn entries_are_found_in_every_kind_of_file() {
        for beginning in BEGINNINGS {
            let bytes = file(beginning, &[(256, 1, 640), (262, 1, 3), (320, 768, 9)]);
            let directory = Directory::read(&bytes).expect("a directory");
            assert_eq!(directory.value(262), Some(3), "{beginning:x?}");
            assert_eq!(directory.value(256), Some(640), "{beginning:x?}");
            assert_eq!(directory.value(320), None, "{beginning:x?}");
            let counts: Vec<u64> = directory.entries().map(|entry| entry.count).collect();
            assert_eq!(counts, [1, 1, 768], "{beginning:x?}");
            // At least a byte of the last count is missing.
            for length in 0..bytes.len() - 8 {
                let entries =
                    Directory::read(&bytes[..length]).map_or(0, |cut| cut.entries().count());
                assert!(entries < 3, "{beginning:x?} {length}");
            }
        }
    }

    #[test]
    fn lists_without_end_are_refused() {
        for beginning in BEGINNINGS {
            for (tag, limit) in [(320, 3 << 16), (258, 3 << 16), (273, 1 << 21), (325, 1 << 21)] {
                assert_eq!(check(&file(beginning, &[(tag, limit, 0)])), Ok(()));
                let refused =
                    check(&file(beginning, &[(tag, limit + 1, 0)])).expect_err("too long");
                assert_eq!((refused.found, refused.limit), (limit + 1, limit), "{}", refused.what);
            }
            // A description, and a colour profile, which are not read.
            assert_eq!(check(&file(beginning, &[(270, 1 << 30, 0), (34675, 1 << 30, 0)])), Ok(()));
        }
        assert_eq!(check(b"GIF89a"), Ok(()));
    }
}
