//! From a run's rows to a report.

use std::collections::{BTreeMap, BTreeSet};

use super::Comparison;
use super::document::{
    Confusion, FoldReport, ImageReport, ModelReport, Report, ResultReport, SCHEMA, Settings, Source,
};
use super::maps;
use crate::statistics::{
    Case, Histogram, Interval, MEASURES, MeanSd, Sample, corrected_t_test, holm, intervals,
};
use crate::{Error, Outcome, Prediction, Predictions, Run};

/// The measures that models are compared by.
const COMPARED: [&str; 3] = ["accuracy", "balanced_accuracy", "auc"];

/// The class that is positive unless another is asked for.
const PAIN: &str = "Pain";

/// Gathers what one run found, without measures: those come from [`compute`]. `tables` are the
/// run's models in its order; `subject` reads whom an image shows from its path.
///
/// # Errors
///
/// What reading a row gives.
pub fn gather(
    run: Run,
    tables: &[Predictions<'_>],
    settings: Settings,
    subject: impl Fn(&str) -> Option<String>,
) -> Result<Report, Error> {
    let mut images: BTreeMap<(String, String), ImageReport> = BTreeMap::new();
    for (model, table) in tables.iter().enumerate() {
        for row in table.rows.iter() {
            let row = row?;
            let image =
                images.entry((row.fold.clone(), row.path.clone())).or_insert_with(|| ImageReport {
                    path: row.path.clone(),
                    fold: row.fold.clone(),
                    subject: subject(&row.path),
                    results: Vec::new(),
                    agreement: Vec::new(),
                });
            image.results.push(result(&row, model));
        }
    }
    let models = run.models.iter().take(tables.len()).enumerate();
    let models = models.map(|(index, model)| empty_model(model, [0, index])).collect();
    Ok(Report {
        schema: SCHEMA,
        settings,
        runs: vec![Source { folder: ".".to_owned(), run }],
        models,
        comparisons: Vec::new(),
        agreement: Vec::new(),
        images: images.into_values().collect(),
    })
}

fn result(row: &Prediction, model: usize) -> ResultReport {
    let explained = row.explained.as_ref();
    ResultReport {
        model,
        run: 0,
        label: row.label.clone(),
        predicted: explained.map(|e| e.predicted.clone()),
        confidence: explained.map(|e| e.confidence),
        probabilities: explained.map(|e| e.probabilities.clone()).unwrap_or_default(),
        outcome: row.outcome(),
        target: explained.map(|e| e.target.clone()),
        status: explained.map(|e| e.map.status.clone()),
        map_max: explained.map(|e| e.map.max).filter(|max| max.is_finite()),
        map: explained.and_then(|e| e.grid.clone()),
        overlay: explained.and_then(|e| e.overlay.clone()),
        thumbnail: explained.and_then(|e| e.thumbnail.clone()),
        error: row.error.as_ref().map(|failure| failure.reason.clone()),
    }
}

fn empty_model(model: &crate::Model, source: [usize; 2]) -> ModelReport {
    ModelReport {
        name: model.name.clone(),
        sources: vec![source],
        classes: model.classes.clone(),
        positive: None,
        layer: model.layer.clone(),
        network_per_fold: model.weights.iter().all(|weights| weights.fold.is_some()),
        images: 0,
        failed: 0,
        judged: 0,
        unknown: 0,
        by_status: BTreeMap::new(),
        scores: crate::statistics::Scores::default(),
        intervals: BTreeMap::new(),
        unit: String::new(),
        units: 0,
        folds: Vec::new(),
        over_folds: BTreeMap::new(),
        confusion: Confusion::default(),
        roc: Vec::new(),
        reliability: Vec::new(),
        histogram: Histogram::default(),
        mean_maps: Vec::new(),
    }
}

/// Computes every measure of the report from its images and settings.
pub fn compute(report: &mut Report) {
    for index in 0..report.models.len() {
        let mut model = report.models[index].clone();
        measure(&mut model, index, report);
        model.mean_maps = maps::mean_maps(index, &report.images);
        report.models[index] = model;
    }
    report.comparisons = comparisons(&report.models);
    report.agreement = maps::agreement(report.models.len(), &mut report.images);
}

/// The positive class: the one asked for, `Pain`, or the first of two.
fn positive(classes: &[String], asked: Option<&str>) -> Option<usize> {
    let named = |name: &str| classes.iter().position(|class| class.eq_ignore_ascii_case(name));
    match asked {
        Some(name) => named(name),
        None => named(PAIN).or_else(|| (classes.len() == 2).then_some(0)),
    }
}

/// A result with its image, and the indices of true and predicted class.
struct Judged<'a> {
    image: &'a ImageReport,
    case: Case<'a>,
}

fn judged<'a>(
    classes: &[String],
    image: &'a ImageReport,
    result: &'a ResultReport,
) -> Option<Judged<'a>> {
    let index = |name: &Option<String>| {
        let name = name.as_ref()?;
        classes.iter().position(|class| class == name)
    };
    if result.probabilities.len() != classes.len() {
        return None;
    }
    let (truth, predicted) = (index(&result.label)?, index(&result.predicted)?);
    Some(Judged { image, case: Case { truth, predicted, probabilities: &result.probabilities } })
}

