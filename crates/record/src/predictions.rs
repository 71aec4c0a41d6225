//! `predictions.csv`: one row for each image and model, with everything that was measured, of its first
//! attribution where there are several; `maps.csv`, one row for each attribution; and `failures.csv`, one row
//! for each image that failed.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::io::Write;

use csv::{Terminator, WriterBuilder};

use crate::csv_text::cell;
use crate::{Attribution, Classification, Error, MapMeasures, Prediction, Rows};
use burncam_evaluation::Outcome;

/// The images of one model, and the classes that their numbers belong to.
#[derive(Debug)]
pub struct Predictions<'a> {
    /// Names of the model's classes, in the order of its outputs.
    pub classes: &'a [String],
    /// What was found for each image.
    pub rows: Rows<'a>,
}

/// The columns of `predictions.csv` for these classes, or for the `top` likeliest, in order.
#[must_use]
pub fn columns(classes: &[String], top: Option<usize>) -> Vec<Cow<'static, str>> {
    let mut columns: Vec<Cow<'static, str>> =
        ["model", "path", "fold", "label", "predicted", "confidence", "outcome"]
            .map(Cow::Borrowed)
            .to_vec();
    match top {
        Some(top) => columns.extend((1..=top).flat_map(|place| {
            ["class", "logit", "probability"].map(|what| Cow::Owned(format!("top_{place}_{what}")))
        })),
        None => {
            columns.extend(classes.iter().map(|class| Cow::Owned(format!("logit_{class}"))));
            columns.extend(classes.iter().map(|class| Cow::Owned(format!("probability_{class}"))));
        }
    }
    columns.extend(
        [
            "target",
            "layer",
            "map_height",
            "map_width",
            "map_min",
            "map_max",
            "map_argmax_y",
            "map_argmax_x",
            "map_status",
            "overlay",
            "milliseconds",
            "error",
        ]
        .map(Cow::Borrowed),
    );
    columns
}

