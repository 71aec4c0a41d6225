//! The bytes of the file, counted.

use std::io::{Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::bytes::{Bytes, Sizes, index};
use crate::checksum;
use crate::error::Error;

/// Bytes that may be read after a file is opened.
const AT_FIRST: u64 = 256 << 20;

/// What one link or string counts for beside its bytes, so that many small ones end, too.
pub(crate) const EACH: u64 = 64;

/// The same of one read.
const READ: u64 = 512;

trait Input: Read + Seek + Send {}

impl<T: Read + Seek + Send> Input for T {}

/// Where the file is, and what may still be read of it.
pub(crate) struct Source {
    input: Mutex<Box<dyn Input>>,
    start: u64,
    /// Bytes from `start` on.
    pub(crate) length: u64,
    left: AtomicU64,
    /// Where the superblock is: addresses count from there.
    pub(crate) base: u64,
    pub(crate) sizes: Sizes,
}

impl Source {
    /// # Errors
    ///
    /// If there are fewer bytes than said.
    pub(crate) fn new(
        mut input: impl Read + Seek + Send + 'static,
        start: u64,
        length: u64,
    ) -> Result<Self, Error> {
        let size = input.seek(SeekFrom::End(0))?;
        if start.checked_add(length).is_none_or(|end| end > size) {
            return Err(Error::Short);
        }
        let input: Mutex<Box<dyn Input>> = Mutex::new(Box::new(input));
        let sizes = Sizes { offset: 8, length: 8 };
        Ok(Self { input, start, length, left: AtomicU64::new(AT_FIRST), base: 0, sizes })
    }

    /// Sets what may be spent from here on, in bytes.
    pub(crate) fn allow(&self, bytes: u64) {
        self.left.store(bytes, Ordering::Relaxed);
    }

    /// Counts bytes that are read, copied or made.
    ///
    /// # Errors
    ///
    /// [`Error::TooMuch`] if no so many are left.
    pub(crate) fn spend(&self, bytes: u64) -> Result<(), Error> {
        let less = |left: u64| left.checked_sub(bytes);
        let spent = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        spent.map(|_| ()).map_err(|_| Error::TooMuch)
    }

    /// What may still be spent, in bytes.
    #[cfg(test)]
    pub(crate) fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }

    /// Whether so many bytes are left.
    pub(crate) fn affords(&self, bytes: u64) -> Result<(), Error> {
        if bytes <= self.left.load(Ordering::Relaxed) { Ok(()) } else { Err(Error::TooMuch) }
    }

    /// Where an address is in the file, if `length` bytes are there.
    pub(crate) fn place(&self, address: u64, length: u64) -> Result<u64, Error> {
        let place = self.base.checked_add(address).ok_or(Error::Short)?;
        let end = place.checked_add(length).ok_or(Error::Short)?;
        if end <= self.length { Ok(place) } else { Err(Error::Short) }
    }

    /// The `length` bytes at an address.
    pub(crate) fn read(&self, address: u64, length: u64) -> Result<Vec<u8>, Error> {
        let place = self.place(address, length)?;
        self.spend(length.saturating_add(READ))?;
        let mut bytes = vec![0; index(length)?];
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        input.seek(SeekFrom::Start(self.start.checked_add(place).ok_or(Error::Short)?))?;
        input.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// The `length` bytes at an address, which begin with `signature` and end with their checksum.
    pub(crate) fn checked(
        &self,
        address: u64,
        length: u64,
        signature: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let mut bytes = self.read(address, length)?;
        if !bytes.starts_with(signature) {
            return Err(Error::Damaged("a part of it is not where it says"));
        }
        let at = bytes.len().checked_sub(4).ok_or(Error::Short)?;
        let sum = Bytes(bytes.get(at..).ok_or(Error::Short)?).u32()?;
        bytes.truncate(at);
        if checksum::lookup3(&bytes) == sum { Ok(bytes) } else { Err(Error::Checksum) }
    }
}
