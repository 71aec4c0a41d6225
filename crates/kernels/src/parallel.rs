//! Work shared by threads.

use std::cell::RefCell;

use rayon::prelude::*;

use crate::buffers::{LINE, to_line};

/// Calls `work` with each number below `count`, on all threads if there is more than one.
pub(crate) fn each(count: usize, work: impl Fn(usize) + Sync + Send) {
    if count == 1 {
        work(0);
    } else {
        (0..count).into_par_iter().with_max_len(1).for_each(work);
    }
}

/// Fewer numbers are written before another thread wakes up.
const FEW: usize = 1 << 15;

/// The same for work of which each part writes a share of so many `numbers`, and little is done to each: where
/// they are few, without other threads.
pub(crate) fn each_line(count: usize, numbers: usize, work: impl Fn(usize) + Sync + Send) {
    match numbers < FEW {
        true => (0..count).for_each(work),
        false => each(count, work),
    }
}

/// Calls `work` with the chunks of `output` of so many numbers, and their places; with few numbers, as
/// [`each_line`].
pub(crate) fn each_chunk(
    output: &mut [f32],
    len: usize,
    work: impl Fn(usize, &mut [f32]) + Sync + Send,
) {
    if output.len() < FEW || output.len() <= len {
        output.chunks_mut(len).enumerate().for_each(|(at, chunk)| work(at, chunk));
    } else {
        output.par_chunks_mut(len).enumerate().for_each(|(at, chunk)| work(at, chunk));
    }
}

/// Threads that `each` uses.
pub(crate) fn threads() -> usize {
    rayon::current_num_threads()
}

thread_local! {
    static SCRATCH: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Gives `work` a buffer of at least `len` numbers, which the thread keeps for the next time. What
/// it holds at first is arbitrary.
pub(crate) fn scratch<R>(len: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    // A thread that waits inside `work` may be given other work, which needs a buffer of its own.
    let mut buffer = SCRATCH.with_borrow_mut(Vec::pop).unwrap_or_default();
    if buffer.len() < len + LINE {
        buffer = vec![0.0; len + LINE];
    }
    let start = to_line(&buffer);
    let result = work(&mut buffer[start..start + len]);
    SCRATCH.with_borrow_mut(|buffers| buffers.push(buffer));
    result
}

/// A pointer to an output of which each thread writes its own part.
#[derive(Clone, Copy)]
pub(crate) struct Shared(*mut f32);

// SAFETY: whoever makes one promises that no two threads write the same number.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    pub(crate) fn new(target: &mut [f32]) -> Self {
        Self(target.as_mut_ptr())
    }

    /// A pointer to number `at`.
    ///
    /// # Safety
    ///
    /// The number must exist.
    pub(crate) unsafe fn at(self, at: usize) -> *mut f32 {
        // SAFETY: the caller's promise.
        unsafe { self.0.add(at) }
    }
}
