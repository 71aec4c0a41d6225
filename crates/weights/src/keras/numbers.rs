//! The numbers of an HDF5 file.

use std::fs::File;
use std::io::{Cursor, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use burncam_hdf5::Dataset;

use crate::keras::element::Numbers;
use crate::limits;
use crate::store::BoxError;
use crate::tensors::read_f32;

/// Bytes that are read beside a weight's own: what says where they are, and what chunks at its border
/// have beyond it.
const BESIDE: u64 = 4 << 20;

/// How many times as many bytes may be read and unpacked as a weight has.
const TIMES: u64 = 5;

/// An open file, and the same file for the numbers that lie in it as they are needed.
pub(crate) struct Hdf5 {
    pub(crate) file: burncam_hdf5::File,
    plain: Option<Plain>,
}

/// The bytes of the HDF5 file inside a file.
struct Plain {
    file: Mutex<File>,
    start: u64,
}

impl Hdf5 {
    /// The HDF5 file that is `length` bytes of the file at `path`, of which the first is that at `start`.
    pub(crate) fn open(path: &Path, start: u64, length: u64) -> Result<Self, burncam_hdf5::Error> {
        let file = burncam_hdf5::File::open(File::open(path)?, start, length)?;
        let plain = Plain { file: Mutex::new(File::open(path)?), start };
        Ok(Self { file, plain: Some(plain) })
    }

    /// A file that is in memory only.
    pub(crate) fn in_memory(bytes: Vec<u8>) -> Result<Self, burncam_hdf5::Error> {
        let length = bytes.len() as u64;
        let file = burncam_hdf5::File::open(Cursor::new(bytes), 0, length)?;
        Ok(Self { file, plain: None })
    }

    /// Whether a dataset is one of numbers, which are not read.
    pub(crate) fn check(&self, path: &str) -> Result<(), BoxError> {
        self.file.allow(BESIDE);
        let dataset = self.file.dataset(path)?;
        Numbers::read(dataset.element())?;
        Ok(dataset.check()?)
    }

    /// The values of a dataset.
    pub(crate) fn read(&self, path: &str) -> Result<Vec<f32>, BoxError> {
        self.file.allow(BESIDE);
        let dataset = self.file.dataset(path)?;
        let numbers = Numbers::read(dataset.element())?;
        let count =
            limits::numbers(dataset.shape()).ok_or("it has more numbers than any weight")?;
        if let (Some(plain), Numbers::F32 { big_endian: false }) = (&self.plain, numbers)
            && let Some(values) = plain.read(&dataset)?
        {
            return Ok(values);
        }
        let bytes = count.saturating_mul(numbers.size());
        self.file.allow(bytes.saturating_mul(TIMES).saturating_add(BESIDE));
        numbers.values(dataset.bytes()?)
    }
}

impl Plain {
    /// The values, if they lie one after the other, as Keras writes them. They are little-endian `f32`.
    fn read(&self, dataset: &Dataset) -> Result<Option<Vec<f32>>, BoxError> {
        let Some((place, bytes)) = dataset.contiguous() else { return Ok(None) };
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let from = self.start.saturating_add(place);
        // Nothing is allocated for numbers that the file does not have any more.
        if from.saturating_add(bytes) > file.metadata()?.len() {
            return Err("the file ends before its numbers do".into());
        }
        file.seek(SeekFrom::Start(from))?;
        Ok(Some(read_f32(&mut *file, usize::try_from(bytes)?.div_euclid(size_of::<f32>()))?))
    }
}

#[cfg(test)]
mod tests {
    use hdf5_pure::{Datatype, DatatypeByteOrder, FileBuilder, FloatingPointLayout, make_f32_type};

    use super::*;

    /// IEEE 754 binary16.
    const BINARY16: FloatingPointLayout = FloatingPointLayout {
        bit_offset: 0,
        bit_precision: 16,
        exponent_location: 10,
        exponent_size: 5,
        mantissa_location: 0,
        mantissa_size: 10,
        exponent_bias: 15,
    };

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
        let hdf5 = Hdf5::open(whole.path(), start as u64, bytes.len() as u64).expect("HDF5");
        (whole, hdf5)
    }

    #[test]
    fn numbers_are_the_same_in_place_and_in_pieces() {
        for start in [0, 1, 4096] {
            let (_file, hdf5) = file(start);
            for name in ["plain", "wide", "pieces"] {
                assert_eq!(bits(&hdf5.read(name).expect(name)), bits(&VALUES), "{name}");
            }
            let plain = hdf5.plain.as_ref().expect("a file");
            for (name, in_place) in [("plain", true), ("pieces", false)] {
                let dataset = hdf5.file.dataset(name).expect(name);
                assert_eq!(plain.read(&dataset).expect(name).is_some(), in_place, "{name}");
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

    #[test]
    fn nothing_is_read_past_the_end() {
        let (_file, mut hdf5) = file(0);
        let dataset = hdf5.file.dataset("plain").expect("a dataset");
        let plain = hdf5.plain.as_mut().expect("a file");
        plain.start = u64::MAX - 10;
        assert!(plain.read(&dataset).is_err());
    }
}
