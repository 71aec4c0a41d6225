//! What a model has found so far, and the tables of it.

use anyhow::{Result, bail};
use burncam_imaging::Remarks;
use burncam_record::{
    Entry, Error, Journal, Line, Predictions, Rows, Summary, failures_csv, maps_csv, measures_csv,
    notebook_csv, predictions_csv, write_atomic_with,
};

use super::plan::Plan;
use crate::message::{Message, SHOWN, Warnings, counted, images};

/// What a model found: where the journal has it, and how it went.
#[derive(Default)]
pub(crate) struct ModelResults {
    /// For each image of the plan its place in the journal, if it is done.
    pub lines: Vec<Option<Line>>,
    /// What to know of each image of the plan.
    pub remarks: Vec<Remarks>,
    /// How it went.
    pub summary: Summary,
    /// How many of its explained images wait for pictures on one scale, or may have to.
    pub undrawn: usize,
    /// The time spent on its images, in seconds.
    pub seconds: f64,
}

impl ModelResults {
    /// Nothing yet, of so many images.
    pub(crate) fn none(images: usize) -> Self {
        let remarks = vec![Remarks::default(); images];
        Self { lines: vec![None; images], remarks, ..Self::default() }
    }

    /// Counts an image of the plan, the one with this index.
    pub(crate) fn add(&mut self, index: usize, entry: &Entry) {
        self.summary.add(&entry.row);
        let Entry { saturated, not_upright, .. } = *entry;
        self.remarks[index] = Remarks { saturated, not_upright };
    }

    /// How many images are done, failed ones included.
    pub(crate) fn count(&self) -> usize {
        self.summary.total.images - self.undrawn
    }

    /// The first images that failed, each with the reason.
    ///
    /// # Errors
    ///
    /// If the journal cannot be read.
    pub(crate) fn failures(&self, journal: &Journal) -> Result<Vec<(String, String)>> {
        let mut failures = Vec::new();
        if self.summary.total.failed > 0 {
            for row in self.rows(journal).iter() {
                let row = row?;
                failures.extend(row.error.map(|failure| (row.path, failure.reason)));
                if failures.len() == SHOWN {
                    break;
                }
            }
        }
        Ok(failures)
    }

    /// Its rows, in the plan's order.
    pub(crate) fn rows<'a>(&self, journal: &'a Journal) -> Rows<'a> {
        let lines: Vec<Line> = self.lines.iter().copied().flatten().collect();
        let gone =
            || Error::Read { path: journal.path().to_owned(), what: "no such row".to_owned() };
        Rows::new(lines.len(), move |index| {
            let line = lines.get(index).copied().ok_or_else(gone)?;
            Ok(journal.entry(line)?.row)
        })
    }
}

/// How many results there are, over all models.
pub(crate) fn done(found: &[ModelResults]) -> usize {
    found.iter().map(ModelResults::count).sum()
}

/// That what was written for images is still there when the run ends; a folder of results may have
/// been moved away while it went on.
pub(crate) fn verify_outputs(plan: &Plan, journal: &Journal, found: &[ModelResults]) -> Result<()> {
    let (mut gone, mut first) = (0, None);
    for &line in found.iter().flat_map(|found| found.lines.iter().flatten()) {
        for file in journal.entry(line)?.files {
            let path = plan.out.join(&file.path);
            if !path.symlink_metadata().is_ok_and(|found| found.len() == file.bytes) {
                gone += 1;
                first.get_or_insert(path);
            }
        }
    }
    let Some(first) = first else { return Ok(()) };
    bail!(
        "{} of this run {} gone or changed, the first is {}\nhint: --resume makes what is missing again",
        counted(gone, "file", "files"),
        if gone == 1 { "is" } else { "are" },
        first.display()
    )
}

/// What came to light as images were decoded, with the images that it concerns in the plan's order.
pub(crate) fn warnings(plan: &Plan, found: &[ModelResults]) -> Warnings {
    let which = |has: fn(Remarks) -> bool| -> Vec<String> {
        let is = |index: &usize| found.iter().any(|found| has(found.remarks[*index]));
        plan.chosen().filter(is).map(|index| plan.images[index].path.clone()).collect()
    };
    let mut warnings = Warnings::new();
    let white = which(|remarks| remarks.saturated);
    if !white.is_empty() {
        let count = white.len();
        let text = Message::new(
            format!(
                "16-bit grey became white wherever it is above 255, as in the notebook and in Pillow, in {}; \
                 save them with 8 bits, such as by `magick mogrify -depth 8 *.png`:",
                images(count)
            ),
            format!(
                "cinza de 16 bits virou branco onde passa de 255, como no notebook e no Pillow, em {}; \
                 salve-as com 8 bits, por exemplo com `magick mogrify -depth 8 *.png`:",
                counted(count, "imagem", "imagens")
            ),
        );
        warnings.push((text, white));
    }
    let turned = which(|remarks| remarks.not_upright);
    if !turned.is_empty() {
        let count = turned.len();
        let text = Message::new(
            format!(
                "EXIF orientation was ignored, as in the notebook, in {}, so the network saw them as they \
                 are stored; `--exif apply` turns them upright:",
                images(count)
            ),
            format!(
                "a orientação EXIF foi ignorada, como no notebook, em {}: a rede as viu como estão \
                 armazenadas; `--exif apply` as põe de pé:",
                counted(count, "imagem", "imagens")
            ),
        );
        warnings.push((text, turned));
    }
    warnings
}

/// What the models found so far.
pub(crate) fn tables<'a>(
    plan: &'a Plan,
    journal: &'a Journal,
    found: &[ModelResults],
) -> Vec<Predictions<'a>> {
    let both = plan.models.iter().zip(found);
    both.map(|(model, found)| Predictions { classes: &model.classes, rows: found.rows(journal) })
        .collect()
}

/// Writes the notebook's table of every model that has one, everybody's predictions, and what
/// failed.
pub(crate) fn write_tables(plan: &Plan, journal: &Journal, found: &[ModelResults]) -> Result<()> {
    let tables = tables(plan, journal, found);
    for (model, table) in plan.models.iter().zip(&tables) {
        for path in model.explanations.iter().map(|one| one.tree.csv_path()) {
            // One may be left of weights that were replaced.
            if !table.rows.is_empty() || path.exists() {
                write_atomic_with(&path, |out| notebook_csv(&table.rows, out))?;
            }
        }
    }
    write_atomic_with(&plan.out.join("predictions.csv"), |out| {
        predictions_csv(&tables, plan.top, out)
    })?;
    write_atomic_with(&plan.out.join("maps.csv"), |out| maps_csv(&tables, out))?;
    if !plan.measures.is_empty() {
        write_atomic_with(&plan.out.join("measures.csv"), |out| measures_csv(&tables, out))?;
    }
    write_atomic_with(&plan.out.join("failures.csv"), |out| failures_csv(&tables, out))?;
    Ok(())
}
