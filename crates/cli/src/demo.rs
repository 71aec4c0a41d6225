//! The demo: drawn faces and a small network, which the program carries with it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burncam_record::write_atomic;

/// Where the demo's results go.
pub(crate) const OUT: &str = "burncam-demo";

/// Where weights and images go, in the folder of results.
const INPUT: &str = "input";

/// The demo's files: path and content.
const FILES: &[(&str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/demo.rs"));

/// Masks of where the demo's evidence lies, in the folder of its files.
const MASKS: &str = "masks";

/// Landmarks of the demo's faces, there too.
const LANDMARKS: &str = "landmarks.csv";

/// Writes the demo's weights and images into the folder of results, those that are not there, and tells where
/// they are.
pub(crate) fn files(out: &Path) -> Result<(PathBuf, PathBuf)> {
    let input = write(out, |path| !is_annotation(path))?;
    Ok((input.join("NCNN.h5"), input.join("faces")))
}

/// The same for its masks and landmarks.
pub(crate) fn annotations(out: &Path) -> Result<(PathBuf, PathBuf)> {
    let input = write(out, is_annotation)?;
    Ok((input.join(MASKS), input.join(LANDMARKS)))
}

fn is_annotation(path: &str) -> bool {
    path.starts_with(MASKS) || path == LANDMARKS
}

fn write(out: &Path, is_wanted: impl Fn(&str) -> bool) -> Result<PathBuf> {
    let input = out.join(INPUT);
    for (path, content) in FILES.iter().filter(|(path, _)| is_wanted(path)) {
        let file = input.join(path);
        let cannot = || format!("cannot write the demo's {}", file.display());
        if fs::read(&file).is_ok_and(|there| there == *content) {
            continue;
        }
        fs::create_dir_all(file.parent().unwrap_or(&input)).with_context(cannot)?;
        write_atomic(&file, content).with_context(cannot)?;
    }
    Ok(input)
}
