//! Ctrl-C: the first asks for an end, the second is one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The exit code of a program that Ctrl-C ended: 128 and the signal's number.
pub const INTERRUPTED: u8 = 130;

static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on the first Ctrl-C, or a request to terminate as batch systems send it, is only noted.
pub fn listen() -> Result<()> {
    let asked = ASKED.get_or_init(Arc::default);
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds nothing noted yet.
        flag::register_conditional_shutdown(signal, INTERRUPTED.into(), Arc::clone(asked))
            .and_then(|_| flag::register(signal, Arc::clone(asked)))
            .context("cannot listen for Ctrl-C")?;
    }
    Ok(())
}

/// Whether the run was asked to end.
pub fn asked() -> bool {
    ASKED.get().is_some_and(|asked| asked.load(Ordering::Relaxed))
}
