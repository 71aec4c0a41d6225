//! Memory that the images of all threads share.

use std::ops::Deref;
use std::sync::{Condvar, Mutex, PoisonError};

/// Bytes that are there together; what needs more waits until it is alone.
const TOGETHER: u64 = 2 << 30;

/// For the bytes of files. Who holds some of it may wait for [`PIXELS`], and not the other way round.
pub(crate) static FILES: MemoryBudget = MemoryBudget::new();

/// For pixels, while they are decoded and afterwards.
pub(crate) static PIXELS: MemoryBudget = MemoryBudget::new();

/// An amount of memory.
#[derive(Debug)]
pub(crate) struct MemoryBudget {
    taken: Mutex<u64>,
    given_back: Condvar,
}

impl MemoryBudget {
    const fn new() -> Self {
        Self { taken: Mutex::new(0), given_back: Condvar::new() }
    }

    /// Waits until so many bytes are free, or all are.
    pub(crate) fn take(&'static self, bytes: u64) -> Reservation {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |taken: &mut u64| *taken > 0 && taken.saturating_add(bytes) > TOGETHER;
        let waited = self.given_back.wait_while(taken, full);
        let mut taken = waited.unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_add(bytes);
        Reservation { pool: self, bytes }
    }

    fn give_back(&self, bytes: u64) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_sub(bytes);
        self.given_back.notify_all();
    }
}

/// A part of that memory, until it is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    pool: &'static MemoryBudget,
    bytes: u64,
}

impl Reservation {
    /// Gives back all but so many bytes.
    pub(crate) fn keep(&mut self, bytes: u64) {
        let rest = self.bytes.saturating_sub(bytes);
        self.bytes = self.bytes.min(bytes);
        self.pool.give_back(rest);
    }

    /// Something that takes this memory.
    pub(crate) fn hold<T>(self, value: T) -> Held<T> {
        Held { value, _room: self }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.pool.give_back(self.bytes);
    }
}

/// The bytes of a file, or an image. The threads of a program share 2 GiB for each of the two: as long as
/// one is not dropped, another that needs more than is left waits.
#[derive(Debug)]
pub struct Held<T> {
    value: T,
    _room: Reservation,
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    static POOL: MemoryBudget = MemoryBudget::new();

    /// Eight threads that want the larger half of the memory: only one has it at a time.
    #[test]
    fn what_does_not_fit_together_waits() {
        let (now, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mut room = POOL.take(u64::MAX);
                    room.keep(TOGETHER / 2 + 1);
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(std::time::Duration::from_millis(5));
                    now.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(most.into_inner(), 1);
        let (small, other) = (POOL.take(TOGETHER / 2), POOL.take(TOGETHER / 2));
        assert_eq!(*POOL.taken.lock().expect("no panic"), TOGETHER);
        drop((small, other));
        assert_eq!(*POOL.taken.lock().expect("no panic"), 0);
    }
}
