//! Whether runs that each explained a part of the images are parts of one run.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use burncam_page::{Report, Source, missing_parts, shard};
use burncam_record::{Model, RunStatus};

use super::tables::journal;

/// What a part has in common with the other parts of its run, by name.
type Settings = BTreeMap<String, String>;

/// How much of a value is shown.
const SHOWN: usize = 80;

/// What to do about parts that do not belong together.
const HINT: &str = "hint: the parts of one run have the same weights, data and options, save --shard \
                    and --out: explain again what differs. Where they are meant as different runs, \
                    join the parts of each first, and then the joined folders";

/// A run that explained a part of its images.
struct ShardRun<'a> {
    folder: String,
    part: usize,
    parts: usize,
    source: &'a Source,
    settings: Settings,
    /// Fold and path of its images, sorted, where all of them are known.
    images: Option<Vec<(String, String)>>,
}

/// Refuses parts that are not of one run. Parts are of one run if they have a model in common; runs
/// that are no parts are left alone. `folders` are those of the reports.
pub(super) fn check(folders: &[PathBuf], reports: &[(String, Report<'_>)]) -> Result<()> {
    if reports.len() < 2 {
        return Ok(());
    }
    let mut all: Vec<Vec<ShardRun<'_>>> = Vec::new();
    let mut by_model: HashMap<&str, usize> = HashMap::new();
    for (folder, (_, report)) in folders.iter().zip(reports) {
        if is_joined_whole(report) {
            continue;
        }
        for source in &report.runs {
            let Some(part) = part(folder, report, source)? else { continue };
            let names = || source.run.models.iter().map(|model| model.name.as_str());
            let run = names().find_map(|name| by_model.get(name).copied()).unwrap_or(all.len());
            by_model.extend(names().map(|name| (name, run)));
            match all.get_mut(run) {
                Some(others) => {
                    others.iter().take(1).try_for_each(|first| first.refuse_other(&part))?;
                    others.iter().try_for_each(|other| other.refuse_other_share(&part))?;
                    others.push(part);
                }
                None => all.push(vec![part]),
            }
        }
    }
    all.iter().try_for_each(|parts| refuse_other_order(parts))
}

/// Whether a report was joined of all parts, so that it is as one of a whole run.
pub(super) fn is_joined_whole(report: &Report<'_>) -> bool {
    report.runs.len() > 1 && missing_parts(report).is_empty()
}

/// The part that a run of a report is, if it is one.
fn part<'a>(
    folder: &Path,
    report: &Report<'_>,
    source: &'a Source,
) -> Result<Option<ShardRun<'a>>> {
    let Some((part, parts)) = shard(source) else { return Ok(None) };
    let mut one = ShardRun {
        folder: folder.join(&source.folder).display().to_string(),
        part,
        parts,
        source,
        settings: run_settings(source),
        images: None,
    };
    one.settings.insert("the number of parts".to_owned(), parts.to_string());
    // Of a report that was joined earlier, the runs' own folders may be gone.
    if report.runs.len() == 1 && source.folder == "." {
        one.folder = folder.display().to_string();
        let (journal, run) = journal(folder)?;
        let found = run.shard.clone().unwrap_or_default();
        if found != format!("{part}/{parts}") {
            bail!(
                "{} is the journal of part `{found}`, and report.json beside it of part \
                 {part}/{parts}\nhint: explain that part again with --overwrite",
                journal.path().display()
            );
        }
        one.images = images(report)?;
    }
    Ok(Some(one))
}

/// Fold and path of all images of a report of one run, sorted; nothing if some are not known.
fn images(report: &Report<'_>) -> Result<Option<Vec<(String, String)>>> {
    let mut images = Vec::new();
    for image in report.images.plain() {
        let image = image?;
        images.push((image.fold, image.path));
    }
    images.sort();
    let is_whole = |source: &Source| {
        source.run.status == RunStatus::Complete && images.len() == source.run.data.images
    };
    Ok(report.runs.iter().all(is_whole).then_some(images))
}

/// What the parts of a run have in common: its options, the content of weights, the rule of labels, and the
/// folds.
fn run_settings(source: &Source) -> Settings {
    let run = &source.run;
    let names: Vec<&str> = run.models.iter().map(|model| model.name.as_str()).collect();
    let mut settings = Settings::new();
    settings.insert("models".to_owned(), names.join(", "));
    settings.insert("folds".to_owned(), run.data.folds.join(", "));
    settings.extend(run.options.options());
    settings.remove("--shard");
    for (name, model) in &run.options.models {
        let options = model.options().into_iter();
        settings.extend(options.map(|(option, value)| (format!("{name}: {option}"), value)));
    }
    for model in &run.models {
        settings.extend(model_settings(model));
    }
    settings
}

