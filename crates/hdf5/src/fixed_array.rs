//! Fixed arrays, which say where chunks are: format specification, section VII.C.

use crate::bytes::{Bytes, Sizes, index};
use crate::checksum;
use crate::error::{Error, damaged};
use crate::source::{EACH, Source};

/// An array's entries.
pub(crate) struct Array {
    /// All pages, one after the other, each with its checksum; one only if the array has no pages.
    block: Vec<u8>,
    /// Bytes of an entry.
    entry: usize,
    /// Entries in all, and of a page.
    count: u64,
    page: u64,
    /// Whether each page was ever written, a bit each from the highest on.
    written: Option<Vec<u8>>,
    filtered: bool,
}

/// Where a chunk is, and its size and filter mask if it went through filters.
pub(crate) type Entry = (u64, Option<(u64, u32)>);

const SUM: u64 = 4;

impl Array {
    /// Reads the array at an address, of chunks that went through filters or not.
    pub(crate) fn read(source: &Source, address: u64, filtered: bool) -> Result<Self, Error> {
        let sizes = source.sizes;
        let length = sizes.offset.saturating_add(sizes.length).saturating_add(12);
        let head = source.checked(address, length as u64, b"FAHD")?;
        let mut bytes = Bytes(&head);
        bytes.skip(4)?;
        bytes.expect(&[0, filtered.into()], "an array of its chunks is of another kind")?;
        let (entry, bits) = (bytes.u8()?, bytes.u8()?);
        let count = bytes.length(sizes)?;
        let data = bytes.address(sizes)?.ok_or(Error::Nowhere)?;
        let page =
            1_u64.checked_shl(bits.into()).ok_or(Error::Damaged("its pages are too long"))?;
        // An address, a size and a mask.
        let (least, most) = (sizes.offset.saturating_add(5), sizes.offset.saturating_add(12));
        let entry = usize::from(entry);
        let right = if filtered { (least..=most).contains(&entry) } else { entry == sizes.offset };
        if !right {
            return damaged("an array of its chunks has impossible entries");
        }
        let paged = count > page;
        let page = page.min(count);
        let mut array = Self { block: Vec::new(), entry, count, page, written: None, filtered };
        array.pages(source, data, paged)?;
        Ok(array)
    }

    /// Reads the block of entries.
    fn pages(&mut self, source: &Source, address: u64, paged: bool) -> Result<(), Error> {
        let prefix = (source.sizes.offset as u64).saturating_add(6);
        let entries = self.count.saturating_mul(self.entry as u64);
        let before = if paged {
            let pages = self.count.div_ceil(self.page);
            let bits = pages.div_ceil(8);
            let before = prefix.saturating_add(bits).saturating_add(SUM);
            // The pages must be there before anything is set aside for them.
            let all = pages.saturating_mul(SUM).saturating_add(entries);
            source.place(address, before.saturating_add(all))?;
            let head = source.checked(address, before, b"FADB")?;
            let written = head.get(index(prefix)?..).ok_or(Error::Short)?.to_vec();
            self.written = Some(written);
            let at = address.checked_add(before).ok_or(Error::Short)?;
            self.block = source.read(at, all)?;
            source.spend(pages.saturating_mul(EACH))?;
            return self.check();
        } else {
            prefix
        };
        let whole = before.saturating_add(entries).saturating_add(SUM);
        let block = source.checked(address, whole, b"FADB")?;
        self.block = block.get(index(before)?..).ok_or(Error::Short)?.to_vec();
        Ok(())
    }

    /// Checks every page that was written.
    fn check(&self) -> Result<(), Error> {
        let size = self.page.saturating_mul(self.entry as u64).saturating_add(SUM);
        for (number, page) in (0..).zip(self.block.chunks(index(size)?)) {
            if !self.is_written(number) {
                continue;
            }
            let at = page.len().checked_sub(4).ok_or(Error::Short)?;
            let (entries, sum) = page.split_at_checked(at).ok_or(Error::Short)?;
            if checksum::lookup3(entries) != Bytes(sum).u32()? {
                return Err(Error::Checksum);
            }
        }
        Ok(())
    }

    fn is_written(&self, page: u64) -> bool {
        let Some(written) = &self.written else { return true };
        let byte = index(page >> 3).ok().and_then(|at| written.get(at));
        byte.is_some_and(|byte| byte << (page & 7) & 0x80 != 0)
    }

    /// What is said about a chunk, if it was written.
    pub(crate) fn get(&self, at: u64, sizes: Sizes) -> Result<Option<Entry>, Error> {
        if at >= self.count {
            return damaged("an array of its chunks is too short");
        }
        let page = at.checked_div(self.page).unwrap_or(0);
        if !self.is_written(page) {
            return Ok(None);
        }
        let sums = page.saturating_mul(SUM);
        let start = index(at)?.saturating_mul(self.entry).saturating_add(index(sums)?);
        let mut bytes = Bytes(self.block.get(start..).ok_or(Error::Short)?);
        let Some(address) = bytes.address(sizes)? else { return Ok(None) };
        if !self.filtered {
            return Ok(Some((address, None)));
        }
        let width = self.entry.saturating_sub(sizes.offset).saturating_sub(4);
        Ok(Some((address, Some((bytes.uint(width)?, bytes.u32()?)))))
    }
}
