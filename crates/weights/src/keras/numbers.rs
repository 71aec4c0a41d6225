//! The numbers of an HDF5 file.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use hdf5_pure::{Dataset, Layout, make_f32_type};

use crate::keras::element::{Numbers, halves};
use crate::keras::source::Allowance;
use crate::limits;
use crate::store::BoxError;
use crate::tensors::read_f32;

/// A chunk of numbers may be as large as all of them, or as this many bytes.
const LARGEST_CHUNK: u64 = 1 << 20;

/// Chunks of one weight, each of which the library lists.
const MOST_CHUNKS: u64 = 1 << 20;

/// What a chunk may have gone through: to be shuffled, scaled, compressed and summed up.
const MOST_FILTERS: usize = 4;

/// How many times as large as a weight its chunks may be together: those at its border reach beyond it,
/// along each of its dimensions.
const BEYOND: u64 = 16;

/// Bytes that are read beside a weight's own: what says where they are.
const BESIDE: u64 = 64 << 20;

/// An open file, and the same file for the numbers that lie in it as they are needed.
pub(crate) struct Hdf5 {
    pub(crate) file: Box<hdf5_pure::File>,
    allowance: Allowance,
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
    pub(crate) fn new(
        (file, allowance): (hdf5_pure::File, Allowance),
        path: &Path,
        start: u64,
        length: u64,
    ) -> Self {
        let plain = |file| Plain { file: Mutex::new(file), start, length };
        Self { file: Box::new(file), allowance, plain: File::open(path).ok().map(plain) }
    }

    /// A file that is in memory only.
    pub(crate) fn in_memory((file, allowance): (hdf5_pure::File, Allowance)) -> Self {
        Self { file: Box::new(file), allowance, plain: None }
    }

    /// Whether a dataset is one of numbers, which are not read.
    pub(crate) fn check(&self, path: &str) -> Result<(), BoxError> {
        self.allowance.set(BESIDE);
        Numbers::of(&self.file.dataset(path)?.datatype()?)?;
        Ok(())
    }

    /// The values of a dataset.
    pub(crate) fn read(&self, path: &str) -> Result<Vec<f32>, BoxError> {
        self.allowance.set(BESIDE);
        let dataset = self.file.dataset(path)?;
        let plain = self.plain.as_ref().map(|plain| plain.read(&dataset));
        if let Some(values) = plain.transpose()?.flatten() {
            return Ok(values);
        }
        let numbers = Numbers::of(&dataset.datatype()?)?;
        let bytes = bearable(&dataset, numbers.size(), self.file.file_size())?;
        // Compressed chunks are smaller than what they hold, or hardly larger.
        self.allowance.set(bytes.saturating_mul(2).saturating_add(BESIDE));
        match numbers {
            Numbers::OfLibrary(_) => Ok(dataset.read_f32()?),
            Numbers::Half { big_endian } => halves(dataset.read_raw()?, big_endian),
        }
    }
}

/// How many bytes the numbers of a dataset take, at `each` a number, if reading them takes a bearable
/// amount of memory: the library sets aside what is declared.
fn bearable(dataset: &Dataset, each: u64, file_size: u64) -> Result<u64, BoxError> {
    let shape = dataset.shape()?;
    let bytes =
        limits::numbers(&shape).ok_or("it has more numbers than any weight")?.saturating_mul(each);
    match dataset.chunk_shape()? {
        // Its numbers lie there, or it has none.
        None if bytes > file_size => Err("it has more numbers than the file".into()),
        None => Ok(bytes),
        Some(chunk) => {
            let along = |(size, chunk): (&u64, &u64)| {
                size.checked_add(chunk.checked_sub(1)?)?.checked_div(*chunk)
            };
            let counts: Option<Vec<u64>> = shape.iter().zip(&chunk).map(along).collect();
            let count = counts.and_then(|counts| limits::numbers(&counts));
            let Some(count) = count.filter(|&count| count <= MOST_CHUNKS) else {
                return Err("it has more chunks than any weight".into());
            };
            let chunk = limits::numbers(&chunk).and_then(|count| count.checked_mul(each));
            let most = bytes.saturating_mul(BEYOND).saturating_add(LARGEST_CHUNK);
            let fits = |&chunk: &u64| {
                chunk <= bytes.max(LARGEST_CHUNK) && count.saturating_mul(chunk) <= most
            };
            let Some(chunk) = chunk.filter(fits) else {
                return Err("a chunk of it is larger than all its numbers".into());
            };
            check_chunks(dataset, (count, chunk), file_size)?;
            Ok(bytes)
        }
    }
}

