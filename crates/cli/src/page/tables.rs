//! The tables of runs that each explained a part of the images, as of one run.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use burncam_report::page::Report;
use burncam_report::{
    Error, JOURNAL, Journal, Line, ModelTree, Predictions, Rows, failures_csv, notebook_csv,
    predictions_csv, write_atomic_with,
};

/// Where the row of an image is: a journal by index, and a line in it.
type Place = (usize, Line);

/// The rows of one model, by fold and path.
type Table = HashMap<(String, String), Place>;

/// Writes into `out` the tables that one run would have written. `runs` are the folders of the
/// report's runs.
pub(super) fn write(out: &Path, runs: &[PathBuf], report: &Report<'_>) -> Result<()> {
    let open = |run: &PathBuf| Journal::open(&run.join(JOURNAL)).map(|(journal, _)| journal);
    let journals: Vec<Journal> = runs.iter().map(open).collect::<Result<_, _>>()?;
    let Some(first) = report.runs.first() else { return Ok(()) };
    let models = &first.run.models;
    let mut tables: HashMap<String, Table> = HashMap::new();
    for (at, journal) in journals.iter().enumerate() {
        journal.each(|line, entry| {
            let row = entry.row;
            tables.entry(row.model).or_default().insert((row.fold, row.path), (at, line));
        })?;
    }
    let places = models.iter().map(|model| sorted(tables.remove(&model.name).unwrap_or_default()));
    let places: Vec<Vec<Place>> = places.collect();
    let tables: Vec<Predictions<'_>> = (models.iter().zip(&places))
        .map(|(model, places)| Predictions {
            classes: &model.classes,
            rows: rows(&journals, places),
        })
        .collect();
    for (model, table) in models.iter().zip(&tables) {
        let path = ModelTree::new(out, &model.name).csv_path();
        write_atomic_with(&path, |to| notebook_csv(&table.rows, to))?;
    }
    let top = first.run.options.top;
    write_atomic_with(&out.join("predictions.csv"), |to| predictions_csv(&tables, top, to))?;
    write_atomic_with(&out.join("failures.csv"), |to| failures_csv(&tables, to))?;
    Ok(())
}

/// In the order of a run: by fold and path.
fn sorted(table: Table) -> Vec<Place> {
    let mut rows: Vec<((String, String), Place)> = table.into_iter().collect();
    rows.sort_by(|(a, _), (b, _)| a.cmp(b));
    rows.into_iter().map(|(_, place)| place).collect()
}

fn rows<'a>(journals: &'a [Journal], places: &'a [Place]) -> Rows<'a> {
    Rows::new(places.len(), |index| {
        let place = places.get(index).and_then(|&(at, line)| Some((journals.get(at)?, line)));
        let (journal, line) = place.ok_or(Error::Nothing)?;
        Ok(journal.entry(line)?.row)
    })
}
