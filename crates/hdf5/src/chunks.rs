//! Which chunks a dataset has, and where: format specification, sections III.A.1 and VII.

use crate::btree1::{self, Indexed};
use crate::bytes::{Bytes, index};
use crate::dataset::HINT;
use crate::dataspace::{Dataspace, product};
use crate::error::{Error, damaged};
use crate::fixed_array;
use crate::layout::Index;
use crate::source::Source;

/// A chunk may be as large as all elements, or as this many bytes.
const LARGEST_CHUNK: u64 = 1 << 20;

/// How many times as large as all elements the chunks may be together: those at the border reach
/// beyond it, along each dimension.
const BEYOND: u64 = 16;

/// Chunks that any dataset may have, and one more for so many elements.
const MOST_CHUNKS: u64 = 1 << 12;
const ELEMENTS: u64 = 64;

/// How a dataset is cut into chunks.
pub(crate) struct Grid {
    /// The dataset's.
    pub(crate) shape: Vec<u64>,
    /// A chunk's.
    pub(crate) chunk: Vec<u64>,
    /// Bytes of an element, of a chunk and of the dataset.
    pub(crate) element: u64,
    pub(crate) bytes: u64,
    pub(crate) total: u64,
    /// Chunks along each dimension: those there are, and those that there may be.
    counts: Vec<u64>,
    largest: Vec<u64>,
    pub(crate) count: u64,
}

/// A chunk that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Which, in the order of the grid.
    pub(crate) number: u64,
    pub(crate) address: u64,
    /// Bytes in the file.
    pub(crate) size: u64,
    /// A bit for each filter that it did not go through.
    pub(crate) mask: u32,
}

impl Grid {
    /// Cuts a dataset, of which the elements are counted, into chunks of a shape.
    ///
    /// # Errors
    ///
    /// If there are more chunks than elements can fill, or larger ones.
    pub(crate) fn new(space: &Dataspace, chunk: &[u64], element: u64) -> Result<Self, Error> {
        if chunk.len() != space.shape.len() {
            return damaged("its chunks have another number of dimensions");
        }
        let along = |sizes: &[u64]| {
            let pairs = sizes.iter().zip(chunk);
            pairs.map(|(size, chunk)| size.div_ceil(*chunk)).collect::<Vec<u64>>()
        };
        let (counts, largest) = (along(&space.shape), along(&space.largest));
        let elements = space.elements()?;
        let unusual = |what: &str| Error::Unsupported(format!("{what}\n{HINT}"));
        let most = elements.div_euclid(ELEMENTS).saturating_add(MOST_CHUNKS);
        let count = product(&counts).filter(|&count| count <= most);
        let count = count.ok_or_else(|| unusual("it has more chunks than any weight"))?;
        let total = elements.checked_mul(element).ok_or(Error::TooMany("numbers"))?;
        let bytes = product(chunk).and_then(|count| count.checked_mul(element));
        let most = total.saturating_mul(BEYOND).saturating_add(LARGEST_CHUNK);
        let fits =
            |&bytes: &u64| bytes <= total.max(LARGEST_CHUNK) && bytes.saturating_mul(count) <= most;
        let bytes = bytes.filter(fits);
        let bytes = bytes.ok_or_else(|| unusual("a chunk of it is larger than all its numbers"))?;
        let (shape, chunk) = (space.shape.clone(), chunk.to_vec());
        Ok(Self { shape, chunk, element, bytes, total, counts, largest, count })
    }

    /// Where a chunk is in the grid, along each dimension.
    pub(crate) fn place(&self, number: u64) -> Vec<u64> {
        let mut rest = number;
        let along = |&count: &u64| {
            let place = rest.checked_rem(count).unwrap_or(0);
            rest = rest.checked_div(count).unwrap_or(0);
            place
        };
        let mut place: Vec<u64> = self.counts.iter().rev().map(along).collect();
        place.reverse();
        place
    }

    /// The number of the chunk whose first element is there.
    fn number(&self, first: &[u64]) -> Option<u64> {
        let mut number = 0_u64;
        for ((first, chunk), count) in first.iter().zip(&self.chunk).zip(&self.counts) {
            let place = first.checked_div(*chunk)?;
            if place >= *count || first.checked_rem(*chunk)? != 0 {
                return None;
            }
            number = number.checked_mul(*count)?.checked_add(place)?;
        }
        Some(number)
    }

