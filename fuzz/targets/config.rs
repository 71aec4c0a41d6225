//! The description of a network inside a `.keras` archive, beside sound weights.

#![no_main]

/// Sound weights of the small network.
const WEIGHTS: &[u8] = include_bytes!("../corpus/hdf5/keras3.weights.h5");

libfuzzer_sys::fuzz_target!(init: burncam_fuzz::let_panics_be_caught(), |bytes: &[u8]| {
    let entries =
        [("metadata.json", &b"{}"[..]), ("config.json", bytes), ("model.weights.h5", WEIGHTS)];
    burncam_fuzz::checkpoint(&burncam_fuzz::archive(&entries), "keras");
});
