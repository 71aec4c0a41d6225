//! The images of a report, read one at a time, as often as wanted.

use std::fmt;

use serde::{Deserialize, Deserializer};

use crate::document::{
    AttributionReport, ExplanationReport, ImageReport, ModelReport, ResultReport,
};
use crate::measured_map::measured_map;
use burncam_record::{Attribution, Error, Measurement, Prediction, Predictions};

/// The images of a report, by fold and path: held, as a `report.json` gives them, or read from a
/// run's rows when they are asked for, so that memory does not grow with what is known of each.
pub struct Images<'a> {
    source: Source<'a>,
    subject: Option<Box<Subject<'a>>>,
}

enum Source<'a> {
    Held(Vec<ImageReport>),
    Rows { tables: &'a [Predictions<'a>], order: Order, explanations: Explanations },
}

/// By model: the names of its explanations, and their places among the report's.
type Explanations = Vec<Vec<(String, usize)>>;

/// From an image's path to whom it shows.
type Subject<'a> = dyn Fn(&str) -> Option<String> + 'a;

impl<'a> Images<'a> {
    /// Images that lie in memory, sorted by fold and path.
    #[must_use]
    pub fn held(images: Vec<ImageReport>) -> Self {
        Self { source: Source::Held(images), subject: None }
    }

    /// The images of a run's models, in its order. Reads each row once, for its fold and path.
    pub(super) fn of_rows(tables: &'a [Predictions<'a>]) -> Result<Self, Error> {
        let (order, explanations) = (Order::new(tables)?, Vec::new());
        Ok(Self { source: Source::Rows { tables, order, explanations }, subject: None })
    }

    /// From now on, attributions of rows name the explanations of these models by their places.
    pub(super) fn number_explanations(&mut self, models: &[ModelReport]) {
        if let Source::Rows { explanations, .. } = &mut self.source {
            let numbered = |one: &ExplanationReport| (one.spec.name.clone(), one.explanation);
            let model = |model: &ModelReport| model.explanations.iter().map(numbered).collect();
            *explanations = models.iter().map(model).collect();
        }
    }

    /// From now on, `subject` says whom an image shows, from its path.
    pub fn name_subjects(&mut self, subject: impl Fn(&str) -> Option<String> + 'a) {
        self.subject = Some(Box::new(subject));
    }

    /// The number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.source {
            Source::Held(images) => images.len(),
            Source::Rows { order, .. } => order.ends.len(),
        }
    }

    /// Whether there are no images.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All images in order, without how alike their maps are, which takes a while to find: that is
    /// [`Report::compared_images`](super::Report::compared_images).
    ///
    /// # Errors
    ///
    /// Each is the image, or why its rows could not be read.
    pub fn plain(&self) -> impl Iterator<Item = Result<ImageReport, Error>> + '_ {
        (0..self.len()).map(|index| {
            let mut image = match &self.source {
                Source::Held(images) => images[index].clone(),
                Source::Rows { tables, order, explanations } => {
                    from_rows(tables, order.rows_of(index), explanations)?
                }
            };
            if let Some(subject) = &self.subject {
                image.subject = subject(&image.path);
            }
            Ok(image)
        })
    }

    /// The images in memory.
    pub(super) fn into_held(self) -> Result<Vec<ImageReport>, Error> {
        match (self.source, self.subject) {
            (Source::Held(images), None) => Ok(images),
            (source, subject) => Self { source, subject }.plain().collect(),
        }
    }
}

impl fmt::Debug for Images<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} images", self.len())
    }
}

impl<'de> Deserialize<'de> for Images<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::held)
    }
}

/// Which rows are of which image; the images are by fold and path.
struct Order {
    /// Table and row, image by image, by table.
    rows: Vec<[u32; 2]>,
    /// Where each image's rows end.
    ends: Vec<u32>,
}

/// The image of a row: where its fold and its path stand in a text that holds all of them.
#[derive(Clone, Copy)]
struct Key {
    start: usize,
    fold: u32,
    path: u32,
    row: [u32; 2],
}

impl Key {
    fn parts(self, text: &str) -> (&str, &str) {
        text[self.start..][..(self.fold + self.path) as usize].split_at(self.fold as usize)
    }
}

