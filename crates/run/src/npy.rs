//! Arrays of 32-bit floating-point numbers in NumPy's `.npy`.
//!
//! Nothing that the header declares is believed: an array is read only if it has the shape that the
//! caller expects.

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

use std::io::{self, BufReader, ErrorKind, Read};

use anyhow::{Context, Result, bail, ensure};
use npyz::{DType, NpyFile, NpyHeader, Order};

/// The longest header in bytes; NumPy writes 128 for a short shape.
const MAX_HEADER: usize = 1024;

/// The most opening brackets in a header; NumPy writes two for an array of numbers.
///
/// The header's parser reads what a bracket holds up to three times, at each depth anew.
const MAX_BRACKETS: usize = 4;

/// The values in row-major order, which must be little-endian `f32` and have this shape.
///
/// # Errors
///
/// If the source does not hold such an array, or cannot be read.
pub fn read(source: impl Read, shape: &[usize]) -> Result<Vec<f32>> {
    checked(source, shape).map_err(|error| match error.downcast_ref::<io::Error>() {
        Some(cause) if cause.kind() == ErrorKind::UnexpectedEof => error.context("it is cut short"),
        _ => error,
    })
}

fn checked(source: impl Read, shape: &[usize]) -> Result<Vec<f32>> {
    let values = shape.iter().try_fold(size_of::<f32>(), |bytes, &size| bytes.checked_mul(size));
    let most = values.and_then(|bytes| bytes.checked_add(MAX_HEADER)).context("it is too large")?;
    // A compressed source may hold more than it says.
    let mut source = BufReader::new(source.take(most as u64));
    let header = NpyHeader::from_reader(&mut start(&mut source)?.as_slice())?;
    let found = header.shape();
    let expected = shape.iter().map(|&size| size as u64);
    ensure!(found.iter().copied().eq(expected), "it has shape {found:?}, expected {shape:?}");
    let little_f32 = matches!(header.dtype(), DType::Plain(dtype) if dtype.to_string() == "<f4");
    ensure!(little_f32, "it does not hold little-endian float32");
    ensure!(header.order() == Order::C, "it is in Fortran's order");
    Ok(NpyFile::with_header(header, source).into_vec()?)
}

/// All bytes before the values, if they are few and hold no deep literal.
fn start(source: &mut impl Read) -> Result<Vec<u8>> {
    let mut first = [0; 10];
    source.read_exact(&mut first)?;
    ensure!(first.starts_with(b"\x93NUMPY"), "it is not an array of NumPy");
    let [.., version, _, a, b] = first;
    let (mut start, mut more) = (first.to_vec(), [0; 2]);
    // From version 2 on the length has four bytes.
    if version > 1 {
        source.read_exact(&mut more)?;
        start.extend(more);
    }
    let [c, d] = more;
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    if length.saturating_add(start.len() as u64) > MAX_HEADER as u64 {
        bail!("its header is longer than {MAX_HEADER} bytes");
    }
    let text = start.len();
    source.take(length).read_to_end(&mut start)?;
    let brackets = start.iter().skip(text).filter(|byte| b"([{".contains(byte)).count();
    ensure!(brackets <= MAX_BRACKETS, "its header does not describe an array of numbers");
    Ok(start)
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn arrays_are_read() {
        for version in [1, 2] {
            let entry = npy(version, &described("<f4", "False", "(1, 2)"), &[1.5, -2.0]);
            assert_eq!(read(&entry[..], &[1, 2]).expect("an array"), [1.5, -2.0]);
        }
    }

    #[test]
    fn arrays_that_are_not_what_is_expected_are_refused() {
        let good = described("<f4", "False", "(2,)");
        let huge = described("<f4", "False", "(4611686018427387904, 4)");
        let long = format!("{}{}", "(".repeat(60_000), ")".repeat(5));
        // The header's parser takes two to the power of the depth.
        let deep = described("<f4", "False", &format!("({}2{},)", "[".repeat(60), "]".repeat(60)));
        for (entry, words) in [
            (npy(1, &described("<f8", "False", "(2,)"), &[1.0; 4]), "float32"),
            (npy(1, &described("<f4", "True", "(2,)"), &[1.0; 2]), "Fortran"),
            (npy(1, &described("<f4", "False", "(3,)"), &[1.0; 3]), "shape [3], expected [2]"),
            (npy(1, &huge, &[]), "expected [2]"),
            (npy(1, &good, &[1.0]), "cut short"),
            (npy(1, &long, &[]), "longer than 1024"),
            (npy(1, &deep, &[1.0; 2]), "does not describe an array of numbers"),
            (npy(2, &good, &[1.0; 2])[..11].to_vec(), "cut short"),
            (npy(1, &good, &[])[..40].to_vec(), "cut short"),
            (npy(1, "no literal", &[1.0; 2]), "could not parse"),
            (b"no array at all".to_vec(), "not an array of NumPy"),
            (Vec::new(), "cut short"),
        ] {
            let error = read(&entry[..], &[2]).expect_err(words);
            let error = format!("{error:#}");
            assert!(error.contains(words), "no `{words}` in {error}");
        }
    }
}
