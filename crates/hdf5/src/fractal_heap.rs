//! Fractal heaps, which hold the links and attributes of crowded objects: format specification,
//! section III.G.

use std::collections::HashMap;

use crate::btree2;
use crate::bytes::{Bytes, index, width};
use crate::checksum;
use crate::error::{Error, damaged};
use crate::source::{EACH, Source};

/// Bytes of blocks that are kept, since one holds many objects.
const KEPT: usize = 16 << 20;

/// A doubling table has no more rows than its addresses have bits, and rows within rows have fewer.
const DEEPEST: usize = 64;

/// An open heap.
pub(crate) struct Heap<'a> {
    source: &'a Source,
    /// Bytes of an object's offset and of its length, in its identifier.
    offset: usize,
    length: usize,
    /// Where objects are that are too large for a block, by number, and the index that says so.
    huge: HashMap<u64, (u64, u64)>,
    huge_index: Option<u64>,
    /// Huge objects' places are in their identifiers.
    huge_direct: bool,
    checked: bool,
    table: Table,
    /// By address and length.
    blocks: HashMap<(u64, u64), Vec<u8>>,
    kept: usize,
}

/// How the heap's space is divided into blocks, each row of which has as many, of one size.
struct Table {
    columns: u64,
    first: u64,
    largest: u64,
    root: Option<u64>,
    /// Rows of the block at the root, of which none is a block of objects.
    rows: u16,
}

impl Table {
    /// Bytes of each block in a row.
    fn size(&self, row: u32) -> Option<u64> {
        self.first.checked_mul(1_u64.checked_shl(row.saturating_sub(1))?)
    }

    /// Bytes before a row.
    fn before(&self, row: u32) -> Option<u64> {
        if row == 0 { Some(0) } else { self.columns.checked_mul(self.size(row)?) }
    }

    /// The row and column that an offset lies in, and the offset within the block there.
    fn find(&self, offset: u64) -> Option<(u32, u64, u64)> {
        let rows = offset.checked_div(self.columns.checked_mul(self.first)?)?;
        let row = u64::BITS.saturating_sub(rows.leading_zeros());
        let within = offset.checked_sub(self.before(row)?)?;
        let size = self.size(row)?;
        Some((row, within.checked_div(size)?, within.checked_rem(size)?))
    }
}

impl<'a> Heap<'a> {
    /// Opens the heap at an address.
    pub(crate) fn open(source: &'a Source, address: u64) -> Result<Self, Error> {
        let sizes = source.sizes;
        let (offsets, lengths) = (sizes.offset.saturating_mul(3), sizes.length.saturating_mul(12));
        let size = offsets.saturating_add(lengths).saturating_add(26) as u64;
        let head = source.checked(address, size, b"FRHP")?;
        let mut bytes = Bytes(&head);
        bytes.skip(4)?;
        bytes.expect(&[0], "a heap in it is of no known version")?;
        let (identifier, filters, flags) = (bytes.u16()?, bytes.u16()?, bytes.u8()?);
        if filters > 0 {
            return Err(Error::Unsupported("a heap in it is compressed".to_owned()));
        }
        let most = u64::from(bytes.u32()?);
        bytes.skip(sizes.length)?;
        let huge_index = bytes.address(sizes)?;
        bytes.skip(sizes.offset.saturating_add(sizes.length.saturating_mul(9)))?;
        let columns = u64::from(bytes.u16()?);
        let (first, largest) = (bytes.length(sizes)?, bytes.length(sizes)?);
        let bits = bytes.u16()?;
        bytes.skip(2)?;
        let (root, rows) = (bytes.address(sizes)?, bytes.u16()?);
        let powers = [columns, first, largest].iter().all(|size| size.is_power_of_two());
        if !powers || bits > 64 || largest < first {
            return damaged("a heap in it has impossible blocks");
        }
        let place = sizes.offset.saturating_add(sizes.length);
        Ok(Self {
            source,
            offset: bits.div_ceil(8).into(),
            length: (largest.ilog2().div_ceil(8) as usize).min(width(most)),
            huge: HashMap::new(),
            huge_index,
            huge_direct: place < usize::from(identifier),
            checked: flags & 1 << 1 != 0,
            table: Table { columns, first, largest, root, rows },
            blocks: HashMap::new(),
            kept: 0,
        })
    }

    /// The object that an identifier names: sections III.G.1 to III.G.3 of its kinds.
    pub(crate) fn object(&mut self, identifier: &[u8]) -> Result<Vec<u8>, Error> {
        let mut bytes = Bytes(identifier);
        let first = bytes.u8()?;
        match first >> 4 {
            0 => {
                let (offset, length) = (bytes.uint(self.offset)?, bytes.uint(self.length)?);
                self.managed(offset, length)
            }
            1 => self.huge(bytes),
            2 => {
                let mut length = usize::from(first & 0xf);
                // Longer identifiers have longer lengths.
                if identifier.len() > 17 {
                    length = length << 8 | usize::from(bytes.u8()?);
                }
                let taken = bytes.take(length.saturating_add(1))?;
                self.source.spend(EACH)?;
                Ok(taken.to_vec())
            }
            _ => damaged("an object in a heap is of no known kind"),
        }
    }

