//! `report.json`: everything that the page shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Images, homes, maps};
use crate::on_face::OnFace;
use burncam_evaluation::Grid;
use burncam_evaluation::{Bin, Histogram, Interval, MeanSd, Resampling, Scores, TTest};
use burncam_evaluation::{Outcome, Peaks};
use burncam_record::{Error, ExplanationSpec, Run};
use burncam_trust::Trust;

/// The version of the file's layout.
pub const SCHEMA: u32 = 2;

/// What one or several runs found. [`report_json`](super::report_json) writes it, images included.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report<'a> {
    /// The version of this layout, [`SCHEMA`].
    pub schema: u32,
    /// What was asked of the report.
    pub settings: Settings,
    /// The runs, in the order given.
    pub runs: Vec<Source>,
    /// The true classes of the images.
    pub true_classes: TrueClasses,
    /// The explanations, by their title. Attributions name them by their place here; those of several models
    /// that have one title are compared.
    pub explanations: Vec<String>,
    /// The models. Results name them by their place here.
    pub models: Vec<ModelReport>,
    /// Pairs of models over the folds that both have.
    pub comparisons: Vec<Comparison>,
    /// Pairs of models over the images on which both were judged.
    #[serde(default)]
    pub discordance: Vec<Discordance>,
    /// Pairs of models over the images that both explain in the same way.
    pub agreement: Vec<Agreement>,
    /// The mean photograph, on which mean maps by eyes and mouth are drawn: a data URI of a grey PNG.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_face: Option<String>,
    /// The images, by fold and path.
    #[serde(skip_serializing)]
    pub images: Images<'a>,
}

/// How many models are compared in pairs at most: 2016 pairs. Of more, no pair is.
pub const MOST_COMPARED: usize = 64;

impl Report<'_> {
    /// Whether its models are few enough to be compared in pairs.
    #[must_use]
    pub fn is_compared(&self) -> bool {
        self.models.len() <= MOST_COMPARED
    }

    /// Takes home folders out of what the runs recorded, since a page is sent to others. `home` is the
    /// user's own; others are told by where systems have them.
    pub fn hide_homes(&mut self, home: Option<&str>) {
        self.runs.iter_mut().for_each(|source| homes::hide_homes(&mut source.run, home));
    }

    /// All images in order, each with how alike its maps are, if models are compared.
    ///
    /// # Errors
    ///
    /// Each is the image, or why its rows could not be read.
    pub fn compared_images(&self) -> impl Iterator<Item = Result<ImageReport, Error>> + '_ {
        let compared = self.is_compared();
        self.images.plain().map(move |image| {
            let mut image = image?;
            image.agreement = if compared { maps::pairs(&image) } else { Vec::new() };
            Ok(image)
        })
    }
}

/// What was asked of the report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The positive class that was asked for; without, each model has its own.
    pub positive: Option<String>,
    /// The rule that reads subjects, in words.
    pub subject: Option<String>,
    /// The page's title, if one was asked for.
    pub title: Option<String>,
    /// How intervals are made.
    pub resampling: Resampling,
}

/// A run, and where its files are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The run's folder as seen from the page's, with `/`, or `.`.
    pub folder: String,
    /// The name of its data folder, where the folder's path does not end in it.
    pub data: Option<String>,
    /// The record of the run, as in `run.json`, with `~` for home folders.
    pub run: Run,
}

/// How many images are of which true class. An image whose models have other classes counts by the
/// first that knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrueClasses {
    /// The images of each class.
    pub images: BTreeMap<String, usize>,
    /// The images without one.
    pub unknown: usize,
}

impl TrueClasses {
    /// The class, if all images with a true class are of one.
    #[must_use]
    pub fn only_class(&self) -> Option<&str> {
        let mut classes = self.images.keys();
        classes.next().filter(|_| classes.next().is_none()).map(String::as_str)
    }

