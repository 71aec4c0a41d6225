//! The tables of runs that each explained a part of the images, as of one run.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use burncam_page::Report;
use burncam_record::{
    Entry, Error, JOURNAL, Journal, Line, Model, Predictions, Rows, Run, RunSpec, Tree,
    failures_csv, maps_csv, measures_csv, notebook_csv, predictions_csv, write_atomic_with,
};

use crate::counted;
use crate::explain::{ModelTrust, assess, write_assessments};

/// Where the row of an image is: a journal by index, and a line in it.
type Place = (usize, Line);

/// The rows of a run, by model, and by fold and path.
type Table = HashMap<String, HashMap<(String, String), Line>>;

/// Opens the journal of a run to read it, and gives what its run is told from others by.
pub(super) fn journal(run: &Path) -> Result<(Journal, RunSpec)> {
    Journal::open(&run.join(JOURNAL))
        .map_err(|error| anyhow!("{error}\nhint: explain that part again with --overwrite"))
}

/// Writes into `out` the tables that one run would have written. `runs` are the folders of the
/// report's runs, each of one run.
pub(super) fn write(out: &Path, runs: &[PathBuf], report: &Report<'_>) -> Result<Vec<ModelTrust>> {
    let open = |run: &PathBuf| journal(run).map(|(journal, _)| journal);
    let journals: Vec<Journal> = runs.iter().map(open).collect::<Result<_>>()?;
    let Some(first) = report.runs.first() else { return Ok(Vec::new()) };
    let models = models(report);
    let places = places(&journals, (&models, runs), report)?;
    let tables: Vec<Predictions<'_>> = (models.iter().zip(&places))
        .map(|(model, places)| Predictions {
            classes: &model.classes,
            rows: rows(&journals, places),
        })
        .collect();
    for (model, table) in models.iter().zip(&tables) {
        for explanation in &model.explanations {
            let path = Tree::new(out, &model.name, &explanation.name).csv_path();
            write_atomic_with(&path, |to| notebook_csv(&table.rows, to))?;
        }
    }
    let top = first.run.options.top;
    write_atomic_with(&out.join("predictions.csv"), |to| predictions_csv(&tables, top, to))?;
    write_atomic_with(&out.join("maps.csv"), |to| maps_csv(&tables, to))?;
    write_atomic_with(&out.join("failures.csv"), |to| failures_csv(&tables, to))?;
    if first.run.options.measure.is_empty() {
        return Ok(Vec::new());
    }
    write_atomic_with(&out.join("measures.csv"), |to| measures_csv(&tables, to))?;
    let names = models.iter().map(|model| model.name.as_str());
    let trust = assess(names.zip(tables.iter().map(|table| &table.rows)), &subjects(report)?)?;
    write_assessments(out, &first.run.options, &trust)?;
    Ok(trust)
}

/// Whom the images show, by path, where that is known; sorted.
fn subjects(report: &Report<'_>) -> Result<Vec<(String, String)>> {
    let mut subjects = Vec::new();
    for image in report.images.plain() {
        let image = image?;
        subjects.extend(image.subject.map(|subject| (image.path, subject)));
    }
    subjects.sort();
    Ok(subjects)
}

/// The models of all runs, each once.
fn models<'a>(report: &'a Report<'_>) -> Vec<&'a Model> {
    let mut models: Vec<&Model> = Vec::new();
    for model in report.runs.iter().flat_map(|source| &source.run.models) {
        if !models.iter().any(|known| known.name == model.name) {
            models.push(model);
        }
    }
    models
}

/// Where the rows of the report's results are, by model, in the order of a run: by fold and path.
fn places(
    journals: &[Journal],
    (models, runs): (&[&Model], &[PathBuf]),
    report: &Report<'_>,
) -> Result<Vec<Vec<Place>>> {
    let tables = journals.iter().zip(&report.runs).map(|(journal, source)| {
        let mut table = Table::new();
        journal.each(|line, entry| {
            if is_of(&source.run, &entry) {
                let row = entry.row;
                table.entry(row.model).or_default().insert((row.fold, row.path), line);
            }
        })?;
        Ok(table)
    });
    let tables: Vec<Table> = tables.collect::<Result<_>>()?;
    let by_name: HashMap<&str, usize> =
        models.iter().enumerate().map(|(at, model)| (model.name.as_str(), at)).collect();
    let mut places = vec![Vec::new(); models.len()];
    let mut missing: Vec<Vec<String>> = vec![Vec::new(); runs.len()];
    for image in report.images.plain() {
        let mut image = image?;
        let key = (std::mem::take(&mut image.fold), std::mem::take(&mut image.path));
        for result in &image.results {
            let name = report.models.get(result.model).map(|model| model.name.as_str());
            let Some(name) = name else { continue };
            let line = tables.get(result.run).and_then(|table| table.get(name)?.get(&key));
            match (by_name.get(name).and_then(|&at| places.get_mut(at)), line) {
                (Some(places), Some(&line)) => places.push((result.run, line)),
                _ => missing.get_mut(result.run).into_iter().for_each(|missing| {
                    missing.push(format!("{} ({name})", key.1));
                }),
            }
        }
    }
    for (run, missing) in runs.iter().zip(&missing) {
        if let Some(first) = missing.first() {
            bail!(
                "{} does not have {} that are in report.json beside it, such as {first}\nhint: the \
                 same `explain` with --resume computes what is missing",
                run.join(JOURNAL).display(),
                counted(missing.len(), "result", "results")
            );
        }
    }
    Ok(places)
}

/// Whether an entry was made with the weights of a run.
fn is_of(run: &Run, entry: &Entry) -> bool {
    let model = run.models.iter().find(|model| model.name == entry.row.model);
    let weights = |model: &Model| model.weights.iter().any(|one| one.sha256 == entry.weights);
    model.is_some_and(weights)
}

fn rows<'a>(journals: &'a [Journal], places: &'a [Place]) -> Rows<'a> {
    Rows::new(places.len(), |index| {
        let place = places.get(index).and_then(|&(at, line)| Some((journals.get(at)?, line)));
        let (journal, line) = place.ok_or(Error::Nothing)?;
        Ok(journal.entry(line)?.row)
    })
}
