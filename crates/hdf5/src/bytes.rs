//! A cursor over bytes in memory. All numbers are little-endian.

use crate::error::{Error, damaged};

/// How many bytes addresses and lengths take in a file: 2, 4 or 8 each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) offset: usize,
    pub(crate) length: usize,
}

/// What is left to be looked at.
#[derive(Clone, Copy)]
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    /// The next `count` bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Short`], like everything here, if there are fewer.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Error::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn skip(&mut self, count: usize) -> Result<(), Error> {
        self.take(count).map(|_| ())
    }

    /// The next bytes are these, or `what` is wrong.
    pub(crate) fn expect(&mut self, bytes: &[u8], what: &'static str) -> Result<(), Error> {
        if self.take(bytes.len())? == bytes { Ok(()) } else { damaged(what) }
    }

    /// A number of up to 8 bytes.
    pub(crate) fn uint(&mut self, size: usize) -> Result<u64, Error> {
        let taken = self.take(size)?;
        let mut bytes = [0; 8];
        bytes
            .get_mut(..size)
            .ok_or(Error::Damaged("a number in it is too wide"))?
            .copy_from_slice(taken);
        Ok(u64::from_le_bytes(bytes))
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Error> {
        self.array::<1>().map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Error> {
        self.array().map(u64::from_le_bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Error::Short)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn length(&mut self, sizes: Sizes) -> Result<u64, Error> {
        self.uint(sizes.length)
    }

    /// An address, or none, which is spelled as all ones.
    pub(crate) fn address(&mut self, sizes: Sizes) -> Result<Option<u64>, Error> {
        let bytes = self.take(sizes.offset)?;
        let nowhere = bytes.iter().all(|&byte| byte == u8::MAX);
        Ok(if nowhere { None } else { Some(Bytes(bytes).uint(sizes.offset)?) })
    }
}

/// As the length of something in memory.
pub(crate) fn index(value: u64) -> Result<usize, Error> {
    usize::try_from(value).map_err(|_| Error::Short)
}

/// Up to the first null byte.
pub(crate) fn until_null(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// Text, whatever its bytes are.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// How many bytes a number up to `largest` takes.
pub(crate) fn width(largest: u64) -> usize {
    let bits = u64::BITS.saturating_sub(largest.leading_zeros()).max(1);
    bits.div_ceil(8) as usize
}
