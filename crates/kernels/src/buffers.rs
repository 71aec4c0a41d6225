//! Memory that is used again: fresh pages cost more than the arithmetic on them.

use std::sync::{Mutex, PoisonError};

/// Buffers that wait, the smallest first.
static WAITING: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());

/// How many wait at most: about as many as there are maps of a network, which a gradient needs all.
const KEPT: usize = 192;

/// A buffer this many times larger than what is asked for is left for something larger.
const TOO_LARGE: usize = 4;

/// Numbers in a line of the cache.
pub const LINE: usize = 16;

/// How many numbers of a buffer, fewer than [`LINE`], lie before the first line of the cache: vectors
/// that cross lines are read and written at half the speed.
#[must_use]
pub fn to_line(buffer: &[f32]) -> usize {
    // Miri may not know; then it does not matter.
    buffer.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE - 1)
}

/// A buffer of at least `len` numbers, whatever they are.
#[must_use]
pub fn take(len: usize) -> Vec<f32> {
    let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
    let index = waiting.partition_point(|buffer| buffer.len() < len);
    match waiting.get(index).is_some_and(|buffer| buffer.len() / TOO_LARGE <= len) {
        true => waiting.remove(index),
        false => {
            drop(waiting);
            vec![0.0; len]
        }
    }
}

/// Gives a buffer back, for whoever takes one next.
pub fn give(buffer: Vec<f32>) {
    let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
    let index = waiting.partition_point(|other| other.len() < buffer.len());
    waiting.insert(index, buffer);
    if waiting.len() > KEPT {
        waiting.remove(0);
    }
}

/// Lets go of all that wait.
pub fn clear() {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_where_it_is_not_far_too_large() {
        give(vec![0.0; 1_000_003]);
        assert_eq!(take(200_000).len(), 200_000);
        assert_eq!(take(900_000).len(), 1_000_003);
        clear();
    }
}
