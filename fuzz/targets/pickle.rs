//! A pickle, alone or several in a row, and as the description of a PyTorch archive.

#![no_main]

/// As many storages as the small network's state_dict has, each as long as the longest.
const STORAGES: [&str; 9] = [
    "a/data/0", "a/data/1", "a/data/2", "a/data/3", "a/data/4", "a/data/5", "a/data/6", "a/data/7",
    "a/data/8",
];

libfuzzer_sys::fuzz_target!(init: burncam_fuzz::let_panics_be_caught(), |bytes: &[u8]| {
    burncam_fuzz::checkpoint(bytes, "pth");
    let mut entries = vec![("a/data.pkl", bytes), ("a/byteorder", b"little")];
    entries.extend(STORAGES.map(|name| (name, &[0; 256][..])));
    burncam_fuzz::checkpoint(&burncam_fuzz::archive(&entries), "pt");
});