    /// Counts one more image.
    pub(super) fn add(&mut self, image: &ImageReport) {
        match image.results.iter().find_map(|result| result.label.as_ref()) {
            Some(class) => match self.images.get_mut(class) {
                Some(count) => *count += 1,
                None => _ = self.images.insert(class.clone(), 1),
            },
            None => self.unknown += 1,
        }
    }
}

/// A model, and how good it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelReport {
    /// Its name.
    pub name: String,
    /// Where it comes from: `[run, model of that run]`, as indices.
    pub sources: Vec<[usize; 2]>,
    /// Its classes, in the order of its outputs.
    pub classes: Vec<String>,
    /// The class that sensitivity, specificity, AUC, F1 and Brier score are about.
    pub positive: Option<String>,
    /// Whether each fold was explained by a network of its own.
    pub network_per_fold: bool,
    /// Images, failed ones included.
    pub images: usize,
    /// Images without a result.
    pub failed: usize,
    /// Images with a result and a true class: all measures are about these.
    pub judged: usize,
    /// Images with a result and no true class.
    pub unknown: usize,
    /// How its images are explained.
    pub explanations: Vec<ExplanationReport>,
    /// The measures over all judged images.
    pub scores: Scores,
    /// An interval for each measure that has one.
    pub intervals: BTreeMap<String, Interval>,
    /// What the intervals take as independent: `subject` or `image`.
    pub unit: String,
    /// How many of them there are.
    pub units: usize,
    /// The measures by fold.
    pub folds: Vec<FoldReport>,
    /// Mean and standard deviation over folds, by measure.
    pub over_folds: BTreeMap<String, MeanSd>,
    /// How often each class was taken for each.
    pub confusion: Confusion,
    /// The corners of the ROC curve: `[1 - specificity, sensitivity]`. There may be one for every image,
    /// so copies share them.
    pub roc: Arc<[[f64; 2]]>,
    /// Confidence and accuracy by bin of confidence.
    pub reliability: Vec<Bin>,
    /// How many images have which confidence.
    pub histogram: Histogram,
    /// Whether its maps may be believed, where that was measured. Models of several runs have none until it is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<Trust>,
}

/// An explanation of a model, and what its maps have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplanationReport {
    /// The place of its title among the report's explanations.
    pub explanation: usize,
    /// The method and its layers.
    #[serde(flatten)]
    pub spec: ExplanationSpec,
    /// The number of maps with each status.
    pub by_status: BTreeMap<String, usize>,
    /// Where the maps that can be read have their largest value.
    pub peaks: Peaks,
    /// Mean maps by class, outcome and fold.
    pub mean_maps: Vec<MeanMap>,
}

impl ExplanationReport {
    /// An explanation without maps yet.
    pub(super) fn new(explanation: usize, spec: ExplanationSpec) -> Self {
        Self {
            explanation,
            spec,
            by_status: BTreeMap::new(),
            peaks: Peaks::default(),
            mean_maps: Vec::new(),
        }
    }
}

/// The measures of one fold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoldReport {
    /// The fold.
    pub fold: String,
    /// Its images, failed ones included.
    pub images: usize,
    /// Those with a result and a true class.
    pub judged: usize,
    /// Their measures.
    pub scores: Scores,
}

/// How often each true class was taken for each class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// The classes that occur as true or predicted class, in the model's order.
    pub classes: Vec<String>,
    /// A row for each true class, a column for each predicted one.
    pub counts: Vec<Vec<usize>>,
}

/// The mean of readable maps, each divided by its largest value before, or cell by size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanMap {
    /// The true class; where it is not known, the predicted one.
    pub class: String,
    /// Whether the predictions are right.
    pub outcome: Outcome,
    /// The fold; nothing for all folds together.
    pub fold: Option<String>,
    /// The number of maps.
    pub maps: usize,
    /// The mean, on the grid.
    pub map: Grid,
    /// The mean on one face, over all folds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_face: Option<OnFace>,
}

/// Two models over the folds that both have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The first model.
    pub first: usize,
    /// The second one.
    pub second: usize,
    /// The measure that is compared.
    pub measure: String,
    /// The test.
    pub test: TTest,
    /// Its `p`, corrected for the number of pairs.
    pub p_holm: Option<f64>,
}

