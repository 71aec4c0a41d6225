//! Global heaps, which hold strings of variable length: format specification, section III.E.

use std::collections::HashMap;
use std::ops::Range;

use crate::bytes::{Bytes, index};
use crate::error::{Error, damaged};
use crate::source::Source;

/// Objects, by number.
pub(crate) struct Collection {
    bytes: Vec<u8>,
    objects: HashMap<u16, Range<usize>>,
}

impl Collection {
    /// Reads the collection at an address.
    pub(crate) fn read(source: &Source, address: u64) -> Result<Self, Error> {
        let width = source.sizes.length;
        let head = source.read(address, width.saturating_add(8) as u64)?;
        let mut bytes = Bytes(&head);
        bytes.expect(b"GCOL\x01", "a heap of strings is not where it says")?;
        bytes.skip(3)?;
        let size = bytes.length(source.sizes)?;
        let bytes = source.read(address, size)?;
        let objects = objects(&bytes, width)?;
        Ok(Self { bytes, objects })
    }

    /// Bytes in memory.
    pub(crate) fn size(&self) -> u64 {
        let objects = self.objects.len().saturating_mul(64);
        self.bytes.len().saturating_add(objects) as u64
    }

    pub(crate) fn object(&self, number: u32) -> Result<&[u8], Error> {
        let range = u16::try_from(number).ok().and_then(|number| self.objects.get(&number));
        let object = range.and_then(|range| self.bytes.get(range.clone()));
        object.ok_or(Error::Damaged("a string is missing from its heap"))
    }
}

/// Everything begins at a multiple of 8 bytes, what follows a head of 4-byte lengths, too.
fn objects(collection: &[u8], width: usize) -> Result<HashMap<u16, Range<usize>>, Error> {
    let mut objects = HashMap::new();
    let head = width.saturating_add(8).next_multiple_of(8);
    let mut bytes = Bytes(collection.get(head..).ok_or(Error::Short)?);
    // What is shorter than an object's head is free.
    while bytes.0.len() >= head {
        let number = bytes.u16()?;
        bytes.skip(6)?;
        let size = index(bytes.uint(width)?)?;
        bytes.skip(head.saturating_sub(width).saturating_sub(8))?;
        if number == 0 {
            break;
        }
        let from = collection.len().saturating_sub(bytes.0.len());
        bytes.skip(size)?;
        let end = from.saturating_add(size);
        if objects.insert(number, from..end).is_some() {
            return damaged("a heap has two strings of one number");
        }
        bytes.skip(size.wrapping_neg() & 7)?;
    }
    Ok(objects)
}
