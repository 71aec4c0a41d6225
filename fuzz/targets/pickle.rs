//! A pickle, alone or several in a row, and as the description of a PyTorch archive.

#![no_main]

libfuzzer_sys::fuzz_target!(init: burncam_fuzz::let_panics_be_caught(), |bytes: &[u8]| {
    burncam_fuzz::checkpoint(bytes, "pth");
    let entries = [
        ("a/data.pkl", bytes),
        ("a/data/0", &[0; 1024][..]),
        ("a/data/1", &[0; 256]),
        ("a/byteorder", b"little"),
    ];
    burncam_fuzz::checkpoint(&burncam_fuzz::archive(&entries), "pt");
});
