//! Tensors of any float type and with any strides, as `f32` in row-major order.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

use crate::limits::{self, MOST_NUMBERS};
use crate::resolved::sizes;
use crate::store::BoxError;
use crate::torch::pickle_value::Element;

/// Where one tensor's numbers are in a file.
pub(crate) struct Numbers {
    pub(crate) element: Element,
    pub(crate) shape: Vec<u64>,
    /// In elements; the last element lies inside the bytes below.
    pub(crate) strides: Vec<u64>,
    /// In elements.
    pub(crate) offset: u64,
    /// First byte.
    pub(crate) start: u64,
    /// Bytes from there that belong to the tensor's storage.
    pub(crate) length: u64,
    /// The bytes are written as UTF-8, each as one character.
    pub(crate) utf8: bool,
}

/// An open file and where its tensors are, by name.
pub(crate) struct Tensors {
    file: Mutex<File>,
    numbers: HashMap<String, Numbers>,
}

impl Tensors {
    pub(crate) fn new(file: File) -> Self {
        Self { file: Mutex::new(file), numbers: HashMap::new() }
    }

    pub(crate) fn insert(&mut self, name: String, numbers: Numbers) {
        self.numbers.insert(name, numbers);
    }

    /// The values of one tensor, whose shape the caller has found to be the expected one.
    pub(crate) fn read(&self, name: &str) -> Result<Vec<f32>, BoxError> {
        let numbers = self.numbers.get(name).ok_or("there is no such tensor")?;
        let values = self.values(numbers)?;
        let (shape, strides) = (sizes(&numbers.shape), sizes(&numbers.strides));
        if is_packed(&shape, &strides) {
            return Ok(values);
        }
        gather(&values, &shape, &strides)
            .ok_or_else(|| "its numbers lie outside its storage".into())
    }

    /// The numbers from the tensor's first element to its last.
    fn values(&self, numbers: &Numbers) -> Result<Vec<f32>, BoxError> {
        let Numbers { element, shape, strides, offset, start, length, utf8 } = numbers;
        if shape.contains(&0) {
            return Ok(Vec::new());
        }
        let past = "its numbers are past counting";
        let last = shape.iter().zip(strides).try_fold(0_u64, |last, (size, stride)| {
            last.checked_add(size.checked_sub(1)?.checked_mul(*stride)?)
        });
        // A file may have holes, so its length bounds nothing.
        let span = last.and_then(|last| last.checked_add(1));
        let span = span.filter(|&span| span <= MOST_NUMBERS).ok_or(past)?;
        let count = limits::numbers(shape).ok_or(past)?;
        if span > most_of(count) || count > most_of(span) {
            return Err(format!("its {count} numbers are strewn over {span}").into());
        }
        let from =
            offset.checked_mul(element.size()).and_then(|skipped| start.checked_add(skipped));
        let needed = span.checked_mul(element.size()).ok_or(past)?;
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let size = file.metadata()?.len();
        if start.saturating_add(*length) > size {
            return Err("the file ends before its numbers do".into());
        }
        // Each byte takes two in UTF-8 at most.
        if *utf8 && *length > needed.saturating_mul(2) {
            return Err("its data has another size".into());
        }
        let (from, count) = if *utf8 { (*start, *length) } else { (from.ok_or(past)?, needed) };
        if from.saturating_add(count) > size {
            return Err("the file ends before its numbers do".into());
        }
        file.seek(SeekFrom::Start(from))?;
        if let (Element::F32, false) = (element, utf8) {
            return Ok(read_f32(&mut *file, usize::try_from(span)?)?);
        }
        let mut bytes = vec![0; usize::try_from(count)?];
        file.read_exact(&mut bytes)?;
        if !utf8 {
            return floats(*element, &bytes);
        }
        // Each character is one byte of the data.
        let text = String::from_utf8(bytes)?;
        let bytes: Vec<u8> = text.chars().map(u8::try_from).collect::<Result<_, _>>()?;
        if bytes.len() as u64 != needed {
            return Err("its data has another size".into());
        }
        floats(*element, &bytes)
    }
}

/// How many numbers may be read for so many, or so many be read again to give.
fn most_of(count: u64) -> u64 {
    count.saturating_mul(4).saturating_add(1 << 16)
}

/// The next `count` little-endian `f32` of a file, read straight into their place. The caller has
/// found that the file has so many.
pub(crate) fn read_f32(file: &mut impl Read, count: usize) -> io::Result<Vec<f32>> {
    let mut values = vec![0.0_f32; count];
    file.read_exact(bytemuck::cast_slice_mut(&mut values))?;
    if cfg!(target_endian = "big") {
        let swapped = |value: f32| f32::from_bits(value.to_bits().swap_bytes());
        values.iter_mut().for_each(|value| *value = swapped(*value));
    }
    Ok(values)
}

