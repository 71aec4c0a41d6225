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
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use burncam_weights::{Archive, open_zip};

use burncam_run::npy;

/// An open `.npz` file.
pub(crate) struct Npz {
    path: PathBuf,
    archive: Archive,
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
        let entry = self.archive.entry(&format!("{name}.npy")).map_err(anyhow::Error::from);
        let values = entry.and_then(|mut entry| {
            let values = npy::read(&mut entry, shape)?;
            // Its checksum is compared where it ends.
            ensure!(entry.read(&mut [0])? == 0, "it is longer than its shape");
            Ok(values)
        });
        values.with_context(|| format!("cannot use {place}"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use npyz::WriterBuilder as _;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

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
    fn an_array_is_found_by_its_name() {
        let mut entry = Vec::new();
        let options = npyz::WriteOptions::new().default_dtype().shape(&[1, 2]);
        let mut writer = options.writer(&mut entry).begin_nd().expect("a header");
        writer.extend([1.5_f32, -2.0]).expect("values");
        writer.finish().expect("an array");
        assert_eq!(read(&entry, &[1, 2]), Ok(vec![1.5, -2.0]));
        let error = read(&entry, &[2]).expect_err("a refusal");
        let words = "it has shape [1, 2], expected [2]";
        assert!(
            error.starts_with("cannot use array `layer/a/b` of ") && error.ends_with(words),
            "{error}"
        );
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
