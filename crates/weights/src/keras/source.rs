//! The bytes that the HDF5 library reads, counted.
//!
//! What a file of a megabyte describes may take any amount of memory and time to read: one string can be an
//! attribute's thousand elements, and one group the member of a thousand others. The library hands out
//! whatever the file asks for, so each stretch of reading here has an allowance of bytes, and the
//! source of the bytes refuses more. What comes from memory counts, too, which is why the library's
//! own cache is not used.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hdf5_pure::{FormatError, Source};

/// Bytes of the descriptions that are kept, since finding a weight goes through the same groups
/// again and again.
const KEPT: usize = 16 << 20;

/// The longest that is kept.
const LONGEST_KEPT: usize = 64 << 10;

/// Bytes that are read to describe a file.
const DESCRIPTION: u64 = 256 << 20;

/// What one read counts for beside its bytes, so that many small ones end, too.
const READ: u64 = 64;

/// What is said where an address is the one that stands for none, as that of a soft link.
pub(crate) const NOWHERE: &str = "it is nowhere in the file";

/// What may still be read.
#[derive(Clone)]
pub(crate) struct Allowance(Arc<AtomicU64>);

impl Allowance {
    /// Sets what may be read from here on, in bytes.
    pub(crate) fn set(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    fn take(&self, bytes: u64) -> bool {
        let left = |left: u64| left.checked_sub(bytes);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left).is_ok()
    }
}

/// A part of something that is read.
struct Part<R> {
    reader: Mutex<R>,
    start: u64,
    length: u64,
    allowance: Allowance,
    kept: Mutex<Kept>,
}

/// Descriptions by offset and length, and how many bytes they have together.
#[derive(Default)]
struct Kept {
    parts: HashMap<(u64, usize), Vec<u8>>,
    bytes: usize,
}

impl<R: Read + Seek> Source for Part<R> {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), FormatError> {
        let failed = |error: io::Error| FormatError::Source(error.to_string());
        let length = buffer.len() as u64;
        match offset.checked_add(length) {
            None => return Err(FormatError::Source(NOWHERE.to_owned())),
            Some(end) if end > self.length => {
                return Err(FormatError::Source("it ends too early".to_owned()));
            }
            Some(_) => {}
        }
        self.allow(length)?;
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.seek(SeekFrom::Start(self.start.saturating_add(offset))).map_err(failed)?;
        reader.read_exact(buffer).map_err(failed)
    }

    fn read_metadata_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, FormatError> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(part) = kept().parts.get(&(offset, length)) {
            self.allow(length as u64)?;
            return Ok(part.clone());
        }
        let part = self.read_exact_at(offset, length)?;
        let mut kept = kept();
        let bytes = kept.bytes.saturating_add(length);
        if length <= LONGEST_KEPT && bytes <= KEPT {
            kept.bytes = bytes;
            kept.parts.insert((offset, length), part.clone());
        }
        Ok(part)
    }
}

impl<R> Part<R> {
    fn allow(&self, bytes: u64) -> Result<(), FormatError> {
        match self.allowance.take(bytes.saturating_add(READ)) {
            true => Ok(()),
            false => Err(FormatError::Source(
                "it asks for more reading than any network needs".to_owned(),
            )),
        }
    }
}

/// Opens the HDF5 file that is the `length` bytes from `start` on.
///
/// # Errors
///
/// If there are fewer bytes, or they are no HDF5 file.
pub(crate) fn open<R: Read + Seek + Send + 'static>(
    mut reader: R,
    start: u64,
    length: u64,
) -> Result<(hdf5_pure::File, Allowance), hdf5_pure::Error> {
    let size = reader.seek(SeekFrom::End(0)).map_err(hdf5_pure::Error::Io)?;
    if start.checked_add(length).is_none_or(|end| end > size) {
        let short = FormatError::Source("the file ends too early".to_owned());
        return Err(hdf5_pure::Error::Format(short));
    }
    let allowance = Allowance(Arc::new(AtomicU64::new(DESCRIPTION)));
    let reader = Mutex::new(reader);
    let kept = Mutex::default();
    let part = Part { reader, start, length, allowance: allowance.clone(), kept };
    Ok((hdf5_pure::File::from_source(part)?, allowance))
}

/// Opens a whole file.
pub(crate) fn open_file(file: File) -> Result<(hdf5_pure::File, Allowance), hdf5_pure::Error> {
    let length = file.metadata().map_err(hdf5_pure::Error::Io)?.len();
    open(file, 0, length)
}
