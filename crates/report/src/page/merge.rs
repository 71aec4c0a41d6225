//! Reports of several runs as one.

#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
    )
)]

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::document::{ImageReport, ModelReport, Report, SCHEMA};
use super::images::Images;
use crate::Error;
use crate::statistics::Resampling;

/// A report is read whole; a million images need less.
const LARGEST: u64 = 1 << 30;

/// More draws than an interval needs.
const MOST_RESAMPLES: usize = 10_000;

/// More models than a page can show.
const MOST_MODELS: usize = 1000;

/// More runs than are joined.
const MOST_RUNS: usize = 10_000;

/// Reads a `report.json`.
///
/// # Errors
///
/// [`Error::Read`] if it cannot be read, is no report, is of another version, or names models, runs
/// or classes that it does not have.
pub fn read_report(path: &Path) -> Result<Report<'static>, Error> {
    let wrong = |what: String| Error::Read { path: path.to_owned(), what };
    let text = text(path).map_err(wrong)?;
    #[derive(serde::Deserialize)]
    struct Version {
        schema: u32,
    }
    let version: Version =
        serde_json::from_slice(&text).map_err(|error| wrong(format!("no report: {error}")))?;
    if version.schema != SCHEMA {
        let found = version.schema;
        return Err(wrong(format!("it has layout {found}, and this program reads {SCHEMA}")));
    }
    let report: Report<'static> =
        serde_json::from_slice(&text).map_err(|error| wrong(format!("no report: {error}")))?;
    check(&report).map_err(wrong)?;
    Ok(report)
}

/// The bytes of a file that is no larger than a report can be.
fn text(path: &Path) -> Result<Vec<u8>, String> {
    // A pipe would be waited for.
    let found = fs::metadata(path).map_err(|error| error.to_string())?;
    if !found.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let bytes = found.len();
    if bytes > LARGEST {
        return Err(format!("it has {bytes} bytes, more than any report"));
    }
    let mut text = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(LARGEST).read_to_end(&mut text).map_err(|error| error.to_string())?;
    Ok(text)
}

/// Whether everything that is named by a number is there, and no more than a page can show.
fn check(report: &Report<'_>) -> Result<(), String> {
    let is_source = |&[run, model]: &[usize; 2]| {
        report.runs.get(run).is_some_and(|source| model < source.run.models.len())
    };
    let how = &report.settings.resampling;
    if how.resamples > MOST_RESAMPLES || !(0.0..1.0).contains(&how.level) {
        let Resampling { resamples, level, .. } = how;
        return Err(format!(
            "intervals of {resamples} draws at {level} are not made: there are at most \
             {MOST_RESAMPLES}"
        ));
    }
    for (what, count, most) in
        [("models", report.models.len(), MOST_MODELS), ("runs", report.runs.len(), MOST_RUNS)]
    {
        if count > most {
            return Err(format!("it has {count} {what}, and a report has at most {most}"));
        }
    }
    for model in &report.models {
        if model.classes.is_empty()
            || model.sources.is_empty()
            || !model.sources.iter().all(is_source)
        {
            return Err(format!("model {} has no classes or no run", model.name));
        }
    }
    check_images(report)
}

/// Whether each image is there once, with at most one result of each model, which fits it.
fn check_images(report: &Report<'_>) -> Result<(), String> {
    let sets = report.models.iter().map(|model| model.classes.iter().collect());
    let classes: Vec<HashSet<&String>> = sets.collect();
    let mut known = HashSet::new();
    for image in report.images.plain() {
        let image = image.map_err(|error| error.to_string())?;
        let mut models = HashSet::new();
        for result in &image.results {
            let (Some(model), Some(classes)) =
                (report.models.get(result.model), classes.get(result.model))
            else {
                return Err(format!("{} has a result of no model", image.path));
            };
            if !models.insert(result.model) {
                return Err(format!("{} has two results of {}", image.path, model.name));
            }
            let of_model = |class: &String| classes.contains(class);
            let probabilities = result.predicted.as_ref().map_or(0, |_| model.classes.len());
            if result.run >= report.runs.len()
                || !result.label.iter().chain(&result.predicted).all(of_model)
                || result.probabilities.len() != probabilities
            {
                return Err(format!(
                    "{} has a result that does not fit {}",
                    image.path, model.name
                ));
            }
        }
        let key = (image.fold, image.path);
        if known.contains(&key) {
            return Err(format!("{} of fold {} is there twice", key.1, key.0));
        }
        known.insert(key);
    }
    Ok(())
}