impl Order {
    fn new(tables: &[Predictions<'_>]) -> Result<Self, Error> {
        let mut text = String::new();
        let mut keys: Vec<Key> = Vec::with_capacity(tables.iter().map(|t| t.rows.len()).sum());
        for (table, predictions) in tables.iter().enumerate() {
            for (row, found) in predictions.rows.iter().enumerate() {
                let found = found?;
                // The models of a run explain the same images, mostly in one order.
                let same =
                    keys.get(row).filter(|key| key.parts(&text) == (&found.fold, &found.path));
                let start = same.map_or(text.len(), |key| key.start);
                if same.is_none() {
                    text.push_str(&found.fold);
                    text.push_str(&found.path);
                }
                let [fold, path] = [found.fold.len(), found.path.len()].map(small);
                keys.push(Key { start, fold, path, row: [small(table), small(row)] });
            }
        }
        keys.sort_unstable_by(|a, b| a.parts(&text).cmp(&b.parts(&text)).then(a.row.cmp(&b.row)));
        let (mut rows, mut ends) = (Vec::with_capacity(keys.len()), Vec::new());
        for image in keys.chunk_by(|a, b| a.parts(&text) == b.parts(&text)) {
            rows.extend(image.iter().map(|key| key.row));
            ends.push(small(rows.len()));
        }
        ends.shrink_to_fit();
        Ok(Self { rows, ends })
    }

    fn rows_of(&self, image: usize) -> &[[u32; 2]] {
        let start = image.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.rows[start as usize..self.ends[image] as usize]
    }
}

/// A count of rows or bytes of a name.
fn small(count: usize) -> u32 {
    u32::try_from(count).expect("fewer than four billion rows")
}

fn from_rows(
    tables: &[Predictions<'_>],
    rows: &[[u32; 2]],
    explanations: &Explanations,
) -> Result<ImageReport, Error> {
    let mut image = ImageReport {
        path: String::new(),
        fold: String::new(),
        subject: None,
        eyes_and_mouth: None,
        results: Vec::with_capacity(rows.len()),
        agreement: Vec::new(),
    };
    for &[model, row] in rows {
        let mut row = tables[model as usize].rows.get(row as usize)?;
        image.path = std::mem::take(&mut row.path);
        image.fold = std::mem::take(&mut row.fold);
        image.eyes_and_mouth = image.eyes_and_mouth.or(row.eyes_and_mouth);
        let known = explanations.get(model as usize).map(Vec::as_slice).unwrap_or_default();
        image.results.push(result(row, model as usize, known));
    }
    Ok(image)
}

fn result(row: Prediction, model: usize, explanations: &[(String, usize)]) -> ResultReport {
    let outcome = row.outcome();
    let measurements = row.measurements;
    let report = |attribution| attribution_report(attribution, &measurements, explanations);
    let attributions = row.attributions.into_iter().filter_map(report).collect();
    let (predicted, confidence, probabilities) = match row.classification {
        Some(result) => (Some(result.predicted), Some(result.confidence), result.probabilities),
        None => (None, None, Vec::new()),
    };
    let error = row.error.map(|failure| failure.reason);
    let (run, label) = (0, row.label);
    ResultReport {
        model,
        run,
        label,
        predicted,
        confidence,
        probabilities,
        outcome,
        attributions,
        error,
    }
}

/// An attribution, if its explanation is one of the model's.
fn attribution_report(
    found: Attribution,
    measurements: &[Measurement],
    explanations: &[(String, usize)],
) -> Option<AttributionReport> {
    let (_, explanation) = explanations.iter().find(|(name, _)| *name == found.explanation)?;
    Some(AttributionReport {
        explanation: *explanation,
        target: found.target,
        map_size: [found.map.height, found.map.width],
        map_peak: found.map.argmax.map(|(row, column)| [row, column]),
        map_max: Some(found.map.max).filter(|max| max.is_finite()),
        measured: measured_map(measurements, &found.explanation),
        status: found.map.status,
        map: found.grid,
        cell_max: found.cell_max,
        overlay: found.overlay,
        thumbnail: found.thumbnail,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncam_record::{Classification, Failure, Rows, Stage};

    fn prediction(path: &str) -> Prediction {
        Prediction {
            model: "VGG16".to_owned(),
            path: path.to_owned(),
            fold: path.split('/').next().unwrap_or_default().to_owned(),
            label: None,
            classification: Some(Classification {
                predicted: "Pain".to_owned(),
                confidence: 0.75,
                logits: vec![1.5, -0.25],
                probabilities: vec![0.75, 0.25],
                milliseconds: 1.0,
            }),
            attributions: Vec::new(),
            measurements: Vec::new(),
            eyes_and_mouth: None,
            error: None,
        }
    }

    #[test]
    fn rows_in_any_order_are_images_by_fold_and_path() {
        let rows = |paths: &[&str]| -> Vec<Prediction> {
            paths.iter().map(|path| prediction(path)).collect()
        };
        let first = rows(&["B/1.png", "A b/1.png", "A/2.png", "A/1.png"]);
        let mut second = rows(&["B/1.png", "A/1.png", "C/3.png"]);
        let error = Failure { stage: Stage::Read, reason: "no image".to_owned() };
        second.push(Prediction {
            classification: None,
            error: Some(error),
            ..prediction("A/0.png")
        });
        let tables =
            [&first, &second].map(|rows| Predictions { classes: &[], rows: Rows::held(rows) });
        let mut images = Images::of_rows(&tables).expect("rows");
        images.name_subjects(|path| path.split_once('/').map(|(fold, _)| fold.to_lowercase()));
        let found: Vec<ImageReport> = images.plain().collect::<Result<_, _>>().expect("rows");
        let seen: Vec<(&str, Vec<usize>)> = found
            .iter()
            .map(|image| (image.path.as_str(), image.results.iter().map(|r| r.model).collect()))
            .collect();
        assert_eq!(
            seen,
            [
                ("A/0.png", vec![1]),
                ("A/1.png", vec![0, 1]),
                ("A/2.png", vec![0]),
                ("A b/1.png", vec![0]),
                ("B/1.png", vec![0, 1]),
                ("C/3.png", vec![1]),
            ]
        );
        assert_eq!(found[3].subject.as_deref(), Some("a b"));
        assert!(found[0].results[0].error.is_some() && found[0].results[0].predicted.is_none());
        assert_eq!((images.len(), images.is_empty()), (6, false));
        assert_eq!(images.into_held().expect("rows").len(), 6);
    }
}
