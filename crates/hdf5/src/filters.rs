//! What chunks went through before they were stored: format specification, section IV.A.2.l.

use flate2::{Decompress, FlushDecompress, Status};

use crate::bytes::{Bytes, index};
use crate::checksum;
use crate::error::{Error, damaged};

const MOST_FILTERS: u8 = 4;

/// One step. Their order is that of writing.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Filter {
    Deflate,
    /// The first bytes of all elements, of so many bytes each, then the second, and so on.
    Shuffle(usize),
    Fletcher32,
    /// One that is not understood.
    Unknown(u16),
}

/// All steps.
#[derive(Debug, Default)]
pub(crate) struct Filters(Vec<Filter>);

/// Bytes that are unpacked between two looks at what they hold.
const INFLATED_AT_ONCE: usize = 64 << 10;

/// Bytes that may be unpacked before they hold anything.
const AHEAD: u64 = 256 << 10;

/// How many bytes a checksum takes.
const SUM: usize = 4;

impl Filters {
    /// Reads those of a dataset, whose elements have `size` bytes.
    pub(crate) fn parse(message: &[u8], size: u64) -> Result<Self, Error> {
        let mut bytes = Bytes(message);
        let (version, count) = (bytes.u8()?, bytes.u8()?);
        match version {
            1 => bytes.skip(6)?,
            2 => {}
            _ => return damaged("its filters are of no known version"),
        }
        if count > MOST_FILTERS {
            return Err(Error::TooMany("filters"));
        }
        let mut filters = Vec::new();
        for _ in 0..count {
            let filter = filter(&mut bytes, version, size)?;
            let same =
                |known: &Filter| std::mem::discriminant(known) == std::mem::discriminant(&filter);
            if filters.iter().any(same) && !matches!(filter, Filter::Unknown(_)) {
                return damaged("its chunks went through one filter twice");
            }
            filters.push(filter);
        }
        Ok(Self(filters))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// # Errors
    ///
    /// If one of them is not understood.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let unknown = self.0.iter().find_map(|filter| match filter {
            Filter::Unknown(number) => Some(*number),
            _ => None,
        });
        let Some(number) = unknown else { return Ok(()) };
        let name = name(number);
        Err(Error::Unsupported(format!(
            "its numbers went through filter {number}{name}\n{}",
            crate::dataset::HINT
        )))
    }

    /// Those that a chunk went through: the others have their bits in its mask.
    pub(crate) fn of_chunk(&self, mask: u32) -> Self {
        let through =
            |&(bit, _): &(u32, &Filter)| mask.checked_shr(bit).is_some_and(|m| m & 1 == 0);
        let filters = (0..).zip(&self.0).filter(through).map(|(_, filter)| filter.clone());
        Self(filters.collect())
    }

    /// Takes all steps back. A chunk has `size` bytes.
    pub(crate) fn undone(&self, mut chunk: Vec<u8>, size: usize) -> Result<Vec<u8>, Error> {
        for (at, filter) in self.0.iter().enumerate().rev() {
            let before = self.0.get(..at).unwrap_or_default();
            chunk = match filter {
                Filter::Deflate if before.contains(&Filter::Fletcher32) => {
                    inflated(&chunk, size.saturating_add(SUM))?
                }
                Filter::Deflate => inflated(&chunk, size)?,
                Filter::Shuffle(element) => unshuffled(&chunk, *element),
                Filter::Fletcher32 => summed(chunk)?,
                Filter::Unknown(_) => return damaged("its numbers went through an unknown filter"),
            };
        }
        if chunk.len() == size { Ok(chunk) } else { damaged("a chunk of it has another size") }
    }
}

fn filter(bytes: &mut Bytes<'_>, version: u8, size: u64) -> Result<Filter, Error> {
    let number = bytes.u16()?;
    let name = if version == 1 || number >= 256 { bytes.u16()? } else { 0 };
    bytes.skip(2)?;
    let count = bytes.u16()?;
    let mut name = usize::from(name);
    if version == 1 {
        name = name.saturating_add(name.wrapping_neg() & 7);
    }
    bytes.skip(name)?;
    let mut values = Bytes(bytes.take(usize::from(count).saturating_mul(4))?);
    if version == 1 && count % 2 == 1 {
        bytes.skip(4)?;
    }
    Ok(match number {
        1 => Filter::Deflate,
        2 => Filter::Shuffle(index(values.u32().map_or(size, u64::from))?),
        3 => Filter::Fletcher32,
        _ => Filter::Unknown(number),
    })
}

/// What registered filters are called.
fn name(number: u16) -> &'static str {
    match number {
        4 => " (szip)",
        5 => " (nbit)",
        6 => " (scaleoffset)",
        307 => " (bzip2)",
        32000 => " (lzf)",
        32001 => " (Blosc)",
        32004 => " (LZ4)",
        32008 => " (bitshuffle)",
        32013 => " (ZFP)",
        32015 => " (Zstandard)",
        32026 => " (Blosc2)",
        _ => "",
    }
}

/// Unpacks what must have `size` bytes.
fn inflated(packed: &[u8], size: usize) -> Result<Vec<u8>, Error> {
    // What cannot be packed grows by a few bytes only. More would be empty blocks, which take time.
    let most = |held: u64| held.saturating_add(held.div_euclid(8));
    if packed.len() as u64 > most(size as u64).saturating_add(4096) {
        return damaged("a chunk of it is larger than what it holds");
    }
    // With room for one more byte, the end is found.
    let mut unpacked = vec![0; size.saturating_add(1)];
    let mut inflate = Decompress::new(true);
    let mut status = Ok(Status::Ok);
    for part in packed.chunks(INFLATED_AT_ONCE) {
        let held = inflate.total_out();
        if inflate.total_in() > most(held).saturating_add(AHEAD) {
            return damaged("a chunk of it is larger than what it holds");
        }
        let place = unpacked.get_mut(index(held)?..).unwrap_or_default();
        status = inflate.decompress(part, place, FlushDecompress::None);
        if !matches!(status, Ok(Status::Ok)) {
            break;
        }
    }
    if !matches!(status, Ok(Status::StreamEnd)) || inflate.total_out() != size as u64 {
        return damaged("a chunk of it cannot be unpacked to its size");
    }
    unpacked.truncate(size);
    Ok(unpacked)
}

/// What is left over after the last element stays at the end.
fn unshuffled(shuffled: &[u8], element: usize) -> Vec<u8> {
    let count = shuffled.len().checked_div(element).unwrap_or(0);
    if element < 2 || count < 2 {
        return shuffled.to_vec();
    }
    let mut bytes = shuffled.to_vec();
    for (at, row) in shuffled.chunks_exact(count).take(element).enumerate() {
        let places = bytes.iter_mut().skip(at).step_by(element);
        places.zip(row).for_each(|(to, &from)| *to = from);
    }
    bytes
}

/// Compares the sum at the end with what is before it.
fn summed(mut chunk: Vec<u8>) -> Result<Vec<u8>, Error> {
    let at = chunk.len().checked_sub(SUM).ok_or(Error::Short)?;
    let sum = Bytes(chunk.get(at..).ok_or(Error::Short)?).u32()?;
    chunk.truncate(at);
    let [first, second, third, fourth] = checksum::fletcher32(&chunk).to_le_bytes();
    // HDF5 before 1.6.3 swapped the bytes.
    let swapped = u32::from_le_bytes([second, first, fourth, third]);
    let right = sum == swapped || sum.to_le_bytes() == [first, second, third, fourth];
    if right { Ok(chunk) } else { Err(Error::Checksum) }
}
