//! Zip archives of which no more is read than what they hold is worth.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zip::read::ZipFile;
use zip::result::{ZipError, ZipResult};
use zip::{CompressionMethod, ZipArchive};

/// Bytes that are read to find the entries. Each entry takes far more memory than its 46 bytes in the
/// file, and a search for the table of contents may go through a whole file.
const CONTENTS: u64 = 16 << 20;

/// Bytes of an entry of the table of contents, beside its name.
const ENTRY: u64 = 46;

/// Bytes that may be read of an entry before it has given any: its own header, and what is read ahead.
const AHEAD: u64 = 256 << 10;

/// Bytes of all entries that are compared with their checksums: three times as many as the weights of any
/// network, for those that the optimiser keeps.
const MOST_SUMMED: u64 = 16 << 30;

/// Bytes that are asked of an entry at once.
const AT_ONCE: usize = 64 << 10;

/// An archive. An entry is read only as long as it gives about as many bytes as it takes: what cannot be
/// packed grows by a few, while blocks without content take time and give nothing.
pub struct Archive {
    zip: ZipArchive<Allowed>,
    left: Arc<AtomicU64>,
    /// Bytes that were read for nothing but their checksum.
    summed: u64,
}

/// What an entry of an archive holds.
pub struct Entry<'a> {
    file: ZipFile<'a, Allowed>,
    left: &'a AtomicU64,
}

/// A file that gives so many bytes and no more.
pub struct Allowed {
    file: File,
    left: Arc<AtomicU64>,
}

impl Read for Allowed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        if entries(buffer.get(..read).unwrap_or_default()) > CONTENTS / ENTRY {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let left = |left: u64| left.checked_sub(read as u64);
        match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left) {
            Ok(_) => Ok(read),
            Err(_) => Err(io::ErrorKind::FileTooLarge.into()),
        }
    }
}