    fn huge(&mut self, mut identifier: Bytes<'_>) -> Result<Vec<u8>, Error> {
        let sizes = self.source.sizes;
        let (address, length) = if self.huge_direct {
            let address = identifier.address(sizes)?.ok_or(Error::Nowhere)?;
            (address, identifier.length(sizes)?)
        } else {
            if let Some(index) = self.huge_index.take() {
                self.huge = huge(self.source, index)?;
            }
            let number = identifier.uint(identifier.0.len().min(8))?;
            *self.huge.get(&number).ok_or(Error::Damaged("an object in a heap is missing"))?
        };
        self.source.read(address, length)
    }

    fn managed(&mut self, offset: u64, length: u64) -> Result<Vec<u8>, Error> {
        let (address, size, within) = self.find(offset)?;
        self.source.spend(length.saturating_add(EACH))?;
        let block = self.kept((address, size), Self::block)?;
        let mut bytes = Bytes(block.get(index(within)?..).ok_or(Error::Short)?);
        Ok(bytes.take(index(length)?)?.to_vec())
    }

    /// What is at an address, so many bytes long, read once as most blocks are looked at again and again.
    fn kept(
        &mut self,
        (address, length): (u64, u64),
        read: impl FnOnce(&Self, u64, u64) -> Result<Vec<u8>, Error>,
    ) -> Result<&[u8], Error> {
        if !self.blocks.contains_key(&(address, length)) {
            let block = read(self, address, length)?;
            if self.kept.saturating_add(block.len()) > KEPT {
                self.blocks.clear();
                self.kept = 0;
            }
            self.kept = self.kept.saturating_add(block.len());
            self.blocks.insert((address, length), block);
        }
        Ok(self.blocks.get(&(address, length)).map(Vec::as_slice).unwrap_or_default())
    }

    /// A block of objects: section III.G.2, "Fractal Heap Direct Block".
    fn block(&self, address: u64, size: u64) -> Result<Vec<u8>, Error> {
        let mut block = self.source.read(address, size)?;
        if !block.starts_with(b"FHDB") {
            return damaged("a block of a heap is not where it says");
        }
        if self.checked {
            let at = self.source.sizes.offset.saturating_add(self.offset).saturating_add(5);
            let end = at.saturating_add(4);
            let sum = block.get_mut(at..end).ok_or(Error::Short)?;
            let expected = Bytes(sum).u32()?;
            sum.fill(0);
            if checksum::lookup3(&block) != expected {
                return Err(Error::Checksum);
            }
        }
        Ok(block)
    }

    /// Where the block of an object is, its size, and the object's offset in it.
    fn find(&mut self, mut offset: u64) -> Result<(u64, u64, u64), Error> {
        const BEYOND: Error = Error::Damaged("an object in a heap lies behind its end");
        let mut address = self.table.root.ok_or(Error::Nowhere)?;
        if self.table.rows == 0 {
            let within = Some(offset).filter(|&offset| offset < self.table.first);
            return Ok((address, self.table.first, within.ok_or(BEYOND)?));
        }
        let mut rows = u32::from(self.table.rows);
        for _ in 0..DEEPEST {
            let (row, column, within) = self.table.find(offset).ok_or(BEYOND)?;
            if row >= rows {
                return Err(BEYOND);
            }
            address = self.child(address, rows, (row, column))?;
            let size = self.table.size(row).ok_or(BEYOND)?;
            if size <= self.table.largest {
                return Ok((address, size, within));
            }
            // A block of blocks has the rows that fill it.
            let columns = self.table.columns.checked_mul(self.table.first).ok_or(BEYOND)?;
            rows = size.checked_div(columns).and_then(u64::checked_ilog2).ok_or(BEYOND)?;
            rows = rows.saturating_add(1);
            offset = within;
        }
        Err(BEYOND)
    }

    /// The address in a block of blocks: section III.G.2, "Fractal Heap Indirect Block".
    fn child(&mut self, address: u64, rows: u32, (row, column): (u32, u64)) -> Result<u64, Error> {
        let sizes = self.source.sizes;
        let before = sizes.offset.saturating_add(self.offset).saturating_add(5);
        let count = u64::from(rows).saturating_mul(self.table.columns);
        let length = count.saturating_mul(sizes.offset as u64).saturating_add(before as u64);
        let entry = u64::from(row).saturating_mul(self.table.columns).saturating_add(column);
        let at = entry.saturating_mul(sizes.offset as u64).saturating_add(before as u64);
        let read = |heap: &Self, address, length| heap.source.checked(address, length, b"FHIB");
        let block = self.kept((address, length.saturating_add(4)), read)?;
        Bytes(block.get(index(at)?..).ok_or(Error::Short)?).address(sizes)?.ok_or(Error::Nowhere)
    }
}

/// Huge objects by their numbers: section III.A.2, "Type 1 Record Layout".
fn huge(source: &Source, index: u64) -> Result<HashMap<u64, (u64, u64)>, Error> {
    let mut places = HashMap::new();
    btree2::walk(source, index, btree2::HUGE_OBJECTS, |record| {
        let mut bytes = Bytes(record);
        let address = bytes.address(source.sizes)?.ok_or(Error::Nowhere)?;
        let length = bytes.length(source.sizes)?;
        places.insert(bytes.length(source.sizes)?, (address, length));
        Ok(())
    })?;
    Ok(places)
}
