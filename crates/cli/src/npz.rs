//! Arrays of an `.npz` file: a zip archive of NumPy's `.npy`.
//!
//! Nothing that the file declares is believed before memory is set aside for it: an array is read
//! only if it has the shape that the caller expects.

#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
    )
)]

use std::fs;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use burncam_weights::{Allowed, open_zip};
use npyz::{DType, NpyFile, NpyHeader, Order};
use zip::ZipArchive;

/// NumPy writes 128 bytes; the parser recurses, so a long header must not reach it.
const MAX_HEADER: usize = 1024;

/// An open `.npz` file.
pub(crate) struct Npz {
    path: PathBuf,
    archive: ZipArchive<Allowed>,
}

impl Npz {
    /// Reads the list of arrays.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        fs::metadata(path).with_context(|| format!("cannot open {}", path.display()))?;
        let archive = open_zip(path).with_context(|| {
            format!("{} cannot be read as an .npz file, a zip archive", path.display())
        })?;
        Ok(Self { path: path.to_owned(), archive })
    }

    /// The arrays' names, in the file's order.
    pub(crate) fn names(&self) -> Vec<String> {
        let files = self.archive.file_names().filter_map(std::result::Result::ok);
        files.filter_map(|file| file.strip_suffix(".npy").map(str::to_owned)).collect()
    }

    /// The values of one array in row-major order, which must be `f32` and have this shape.
    pub(crate) fn read(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let place = format!("array `{name}` of {}", self.path.display());
        self.array(name, shape).with_context(|| format!("cannot use {place}"))
    }

    fn array(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let entry = self.archive.by_name(&format!("{name}.npy"))?;
        let values =
            shape.iter().try_fold(size_of::<f32>(), |bytes, &size| bytes.checked_mul(size));
        let most =
            values.and_then(|bytes| bytes.checked_add(MAX_HEADER)).context("it is too large")?;
        // A compressed entry may hold more than it says.
        let mut entry = BufReader::new(entry.take(most as u64));
        let start = start(&mut entry)?;
        let mut entry = start.as_slice().chain(entry);
        let header = NpyHeader::from_reader(&mut entry)?;
        let found = header.shape();
        let expected = shape.iter().map(|&size| size as u64);
        ensure!(found.iter().copied().eq(expected), "it has shape {found:?}, expected {shape:?}");
        let little_f32 =
            matches!(header.dtype(), DType::Plain(dtype) if dtype.to_string() == "<f4");
        ensure!(little_f32, "it does not hold little-endian float32");
        ensure!(header.order() == Order::C, "it is in Fortran's order");
        Ok(NpyFile::with_header(header, entry).into_vec()?)
    }
}

/// Magic bytes, version and length of a header, if the header is a short one.
fn start(entry: &mut impl Read) -> Result<Vec<u8>> {
    let mut first = [0; 10];
    entry.read_exact(&mut first)?;
    let [.., version, _, a, b] = first;
    let (mut start, mut more) = (first.to_vec(), [0; 2]);
    // From version 2 on the length has four bytes.
    if version > 1 {
        entry.read_exact(&mut more)?;
        start.extend(more);
    }
    let [c, d] = more;
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    if length.saturating_add(start.len() as u64) > MAX_HEADER as u64 {
        bail!("its header is longer than {MAX_HEADER} bytes");
    }
    Ok(start)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    /// A header as NumPy writes it, and these values.
    fn npy(version: u8, header: &str, values: &[f32]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend([version, 0]);
        match version {
            1 => bytes.extend((header.len() as u16).to_le_bytes()),
            _ => bytes.extend((header.len() as u32).to_le_bytes()),
        }
        bytes.extend(header.as_bytes());
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        bytes
    }

    fn described(dtype: &str, fortran: &str, shape: &str) -> String {
        format!("{{'descr': '{dtype}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n")
    }

    fn read(entry: &[u8], shape: &[usize]) -> Result<Vec<f32>, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.npz");
        let mut zip = ZipWriter::new(File::create(&path).expect("a file"));
        let stored =
            SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip.start_file("layer/a/b.npy", stored).expect("an entry");
        zip.write_all(entry).expect("an entry");
        zip.finish().expect("an archive");
        let mut npz = Npz::open(&path).expect("an archive");
        assert_eq!(npz.names(), ["layer/a/b"]);
        npz.read("layer/a/b", shape).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn arrays_are_read() {
        for version in [1, 2] {
            let entry = npy(version, &described("<f4", "False", "(1, 2)"), &[1.5, -2.0]);
            assert_eq!(read(&entry, &[1, 2]), Ok(vec![1.5, -2.0]));
        }
    }

    #[test]
    fn arrays_that_are_not_what_is_expected_are_refused() {
        let good = described("<f4", "False", "(2,)");
        let huge = described("<f4", "False", "(4611686018427387904, 4)");
        let nested = format!("{}{}", "(".repeat(60_000), ")".repeat(5));
        for (entry, words) in [
            (npy(1, &described("<f8", "False", "(2,)"), &[1.0; 4]), "float32"),
            (npy(1, &described("<f4", "True", "(2,)"), &[1.0; 2]), "Fortran"),
            (npy(1, &described("<f4", "False", "(3,)"), &[1.0; 3]), "shape [3], expected [2]"),
            (npy(1, &huge, &[]), "expected [2]"),
            (npy(1, &good, &[1.0]), "cannot use array `layer/a/b`"),
            (npy(1, &nested, &[]), "longer than 1024"),
            (npy(2, &good, &[1.0; 2])[..11].to_vec(), "cannot use array"),
            (b"no array at all".to_vec(), "cannot use array"),
            (Vec::new(), "cannot use array"),
        ] {
            let error = read(&entry, &[2]).expect_err(words);
            assert!(error.contains(words), "no `{words}` in {error}");
        }
    }

    #[test]
    fn a_file_that_is_no_archive_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.npz");
        std::fs::write(&path, b"PK\x03\x04 and nothing else").expect("a file");
        let error = Npz::open(&path).err().expect("a refusal").to_string();
        assert!(error.contains("a.npz cannot be read as an .npz file"), "{error}");
    }
}
