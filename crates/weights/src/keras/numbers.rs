//! The numbers of an HDF5 file.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use hdf5_pure::{Dataset, FileAccessProperties, Layout, MetadataCacheConfig, make_f32_type};

use crate::store::BoxError;
use crate::tensors::read_f32;

/// How HDF5 files are opened: what describes them is read once, since finding a weight goes through
/// the same groups again and again.
pub(crate) const ACCESS: FileAccessProperties =
    FileAccessProperties::new().with_metadata_cache(MetadataCacheConfig::new(16 << 20));

/// An open file, and the same file for the numbers that lie in it as they are needed.
pub(crate) struct Hdf5 {
    pub(crate) file: Box<hdf5_pure::File>,
    plain: Option<Plain>,
}

/// The bytes of the HDF5 file inside a file.
struct Plain {
    file: Mutex<File>,
    start: u64,
    length: u64,
}

impl Hdf5 {
    /// `file` is `length` bytes at `path`, of which the first is that at `start`.
    pub(crate) fn new(file: hdf5_pure::File, path: &Path, start: u64, length: u64) -> Self {
        let plain = |file| Plain { file: Mutex::new(file), start, length };
        Self { file: Box::new(file), plain: File::open(path).ok().map(plain) }
    }

    /// A file that is in memory only.
    pub(crate) fn in_memory(file: hdf5_pure::File) -> Self {
        Self { file: Box::new(file), plain: None }
    }

    /// The values of a dataset.
    pub(crate) fn read(&self, path: &str) -> Result<Vec<f32>, BoxError> {
        let dataset = self.file.dataset(path)?;
        let plain = self.plain.as_ref().map(|plain| plain.read(&dataset));
        match plain.transpose()?.flatten() {
            Some(values) => Ok(values),
            None => Ok(dataset.read_f32()?),
        }
    }
}

impl Plain {
    /// The values, if they lie one after the other as little-endian `f32`, as Keras writes them.
    fn read(&self, dataset: &Dataset) -> Result<Option<Vec<f32>>, BoxError> {
        let Layout::Contiguous { address: Some(address), size } = dataset.layout()? else {
            return Ok(None);
        };
        let count: Option<u64> =
            dataset.shape()?.iter().try_fold(1_u64, |count, &size| count.checked_mul(size));
        let bytes = count.and_then(|count| count.checked_mul(size_of::<f32>() as u64));
        if dataset.datatype()? != make_f32_type() || bytes != Some(size) {
            return Ok(None);
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let from = self.start.saturating_add(address);
        // Nothing is allocated for numbers that the file does not have.
        let there = address.saturating_add(size) <= self.length
            && from.saturating_add(size) <= file.metadata()?.len();
        if !there {
            return Ok(None);
        }
        file.seek(SeekFrom::Start(from))?;
        Ok(Some(read_f32(&mut *file, size as usize / size_of::<f32>())?))
    }
}

#[cfg(test)]
mod tests {
    use hdf5_pure::FileBuilder;

    use super::*;

    const VALUES: [f32; 6] = [0.0, -1.5, 3e38, f32::MIN_POSITIVE, f32::NAN, 7.0];

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    /// A file of plain numbers, numbers of another type and numbers in pieces, `start` bytes from
    /// the beginning of another.
    fn file(start: usize) -> (tempfile::NamedTempFile, Hdf5) {
        let mut builder = FileBuilder::new();
        builder.create_dataset("plain").with_f32_data(&VALUES).with_shape(&[2, 3]);
        builder.create_dataset("wide").with_f64_data(&VALUES.map(f64::from));
        builder.create_dataset("pieces").with_f32_data(&VALUES).with_chunks(&[4]);
        let bytes = builder.finish().expect("a file");
        let whole = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(whole.path(), [vec![7; start], bytes.clone()].concat()).expect("a file");
        let length = bytes.len() as u64;
        let parsed = hdf5_pure::File::from_bytes(bytes).expect("HDF5");
        let hdf5 = Hdf5::new(parsed, whole.path(), start as u64, length);
        (whole, hdf5)
    }

    #[test]
    fn numbers_are_the_same_in_place_and_through_the_library() {
        for start in [0, 1, 4096] {
            let (_file, hdf5) = file(start);
            for (name, in_place) in [("plain", true), ("wide", false), ("pieces", false)] {
                assert_eq!(bits(&hdf5.read(name).expect(name)), bits(&VALUES), "{name}");
                let dataset = hdf5.file.dataset(name).expect(name);
                let plain = hdf5.plain.as_ref().expect("a file").read(&dataset).expect(name);
                assert_eq!(plain.is_some(), in_place, "{name}");
            }
        }
    }

    /// Then the library says what is wrong with it, or reads it from what it has.
    #[test]
    fn nothing_is_read_past_the_end() {
        let (_file, mut hdf5) = file(0);
        let dataset = hdf5.file.dataset("plain").expect("a dataset");
        let plain = hdf5.plain.as_mut().expect("a file");
        let length = plain.length;
        plain.length = 100;
        assert!(plain.read(&dataset).expect("no numbers").is_none());
        (plain.length, plain.start) = (length, u64::MAX - 10);
        assert!(plain.read(&dataset).expect("no numbers").is_none());
    }
}
