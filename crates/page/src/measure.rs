//! The measures of a model, from its images one by one.

use std::collections::{BTreeMap, HashMap};

use crate::document::{
    AttributionReport, Confusion, FoldReport, ImageReport, ModelReport, ResultReport,
};
use crate::maps::{MeanMaps, OK};
use burncam_evaluation::{Case, Cases, Histogram, MEASURES, MeanSd, Resampling, Sample, intervals};
use burncam_evaluation::{Outcome, Peaks};

/// The class that is positive unless another is asked for.
const PAIN: &str = "Pain";

/// The positive class: the one asked for, `Pain`, or the first of two.
fn positive(classes: &[String], asked: Option<&str>) -> Option<usize> {
    let named = |name: &str| classes.iter().position(|class| class.eq_ignore_ascii_case(name));
    match asked {
        Some(name) => named(name),
        None => named(PAIN).or_else(|| (classes.len() == 2).then_some(0)),
    }
}

/// What is kept of the maps of an explanation.
#[derive(Default)]
struct Maps {
    by_status: BTreeMap<String, usize>,
    peaks: Peaks,
    means: MeanMaps,
}

impl Maps {
    fn add(&mut self, image: &ImageReport, result: &ResultReport, attribution: &AttributionReport) {
        let AttributionReport { status, map_size: [height, width], map_peak, .. } = attribution;
        *self.by_status.entry(status.clone()).or_default() += 1;
        if let Some([row, column]) = map_peak.filter(|_| status == OK) {
            self.peaks.add((*height, *width), (row, column));
        }
        self.means.add(image, result, attribution);
    }
}

/// What is kept of a model's images while they pass: counts, and some 40 bytes of each judged one.
pub(super) struct Measured {
    classes: Vec<String>,
    /// The first place of each class.
    class_places: HashMap<String, usize>,
    positive: Option<usize>,
    images: usize,
    failed: usize,
    unknown: usize,
    histogram: Histogram,
    /// By the place of the explanation.
    maps: BTreeMap<usize, Maps>,
    /// By name: the fold's number, and its images.
    folds: BTreeMap<String, (usize, usize)>,
    cases: Cases,
    /// The fold of each case.
    case_folds: Vec<u32>,
    /// By name: the subject's number.
    subjects: BTreeMap<String, u32>,
    /// The subject of each case, while all have one.
    case_subjects: Option<Vec<u32>>,
}

impl Measured {
    /// Before the first image.
    pub(super) fn new(model: &ModelReport, asked: Option<&str>) -> Self {
        let positive = positive(&model.classes, asked);
        Self {
            classes: model.classes.clone(),
            class_places: (model.classes.iter().enumerate().rev())
                .map(|(place, class)| (class.clone(), place))
                .collect(),
            positive,
            images: 0,
            failed: 0,
            unknown: 0,
            histogram: Histogram::from_confidences([]),
            maps: BTreeMap::new(),
            folds: BTreeMap::new(),
            cases: Cases::new(model.classes.len(), positive),
            case_folds: Vec::new(),
            subjects: BTreeMap::new(),
            case_subjects: Some(Vec::new()),
        }
    }

    /// Counts what the model found for an image.
    pub(super) fn add(&mut self, image: &ImageReport, result: &ResultReport) {
        self.images += 1;
        self.failed += usize::from(result.predicted.is_none());
        self.unknown += usize::from(result.outcome == Some(Outcome::Unknown));
        if let Some(confidence) = result.confidence {
            let right = result.label.as_ref().map(|label| Some(label) == result.predicted.as_ref());
            self.histogram.add(confidence, right);
        }
        for attribution in &result.attributions {
            let maps = self.maps.entry(attribution.explanation).or_default();
            maps.add(image, result, attribution);
        }
        let known = self.folds.len();
        let fold = self.folds.entry(image.fold.clone()).or_insert((known, 0));
        fold.1 += 1;
        let fold = fold.0;
        if let Some(case) = case(&self.class_places, self.classes.len(), result) {
            self.cases.add(case);
            self.case_folds.push(fold as u32);
            self.add_subject(image.subject.as_deref());
        }
    }

