//! Whether the methods of a run are better than their controls: `measures.json`.

use anyhow::Result;
use burncam_record::{Predictions, Rows, write_atomic};
use burncam_trust::{Assessment, Observation, Tally};
use serde::Serialize;

use super::plan::Plan;

/// What the measures of a run come to.
#[derive(Serialize)]
struct Document<'a> {
    /// What of the class measures read.
    measure_score: &'a str,
    /// What removed places become.
    baseline: &'a str,
    /// Steps from the whole image to the empty one.
    removal_steps: usize,
    models: Vec<ModelAssessments>,
}

/// What they come to for a model.
#[derive(Clone, Debug, Serialize)]
pub struct ModelAssessments {
    /// The model's name.
    pub model: String,
    /// What intervals are made over: `subjects` or `images`.
    pub unit: &'static str,
    /// The measures of each explanation.
    pub assessments: Vec<Assessment>,
}

/// The assessments of all models, which are written, too.
///
/// # Errors
///
/// If a row cannot be read, or the file cannot be written.
pub(crate) fn write(plan: &Plan, tables: &[Predictions<'_>]) -> Result<Vec<ModelAssessments>> {
    let of_model = |(model, table): (&super::model::Model, &Predictions<'_>)| {
        Ok(ModelAssessments {
            model: model.name.clone(),
            unit: if plan.subjects.is_empty() { "images" } else { "subjects" },
            assessments: assess(plan, &table.rows)?,
        })
    };
    let models = plan.models.iter().zip(tables).map(of_model).collect::<Result<Vec<_>>>()?;
    let protocol = &plan.measures.protocol;
    let document = Document {
        measure_score: protocol.scale.name(),
        baseline: protocol.baseline.name(),
        removal_steps: protocol.steps,
        models: models.clone(),
    };
    let text = serde_json::to_string_pretty(&document)? + "\n";
    write_atomic(&plan.out.join("measures.json"), text.as_bytes())?;
    Ok(models)
}

fn assess(plan: &Plan, rows: &Rows<'_>) -> Result<Vec<Assessment>> {
    let mut tally = Tally::default();
    for row in rows.iter() {
        let row = row?;
        let subject = plan.subjects.binary_search_by(|(known, _)| known.cmp(&row.path)).ok();
        let unit = subject.map_or(&row.path, |at| &plan.subjects[at].1);
        for one in &row.measurements {
            tally.add(Observation {
                unit,
                explanation: &one.explanation,
                control: &one.control,
                measure: &one.measure,
                value: one.value,
                chance: one.chance,
            });
        }
    }
    Ok(tally.assess())
}