/// How many entries the archive has, where that is what was read: the library makes room for as many
/// before it looks for them.
fn entries(record: &[u8]) -> u64 {
    let count = record.strip_prefix(b"PK\x06\x06").and_then(|record| record.get(28..36));
    count.and_then(|count| count.try_into().ok()).map_or(0, u64::from_le_bytes)
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
pub fn open_zip(path: &Path) -> ZipResult<Archive> {
    // Opening a pipe would wait for its other end.
    if !std::fs::metadata(path)?.is_file() {
        let other = io::Error::new(io::ErrorKind::InvalidInput, "it is no ordinary file");
        return Err(ZipError::Io(other));
    }
    let left = Arc::new(AtomicU64::new(CONTENTS));
    let allowed = Allowed { file: File::open(path)?, left: Arc::clone(&left) };
    let zip = ZipArchive::new(allowed).map_err(|error| match error {
        ZipError::Io(error) => ZipError::Io(told(error, || {
            format!("its table of contents takes more than {} MiB", CONTENTS >> 20)
        })),
        error => error,
    })?;
    Ok(Archive { zip, left, summed: 0 })
}

/// An error of a file that gives no more bytes, in words.
fn told(error: io::Error, words: impl FnOnce() -> String) -> io::Error {
    match error.kind() {
        kind @ io::ErrorKind::FileTooLarge => io::Error::new(kind, words()),
        _ => error,
    }
}

impl Archive {
    /// An entry by its name.
    ///
    /// # Errors
    ///
    /// If there is none, it is damaged, or it is compressed in a way that cannot be read.
    pub fn entry(&mut self, name: &str) -> ZipResult<Entry<'_>> {
        self.left.store(AHEAD, Ordering::Relaxed);
        Ok(Entry { file: self.zip.by_name(name)?, left: &self.left })
    }

    /// Where an entry lies in the file, start and length in bytes, if it is not compressed.
    pub(crate) fn place(&mut self, index: usize) -> ZipResult<Option<(u64, u64)>> {
        self.left.store(AHEAD, Ordering::Relaxed);
        let file = self.zip.by_index_raw(index)?;
        let plain = file.compression() == CompressionMethod::Stored;
        Ok(file.data_start().filter(|_| plain).map(|start| (start, file.size())))
    }

    /// Compares an entry that is not compressed with its checksum.
    ///
    /// # Errors
    ///
    /// If it is another, or all entries that were compared are larger than 16 GiB.
    pub(crate) fn check(&mut self, index: usize) -> ZipResult<()> {
        self.left.store(AHEAD, Ordering::Relaxed);
        let mut entry = Entry { file: self.zip.by_index(index)?, left: &self.left };
        let length = entry.size();
        self.summed = self.summed.saturating_add(length);
        if self.summed > MOST_SUMMED {
            let text = format!("its parts are larger than {} GiB", MOST_SUMMED >> 30);
            return Err(ZipError::Io(io::Error::new(io::ErrorKind::FileTooLarge, text)));
        }
        // The library compares the sums where an entry ends.
        if io::copy(&mut entry, &mut io::sink())? != length {
            return Err(ZipError::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(())
    }
}

/// The table of contents.
impl Deref for Archive {
    type Target = ZipArchive<Allowed>;

    fn deref(&self) -> &Self::Target {
        &self.zip
    }
}

/// What the table of contents says of it.
impl<'a> Deref for Entry<'a> {
    type Target = ZipFile<'a, Allowed>;

    fn deref(&self) -> &Self::Target {
        &self.file
    }
}

impl Read for Entry<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(AT_ONCE);
        let read = self.file.read(buffer.get_mut(..most).unwrap_or_default()).map_err(|error| {
            told(error, || "its compressed data are longer than what they hold".to_owned())
        })?;
        let more = (read as u64).saturating_add((read as u64).div_euclid(8));
        self.left.fetch_add(more, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    /// An archive of one entry, written as it is or compressed.
    fn archive(content: &[u8], method: CompressionMethod) -> (tempfile::TempDir, Archive) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.zip");
        let mut zip = ZipWriter::new(File::create(&path).expect("a file"));
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file("entry", options).expect("an entry");
        zip.write_all(content).expect("an entry");
        zip.finish().expect("an archive");
        let archive = open_zip(&path).expect("an archive");
        (folder, archive)
    }

    #[test]
    fn what_cannot_be_packed_is_read() {
        let mut state = 1_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(3 << 20)
        .collect();
        for content in [&noise[..], &[0; 3 << 20], b""] {
            for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
                let (_folder, mut archive) = archive(content, method);
                let mut read = Vec::new();
                archive.entry("entry").expect("an entry").read_to_end(&mut read).expect("bytes");
                assert!(read == content, "{method}: {} bytes", read.len());
            }
        }
    }

    #[test]
    fn an_entry_that_was_changed_has_another_sum() {
        let content = [7; 200_000];
        let (folder, mut archive) = archive(&content, CompressionMethod::Stored);
        let (start, length) = archive.place(0).expect("an entry").expect("stored");
        archive.check(0).expect("the sum of its content");
        let path = folder.path().join("a.zip");
        let mut bytes = std::fs::read(&path).expect("a file");
        let end = (start + length) as usize;
        assert_eq!(bytes[start as usize..end], content);
        bytes[end - 1] ^= 1;
        std::fs::write(&path, bytes).expect("a file");
        let error = open_zip(&path).expect("an archive").check(0).expect_err("damage");
        assert!(error.to_string().contains("checksum"), "{error}");
    }

    #[test]
    fn a_compressed_entry_has_no_place() {
        let (_folder, mut archive) = archive(&[7; 100], CompressionMethod::Deflated);
        assert_eq!(archive.place(0).expect("an entry"), None);
    }

    #[test]
    fn blocks_that_hold_nothing_are_refused_before_the_last() {
        // An empty block that is not compressed, and that is not the last.
        let empty = [0, 0, 0, 0xff, 0xff].repeat(100_000);
        let (folder, _) = archive(&empty, CompressionMethod::Stored);
        let path = folder.path().join("a.zip");
        let mut bytes = std::fs::read(&path).expect("a file");
        // The method, in the entry's header and in the table of contents; its length is a lie then.
        let table = bytes.windows(4).rposition(|four| four == b"PK\x01\x02").expect("a table");
        (bytes[8], bytes[table + 10]) = (8, 8);
        std::fs::write(&path, bytes).expect("a file");
        let mut archive = open_zip(&path).expect("an archive");
        let mut entry = archive.entry("entry").expect("an entry");
        let error = entry.read(&mut [0; 10]).expect_err("a refusal").to_string();
        assert_eq!(error, "its compressed data are longer than what they hold");
        let left = entry.left.load(Ordering::Relaxed);
        assert!(left < 16 << 10, "{left} bytes of {AHEAD} were not read");
    }
}