/// Two models over the images on which both were judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Discordance {
    /// The first model.
    pub first: usize,
    /// The second one.
    pub second: usize,
    /// These images.
    pub images: usize,
    /// Those on which only the first is right.
    pub first_only: usize,
    /// Those on which only the second is right.
    pub second_only: usize,
    /// McNemar's exact p.
    pub p: Option<f64>,
    /// It, corrected for the number of pairs.
    pub p_holm: Option<f64>,
}

/// How alike the maps of two models are, over the images where both can be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// The explanation.
    pub explanation: usize,
    /// The first model.
    pub first: usize,
    /// The second one.
    pub second: usize,
    /// Spearman's rank correlation, over images (where it says `folds`, images are meant).
    pub spearman: MeanSd,
    /// The overlap of the strongest tenth, over images.
    pub overlap: MeanSd,
    /// The structural similarity, over images.
    #[serde(default)]
    pub ssim: MeanSd,
}

/// One image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageReport {
    /// Its path in the data folder.
    pub path: String,
    /// Its fold.
    pub fold: String,
    /// Whom it shows, if that is known.
    pub subject: Option<String>,
    /// Where the eye on the left, that on the right and the mouth are, as shares of width and height.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eyes_and_mouth: Option<[[f64; 2]; 3]>,
    /// What the models found, by model.
    pub results: Vec<ResultReport>,
    /// How alike the maps are, pair by pair.
    pub agreement: Vec<Pair>,
}

/// What a model found for an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultReport {
    /// The model.
    pub model: usize,
    /// The run.
    pub run: usize,
    /// The true class, if it is known.
    pub label: Option<String>,
    /// The predicted class; nothing where the image failed.
    pub predicted: Option<String>,
    /// The probability of the predicted class.
    pub confidence: Option<f32>,
    /// The probabilities, in the order of the model's classes.
    pub probabilities: Vec<f32>,
    /// Whether the prediction is right.
    pub outcome: Option<Outcome>,
    /// One for each explanation of the model; none where the image failed.
    pub attributions: Vec<AttributionReport>,
    /// What went wrong, if anything did.
    pub error: Option<String>,
}

/// What an explanation shows of an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributionReport {
    /// The explanation.
    pub explanation: usize,
    /// The class that the map explains.
    pub target: String,
    /// Whether the map can be read: `ok`, or why not.
    pub status: String,
    /// The largest value of the raw map, where it is finite.
    pub map_max: Option<f32>,
    /// Height and width of the raw map in cells.
    pub map_size: [usize; 2],
    /// Row and column of its largest value, counted from 0; of equal ones the first.
    pub map_peak: Option<[usize; 2]>,
    /// The map, divided by its largest value, or cell by size, on the grid.
    pub map: Option<Grid>,
    /// What its cells were divided by, where that is not the map's largest value: the largest cell by size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell_max: Option<f32>,
    /// What was measured of it, if anything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Box<MeasuredMap>>,
    /// The overlay's path in the run's folder.
    pub overlay: Option<String>,
    /// The path, in the run's folder, of a small picture of original, map and overlay.
    pub thumbnail: Option<String>,
}

/// What was measured of a map.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MeasuredMap {
    /// By measure: its value, of measures that have one of a map and say which values are better.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub measures: BTreeMap<String, f32>,
    /// By region of the face: its share of the map, and of the picture.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub regions: BTreeMap<String, [f32; 2]>,
    /// The region in which the map is highest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_region: Option<String>,
}

/// Two models on one image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The explanation.
    pub explanation: usize,
    /// The first model.
    pub first: usize,
    /// The second one.
    pub second: usize,
    /// Spearman's rank correlation of their maps.
    pub spearman: Option<f64>,
    /// The overlap of their strongest tenths.
    pub overlap: Option<f64>,
    /// Their structural similarity.
    #[serde(default)]
    pub ssim: Option<f64>,
}
