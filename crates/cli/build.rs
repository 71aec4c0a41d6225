//! Packs the demo into the program.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Writes the list of the demo's files, each with its place and its bytes.
fn main() {
    let own = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let demo = own.join("../../assets/demo");
    println!("cargo::rerun-if-changed={}", demo.display());
    let mut files = vec![demo.join("NCNN.h5"), demo.join("landmarks.csv")];
    list(&demo.join("faces"), &mut files);
    list(&demo.join("masks"), &mut files);
    let mut text = String::from("[\n");
    for file in files {
        let inside = file.strip_prefix(&demo).expect("inside").to_string_lossy().replace('\\', "/");
        let file = file.canonicalize().expect("a file");
        writeln!(text, "    ({inside:?}, include_bytes!({file:?})),").expect("memory");
    }
    text.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("demo.rs"), text).expect("cargo's own folder");
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).expect("the demo's folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() { list(&path, files) } else { files.push(path) }
    }
}
