//! The files of h5py, altered.

use std::path::{Path, PathBuf};

use crate::checksum::lookup3;
use crate::tests::made::open;
use crate::{File, Kind};

/// The files of h5py.
fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    let paths =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let mut paths: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|e| e == "h5")).collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

/// Overwrites some bytes, and the checksum that follows `length` bytes from `at` on.
fn patch(bytes: &mut [u8], at: usize, length: usize, changes: &[(usize, &[u8])]) {
    for (offset, change) in changes {
        bytes[at + offset..][..change.len()].copy_from_slice(change);
    }
    let sum = lookup3(&bytes[at..][..length]).to_le_bytes();
    bytes[at + length..][..4].copy_from_slice(&sum);
}

#[test]
fn deep_indexes_of_version_2_end() {
    let path = files().into_iter().find(|path| path.ends_with("groups_latest.h5"));
    let bytes = std::fs::read(path.expect("the file")).expect("a file");
    let found = |at: &usize| bytes[*at..].starts_with(b"BTHD\0\x05");
    let tree = (0..bytes.len()).find(found).expect("an index");
    let root = u64::from_le_bytes(bytes[tree + 16..][..8].try_into().expect("an address"));
    let record = &bytes[root as usize + 6..][..11];
    let attack = |depth: u16| {
        let mut bytes = bytes.clone();
        let node = bytes.len();
        let this = (node as u64).to_le_bytes();
        // One record, and two nodes below it, which are this one.
        bytes.extend(b"BTIN\0\x05");
        bytes.resize(node + 200, 0);
        let changes: [(usize, &[u8]); 3] =
            [(12, &depth.to_le_bytes()), (16, &this), (24, &1_u16.to_le_bytes())];
        patch(&mut bytes, tree, 34, &changes);
        let total = if depth == 1 { 0 } else { 8 };
        let pointer = [&this[..], &[1], &vec![0; total]].concat();
        patch(&mut bytes, node, 17 + 2 * pointer.len(), &[(6, record), (17, &pointer.repeat(2))]);
        let file = open(bytes).expect("an HDF5 file");
        let error = ["many", "ordered20"].into_iter().find_map(|path| file.group(path).err());
        error.expect("hostile").to_string()
    };
    assert_eq!(attack(65_535), "an index in it has an impossible depth");
    assert_eq!(attack(17), "an index in it has an impossible depth");
    assert_eq!(attack(16), "an index in it is circular");
    assert_eq!(attack(1), "an index in it is circular");
}

/// Looks at everything that a file has, up to a depth.
fn explore(file: &File) {
    let mut paths = vec![String::new()];
    let mut seen = 0;
    while let Some(path) = paths.pop() {
        file.allow(4 << 20);
        let Ok(group) = file.group(&path) else { continue };
        for name in ["variable", "list", "fixed", "huge", "long", "wide", "committed", "t3"] {
            let _ = group.strings(name);
        }
        for (name, kind) in group.members().unwrap_or_default().into_iter().take(20) {
            let path = format!("{path}/{name}");
            match kind {
                Kind::Group if seen < 30 => paths.push(path),
                Kind::Dataset => {
                    let _ = file.dataset(&path).and_then(|dataset| {
                        let _ = (dataset.contiguous(), dataset.element());
                        dataset.bytes()
                    });
                }
                _ => {}
            }
            seen += 1;
        }
    }
}

#[test]
fn files_that_are_cut_off_are_no_danger() {
    for path in files() {
        let whole = std::fs::read(&path).expect("a file");
        for length in (0..whole.len()).step_by(97) {
            if let Ok(file) = open(whole[..length].to_vec()) {
                explore(&file);
            }
        }
    }
}

#[test]
fn files_with_a_wrong_byte_are_no_danger() {
    for path in files() {
        let whole = std::fs::read(&path).expect("a file");
        if whole.len() > 32 << 10 {
            continue;
        }
        for at in (0..whole.len()).step_by(31) {
            let mut bytes = whole.clone();
            bytes[at] ^= [0xff, 1, 0x80][at % 3];
            if let Ok(file) = open(bytes) {
                explore(&file);
            }
        }
    }
}
