//! A Keras `.h5` of any kind.

#![no_main]

libfuzzer_sys::fuzz_target!(init: burncam_fuzz::let_panics_be_caught(), |bytes: &[u8]| {
    burncam_fuzz::checkpoint(bytes, "h5");
});
