//! `measures.csv`: one row for each measure of each map.

use std::io::Write;

use csv::{Terminator, WriterBuilder};
use serde::{Deserialize, Serialize};

use crate::csv_text::cell;
use crate::predictions::image_cells;
use crate::{Error, Predictions};

/// What a measure says of one map of an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The explanation whose map it is, `GradCAM`; empty for a control that is made of the image alone.
    pub explanation: String,
    /// The control that takes the map's place, `random`, `untrained`; empty for the map itself.
    pub control: String,
    /// The measure: `deletion`.
    pub measure: String,
    /// What the value is of, where the measure has several of a map: a layer, a region, a baseline; else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// The value, if it is defined.
    pub value: Option<f64>,
    /// The value that chance gives, where the measure has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chance: Option<f64>,
    /// Why there is no value: `empty_map`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub undefined: String,
    /// What the value is the area under or the mean of, if it is of scores as pixels are removed: `[share of pixels,
    /// score]`. Not in the table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<[f64; 2]>,
}

const COLUMNS: [&str; 13] = [
    "model",
    "path",
    "fold",
    "label",
    "predicted",
    "outcome",
    "explanation",
    "control",
    "measure",
    "condition",
    "value",
    "chance",
    "undefined",
];

/// The measures of a run, one row for each image, model, map and measure: comma-separated, quoted by RFC 4180, lines
/// ended by `\n`. A value that is not defined is an empty field, and the last column says why.
///
/// # Errors
///
/// What reading a row or writing to `to` gives.
pub fn measures_csv(models: &[Predictions<'_>], to: impl Write) -> Result<(), Error> {
    let mut table = WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(to);
    table.write_record(COLUMNS)?;
    for row in models.iter().flat_map(|model| model.rows.iter()) {
        let row = row?;
        let Some(image) = image_cells(&row) else { continue };
        for one in &row.measurements {
            let own = [&one.explanation, &one.control, &one.measure, &one.condition];
            let cells = (image.iter().cloned())
                .chain(own.into_iter().cloned())
                .chain([one.value, one.chance].map(number))
                .chain([one.undefined.clone()]);
            table.write_record(cells.map(|text| cell(&text).into_owned()))?;
        }
    }
    Ok(table.flush()?)
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{value:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rows;
    use crate::predictions::tests::{failure, prediction};

    #[test]
    fn a_measure_is_a_row() {
        let mut row = prediction("a.png", Some("Pain"));
        let one = Measurement {
            explanation: "GradCAM".to_owned(),
            control: String::new(),
            measure: "energy-inside".to_owned(),
            condition: String::new(),
            value: Some(0.5),
            chance: Some(0.125),
            undefined: String::new(),
            curve: Vec::new(),
        };
        let undefined = Measurement {
            explanation: String::new(),
            control: "random".to_owned(),
            value: None,
            chance: None,
            undefined: "empty_mask".to_owned(),
            ..one.clone()
        };
        row.measurements = vec![one, undefined];
        let rows = [row, failure("b.png")];
        let mut bytes = Vec::new();
        let classes = ["Pain".to_owned(), "No_pain".to_owned()];
        let model = Predictions { classes: &classes, rows: Rows::held(&rows) };
        measures_csv(&[model], &mut bytes).expect("a table in memory");
        let lines = [
            "model,path,fold,label,predicted,outcome,explanation,control,measure,condition,value,chance,undefined",
            "VGG16,a.png,a.png,Pain,Pain,Right,GradCAM,,energy-inside,,0.5,0.125,",
            "VGG16,a.png,a.png,Pain,Pain,Right,,random,energy-inside,,,,empty_mask",
        ];
        assert_eq!(String::from_utf8(bytes).expect("UTF-8"), lines.join("\n") + "\n");
    }
}
