//! Tells the program its commit, and packs the demo into it.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    commit();
    demo();
}

/// Sets `BURNCAM_COMMIT`, where the sources are a clone and git is there.
fn commit() {
    println!("cargo::rerun-if-env-changed=BURNCAM_COMMIT");
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else { return };
    // What git changes with every commit and checkout.
    if let Some(log) = git(&["rev-parse", "--path-format=absolute", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    println!("cargo::rustc-env=BURNCAM_COMMIT={commit}");
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = output.status.success().then(|| String::from_utf8(output.stdout).ok())??;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Writes the list of the demo's files, each with its place and its bytes.
fn demo() {
    let own = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let demo = own.join("../../assets/demo");
    println!("cargo::rerun-if-changed={}", demo.display());
    let mut files = vec![demo.join("NCNN.h5")];
    list(&demo.join("faces"), &mut files);
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
