//! A zip archive: Keras's `.keras` or PyTorch's `.pt`.

#![no_main]

libfuzzer_sys::fuzz_target!(init: burncam_fuzz::let_panics_be_caught(), |bytes: &[u8]| {
    burncam_fuzz::checkpoint(bytes, "keras");
});
