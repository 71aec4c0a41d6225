//! `predictions.csv`: one row for each image and model, with everything that was measured.

use std::borrow::Cow;
use std::fmt::Debug;

use csv::{Terminator, WriterBuilder};

use crate::page::Grid;
use crate::{Error, Outcome};

/// What a run found for one image with one model.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The model's name, as in the tree: `VGG16`.
    pub model: String,
    /// The image's path relative to the data folder, with `/` between components.
    pub path: String,
    /// The fold's name.
    pub fold: String,
    /// The true class, where it is known.
    pub label: Option<String>,
    /// The result, or `None` where the image failed before there was one.
    pub explained: Option<Explained>,
    /// What went wrong, if anything did.
    pub error: Option<String>,
}

/// A classified and explained image.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// The predicted class.
    pub predicted: String,
    /// The probability of the predicted class, in 0..=1.
    pub confidence: f32,
    /// The network's outputs before softmax or sigmoid, one a class.
    pub logits: Vec<f32>,
    /// The probabilities, one a class.
    pub probabilities: Vec<f32>,
    /// The class that the map explains.
    pub target: String,
    /// The layer that the map was made at.
    pub layer: String,
    /// The raw map's measures.
    pub map: MapFacts,
    /// The overlay's path relative to the output folder, with `/`, if one was written.
    pub overlay: Option<String>,
    /// The map on the grid of the report, if it can be read.
    pub grid: Option<Grid>,
    /// The path, relative to the output folder, of a small picture for the report.
    pub thumbnail: Option<String>,
    /// The time that the image took, in milliseconds.
    pub milliseconds: f64,
}

/// The raw map of one image in a few numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct MapFacts {
    /// Height in cells of the layer's grid.
    pub height: usize,
    /// Width in cells of the layer's grid.
    pub width: usize,
    /// The smallest value.
    pub min: f32,
    /// The largest value.
    pub max: f32,
    /// Row and column of the largest value, counted from 0, if there is one.
    pub argmax: Option<(usize, usize)>,
    /// Whether the map says something: `ok`, or why not.
    pub status: String,
}