    /// Its number if the dataset were as large as it may be.
    fn number_of_largest(&self, number: u64) -> Option<u64> {
        let places = self.place(number);
        let along = |number: u64, (place, count): (&u64, &u64)| {
            number.checked_mul(*count)?.checked_add(*place)
        };
        places.iter().zip(&self.largest).try_fold(0, along)
    }

    /// Whether a chunk reaches beyond the dataset.
    fn is_partial(&self, number: u64) -> bool {
        let places = self.place(number);
        let mut along = places.iter().zip(&self.chunk).zip(&self.shape);
        along.any(|((place, chunk), size)| place.saturating_add(1).saturating_mul(*chunk) > *size)
    }
}

/// All chunks that were written, each once, and within the file.
pub(crate) fn all(
    source: &Source,
    grid: &Grid,
    (index, address, plain): (Index, Option<u64>, bool),
) -> Result<Vec<Chunk>, Error> {
    let Some(address) = address else { return Ok(Vec::new()) };
    let chunks = match index {
        Index::Tree => of_tree(source, grid, address)?,
        Index::Single(packed) if grid.count == 1 => {
            let (size, mask) = packed.unwrap_or((grid.bytes, 0));
            vec![Chunk { number: 0, address, size, mask }]
        }
        Index::Single(_) => return damaged("it has one chunk and needs more"),
        Index::Implicit if !plain => return damaged("its chunks have filters and yet no index"),
        Index::Implicit => (0..grid.count)
            .map(|number| {
                let before = grid.number_of_largest(number)?.checked_mul(grid.bytes)?;
                let address = address.checked_add(before)?;
                Some(Chunk { number, address, size: grid.bytes, mask: 0 })
            })
            .collect::<Option<_>>()
            .ok_or(Error::Short)?,
        Index::Array { partial_unfiltered } => {
            of_array(source, grid, (address, plain, partial_unfiltered))?
        }
    };
    check(source, grid, &chunks, plain)?;
    Ok(chunks)
}

/// All are in the file and together no larger, and those of no filters have the size of a chunk.
fn check(source: &Source, grid: &Grid, chunks: &[Chunk], plain: bool) -> Result<(), Error> {
    let mut stored = 0_u64;
    for chunk in chunks {
        source.place(chunk.address, chunk.size)?;
        stored = stored.saturating_add(chunk.size);
        if plain && chunk.size != grid.bytes {
            return damaged("a chunk of it has another size");
        }
    }
    if stored > source.length { damaged("its chunks are larger than the file") } else { Ok(()) }
}

/// Chunks that a B-tree finds.
fn of_tree(source: &Source, grid: &Grid, address: u64) -> Result<Vec<Chunk>, Error> {
    let rank = grid.shape.len();
    let mut seen = vec![false; index(grid.count)?];
    let mut chunks = Vec::new();
    btree1::walk(source, address, Indexed::Chunks(rank), |key, address| {
        let mut key = Bytes(key);
        let (size, mask) = (u64::from(key.u32()?), key.u32()?);
        let first: Vec<u64> = (0..rank).map(|_| key.u64()).collect::<Result<_, _>>()?;
        let number = grid.number(&first);
        let number = number.ok_or(Error::Damaged("a chunk of it lies outside its shape"))?;
        let seen = seen.get_mut(index(number)?).ok_or(Error::Short)?;
        if std::mem::replace(seen, true) {
            return damaged("it has a chunk twice");
        }
        chunks.push(Chunk { number, address, size, mask });
        Ok(())
    })?;
    Ok(chunks)
}

/// Chunks that a fixed array finds.
fn of_array(
    source: &Source,
    grid: &Grid,
    (address, plain, partial_unfiltered): (u64, bool, bool),
) -> Result<Vec<Chunk>, Error> {
    let array = fixed_array::Array::read(source, address, !plain)?;
    let mut chunks = Vec::new();
    for number in 0..grid.count {
        let at = grid.number_of_largest(number).ok_or(Error::TooMany("chunks"))?;
        let Some((address, packed)) = array.get(at, source.sizes)? else { continue };
        let (size, mut mask) = packed.unwrap_or((grid.bytes, 0));
        if partial_unfiltered && grid.is_partial(number) {
            mask = u32::MAX;
        }
        chunks.push(Chunk { number, address, size, mask });
    }
    Ok(chunks)
}
