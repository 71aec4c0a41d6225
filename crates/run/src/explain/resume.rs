//! What of an earlier run can be kept.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use burncam_evaluation::Outcome;
use burncam_imaging::read;
use burncam_record::{Attribution, Entry, Journal, Line, RunSpec, Written, is_temporary};
use rayon::prelude::*;

use super::digests::{Digests, sha256};
use super::model::{Model, ModelExplanation};
use super::plan::Plan;
use super::results::ModelResults;
use crate::message::images;

/// Entries that are checked side by side, and held in memory.
const AT_ONCE: usize = 256;

/// Goes through the journal. An entry is kept if weights, image, label, place and the files that
/// were written are as they would be now; what others have written is removed, and what a killed
/// run may have left.
pub(crate) fn resume(
    plan: &Plan,
    journal: Journal,
    spec: &RunSpec,
    digests: &Digests,
) -> Result<(Journal, Vec<ModelResults>)> {
    let (latest, strangers) = latest(plan, &journal)?;
    if !plan.forget_missing {
        refuse_if_missing(plan, &journal, &strangers)?;
    }
    clean(plan)?;
    let mut found = Vec::new();
    for (at, lines) in latest.iter().enumerate() {
        found.push(checked(plan, &journal, (at, digests), lines)?);
    }
    for line in strangers {
        remove_files(plan, &journal.entry(line)?)?;
    }
    for (model, found) in plan.models.iter().zip(&found) {
        remove_leftovers(plan, model, found)?;
    }
    let kept: Vec<Line> =
        found.iter().flat_map(|found| found.lines.iter().flatten()).copied().collect();
    let (journal, kept) = journal.keep(spec, &kept)?;
    let lines = found.iter_mut().flat_map(|found| found.lines.iter_mut().flatten());
    lines.zip(kept).for_each(|(line, kept)| *line = kept);
    Ok((journal, found))
}

/// Where the entries of a model are, image by image.
type Lines = Vec<Option<Line>>;

/// The last entry of each model and image of the plan, and all entries of others.
fn latest(plan: &Plan, journal: &Journal) -> Result<(Vec<Lines>, Vec<Line>)> {
    let models: HashMap<&str, usize> =
        plan.models.iter().enumerate().map(|(at, model)| (model.name.as_str(), at)).collect();
    let images: HashMap<&str, usize> =
        plan.chosen().map(|index| (plan.images[index].path.as_str(), index)).collect();
    let mut latest = vec![vec![None; plan.images.len()]; plan.models.len()];
    let mut strangers = Vec::new();
    journal.each(|line, entry| {
        let model = models.get(entry.row.model.as_str());
        match (model, images.get(entry.row.path.as_str())) {
            (Some(&model), Some(&image)) => latest[model][image] = Some(line),
            _ => strangers.push(line),
        }
    })?;
    Ok((latest, strangers))
}

/// A data folder of which a part is not there, such as a drive, must not cost its results.
fn refuse_if_missing(plan: &Plan, journal: &Journal, strangers: &[Line]) -> Result<()> {
    let mut missing = BTreeSet::new();
    for &line in strangers {
        let entry = journal.entry(line)?;
        if !entry.files.is_empty() {
            missing.insert(entry.row.path);
        }
    }
    let Some(first) = missing.first() else { return Ok(()) };
    bail!(
        "{} with results {} not in {} any more: {first}{}\nhint: bring them back, if the folder is not \
         all there; --forget-missing removes their results and goes on",
        images(missing.len()),
        if missing.len() == 1 { "is" } else { "are" },
        plan.data.display(),
        if missing.len() == 1 { "" } else { ", …" },
    );
}

/// The entries of a model that can be kept. What the others have written is removed.
fn checked(
    plan: &Plan,
    journal: &Journal,
    (at, digests): (usize, &Digests),
    lines: &[Option<Line>],
) -> Result<ModelResults> {
    let mut found = ModelResults::none(lines.len());
    let there: Vec<(usize, Line)> =
        lines.iter().enumerate().filter_map(|(index, line)| Some((index, (*line)?))).collect();
    for some in there.chunks(AT_ONCE) {
        let check = |&(index, line): &(usize, Line)| -> Result<Option<Entry>> {
            let entry = journal.entry(line)?;
            if is_valid(plan, &plan.models[at], index, digests.sha256(plan, at, index), &entry) {
                return Ok(Some(entry));
            }
            remove_files(plan, &entry)?;
            Ok(None)
        };
        let entries: Vec<Option<Entry>> = some.par_iter().map(check).collect::<Result<_>>()?;
        for (&(index, line), entry) in some.iter().zip(&entries) {
            if let Some(entry) = entry {
                found.add(index, entry);
                let undrawn = |one: &Attribution| one.top.is_none();
                let open = plan.pictures.later() && entry.row.attributions.iter().any(undrawn);
                found.undrawn += usize::from(open);
                found.lines[index] = Some(line);
            }
        }
    }
    Ok(found)
}

