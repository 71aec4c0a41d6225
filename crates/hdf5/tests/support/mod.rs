//! Files and their numbers.

use std::io::Cursor;

use burncam_hdf5::{Dataset, File};

/// A file in memory.
pub(crate) fn open(bytes: Vec<u8>) -> File {
    let length = bytes.len() as u64;
    File::open(Cursor::new(bytes), 0, length).expect("an HDF5 file")
}

/// The little-endian `f32` of a dataset.
pub(crate) fn floats(dataset: &Dataset) -> Vec<f32> {
    let bytes = dataset.bytes().expect("numbers");
    bytes.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

/// `0, 1, 2, …`
pub(crate) fn counted(count: u16) -> Vec<f32> {
    (0..count).map(f32::from).collect()
}