fn measure(model: &mut ModelReport, index: usize, report: &Report) {
    let positive = positive(&model.classes, report.settings.positive.as_deref());
    model.positive = positive.map(|class| model.classes[class].clone());
    let results: Vec<(&ImageReport, &ResultReport)> = (report.images.iter())
        .flat_map(|image| image.results.iter().map(move |result| (image, result)))
        .filter(|(_, result)| result.model == index)
        .collect();
    count(model, &results);
    let classes = model.classes.clone();
    let judged: Vec<Judged<'_>> =
        results.iter().filter_map(|(image, result)| judged(&classes, image, result)).collect();
    model.judged = judged.len();
    let sample = |of: &mut dyn Iterator<Item = &Judged<'_>>| {
        Sample::new(of.map(|judged| judged.case), classes.len(), positive)
    };
    let all = sample(&mut judged.iter());
    model.scores = all.scores();
    model.roc = all.roc();
    model.reliability = all.reliability();
    model.confusion = confusion(&all, &classes);
    let (unit, units) = units(&judged);
    model.unit = unit.to_owned();
    model.units = units.iter().collect::<BTreeSet<_>>().len();
    let found = intervals(&all, &units, &report.settings.resampling);
    let named = MEASURES.iter().zip(found);
    model.intervals = named
        .filter_map(|(name, interval)| Some(((*name).to_owned(), interval?)))
        .collect::<BTreeMap<String, Interval>>();
    let folds: BTreeSet<&str> = results.iter().map(|(image, _)| image.fold.as_str()).collect();
    model.folds = (folds.iter())
        .map(|&fold| {
            let sample = sample(&mut judged.iter().filter(|judged| judged.image.fold == fold));
            let images = results.iter().filter(|(image, _)| image.fold == fold).count();
            FoldReport {
                fold: fold.to_owned(),
                images,
                judged: sample.len(),
                scores: sample.scores(),
            }
        })
        .collect();
    model.over_folds = (MEASURES.iter().enumerate())
        .map(|(place, name)| {
            let values = model.folds.iter().map(|fold| fold.scores.values()[place]);
            ((*name).to_owned(), MeanSd::of(values))
        })
        .collect();
}

/// Counts what became of the images.
fn count(model: &mut ModelReport, results: &[(&ImageReport, &ResultReport)]) {
    model.images = results.len();
    model.failed = results.iter().filter(|(_, result)| result.predicted.is_none()).count();
    let unknown = |result: &ResultReport| result.outcome == Some(Outcome::Unknown);
    model.unknown = results.iter().filter(|(_, result)| unknown(result)).count();
    model.by_status.clear();
    for status in results.iter().filter_map(|(_, result)| result.status.as_ref()) {
        *model.by_status.entry(status.clone()).or_default() += 1;
    }
    let confidence = |result: &ResultReport| {
        let right = result.label.as_ref().map(|label| Some(label) == result.predicted.as_ref());
        Some((result.confidence?, right))
    };
    model.histogram = Histogram::of(results.iter().filter_map(|(_, result)| confidence(result)));
}

/// What is drawn for intervals: subjects where each image has one, else images.
fn units(judged: &[Judged<'_>]) -> (&'static str, Vec<usize>) {
    let subjects: Option<Vec<&str>> =
        judged.iter().map(|judged| judged.image.subject.as_deref()).collect();
    match subjects {
        Some(subjects) if !subjects.is_empty() => {
            let mut known = subjects.clone();
            known.sort_unstable();
            known.dedup();
            let number = |subject| known.binary_search(subject).unwrap_or_default();
            ("subject", subjects.iter().map(number).collect())
        }
        _ => ("image", (0..judged.len()).collect()),
    }
}

fn confusion(sample: &Sample, classes: &[String]) -> Confusion {
    let found = sample.confusion();
    let names = found.classes.iter().map(|&class| classes[class].clone()).collect();
    Confusion { classes: names, counts: found.counts }
}

/// Every pair of models by every compared measure.
fn comparisons(models: &[ModelReport]) -> Vec<Comparison> {
    let mut all = Vec::new();
    for measure in COMPARED {
        let Some(place) = MEASURES.iter().position(|name| *name == measure) else { continue };
        let mut of_measure: Vec<Comparison> = Vec::new();
        for first in 0..models.len() {
            for second in first + 1..models.len() {
                of_measure.extend(comparison(models, [first, second], place));
            }
        }
        let p: Vec<f64> = of_measure.iter().filter_map(|pair| pair.test.p).collect();
        let mut corrected = holm(&p).into_iter();
        for pair in &mut of_measure {
            pair.p_holm = pair.test.p.and_then(|_| corrected.next());
        }
        all.extend(of_measure);
    }
    all
}

fn comparison(
    models: &[ModelReport],
    [first, second]: [usize; 2],
    place: usize,
) -> Option<Comparison> {
    let (mut a, mut b, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
    for fold in &models[first].folds {
        let Some(other) = models[second].folds.iter().find(|other| other.fold == fold.fold) else {
            continue;
        };
        if let (Some(x), Some(y)) = (fold.scores.values()[place], other.scores.values()[place]) {
            a.push(x);
            b.push(y);
            sizes.push(fold.judged as f64);
        }
    }
    let all: f64 = sizes.iter().sum();
    let ratios: Vec<f64> =
        sizes.iter().map(|size| size / (all - size)).filter(|ratio| ratio.is_finite()).collect();
    let ratio = ratios.iter().sum::<f64>() / ratios.len().max(1) as f64;
    let test = corrected_t_test(&a, &b, ratio)?;
    Some(Comparison { first, second, measure: MEASURES[place].to_owned(), test, p_holm: None })
}
