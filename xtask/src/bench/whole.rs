//! A whole run of `explain`: from the process's start to its end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime};

use wait4::Wait4;

use crate::program;

/// What a whole run took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole {
    /// Images that have an overlay.
    pub images: usize,
    /// Milliseconds an image, the start of the process and the reading of weights included.
    pub wall: f64,
    /// The same of CPU time.
    pub cpu: f64,
    /// Seconds from the start of the process to the first overlay.
    pub first: f64,
    /// The most memory that it had, in bytes.
    pub memory: f64,
}

/// Explains `data` with `weights` on a device, so many images at a time if that is said.
pub(super) fn run(
    weights: &Path,
    data: &Path,
    device: &str,
    batch: Option<usize>,
) -> Result<Whole, String> {
    let out = program::target().join("bench");
    let mut command = Command::new(program::path());
    command.args(["explain", "--device", device, "--overwrite", "--weights"]).arg(weights);
    command.arg("--data").arg(data).arg("--out").arg(&out);
    if let Some(batch) = batch {
        command.args(["--batch", &batch.to_string()]);
    }
    command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
    // Earlier overlays are not this run's.
    if out.exists() {
        fs::remove_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    }
    let (clock, started) = (Instant::now(), SystemTime::now());
    let child = command.spawn().map_err(|error| format!("cannot start burncam: {error}"))?;
    let used = child.wait4().map_err(|error| format!("cannot wait for burncam: {error}"))?;
    let wall = clock.elapsed();
    if !used.status.success() {
        return Err(format!("`burncam explain` failed with {}", weights.display()));
    }
    let overlays = overlays(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    let first = overlays.iter().filter_map(|time| time.duration_since(started).ok()).min();
    let images = overlays.len().max(1);
    let an_image = |seconds: f64| seconds * 1e3 / images as f64;
    Ok(Whole {
        images,
        wall: an_image(wall.as_secs_f64()),
        cpu: an_image((used.rusage.utime + used.rusage.stime).as_secs_f64()),
        first: first.unwrap_or_default().as_secs_f64(),
        memory: used.rusage.maxrss as f64,
    })
}

/// When each overlay below `All` was written.
fn overlays(out: &Path) -> std::io::Result<Vec<SystemTime>> {
    let mut times = Vec::new();
    // Beside the models' trees lie the page's small pictures.
    let trees = folders(out)?.into_iter().map(|tree| tree.join("All"));
    for all in trees.filter(|all| all.is_dir()) {
        for outcome in folders(&all)? {
            for file in fs::read_dir(outcome)? {
                times.push(file?.metadata()?.modified()?);
            }
        }
    }
    Ok(times)
}

fn folders(parent: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(parent)? {
        let path = entry?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    Ok(folders)
}