fn model_settings(model: &Model) -> Settings {
    let name = &model.name;
    let mut settings = Settings::new();
    for weights in &model.weights {
        let of_fold = weights.fold.as_ref().map(|fold| format!(" of {fold}")).unwrap_or_default();
        settings.insert(format!("{name}: SHA-256 of the weights{of_fold}"), weights.sha256.clone());
    }
    // A label file may have another path on each machine.
    let is_rule = matches!(model.labels.as_str(), "notebook" | "dirs" | "none");
    let labels = match is_rule || model.labels.starts_with("tokens:") {
        true => model.labels.clone(),
        false => "a file".to_owned(),
    };
    settings.insert(format!("{name}: --labels"), labels);
    settings
}

impl ShardRun<'_> {
    /// Refuses a part that was made with something else.
    fn refuse_other(&self, other: &Self) -> Result<()> {
        let (own, theirs) = (&self.folder, &other.folder);
        if let Some((what, a, b)) = difference(&self.settings, &other.settings) {
            bail!(
                "{own} and {theirs} are not parts of one run: {what}: {a} in {own}, {b} in \
                 {theirs}\n{HINT}"
            );
        }
        Ok(())
    }

    /// Refuses the same part, and one of another number of images.
    fn refuse_other_share(&self, other: &Self) -> Result<()> {
        let both = || format!("{} and {}", self.folder, other.folder);
        if self.part == other.part {
            let (part, parts) = (self.part, self.parts);
            bail!("{} are both part {part}/{parts}\nhint: give each part once", both());
        }
        let ([low, high], [other_low, other_high]) = (self.of_images(), other.of_images());
        if low > other_high || other_low > high {
            bail!(
                "{} are not parts of one run: part {}/{} of {}, which {} has, and part {}/{} of \
                 {}, which {} has, are not of as many images\n{HINT}",
                both(),
                self.part,
                self.parts,
                counted(self),
                self.folder,
                other.part,
                other.parts,
                counted(other),
                other.folder
            );
        }
        Ok(())
    }

    /// How many images the data folder had, from this to that: parts take turns.
    fn of_images(&self) -> [usize; 2] {
        let (part, parts) = (self.part, self.parts);
        match self.source.run.data.images.checked_sub(1) {
            None => [0, part - 1],
            Some(turns) => {
                let low = turns.saturating_mul(parts).saturating_add(part);
                [low, low.saturating_add(parts - 1)]
            }
        }
    }
}

fn counted(part: &ShardRun<'_>) -> String {
    crate::images(part.source.run.data.images)
}

/// Images of one list, of which parts take turns, come in its order.
fn refuse_other_order(parts: &[ShardRun<'_>]) -> Result<()> {
    let mut all: Vec<(&(String, String), usize, &ShardRun<'_>)> = Vec::new();
    for part in parts {
        let images = part.images.iter().flatten().enumerate();
        let place = |turn: usize| turn.saturating_mul(part.parts).saturating_add(part.part);
        all.extend(images.map(|(turn, image)| (image, place(turn), part)));
    }
    all.sort_by_key(|&(image, place, _)| (image, place));
    for pair in all.windows(2) {
        if let [(image, place, part), (next, next_place, next_part)] = pair
            && (image == next || place >= next_place)
        {
            bail!(
                "{} and {} are not parts of one run: {} is image {place} of the data folder of {}, \
                 and {} image {next_place} of that of {}\n{HINT}",
                part.folder,
                next_part.folder,
                image.1,
                part.folder,
                next.1,
                next_part.folder
            );
        }
    }
    Ok(())
}

/// The first thing in which two parts differ, with both values.
fn difference(a: &Settings, b: &Settings) -> Option<(String, String, String)> {
    // Of a report that was joined earlier, less is known.
    let differing =
        a.iter().find_map(|(what, a)| Some((what, a, b.get(what).filter(|b| *b != a)?)));
    differing.map(|(what, a, b)| {
        let (a, b) = around_difference(a, b);
        (what.clone(), a, b)
    })
}

/// Both values, of long ones what is around the first difference.
fn around_difference(a: &str, b: &str) -> (String, String) {
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let from = if a.chars().count().max(b.chars().count()) <= SHOWN {
        0
    } else {
        same.saturating_sub(SHOWN / 2)
    };
    let cut = |text: &str| {
        let part: String = text.chars().skip(from).take(SHOWN).collect();
        let before = if from > 0 { "…" } else { "" };
        let after = if text.chars().count() > from + SHOWN { "…" } else { "" };
        if part.is_empty() && from == 0 {
            "not given".to_owned()
        } else {
            format!("{before}{part}{after}")
        }
    };
    (cut(a), cut(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_long_values_the_difference_is_shown() {
        let same = "é".repeat(500);
        let (a, b) = around_difference(&format!("{same}a{same}"), &format!("{same}b"));
        assert!(
            a.starts_with("…é") && a.ends_with("é…") && a.contains('a') && a.len() < 200,
            "{a}"
        );
        assert!(b.ends_with('b') && b.len() < 200, "{b}");
        assert_eq!(around_difference("x", ""), ("x".to_owned(), "not given".to_owned()));
    }
}