/// The table: comma-separated, quoted by RFC 4180, lines ended by `\n`, UTF-8.
///
/// There is a column for each class that one of the models has, or with `top` three for each of
/// the likeliest: name, logit, probability. Numbers have as few digits as
/// tell them apart. A value that is missing or not finite is an empty field. Rows stay in the
/// order given, and are written as they are read.
///
/// A text that a spreadsheet would take for a formula, since it begins with `=`, `+`, `-`, `@`, a tab
/// or a line end and is no number, gets a `'` in front.
///
/// # Errors
///
/// [`Error::Classes`] if a row has not one logit and one probability for each class of its model;
/// what reading a row or writing to `to` gives.
pub fn predictions_csv(
    models: &[Predictions<'_>],
    top: Option<usize>,
    to: impl Write,
) -> Result<(), Error> {
    let mut table = WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(to);
    let mut known = HashSet::new();
    let all = models.iter().flat_map(|model| model.classes);
    let classes: Vec<String> = all.filter(|class| known.insert(*class)).cloned().collect();
    let columns = columns(&classes, top);
    table.write_record(columns.iter().map(|column| column.as_bytes()))?;
    for model in models {
        let places: HashMap<&String, usize> =
            model.classes.iter().enumerate().rev().map(|(place, class)| (class, place)).collect();
        let own: Vec<Option<usize>> =
            classes.iter().map(|class| places.get(class).copied()).collect();
        for row in model.rows.iter() {
            let row = row?;
            check(&row, model.classes.len())?;
            let values = row.classification.as_ref().map(|result| match top {
                Some(top) => likeliest(result, model.classes, top),
                None => by_class(result, &own),
            });
            let cells = cells(&row, values, columns.len());
            table.write_record(cells.iter().map(|text| cell(text).into_owned()))?;
        }
    }
    Ok(table.flush()?)
}

/// The failures of a run: `model,path,fold,stage,reason`, one row for each image and model that has
/// no result, as [`predictions_csv`] writes its rows.
///
/// # Errors
///
/// What reading a row or writing to `to` gives.
pub fn failures_csv(models: &[Predictions<'_>], to: impl Write) -> Result<(), Error> {
    let mut table = WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(to);
    table.write_record(["model", "path", "fold", "stage", "reason"])?;
    for row in models.iter().flat_map(|model| model.rows.iter()) {
        let row = row?;
        let Some(failure) = &row.error else { continue };
        let cells = [&row.model, &row.path, &row.fold, failure.stage.name(), &failure.reason];
        table.write_record(cells.map(cell).iter().map(|text| text.as_bytes()))?;
    }
    Ok(table.flush()?)
}

fn check(row: &Prediction, expected: usize) -> Result<(), Error> {
    let Some(result) = &row.classification else { return Ok(()) };
    for (what, found) in
        [("logits", result.logits.len()), ("probabilities", result.probabilities.len())]
    {
        if found != expected {
            return Err(Error::Classes { path: row.path.clone(), what, expected, found });
        }
    }
    Ok(())
}

/// Logits, then probabilities; `classes` has, for each column of a class, the class's place in
/// the model.
fn by_class(result: &Classification, classes: &[Option<usize>]) -> Vec<String> {
    let of = |values: &[f32], class: Option<usize>| {
        class.and_then(|class| values.get(class)).map_or_else(String::new, |&value| number(value))
    };
    let logits = classes.iter().map(|&class| of(&result.logits, class));
    let probabilities = classes.iter().map(|&class| of(&result.probabilities, class));
    logits.chain(probabilities).collect()
}

/// Name, logit and probability of the likeliest classes, of equal ones the first before.
fn likeliest(result: &Classification, classes: &[String], top: usize) -> Vec<String> {
    let mut order: Vec<usize> = (0..classes.len()).collect();
    order.sort_by(|&a, &b| result.logits[b].total_cmp(&result.logits[a]));
    let mut cells: Vec<String> = (order.into_iter().take(top))
        .flat_map(|class| {
            let values = [result.logits[class], result.probabilities[class]];
            let [logit, probability] = values.map(number);
            [classes[class].clone(), logit, probability]
        })
        .collect();
    cells.resize(3 * top, String::new());
    cells
}

/// The cells of a row, given those of its classes.
fn cells(row: &Prediction, values: Option<Vec<String>>, columns: usize) -> Vec<String> {
    let label = row.label.clone().unwrap_or_default();
    let mut cells = vec![row.model.clone(), row.path.clone(), row.fold.clone(), label];
    if let (Some(result), Some(values)) = (&row.classification, values) {
        let outcome = Outcome::compare(row.label.as_deref(), &result.predicted);
        cells.extend([
            result.predicted.clone(),
            number(result.confidence),
            outcome.name().to_owned(),
        ]);
        cells.extend(values);
        if let Some(attribution) = row.attributions.first() {
            cells.extend([attribution.target.clone(), attribution.layers.join("+")]);
            cells.extend(map_cells(&attribution.map));
            cells.push(attribution.overlay.clone().unwrap_or_default());
        }
        // The time and the error come last.
        cells.resize(columns - 2, String::new());
        cells.push(number((result.milliseconds * 1000.0).round() / 1000.0));
    }
    cells.resize(columns - 1, String::new());
    cells.push(row.error.as_ref().map(|failure| failure.reason.clone()).unwrap_or_default());
    cells
}

/// Height, width, smallest and largest value, row and column of that, status.
fn map_cells(map: &MapMeasures) -> [String; 7] {
    let place = |place: Option<usize>| place.map(|place| place.to_string()).unwrap_or_default();
    [
        map.height.to_string(),
        map.width.to_string(),
        number(map.min),
        number(map.max),
        place(map.argmax.map(|(row, _)| row)),
        place(map.argmax.map(|(_, column)| column)),
        map.status.clone(),
    ]
}

/// The columns of `maps.csv`.
const MAP_COLUMNS: [&str; 19] = [
    "model",
    "path",
    "fold",
    "label",
    "predicted",
    "outcome",
    "explanation",
    "method",
    "layer",
    "target",
    "map_height",
    "map_width",
    "map_min",
    "map_max",
    "map_argmax_y",
    "map_argmax_x",
    "map_status",
    "overlay",
    "map_file",
];

/// The attributions of a run, one row each, as [`predictions_csv`] writes its rows. Several layers of one map
/// are joined by `+`.
///
/// # Errors
///
/// What reading a row or writing to `to` gives.
pub fn maps_csv(models: &[Predictions<'_>], to: impl Write) -> Result<(), Error> {
    let mut table = WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(to);
    table.write_record(MAP_COLUMNS)?;
    for row in models.iter().flat_map(|model| model.rows.iter()) {
        let row = row?;
        let Some(image) = image_cells(&row) else { continue };
        for attribution in &row.attributions {
            let Attribution { explanation, method, layers, target, map, .. } = attribution;
            let layers = layers.join("+");
            let texts = [explanation, method, &layers, target];
            let files = [&attribution.overlay, &attribution.file];
            let cells = (image.iter().cloned())
                .chain(texts.into_iter().cloned())
                .chain(map_cells(map))
                .chain(files.map(|file| file.clone().unwrap_or_default()));
            table.write_record(cells.map(|text| cell(&text).into_owned()))?;
        }
    }
    Ok(table.flush()?)
}

/// Model, path, fold, label, predicted class and outcome of an image that has a result: what rows of its maps begin with.
pub(crate) fn image_cells(row: &Prediction) -> Option<[String; 6]> {
    let predicted = &row.classification.as_ref()?.predicted;
    let outcome = Outcome::compare(row.label.as_deref(), predicted);
    let label = row.label.as_deref().unwrap_or_default();
    let cells = [&row.model, &row.path, &row.fold, label, predicted, outcome.name()];
    Some(cells.map(str::to_owned))
}

fn number<T: Copy + Debug + Into<f64>>(value: T) -> String {
    if value.into().is_finite() { format!("{value:?}") } else { String::new() }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Predictions, failures_csv, maps_csv, predictions_csv};
    use crate::{
        Attribution, Classification, Error, Failure, MapMeasures, Prediction, Rows, Stage,
    };

    pub(crate) fn prediction(path: &str, label: Option<&str>) -> Prediction {
        Prediction {
            model: "VGG16".to_owned(),
            path: path.to_owned(),
            fold: path.split('/').next().unwrap_or_default().to_owned(),
            label: label.map(str::to_owned),
            classification: Some(Classification {
                predicted: "Pain".to_owned(),
                confidence: 0.75,
                logits: vec![1.5, -0.25],
                probabilities: vec![0.75, 0.25],
                milliseconds: 12.345_678,
            }),
            attributions: vec![attribution("GradCAM")],
            measurements: Vec::new(),
            eyes_and_mouth: None,
            error: None,
        }
    }

    fn attribution(explanation: &str) -> Attribution {
        Attribution {
            explanation: explanation.to_owned(),
            method: "grad-cam".to_owned(),
            layers: vec!["conv5_3".to_owned()],
            target: "Pain".to_owned(),
            map: MapMeasures {
                height: 14,
                width: 14,
                min: -1e-7,
                max: 0.1,
                argmax: Some((6, 8)),
                own_top: None,
                status: "ok".to_owned(),
            },
            grid: None,
            cell_max: None,
            top: None,
            overlay: Some(format!("VGG16_{explanation}/All/Right/VGG16_a.png")),
            thumbnail: None,
            file: None,
        }
    }

    pub(crate) fn failure(path: &str) -> Prediction {
        let reason = "cannot decode a.png: \"bad\", it says".to_owned();
        let error = Some(Failure { stage: Stage::Read, reason });
        let (classification, attributions) = (None, Vec::new());
        Prediction { classification, attributions, error, ..prediction(path, None) }
    }

    fn classes() -> Vec<String> {
        vec!["Pain".to_owned(), "No_pain".to_owned()]
    }

    fn table(rows: &[Prediction]) -> String {
        text(&[Predictions { classes: &classes(), rows: Rows::held(rows) }], None)
    }

    fn text(models: &[Predictions<'_>], top: Option<usize>) -> String {
        let mut bytes = Vec::new();
        predictions_csv(models, top, &mut bytes).expect("a table in memory");
        String::from_utf8(bytes).expect("UTF-8")
    }

    const HEADER: &str = "model,path,fold,label,predicted,confidence,outcome,logit_Pain,\
        logit_No_pain,probability_Pain,probability_No_pain,target,layer,map_height,map_width,\
        map_min,map_max,map_argmax_y,map_argmax_x,map_status,overlay,milliseconds,error\n";

    #[test]
    fn a_row_has_every_measure() {
        let row = "VGG16,Fold0/a.png,Fold0,Pain,Pain,0.75,Right,1.5,-0.25,0.75,0.25,Pain,\
            conv5_3,14,14,-1e-7,0.1,6,8,ok,VGG16_GradCAM/All/Right/VGG16_a.png,12.346,\n";
        assert_eq!(table(&[prediction("Fold0/a.png", Some("Pain"))]), format!("{HEADER}{row}"));
    }

    #[test]
    fn every_attribution_has_a_row() {
        let mut row = prediction("Fold0/a.png", Some("No_pain"));
        row.attributions.push(attribution("HiResCAM"));
        let rows = [row, failure("Fold0/b.png")];
        let mut bytes = Vec::new();
        let models = [Predictions { classes: &classes(), rows: Rows::held(&rows) }];
        maps_csv(&models, &mut bytes).expect("a table in memory");
        let text = String::from_utf8(bytes).expect("UTF-8");
        let row = |name: &str| {
            format!(
                "VGG16,Fold0/a.png,Fold0,No_pain,Pain,Wrong,{name},grad-cam,conv5_3,Pain,14,14,-1e-7,0.1,6,\
                 8,ok,VGG16_{name}/All/Right/VGG16_a.png,"
            )
        };
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(lines, [row("GradCAM"), row("HiResCAM")]);
    }

    #[test]
    fn a_failure_has_a_row_too() {
        let row = "VGG16,Fold0/a.png,Fold0,,,,,,,,,,,,,,,,,,,,\
            \"cannot decode a.png: \"\"bad\"\", it says\"\n";
        assert_eq!(table(&[failure("Fold0/a.png")]), format!("{HEADER}{row}"));
    }

    #[test]
    fn numbers_that_are_not_finite_are_empty() {
        let mut row = prediction("Fold0/a.png", None);
        let result = row.classification.as_mut().expect("a result");
        result.confidence = f32::NAN;
        result.logits = vec![f32::INFINITY, f32::NEG_INFINITY];
        result.milliseconds = f64::NAN;
        let map = &mut row.attributions[0].map;
        (map.min, map.argmax) = (f32::NAN, None);
        let text = table(&[row]).to_lowercase();
        let cells: Vec<&str> = text.lines().nth(1).expect("a row").split(',').collect();
        assert_eq!(cells.len(), 23);
        assert!(!cells.iter().any(|cell| cell.contains("nan") || cell.contains("inf")), "{text}");
        assert_eq!(cells[6], "unknown");
    }

    #[test]
    fn models_with_other_classes_have_their_own_columns() {
        let other = ["No_pain", "Crying"].map(str::to_owned);
        let mut row = prediction("Fold0/a.png", None);
        row.classification.as_mut().expect("a result").logits = vec![3.5, 4.5];
        let rows = [prediction("Fold0/a.png", None), row];
        let models = [
            Predictions { classes: &classes(), rows: Rows::held(&rows[..1]) },
            Predictions { classes: &other, rows: Rows::held(&rows[1..]) },
        ];
        let text = text(&models, None);
        let logits: Vec<Vec<&str>> =
            text.lines().map(|line| line.split(',').skip(7).take(3).collect()).collect();
        assert_eq!(
            logits,
            [
                ["logit_Pain", "logit_No_pain", "logit_Crying"],
                ["1.5", "-0.25", ""],
                ["", "3.5", "4.5"]
            ]
        );
    }

    #[test]
    fn the_likeliest_classes_can_stand_alone() {
        let rows = [prediction("Fold0/a.png", None), failure("Fold0/b.png")];
        let models = [Predictions { classes: &classes(), rows: Rows::held(&rows) }];
        let text = text(&models, Some(3));
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!(lines[0][7..10], ["top_1_class", "top_1_logit", "top_1_probability"]);
        assert_eq!(
            lines[1][7..17],
            ["Pain", "1.5", "0.75", "No_pain", "-0.25", "0.25", "", "", "", "Pain"]
        );
        assert_eq!((lines[0].len(), lines[1].len()), (28, 28));
        // The error has a comma of its own.
        assert_eq!(lines[2].len(), 29);
    }

    #[test]
    fn a_hundred_thousand_classes_have_their_numbers() {
        let classes: Vec<String> = (0..100_000).map(|class| format!("class {class}")).collect();
        let mut row = prediction("Fold0/a.png", None);
        let result = row.classification.as_mut().expect("a result");
        result.logits = (0..classes.len()).map(|class| class as f32).collect();
        result.probabilities = vec![0.5; classes.len()];
        let rows = [row];
        let models = [Predictions { classes: &classes, rows: Rows::held(&rows) }];
        assert!(text(&models, None).contains(",99998.0,99999.0,0.5,"));
    }

    #[test]
    fn every_class_needs_its_numbers() {
        let mut row = prediction("Fold0/a.png", None);
        row.classification.as_mut().expect("a result").logits.pop();
        let rows = [row];
        let models = [Predictions { classes: &classes(), rows: Rows::held(&rows) }];
        let result = predictions_csv(&models, None, Vec::new());
        assert!(matches!(
            result,
            Err(Error::Classes { what: "logits", expected: 2, found: 1, .. })
        ));
    }

    #[test]
    fn the_file_name_is_the_last_component() {
        assert_eq!(prediction("Fold0/deep/a.png", None).file_name(), "a.png");
        assert_eq!(prediction("a.png", None).file_name(), "a.png");
    }

    /// Names that a spreadsheet would compute.
    const FORMULAS: [&str; 5] = ["=cmd()", "+1+1", "@x", "-2+3", "\t=1"];

    #[test]
    fn no_text_is_a_formula_and_numbers_are_numbers() {
        for formula in FORMULAS {
            let mut row = prediction(formula, Some(formula));
            row.model = formula.to_owned();
            row.attributions[0].target = formula.to_owned();
            let result = row.classification.as_mut().expect("a result");
            result.predicted = formula.to_owned();
            let text = table(&[row]);
            let mut cells = text.lines().nth(1).expect("a row").split(',');
            let quoted = cells.clone().filter(|cell| *cell == format!("'{formula}"));
            assert_eq!(quoted.count(), 6, "{text}");
            assert!(!cells.any(|cell| cell == formula), "{text}");
            assert!(text.contains(",-0.25,") && text.contains(",-1e-7,"), "{text}");
        }
        assert!(table(&[prediction("-1", None)]).contains("\nVGG16,-1,-1,"));
    }

    #[test]
    fn failures_have_a_table_of_their_own() {
        let mut late = failure("Fold1/=1+1.png");
        late.model = "NCNN".to_owned();
        late.error = Some(Failure { stage: Stage::Write, reason: "@disk, full".to_owned() });
        let rows = [prediction("Fold0/a.png", None), failure("Fold0/b.png"), late];
        let of = |rows| Predictions { classes: &[], rows: Rows::held(rows) };
        let mut bytes = Vec::new();
        failures_csv(&[of(&rows[..2]), of(&rows[2..])], &mut bytes).expect("a table in memory");
        let expected = "model,path,fold,stage,reason\n\
            VGG16,Fold0/b.png,Fold0,read,\"cannot decode a.png: \"\"bad\"\", it says\"\n\
            NCNN,Fold1/=1+1.png,Fold1,write,\"'@disk, full\"\n";
        assert_eq!(String::from_utf8(bytes).expect("UTF-8"), expected);
    }

    #[test]
    fn a_row_that_cannot_be_read_ends_the_table() {
        let rows = Rows::new(2, |_| Err(Error::Nothing));
        let models = [Predictions { classes: &classes(), rows }];
        for result in
            [predictions_csv(&models, None, Vec::new()), failures_csv(&models, Vec::new())]
        {
            assert!(matches!(result, Err(Error::Nothing)));
        }
    }
}
