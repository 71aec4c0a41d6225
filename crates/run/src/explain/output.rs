//! The output folder: what an earlier run left there, and what becomes of it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burncam_record::{JOURNAL, Journal, Run, RunSpec, RunStatus, Tree};

use super::plan::Plan;
use super::resume::clean;
use crate::labels::Rule;
use crate::message::Message;
use crate::text::bounded;

/// What becomes of an earlier run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExistingOutput {
    /// There is none, or it is replaced.
    Discard,
    /// It goes on.
    Resume,
}

/// The files of a run beside its trees. The journal is the last to go: as long as it is there, a
/// run can be resumed.
const FILES: [&str; 9] = [
    "report.json",
    "index.html",
    "predictions.csv",
    "maps.csv",
    "measures.csv",
    "measures.json",
    "failures.csv",
    "run.json",
    JOURNAL,
];

/// Decides, before anything is computed, what becomes of an earlier run; refuses to mix with it.
pub(crate) fn decide(plan: &Plan) -> Result<ExistingOutput> {
    let out = &plan.out;
    let earlier = earlier(plan);
    let Some(found) = earlier.first() else { return Ok(ExistingOutput::Discard) };
    if plan.overwrite {
        return earlier
            .iter()
            .try_for_each(|path| keep_inputs(plan, path))
            .map(|()| ExistingOutput::Discard);
    }
    let has_journal = out.join(JOURNAL).is_file();
    if plan.resume {
        if has_journal {
            return Ok(ExistingOutput::Resume);
        }
        bail!(
            "{} holds results, and no {JOURNAL} that says which images are done\nhint: choose \
             another --out, or pass --overwrite to begin anew",
            out.display()
        );
    }
    let unfinished = has_journal && record(out).is_none_or(|run| run.status == RunStatus::Partial);
    if !unfinished {
        bail!(
            "{} already holds results ({})\nhint: choose another --out, or pass --overwrite to \
             replace them",
            out.display(),
            found.strip_prefix(out).unwrap_or(found).display()
        );
    }
    let question = Message::new(
        format!("{} holds an unfinished run. Go on with it?", out.display()),
        format!("{} contém uma execução inacabada. Continuá-la?", out.display()),
    );
    if plan.observer.confirm(&question) {
        return Ok(ExistingOutput::Resume);
    }
    bail!(
        "{} holds an unfinished run\nhint: --resume goes on with it; --overwrite begins anew; or \
         choose another --out",
        out.display()
    );
}

/// Everything that an earlier run has left, or a run like this one would leave.
fn earlier(plan: &Plan) -> Vec<PathBuf> {
    let out = &plan.out;
    let mut own: Vec<PathBuf> = plan.trees().map(|tree| tree.root().to_owned()).collect();
    // The earlier run may have been of other models.
    if let Some(run) = record(out) {
        for model in &run.models {
            let names = model.explanations.iter().map(|one| one.name.as_str());
            // Runs of earlier versions have this one, and do not say so.
            let names = names.chain(model.explanations.is_empty().then_some("GradCAM"));
            own.extend(names.map(|name| Tree::new(out, &model.name, name).root().to_owned()));
        }
        own.push(out.join("thumbs"));
    }
    own.sort();
    own.dedup();
    own.extend(FILES.map(|name| out.join(name)));
    own.retain(|path| path.symlink_metadata().is_ok());
    own
}

/// The record of the run in a folder, if there is one.
pub(crate) fn record(out: &Path) -> Option<Run> {
    read_record(&out.join("run.json"))
}

/// The record of a run, if the file is one.
#[must_use]
pub fn read_record(path: &Path) -> Option<Run> {
    /// More than any record has.
    const LARGEST: u64 = 1 << 28;
    if !path.metadata().is_ok_and(|found| found.is_file() && found.len() <= LARGEST) {
        return None;
    }
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Makes the output folder, removes what an earlier run has left, and begins the journal.
pub(crate) fn begin(plan: &Plan, spec: &RunSpec) -> Result<Journal> {
    let out = &plan.out;
    fs::create_dir_all(out)
        .with_context(|| format!("cannot make the output folder {}", out.display()))?;
    // The results of a run that is going on are not removed.
    let held = Journal::hold(&out.join(JOURNAL))?;
    let left = earlier(plan);
    if let Some(found) = left.first().filter(|_| !plan.overwrite) {
        bail!(
            "{} held no results when this run began, and now there is {}: another run has used it \
             meanwhile\nhint: choose another --out",
            out.display(),
            found.strip_prefix(out).unwrap_or(found).display()
        );
    }
    left.iter().try_for_each(|path| remove(path))?;
    drop(held);
    let journal = Journal::create(&out.join(JOURNAL), spec)?;
    // A run that was killed before it had a journal is not resumed, and has left a part of one.
    clean(plan)?;
    Ok(journal)
}

/// Opens the journal of the run that goes on, which must be the same as this one.
pub(crate) fn reopen(plan: &Plan, spec: &RunSpec) -> Result<Journal> {
    let path = plan.out.join(JOURNAL);
    let thumbs = plan.out.join("thumbs");
    for own in plan.trees().map(Tree::root).chain([&*thumbs, &*path]) {
        if own.is_symlink() {
            bail!("{} is a link, and nothing is written through links", own.display());
        }
    }
    let (journal, earlier) = Journal::resume(&path)?;
    if let Some(difference) = spec.difference(&earlier) {
        let difference = bounded(&difference);
        bail!(
            "the run in {} was another one: {difference}\nhint: to go on with it, ask for the same; \
             otherwise choose another --out, or pass --overwrite instead of --resume to begin anew",
            plan.out.display()
        );
    }
    Ok(journal)
}

/// The weights, images and labels of this run may lie among the results of an earlier one.
fn keep_inputs(plan: &Plan, earlier: &Path) -> Result<()> {
    let real = |path: &Path| path.canonicalize().with_context(|| path.display().to_string());
    if earlier.is_symlink() {
        return Ok(());
    }
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
    let is_folder = path.is_dir() && !path.is_symlink();
    let removed = if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.with_context(|| format!("cannot remove the earlier {}", path.display()))
}