/// Joins reports, each with its folder as seen from the new page. Models that are the same (name,
/// architecture, classes, layer) become one, so that folds computed apart come together; others of
/// equal name are numbered. The settings are the first report's. Measures are not computed.
///
/// # Errors
///
/// [`Error::Twice`] if one model has two results for one image.
pub fn merge(reports: Vec<(String, Report<'_>)>) -> Result<Report<'static>, Error> {
    let mut merged: Option<Report<'static>> = None;
    let mut images = Vec::new();
    for (folder, report) in reports {
        let more = report.images.into_held()?;
        let mut report = Report { images: Images::held(Vec::new()), ..report };
        for source in &mut report.runs {
            source.folder = joined(&folder, &source.folder);
        }
        match &mut merged {
            None => (merged, images) = (Some(report), more),
            Some(all) => add((all, &mut images), (report, more)),
        }
    }
    let merged = merged.ok_or(Error::Nothing)?;
    images.sort_by(|a, b| (&a.fold, &a.path).cmp(&(&b.fold, &b.path)));
    for image in &mut images {
        image.results.sort_by_key(|result| result.model);
        let pairs = image.results.iter().zip(image.results.iter().skip(1));
        if let Some((twice, _)) = pairs.into_iter().find(|(a, b)| a.model == b.model) {
            let model = merged.models.get(twice.model).map(|model| model.name.clone());
            let (path, model) = (image.path.clone(), model.unwrap_or_default());
            return Err(Error::Twice { path, model });
        }
    }
    Ok(Report { images: Images::held(images), ..merged })
}

fn joined(folder: &str, inner: &str) -> String {
    match (folder, inner) {
        (folder, ".") => folder.to_owned(),
        (".", inner) => inner.to_owned(),
        _ => format!("{folder}/{inner}"),
    }
}

fn add(
    (all, images): (&mut Report<'_>, &mut Vec<ImageReport>),
    (report, more): (Report<'_>, Vec<ImageReport>),
) {
    let runs = all.runs.len();
    all.runs.extend(report.runs);
    let mut taken: HashSet<String> = all.models.iter().map(|model| model.name.clone()).collect();
    let mut places = Vec::with_capacity(report.models.len());
    for mut model in report.models {
        for [run, _] in &mut model.sources {
            *run = run.saturating_add(runs);
        }
        let same = all.models.iter().position(|known| same(all, known, &model));
        places.push(same.unwrap_or(all.models.len()));
        match same.and_then(|index| all.models.get_mut(index)) {
            Some(known) => {
                known.sources.extend(model.sources);
                known.network_per_fold &= model.network_per_fold;
            }
            None => {
                model.name = free(&taken, &model.name);
                taken.insert(model.name.clone());
                all.models.push(model);
            }
        }
    }
    // Images are found again by fold and path; both lists are sorted.
    images.sort_by(|a, b| (&a.fold, &a.path).cmp(&(&b.fold, &b.path)));
    let known = images.len();
    for mut image in more {
        for result in &mut image.results {
            // It was found to be one of the report's models.
            result.model = places.get(result.model).copied().unwrap_or(usize::MAX);
            result.run = result.run.saturating_add(runs);
        }
        let key = |other: &ImageReport| (&other.fold, &other.path).cmp(&(&image.fold, &image.path));
        let place = images.get(..known).and_then(|known| known.binary_search_by(key).ok());
        match place.and_then(|place| images.get_mut(place)) {
            Some(earlier) => {
                earlier.results.extend(image.results);
                earlier.subject = earlier.subject.take().or(image.subject);
            }
            None => images.push(image),
        }
    }
}

/// Whether two models are one network in two runs.
fn same(all: &Report<'_>, a: &ModelReport, b: &ModelReport) -> bool {
    let kind = |model: &ModelReport| {
        let [run, index] = *model.sources.first()?;
        let model = all.runs.get(run)?.run.models.get(index)?;
        Some((&model.architecture, &model.variant, &model.target, &model.input, &model.head))
    };
    a.name == b.name && a.classes == b.classes && a.layer == b.layer && kind(a) == kind(b)
}

fn free(taken: &HashSet<String>, name: &str) -> String {
    let numbered = (2..=taken.len().saturating_add(2)).map(|number| format!("{name} ({number})"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| !taken.contains(name)).unwrap_or_else(|| name.to_owned())
}