impl Prediction {
    /// How the prediction compares with the label, or `None` where there is no prediction.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        let explained = self.explained.as_ref()?;
        Some(Outcome::of(self.label.as_deref(), &explained.predicted))
    }

    /// The last component of [`path`](Self::path).
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// The images of one model, and the classes that their numbers belong to.
#[derive(Clone, Copy, Debug)]
pub struct Predictions<'a> {
    /// Names of the model's classes, in the order of its outputs.
    pub classes: &'a [String],
    /// What was found for each image.
    pub rows: &'a [Prediction],
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
/// order given.
///
/// Cells that begin with `=`, `+`, `-` or `@` are written as they are: file and class names are
/// the user's own, and a spreadsheet may take such a name for a formula.
///
/// # Errors
///
/// [`Error::Classes`] if a row has not one logit and one probability for each class of its model.
pub fn predictions_csv(models: &[Predictions<'_>], top: Option<usize>) -> Result<Vec<u8>, Error> {
    let mut table = WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(Vec::new());
    let mut classes: Vec<String> = Vec::new();
    for class in models.iter().flat_map(|model| model.classes) {
        if !classes.contains(class) {
            classes.push(class.clone());
        }
    }
    let columns = columns(&classes, top);
    table.write_record(columns.iter().map(|column| column.as_bytes()))?;
    for model in models {
        let own = |class| model.classes.iter().position(|known| known == class);
        let own: Vec<Option<usize>> = classes.iter().map(own).collect();
        for row in model.rows {
            check(row, model.classes.len())?;
            let values = row.explained.as_ref().map(|explained| match top {
                Some(top) => likeliest(explained, model.classes, top),
                None => by_class(explained, &own),
            });
            let cells = cells(row, values, columns.len());
            table.write_record(&cells)?;
        }
    }
    table.into_inner().map_err(|error| Error::Table(error.into_error().into()))
}

fn check(row: &Prediction, expected: usize) -> Result<(), Error> {
    let Some(explained) = &row.explained else { return Ok(()) };
    for (what, found) in
        [("logits", explained.logits.len()), ("probabilities", explained.probabilities.len())]
    {
        if found != expected {
            return Err(Error::Classes { path: row.path.clone(), what, expected, found });
        }
    }
    Ok(())
}

/// Logits, then probabilities; `classes` has, for each column of a class, the class's place in
/// the model.
fn by_class(explained: &Explained, classes: &[Option<usize>]) -> Vec<String> {
    let of = |values: &[f32], class: Option<usize>| {
        class.and_then(|class| values.get(class)).map_or_else(String::new, |&value| number(value))
    };
    let logits = classes.iter().map(|&class| of(&explained.logits, class));
    let probabilities = classes.iter().map(|&class| of(&explained.probabilities, class));
    logits.chain(probabilities).collect()
}

/// Name, logit and probability of the likeliest classes, of equal ones the first before.
fn likeliest(explained: &Explained, classes: &[String], top: usize) -> Vec<String> {
    let mut order: Vec<usize> = (0..classes.len()).collect();
    order.sort_by(|&a, &b| explained.logits[b].total_cmp(&explained.logits[a]));
    let mut cells: Vec<String> = (order.into_iter().take(top))
        .flat_map(|class| {
            let values = [explained.logits[class], explained.probabilities[class]];
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
    match (&row.explained, values) {
        (Some(explained), Some(values)) => {
            let outcome = Outcome::of(row.label.as_deref(), &explained.predicted);
            result_cells(&mut cells, explained, outcome, values);
        }
        _ => cells.resize(columns - 1, String::new()),
    }
    cells.push(row.error.clone().unwrap_or_default());
    cells
}

fn result_cells(
    cells: &mut Vec<String>,
    explained: &Explained,
    outcome: Outcome,
    values: Vec<String>,
) {
    let map = &explained.map;
    cells.extend([
        explained.predicted.clone(),
        number(explained.confidence),
        outcome.name().to_owned(),
    ]);
    cells.extend(values);
    cells.extend([explained.target.clone(), explained.layer.clone()]);
    cells.extend([map.height.to_string(), map.width.to_string()]);
    cells.extend([number(map.min), number(map.max)]);
    cells.extend([
        map.argmax.map(|(y, _)| y.to_string()).unwrap_or_default(),
        map.argmax.map(|(_, x)| x.to_string()).unwrap_or_default(),
    ]);
    let milliseconds = (explained.milliseconds * 1000.0).round() / 1000.0;
    cells.extend([
        map.status.clone(),
        explained.overlay.clone().unwrap_or_default(),
        number(milliseconds),
    ]);
}

fn number<T: Copy + Debug + Into<f64>>(value: T) -> String {
    if value.into().is_finite() { format!("{value:?}") } else { String::new() }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Explained, MapFacts, Prediction, Predictions, predictions_csv};
    use crate::Error;

    pub(crate) fn prediction(path: &str, label: Option<&str>) -> Prediction {
        Prediction {
            model: "VGG16".to_owned(),
            path: path.to_owned(),
            fold: path.split('/').next().unwrap_or_default().to_owned(),
            label: label.map(str::to_owned),
            explained: Some(Explained {
                predicted: "Pain".to_owned(),
                confidence: 0.75,
                logits: vec![1.5, -0.25],
                probabilities: vec![0.75, 0.25],
                target: "Pain".to_owned(),
                layer: "conv5_3".to_owned(),
                map: MapFacts {
                    height: 14,
                    width: 14,
                    min: -1e-7,
                    max: 0.1,
                    argmax: Some((6, 8)),
                    status: "ok".to_owned(),
                },
                overlay: Some("VGG16_GradCAM/All/Right/VGG16_a.png".to_owned()),
                grid: None,
                thumbnail: None,
                milliseconds: 12.345_678,
            }),
            error: None,
        }
    }

    pub(crate) fn failure(path: &str) -> Prediction {
        let error = Some("cannot decode a.png: \"bad\", it says".to_owned());
        Prediction { explained: None, error, ..prediction(path, None) }
    }

    fn classes() -> Vec<String> {
        vec!["Pain".to_owned(), "No_pain".to_owned()]
    }

    fn table(rows: &[Prediction]) -> String {
        let bytes = predictions_csv(&[Predictions { classes: &classes(), rows }], None)
            .expect("a table in memory");
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
    fn a_failure_has_a_row_too() {
        let row = "VGG16,Fold0/a.png,Fold0,,,,,,,,,,,,,,,,,,,,\
            \"cannot decode a.png: \"\"bad\"\", it says\"\n";
        assert_eq!(table(&[failure("Fold0/a.png")]), format!("{HEADER}{row}"));
    }

    #[test]
    fn numbers_that_are_not_finite_are_empty() {
        let mut row = prediction("Fold0/a.png", None);
        let explained = row.explained.as_mut().expect("a result");
        explained.confidence = f32::NAN;
        explained.logits = vec![f32::INFINITY, f32::NEG_INFINITY];
        explained.map.min = f32::NAN;
        explained.map.argmax = None;
        explained.milliseconds = f64::NAN;
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
        row.explained.as_mut().expect("a result").logits = vec![3.5, 4.5];
        let rows = [prediction("Fold0/a.png", None), row];
        let models = [
            Predictions { classes: &classes(), rows: &rows[..1] },
            Predictions { classes: &other, rows: &rows[1..] },
        ];
        let bytes = predictions_csv(&models, None);
        let text = String::from_utf8(bytes.expect("a table in memory")).expect("UTF-8");
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
        let models = [Predictions { classes: &classes(), rows: &rows }];
        let bytes = predictions_csv(&models, Some(3)).expect("a table in memory");
        let text = String::from_utf8(bytes).expect("UTF-8");
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
    fn every_class_needs_its_numbers() {
        let mut row = prediction("Fold0/a.png", None);
        row.explained.as_mut().expect("a result").logits.pop();
        let result = predictions_csv(&[Predictions { classes: &classes(), rows: &[row] }], None);
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
}
