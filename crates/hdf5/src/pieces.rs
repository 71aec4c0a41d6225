//! Chunks put together to a dataset.

use crate::bytes::index;
use crate::chunks::{Chunk, Grid};
use crate::error::Error;
use crate::fill;
use crate::filters::Filters;
use crate::source::{EACH, Source};

/// All elements of a dataset row by row, those of chunks that were never written with the fill value.
pub(crate) fn put_together(
    source: &Source,
    grid: &Grid,
    (chunks, filters, value): (&[Chunk], &Filters, &[u8]),
) -> Result<Vec<u8>, Error> {
    let missing = grid.count.saturating_sub(chunks.len() as u64);
    source.spend(missing.saturating_mul(grid.bytes.saturating_add(EACH)))?;
    let mut all = fill::filled(value, grid.total)?;
    for chunk in chunks {
        let stored = source.read(chunk.address, chunk.size)?;
        // Packed or not, a chunk counts for the larger of its sizes.
        source.spend(grid.bytes.saturating_sub(chunk.size))?;
        let unpacked = filters.of_chunk(chunk.mask).undone(stored, index(grid.bytes)?)?;
        place(&mut all, grid, chunk.number, &unpacked)?;
    }
    Ok(all)
}

/// One dimension, from the last on.
struct Along {
    /// Rows of the chunk that lie in the dataset.
    within: u64,
    /// Bytes between two rows, in the dataset and in the chunk.
    step: [u64; 2],
    at: u64,
}

/// Copies what of a chunk lies in the dataset.
fn place(all: &mut [u8], grid: &Grid, number: u64, chunk: &[u8]) -> Result<(), Error> {
    const OUTSIDE: Error = Error::Damaged("a chunk of it lies outside its shape");
    let (mut steps, mut start) = ([grid.element; 2], 0_u64);
    let mut along = Vec::new();
    let places = grid.place(number);
    let sizes = grid.shape.iter().zip(&grid.chunk);
    for (place, (&shape, &size)) in places.iter().zip(sizes).rev() {
        let first = place.checked_mul(size).ok_or(OUTSIDE)?;
        let within = shape.checked_sub(first).ok_or(OUTSIDE)?.min(size);
        along.push(Along { within, step: steps, at: 0 });
        start = start.checked_add(first.checked_mul(steps[0]).ok_or(OUTSIDE)?).ok_or(OUTSIDE)?;
        steps = [
            steps[0].checked_mul(shape).ok_or(OUTSIDE)?,
            steps[1].checked_mul(size).ok_or(OUTSIDE)?,
        ];
    }
    // The innermost rows are copied as they are.
    let row = along.first().map_or(1, |last| last.within).checked_mul(grid.element);
    let row = index(row.ok_or(OUTSIDE)?)?;
    let mut from = [start, 0];
    loop {
        let [to, of] = [index(from[0])?, index(from[1])?];
        let to = all.get_mut(to..).and_then(|all| all.get_mut(..row)).ok_or(OUTSIDE)?;
        to.copy_from_slice(chunk.get(of..).and_then(|all| all.get(..row)).ok_or(OUTSIDE)?);
        if !next(along.get_mut(1..).unwrap_or_default(), &mut from) {
            return Ok(());
        }
    }
}

/// Goes on to the next row, if there is one.
fn next(along: &mut [Along], from: &mut [u64; 2]) -> bool {
    for along in along {
        let rows = along.at.saturating_add(1);
        if rows < along.within {
            along.at = rows;
            for (from, step) in from.iter_mut().zip(along.step) {
                *from = from.saturating_add(step);
            }
            return true;
        }
        for (from, step) in from.iter_mut().zip(along.step) {
            *from = from.saturating_sub(step.saturating_mul(along.at));
        }
        along.at = 0;
    }
    false
}
