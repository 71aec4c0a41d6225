//! The output folder.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::plan::Plan;

/// Makes the output folder, and refuses to mix with, or replaces, what an earlier run left there.
pub(crate) fn prepare(plan: &Plan) -> Result<()> {
    let out = &plan.out;
    fs::create_dir_all(out)
        .with_context(|| format!("cannot make the output folder {}", out.display()))?;
    let own = [out.join("run.json"), out.join("predictions.csv"), plan.tree.root().to_owned()];
    let earlier: Vec<&Path> =
        own.iter().map(AsRef::as_ref).filter(|path: &&Path| path.exists()).collect();
    match earlier.first() {
        Some(found) if !plan.overwrite => bail!(
            "{} already holds results ({})\nhint: choose another --out, or pass --overwrite to \
             replace them",
            out.display(),
            found.strip_prefix(out).unwrap_or(found).display()
        ),
        _ => earlier.into_iter().try_for_each(remove),
    }
}

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.with_context(|| format!("cannot remove the earlier {}", path.display()))
}
