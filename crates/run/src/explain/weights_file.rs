//! A file of a checkpoint, and whether it is still the same.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Result, bail};

/// A file of a checkpoint, and what tells whether it is still the same.
#[derive(Clone, Debug)]
pub(crate) struct WeightsFile {
    pub(crate) path: PathBuf,
    stamp: Option<Stamp>,
}

/// A file's length in bytes, and when it was changed.
type Stamp = (u64, Option<SystemTime>);

impl WeightsFile {
    /// The file as it is now.
    pub(crate) fn now(path: &Path) -> Self {
        Self { path: path.to_owned(), stamp: path.metadata().ok().as_ref().map(stamp) }
    }

    /// Refuses a file that is not what it was.
    pub(crate) fn check(&self, now: Option<&Metadata>) -> Result<()> {
        if self.stamp.is_some() && now.map(stamp) == self.stamp {
            return Ok(());
        }
        bail!(
            "{} changed while it was read\nhint: what is done stays; when the file is whole, go on \
             with --resume",
            self.path.display()
        )
    }
}

fn stamp(metadata: &Metadata) -> Stamp {
    (metadata.len(), metadata.modified().ok())
}
