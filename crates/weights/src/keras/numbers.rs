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
