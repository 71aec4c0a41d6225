//! Reading a file of options.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use burncam_run::{other, read_record, relative};

/// More than any file of options has, in bytes.
const LARGEST: u64 = 1 << 20;

/// A file of options.
pub(super) struct File {
    pub path: PathBuf,
    /// Where its paths start.
    pub folder: PathBuf,
    pub values: Map<String, Value>,
    /// SHA-256 of the weights of a run that was recorded.
    pub weights: Vec<String>,
    /// The Burncam that recorded the run, if it was another than this one.
    pub version: Option<String>,
}

impl File {
    /// A `burncam.toml`.
    pub(super) fn toml(path: PathBuf) -> Result<Self> {
        let cannot = || format!("cannot read the options in {}", path.display());
        let length = path.metadata().with_context(cannot)?.len();
        if length > LARGEST {
            bail!("{} has {length} bytes, too many for a file of options", path.display());
        }
        let text = fs::read_to_string(&path).with_context(cannot)?;
        let values = toml::from_str(&text).with_context(cannot)?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Self { folder, values, weights: Vec::new(), version: None, path })
    }

    /// The record of a run, or the folder that has one.
    pub(super) fn record(path: PathBuf) -> Result<Self> {
        let path = if path.is_dir() { path.join("run.json") } else { path };
        let folder = path.parent().unwrap_or(Path::new(""));
        let cannot = || format!("cannot read the record of a run, {}", path.display());
        path.metadata().with_context(cannot)?;
        let run = read_record(&path).with_context(|| {
            format!(
                "{} is no record of a run\nhint: --from takes the run.json that `explain` wrote, or its \
                 folder",
                path.display()
            )
        })?;
        if run.settings.is_empty() {
            let command = run.arguments.join(" ");
            bail!(
                "{} is the record of an earlier version of Burncam, {}, or of the demo, and has no options \
                 to do it again with\nhint: its command line was: {command}",
                path.display(),
                run.burncam
            );
        }
        let version = other(&run);
        let weights = run.models.into_iter().flat_map(|model| model.weights);
        Ok(Self {
            folder: start_of_paths(folder, &run.working_folder),
            values: run.settings,
            weights: weights.map(|weights| weights.sha256).collect(),
            version,
            path,
        })
    }
}

/// `inner` of `folder` as seen from here; nothing where it is here, so that paths stay as they were.
fn start_of_paths(folder: &Path, inner: &str) -> PathBuf {
    let there = folder.join(inner);
    let real = |path: &Path| path.canonicalize().ok();
    match (real(Path::new(".")), real(&there)) {
        (Some(here), Some(there)) if here == there => PathBuf::new(),
        (Some(here), Some(there)) => relative(&here, &there).into(),
        _ => there,
    }
}
