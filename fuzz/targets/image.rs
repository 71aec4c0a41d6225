//! An image in any of the five formats.

#![no_main]

libfuzzer_sys::fuzz_target!(init: burncam_fuzz::let_panics_be_caught(), |bytes: &[u8]| {
    burncam_fuzz::image(bytes);
});