/// Whether an entry is what this run would write.
fn is_valid(plan: &Plan, model: &Model, index: usize, weights: &str, entry: &Entry) -> bool {
    let Some(outcome) = entry.row.outcome() else { return false };
    entry.row.error.is_none()
        && entry.weights == weights
        && entry.row.fold == plan.images[index].fold
        && entry.row.label.as_deref() == model.label(index)
        && has_its_files(plan, model, index, outcome, entry)
        && entry.files.iter().all(|file| is_intact(&plan.out, file))
        && read(&plan.images[index].file, plan.decode)
            .is_ok_and(|bytes| entry.image.as_deref() == Some(&*sha256(&bytes)))
}

/// Whether the files of an image are all that it should have, where they should be, and no others.
fn has_its_files(
    plan: &Plan,
    model: &Model,
    index: usize,
    outcome: Outcome,
    entry: &Entry,
) -> bool {
    let place = &plan.places[index];
    let pictures = &plan.pictures;
    let attributions = &entry.row.attributions;
    let named = |one: &ModelExplanation, attribution: &Attribution| {
        one.spec.name == attribution.explanation
    };
    if attributions.len() != model.explanations.len()
        || !model.explanations.iter().zip(attributions).all(|(one, found)| named(one, found))
    {
        return false;
    }
    let mut own: Vec<PathBuf> = Vec::new();
    for (one, attribution) in model.explanations.iter().zip(attributions) {
        own.extend(pictures.maps.then(|| one.tree.map_path(place)));
        if !pictures.later() || attribution.top.is_some() {
            own.extend(one.tree.overlay_paths(place, outcome));
            own.extend(pictures.thumbnails.then(|| one.tree.thumbnail_path(place)));
        }
    }
    let has = |path: &PathBuf| entry.files.iter().any(|file| file.path == plan.inside(path));
    entry.files.len() == own.len() && own.iter().all(has)
}

fn is_intact(out: &Path, file: &Written) -> bool {
    let Some(path) = safe(out, &file.path) else { return false };
    // A file that grew is not worth reading.
    path.symlink_metadata().is_ok_and(|found| found.is_file() && found.len() == file.bytes)
        && crc32(&path).is_ok_and(|found| found == file.crc32)
}

fn crc32(path: &Path) -> io::Result<u32> {
    let (mut file, mut hash) = (File::open(path)?, crc32fast::Hasher::new());
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.finalize()),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// The longest path that the journal names, in bytes: each of its folders is looked up.
const LONGEST_PATH: usize = 4096;

/// A path that the journal names, if it lies in the output folder.
fn safe(out: &Path, path: &str) -> Option<PathBuf> {
    if path.len() > LONGEST_PATH {
        return None;
    }
    let mut whole = out.to_owned();
    for part in Path::new(path).components() {
        match part {
            // Nothing is done through a link.
            Component::Normal(part) if !whole.is_symlink() || whole == out => whole.push(part),
            _ => return None,
        }
    }
    (whole != out).then_some(whole)
}

fn remove_files(plan: &Plan, entry: &Entry) -> Result<()> {
    let paths = entry.files.iter().filter_map(|file| safe(&plan.out, &file.path));
    paths.into_iter().try_for_each(|path| remove(&path))
}

/// Removes what a killed run may have left of images that it did not finish: files without an entry.
fn remove_leftovers(plan: &Plan, model: &Model, found: &ModelResults) -> Result<()> {
    let unfinished = plan.chosen().filter(|&index| found.lines[index].is_none());
    unfinished.into_iter().try_for_each(|index| discard(plan, model, index))
}

/// Removes all that may have been written for an image.
pub(crate) fn discard(plan: &Plan, model: &Model, index: usize) -> Result<()> {
    let place = &plan.places[index];
    for tree in model.explanations.iter().map(|one| &one.tree) {
        for outcome in Outcome::ALL {
            tree.overlay_paths(place, outcome).iter().try_for_each(|path| remove(path))?;
        }
        remove(&tree.thumbnail_path(place))?;
        remove(&tree.map_path(place))?;
    }
    Ok(())
}

/// Removes the files that killed runs were writing.
pub(crate) fn clean(plan: &Plan) -> Result<()> {
    own_folders(plan).iter().try_for_each(|(folder, deeper)| remove_temporary(folder, *deeper))
}

/// The folders that runs write to, and whether they own what lies deeper.
fn own_folders(plan: &Plan) -> Vec<(PathBuf, bool)> {
    let trees = plan.trees().map(|tree| (tree.root().to_owned(), true));
    let others = [(plan.out.clone(), false), (plan.out.join("thumbs"), true)];
    others.into_iter().chain(trees).collect()
}

/// Removes the files that a killed run was writing, and makes sure that there are no links through
/// which this one would write elsewhere.
fn remove_temporary(folder: &Path, deeper: bool) -> Result<()> {
    let cannot = || format!("cannot list the folder {}", folder.display());
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        let kind = entry.file_type().with_context(cannot)?;
        if kind.is_dir() && deeper {
            remove_temporary(&entry.path(), deeper)?;
        } else if kind.is_symlink() && deeper {
            bail!("{} is a link, and nothing is written through links", entry.path().display());
        } else if kind.is_file() && is_temporary(&entry.file_name()) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    use std::io::ErrorKind::{InvalidFilename, NotADirectory, NotFound};
    match fs::remove_file(path) {
        // Then it cannot be there.
        Err(error) if matches!(error.kind(), NotFound | NotADirectory | InvalidFilename) => Ok(()),
        removed => removed.with_context(|| format!("cannot remove the earlier {}", path.display())),
    }
}
