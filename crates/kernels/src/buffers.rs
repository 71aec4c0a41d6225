//! Memory that is used again: fresh pages cost more than the arithmetic on them.

use std::sync::Mutex;

/// Buffers that wait, the smallest first.
static WAITING: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());

/// How many wait at most.
const KEPT: usize = 6;

/// A buffer of `len` numbers, whatever they are.
#[must_use]
pub fn take(len: usize) -> Vec<f32> {
    let found = WAITING.lock().ok().and_then(|mut waiting| {
        let index = waiting.iter().position(|buffer| buffer.len() >= len)?;
        Some(waiting.remove(index))
    });
    match found {
        Some(mut buffer) => {
            buffer.truncate(len);
            buffer
        }
        None => vec![0.0; len],
    }
}

/// Gives a buffer back, for whoever takes one next.
pub fn give(mut buffer: Vec<f32>) {
    let len = buffer.len();
    if let Ok(mut waiting) = WAITING.lock() {
        let at = waiting.partition_point(|other| other.len() < len);
        waiting.insert(at, std::mem::take(&mut buffer));
        if waiting.len() > KEPT {
            waiting.remove(0);
        }
    }
}

/// Lets go of all that wait.
pub fn clear() {
    if let Ok(mut waiting) = WAITING.lock() {
        waiting.clear();
    }
}