    fn add_subject(&mut self, subject: Option<&str>) {
        let Some(subject) = subject else {
            (self.case_subjects, self.subjects) = (None, BTreeMap::new());
            return;
        };
        let Some(cases) = &mut self.case_subjects else { return };
        let number = match self.subjects.get(subject) {
            Some(&number) => number,
            None => {
                let number = self.subjects.len() as u32;
                self.subjects.insert(subject.to_owned(), number);
                number
            }
        };
        cases.push(number);
    }

    /// After the last image: writes every measure into the model's report.
    pub(super) fn finish(mut self, model: &mut ModelReport, how: &Resampling) {
        let cases = std::mem::take(&mut self.cases);
        let all = cases.sample();
        model.positive = self.positive.map(|class| self.classes[class].clone());
        (model.images, model.failed, model.unknown) = (self.images, self.failed, self.unknown);
        model.judged = all.len();
        model.scores = all.scores();
        model.roc = all.roc().into();
        model.reliability = all.reliability();
        model.confusion = confusion(&all, &self.classes);
        let subjects = self.subjects();
        model.unit = if subjects.is_some() { "subject" } else { "image" }.to_owned();
        model.units = if subjects.is_some() { self.subjects.len() } else { all.len() };
        let named = MEASURES.iter().zip(intervals(&all, subjects.as_deref(), how));
        model.intervals =
            named.filter_map(|(name, interval)| Some(((*name).to_owned(), interval?))).collect();
        model.folds = self.folds(&all);
        model.over_folds = over_folds(&model.folds);
        model.histogram = self.histogram;
        for explanation in &mut model.explanations {
            let maps = self.maps.remove(&explanation.explanation).unwrap_or_default();
            explanation.by_status = maps.by_status;
            explanation.peaks = maps.peaks;
            explanation.mean_maps = maps.means.finish(explanation.spec.values);
        }
    }

    /// The subject of each case, numbered by name, where each has one.
    fn subjects(&self) -> Option<Vec<usize>> {
        let cases = self.case_subjects.as_ref().filter(|cases| !cases.is_empty())?;
        let mut places = vec![0; self.subjects.len()];
        for (place, &number) in self.subjects.values().enumerate() {
            places[number as usize] = place;
        }
        Some(cases.iter().map(|&number| places[number as usize]).collect())
    }

    fn folds(&self, all: &Sample) -> Vec<FoldReport> {
        let mut cases = vec![Vec::new(); self.folds.len()];
        for (case, &fold) in self.case_folds.iter().enumerate() {
            cases[fold as usize].push(case);
        }
        let one = |(fold, &(number, images)): (&String, &(usize, usize))| {
            let sample = all.part(&cases[number]);
            let (judged, scores) = (sample.len(), sample.scores());
            FoldReport { fold: fold.clone(), images, judged, scores }
        };
        self.folds.iter().map(one).collect()
    }
}

/// True and predicted class as indices, where both are known.
fn case<'a>(
    places: &HashMap<String, usize>,
    classes: usize,
    result: &'a ResultReport,
) -> Option<Case<'a>> {
    let index = |name: &Option<String>| places.get(name.as_ref()?).copied();
    if result.probabilities.len() != classes {
        return None;
    }
    let (truth, predicted) = (index(&result.label)?, index(&result.predicted)?);
    Some(Case { truth, predicted, probabilities: &result.probabilities })
}

fn confusion(sample: &Sample, classes: &[String]) -> Confusion {
    let found = sample.confusion();
    let names = found.classes.iter().map(|&class| classes[class].clone()).collect();
    Confusion { classes: names, counts: found.counts }
}

fn over_folds(folds: &[FoldReport]) -> BTreeMap<String, MeanSd> {
    let of = |(place, name): (usize, &&str)| {
        let values = folds.iter().map(|fold| fold.scores.values()[place]);
        ((*name).to_owned(), MeanSd::compute(values))
    };
    MEASURES.iter().enumerate().map(of).collect()
}
