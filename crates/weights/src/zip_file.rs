//! Zip archives whose table of contents has a bearable length.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zip::ZipArchive;
use zip::result::{ZipError, ZipResult};

/// Bytes that are read to find the entries. Each entry takes far more memory than its 46 bytes in the
/// file, and a search for the table of contents may go through a whole file.
const CONTENTS: u64 = 16 << 20;

/// Bytes of an entry of the table of contents, beside its name.
const ENTRY: u64 = 46;

/// A file that gives so many bytes and no more.
pub struct Allowed {
    file: File,
    left: Arc<AtomicU64>,
}

impl Read for Allowed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        if entries(buffer.get(..read).unwrap_or_default()) > CONTENTS / ENTRY {
            return Err(too_long());
        }
        let left = |left: u64| left.checked_sub(read as u64);
        match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left) {
            Ok(_) => Ok(read),
            Err(_) => Err(too_long()),
        }
    }
}

/// How many entries the archive has, where that is what was read: the library makes room for as many
/// before it looks for them.
fn entries(record: &[u8]) -> u64 {
    let count = record.strip_prefix(b"PK\x06\x06").and_then(|record| record.get(28..36));
    count.and_then(|count| count.try_into().ok()).map_or(0, u64::from_le_bytes)
}

fn too_long() -> io::Error {
    let text = format!("its table of contents takes more than {} MiB", CONTENTS >> 20);
    io::Error::new(io::ErrorKind::FileTooLarge, text)
}

impl Seek for Allowed {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Opens an archive and reads its table of contents, of at most 16 MiB. Of two entries of one name
/// the later counts, as in Python.
///
/// # Errors
///
/// If `path` is no ordinary file, cannot be read, or is no archive.
pub fn open_zip(path: &Path) -> ZipResult<ZipArchive<Allowed>> {
    // Opening a pipe would wait for its other end.
    if !std::fs::metadata(path)?.is_file() {
        let other = io::Error::new(io::ErrorKind::InvalidInput, "it is no ordinary file");
        return Err(ZipError::Io(other));
    }
    let left = Arc::new(AtomicU64::new(CONTENTS));
    let archive = ZipArchive::new(Allowed { file: File::open(path)?, left: Arc::clone(&left) })?;
    // What an entry holds has limits of its own.
    left.store(u64::MAX, Ordering::Relaxed);
    Ok(archive)
}
