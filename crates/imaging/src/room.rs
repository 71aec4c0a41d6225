//! Memory that images in decoding share.

use std::sync::{Condvar, Mutex, PoisonError};

/// Bytes that images in decoding take together; one that needs more is decoded alone.
const TOGETHER: u64 = 2 << 30;

static TAKEN: Mutex<u64> = Mutex::new(0);
static GIVEN_BACK: Condvar = Condvar::new();

/// A part of that memory, until it is dropped.
pub(crate) struct Room(u64);

impl Room {
    /// Waits until so many bytes are free, or all are.
    pub(crate) fn take(bytes: u64) -> Self {
        let taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |taken: &mut u64| *taken > 0 && taken.saturating_add(bytes) > TOGETHER;
        let mut taken = GIVEN_BACK.wait_while(taken, full).unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_add(bytes);
        Self(bytes)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_sub(self.0);
        GIVEN_BACK.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// Eight threads that want the larger half of the memory: only one has it at a time.
    #[test]
    fn what_does_not_fit_together_waits() {
        let (now, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let _room = Room::take(TOGETHER / 2 + 1);
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(std::time::Duration::from_millis(5));
                    now.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(most.into_inner(), 1);
        // More than there is gets in alone.
        drop(Room::take(u64::MAX));
    }
}