/// Checks what is stored: `count` chunks at most, each of `bytes` when it is unpacked. The library
/// unpacks each, wherever it says that it belongs, and makes room for it before it looks whether the
/// file has it.
fn check_chunks(
    dataset: &Dataset,
    (count, bytes): (u64, u64),
    file_size: u64,
) -> Result<(), BoxError> {
    let filters = dataset.filters();
    let distinct: HashSet<&u16> = filters.iter().collect();
    if filters.len() > MOST_FILTERS || distinct.len() < filters.len() {
        return Err(format!("its numbers went through the filters {filters:?}").into());
    }
    let (chunks, mut stored) = (dataset.chunks()?, 0_u64);
    if chunks.len() as u64 > count {
        return Err("it has more chunks than its numbers fill".into());
    }
    for chunk in chunks {
        stored = stored.saturating_add(chunk.storage_size);
        if chunk.address.saturating_add(chunk.storage_size) > file_size || stored > file_size {
            return Err("its chunks are larger than the file".into());
        }
        // Filters that cannot be read are none to the library, and what a chunk lacks is 0.
        if filters.is_empty() && chunk.storage_size != bytes {
            let found = chunk.storage_size;
            return Err(format!("a chunk of it has {found} bytes and not {bytes}").into());
        }
    }
    Ok(())
}

impl Plain {
    /// The values, if they lie one after the other as little-endian `f32`, as Keras writes them.
    fn read(&self, dataset: &Dataset) -> Result<Option<Vec<f32>>, BoxError> {
        let Layout::Contiguous { address: Some(address), size } = dataset.layout()? else {
            return Ok(None);
        };
        let count = limits::numbers(&dataset.shape()?);
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
        Ok(Some(read_f32(&mut *file, usize::try_from(size)?.div_euclid(size_of::<f32>()))?))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use hdf5_pure::{Datatype, DatatypeByteOrder, FileBuilder};

    use super::*;
    use crate::keras;
    use crate::keras::element::BINARY16;

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
        let half = Datatype::FloatingPoint {
            size: 2,
            byte_order: DatatypeByteOrder::LittleEndian,
            layout: BINARY16,
        };
        let ones = [0x3c00_u16, 0xbc00].map(u16::to_le_bytes).concat();
        builder.create_dataset("half").with_raw_data(half, ones, 2);
        let mut foreign = make_f32_type();
        if let Datatype::FloatingPoint { layout, .. } = &mut foreign {
            layout.exponent_bias = 100;
        }
        builder.create_dataset("foreign").with_raw_data(foreign, vec![0; 8], 2);
        let bytes = builder.finish().expect("a file");
        let whole = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(whole.path(), [vec![7; start], bytes.clone()].concat()).expect("a file");
        let length = bytes.len() as u64;
        let opened = keras::source::open(Cursor::new(bytes), 0, length).expect("HDF5");
        let hdf5 = Hdf5::new(opened, whole.path(), start as u64, length);
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

    #[test]
    fn halves_are_widened_and_what_is_not_ieees_is_refused() {
        let (_file, hdf5) = file(0);
        assert_eq!(hdf5.read("half").expect("halves"), [1.0, -1.0]);
        let error = hdf5.read("foreign").expect_err("no IEEE floats").to_string();
        assert!(error.contains("a bias of 100"), "{error}");
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
