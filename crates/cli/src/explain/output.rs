//! The output folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burncam_report::{ModelTree, Run};

use super::plan::Plan;
use crate::labels::Rule;

/// Makes the output folder, and refuses to mix with, or replaces, what an earlier run left there.
pub(crate) fn prepare(plan: &Plan) -> Result<()> {
    let out = &plan.out;
    fs::create_dir_all(out)
        .with_context(|| format!("cannot make the output folder {}", out.display()))?;
    let mut own: Vec<PathBuf> =
        plan.models.iter().map(|model| model.tree.root().to_owned()).collect();
    // The earlier run may have been of other models.
    let earlier = fs::read(out.join("run.json")).ok();
    if let Some(run) = earlier.and_then(|text| serde_json::from_slice::<Run>(&text).ok()) {
        let trees = run.models.iter().map(|model| ModelTree::new(out, &model.name));
        own.extend(trees.map(|tree| tree.root().to_owned()));
        own.push(out.join("thumbs"));
    }
    own.sort();
    own.dedup();
    let tables = ["report.json", "index.html", "failures.csv", "predictions.csv", "run.json"];
    own.extend(tables.map(|name| out.join(name)));
    let earlier: Vec<PathBuf> = own.into_iter().filter(|path| path.exists()).collect();
    let Some(found) = earlier.last() else { return Ok(()) };
    if !plan.overwrite {
        bail!(
            "{} already holds results ({})\nhint: choose another --out, or pass --overwrite to \
             replace them",
            out.display(),
            found.strip_prefix(out).unwrap_or(found).display()
        );
    }
    for path in &earlier {
        keep_inputs(plan, path)?;
    }
    earlier.iter().try_for_each(|path| remove(path))
}

/// The weights, images and labels of this run may lie among the results of an earlier one.
fn keep_inputs(plan: &Plan, earlier: &Path) -> Result<()> {
    let real = |path: &Path| path.canonicalize().with_context(|| path.display().to_string());
    let earlier = real(earlier)?;
    let mut inputs = vec![plan.data.as_path()];
    for model in &plan.models {
        inputs.extend(model.parts.iter().map(|part| part.checkpoint.path()));
        if let Rule::File(path) = &model.rule {
            inputs.push(path);
        }
    }
    for input in inputs {
        if real(input)?.starts_with(&earlier) {
            bail!(
                "--overwrite would delete {}, which this run reads\nhint: choose another --out",
                input.display()
            );
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.with_context(|| format!("cannot remove the earlier {}", path.display()))
}