/// Little-endian numbers as `f32`, rounded to nearest where they are `f64`.
pub(crate) fn floats(element: Element, bytes: &[u8]) -> Result<Vec<f32>, BoxError> {
    let halves = |widen: fn(u16) -> f32| {
        let (halves, _) = bytes.as_chunks::<2>();
        halves.iter().map(|half| widen(u16::from_le_bytes(*half))).collect()
    };
    Ok(match element {
        Element::F32 => bytes.as_chunks::<4>().0.iter().copied().map(f32::from_le_bytes).collect(),
        Element::F64 => {
            bytes.as_chunks::<8>().0.iter().map(|v| f64::from_le_bytes(*v) as f32).collect()
        }
        Element::F16 => halves(from_f16),
        Element::BF16 => halves(|half| f32::from_bits(u32::from(half) << 16)),
        Element::Other(_) => return Err("its numbers are no floats".into()),
    })
}

/// IEEE 754 binary16, exactly.
fn from_f16(half: u16) -> f32 {
    let (sign, exponent, fraction) = (half >> 15, (half >> 10) & 0x1f, half & 0x3ff);
    let magnitude = match exponent {
        0 => f32::from(fraction) / 16_777_216.0,
        0x1f if fraction == 0 => f32::INFINITY,
        0x1f => f32::NAN,
        _ => f32::from_bits(((u32::from(exponent) + 112) << 23) | (u32::from(fraction) << 13)),
    };
    if sign == 1 { -magnitude } else { magnitude }
}

/// Whether elements follow each other in row-major order.
fn is_packed(shape: &[usize], strides: &[usize]) -> bool {
    let mut step = 1_usize;
    shape.iter().zip(strides).rev().all(|(&size, &stride)| {
        let packed = size == 1 || stride == step;
        step = step.saturating_mul(size);
        packed
    })
}

/// The elements of a strided tensor in row-major order of its dimensions.
pub(crate) fn gather(values: &[f32], shape: &[usize], strides: &[usize]) -> Option<Vec<f32>> {
    let count = shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size))?;
    let mut gathered = Vec::with_capacity(count);
    let dimensions: Vec<(usize, usize)> =
        shape.iter().copied().zip(strides.iter().copied()).collect();
    add_elements(values, 0, &dimensions, &mut gathered)?;
    Some(gathered)
}

/// Adds the elements from `start` on, by the size and the stride of each dimension.
fn add_elements(
    values: &[f32],
    start: usize,
    dimensions: &[(usize, usize)],
    gathered: &mut Vec<f32>,
) -> Option<()> {
    let Some((&(size, stride), inner)) = dimensions.split_first() else {
        gathered.push(*values.get(start)?);
        return Some(());
    };
    for index in 0..size {
        let start = index.checked_mul(stride)?.checked_add(start)?;
        match inner {
            [] => gathered.push(*values.get(start)?),
            inner => add_elements(values, start, inner, gathered)?,
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_widened_exactly() {
        for (half, value) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0400, 6.103_515_6e-5),
            (0x0001, 5.960_464_5e-8),
            (0x3555, 0.333_251_95),
            (0xfc00, f32::NEG_INFINITY),
        ] {
            assert_eq!(from_f16(half), value, "{half:#06x}");
        }
        assert!(from_f16(0x7e00).is_nan());
        assert_eq!(floats(Element::BF16, &[0x80, 0x3f, 0x40, 0xc0]).expect("floats"), [1.0, -3.0]);
        assert_eq!(floats(Element::F64, &0.1_f64.to_le_bytes()).expect("floats"), [0.1]);
    }

    /// A view of a storage costs what it gives, about.
    #[test]
    fn numbers_that_lie_far_apart_or_come_again_and_again_are_refused() {
        let file = tempfile::tempfile().expect("a temporary file");
        let length = 1 << 22;
        file.set_len(length).expect("room");
        let mut tensors = Tensors::new(file);
        for (name, size, stride) in [("far", 2, 100_000), ("again", 1 << 20, 0), ("few", 64, 0)] {
            let (shape, strides) = (vec![size], vec![stride]);
            let (element, offset, start, utf8) = (Element::F32, 0, 0, false);
            let numbers = Numbers { element, shape, strides, offset, start, length, utf8 };
            tensors.insert(name.to_owned(), numbers);
        }
        let error = |name| tensors.read(name).expect_err(name).to_string();
        assert_eq!(error("far"), "its 2 numbers are strewn over 100001");
        assert_eq!(error("again"), "its 1048576 numbers are strewn over 1");
        assert_eq!(tensors.read("few").expect("few"), [0.0; 64]);
    }

    #[test]
    fn strided_tensors_come_in_their_own_order() {
        let values: Vec<f32> = (0..6).map(|v| v as f32).collect();
        // The transpose of [[0, 1, 2], [3, 4, 5]].
        let found = gather(&values, &[3, 2], &[1, 3]).expect("inside");
        assert_eq!(found, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(gather(&values, &[2, 2], &[0, 2]).expect("inside"), [0.0, 2.0, 0.0, 2.0]);
        assert_eq!(gather(&values, &[2, 4], &[3, 1]), None);
        assert!(is_packed(&[2, 1, 3], &[3, 99, 1]) && !is_packed(&[3, 2], &[1, 3]));
    }
}
