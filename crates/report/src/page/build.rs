//! From a run's rows to a report.

use std::collections::BTreeMap;

use super::document::{Comparison, Confusion, ModelReport, Report, SCHEMA, Settings, Source};
use super::images::Images;
use super::maps::Alike;
use super::measure::Measured;
use crate::statistics::{Histogram, MEASURES, corrected_t_test, holm};
use crate::{Error, Predictions, Run};

/// The measures that models are compared by.
const COMPARED: [&str; 3] = ["accuracy", "balanced_accuracy", "auc"];

/// Gathers what one run found, without measures: those come from [`compute`]. `tables` are the
/// run's models in its order; `subject` reads whom an image shows from its path. No image is held:
/// each is read from the rows whenever it is wanted.
///
/// # Errors
///
/// What reading a row gives.
pub fn gather<'a>(
    run: Run,
    tables: &'a [Predictions<'a>],
    settings: Settings,
    subject: impl Fn(&str) -> Option<String> + 'a,
) -> Result<Report<'a>, Error> {
    let mut images = Images::of_rows(tables)?;
    images.name_subjects(subject);
    let models = run.models.iter().take(tables.len()).enumerate();
    let models = models.map(|(index, model)| empty_model(model, [0, index])).collect();
    Ok(Report {
        schema: SCHEMA,
        settings,
        runs: vec![Source { folder: ".".to_owned(), run }],
        models,
        comparisons: Vec::new(),
        agreement: Vec::new(),
        images,
    })
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

/// Computes every measure of the report from its images and settings, in one pass over the images.
///
/// # Errors
///
/// What reading an image gives.
pub fn compute(report: &mut Report<'_>) -> Result<(), Error> {
    let asked = report.settings.positive.as_deref();
    let mut models: Vec<Measured> =
        report.models.iter().map(|model| Measured::new(model, asked)).collect();
    let mut alike = Alike::default();
    for image in report.compared_images() {
        let image = image?;
        for result in &image.results {
            models[result.model].add(&image, result);
        }
        alike.add(&image.agreement);
    }
    for (model, measured) in report.models.iter_mut().zip(models) {
        measured.finish(model, &report.settings.resampling);
    }
    report.comparisons =
        if report.is_compared() { comparisons(&report.models) } else { Vec::new() };
    report.agreement = alike.finish();
    Ok(())
}

/// Every pair of models by every compared measure. Folds are sorted.
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
    let (mut a, mut b, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let folds = &models[first].folds;
    // A fold's networks were trained on all others, also on those where the measure is not defined.
    let all: f64 = folds.iter().map(|fold| fold.judged as f64).sum();
    for fold in folds {
        let others = &models[second].folds;
        let found = others.binary_search_by(|other| other.fold.cmp(&fold.fold));
        let Some(other) = found.ok().and_then(|at| others.get(at)) else { continue };
        if let (Some(x), Some(y)) = (fold.scores.values()[place], other.scores.values()[place]) {
            a.push(x);
            b.push(y);
            let ratio = fold.judged as f64 / (all - fold.judged as f64);
            ratios.extend(ratio.is_finite().then_some(ratio));
        }
    }
    let ratio = ratios.iter().sum::<f64>() / ratios.len().max(1) as f64;
    let test = corrected_t_test(&a, &b, ratio)?;
    Some(Comparison { first, second, measure: MEASURES[place].to_owned(), test, p_holm: None })
}
