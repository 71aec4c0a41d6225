//! Whether the methods of a run are better than their controls: `measures.json`.

use std::path::Path;

use anyhow::Result;
use burncam_evaluation::Outcome;
use burncam_record::{Rows, RunSpec, write_atomic};
use burncam_trust::{Observation, Tally, Trust};
use serde::Serialize;

/// What the measures of a run come to.
#[derive(Serialize)]
struct Document<'a> {
    /// What of the class measures read.
    measure_score: Option<&'a str>,
    /// What removed places become.
    baseline: Option<&'a str>,
    /// Steps from the whole image to the empty one.
    removal_steps: Option<usize>,
    models: &'a [ModelTrust],
}

/// What they come to for a model.
#[derive(Clone, Debug, Serialize)]
pub struct ModelTrust {
    /// The model's name.
    pub model: String,
    /// What its maps come to.
    #[serde(flatten)]
    pub trust: Trust,
}

/// What the measures of all models come to, by model; `unit` reads whom an image shows from its path.
///
/// # Errors
///
/// If a row cannot be read.
pub(crate) fn assess<'a>(
    models: impl Iterator<Item = (&'a str, &'a Rows<'a>)>,
    subjects: &[(String, String)],
) -> Result<Vec<ModelTrust>> {
    let of_model = |(model, rows): (&str, &Rows<'_>)| {
        let trust = of_rows(rows, subjects)?;
        Ok(ModelTrust { model: model.to_owned(), trust })
    };
    models.map(of_model).collect()
}

/// Writes `measures.json`.
///
/// # Errors
///
/// If the file cannot be written.
pub(crate) fn write(out: &Path, options: &RunSpec, models: &[ModelTrust]) -> Result<()> {
    let document = Document {
        measure_score: options.measure_score.as_deref(),
        baseline: options.baseline.as_deref(),
        removal_steps: options.removal_steps,
        models,
    };
    let text = serde_json::to_string_pretty(&document)? + "\n";
    Ok(write_atomic(&out.join("measures.json"), text.as_bytes())?)
}

fn of_rows(rows: &Rows<'_>, subjects: &[(String, String)]) -> Result<Trust> {
    let mut tally = Tally::default();
    for row in rows.iter() {
        let row = row?;
        let subject = subjects.binary_search_by(|(known, _)| known.cmp(&row.path)).ok();
        let unit = subject.map_or(&row.path, |at| &subjects[at].1);
        let predicted = row.classification.as_ref().map(|one| one.predicted.as_str());
        let predicted = predicted.unwrap_or_default();
        let outcome = Outcome::compare(row.label.as_deref(), predicted).to_string();
        for one in &row.measurements {
            let observation = Observation {
                unit,
                explanation: &one.explanation,
                control: &one.control,
                measure: &one.measure,
                condition: &one.condition,
                group: (row.label.as_deref().unwrap_or(predicted), &outcome),
                value: one.value,
                chance: one.chance,
            };
            tally.add(observation);
            for [share, score] in &one.curve {
                let (condition, value) = (format!("{share:.4}"), Some(*score));
                tally.add(Observation {
                    condition: &condition,
                    value,
                    chance: None,
                    ..observation
                });
            }
        }
    }
    Ok(tally.finish(if subjects.is_empty() { "images" } else { "subjects" }))
}
