//! From a run's rows to a report.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::discordance::DiscordanceSums;
use crate::document::{
    Comparison, Confusion, ExplanationReport, FoldReport, ModelReport, Report, SCHEMA, Settings,
    Source, TrueClasses,
};
use crate::images::Images;
use crate::maps::AgreementSums;
use crate::measure::Measured;
use burncam_evaluation::{Histogram, MEASURES, TTest, corrected_t_test, holm};
use burncam_record::{Error, Predictions, Run};

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
    mut run: Run,
    tables: &'a [Predictions<'a>],
    settings: Settings,
    subject: impl Fn(&str) -> Option<String> + 'a,
) -> Result<Report<'a>, Error> {
    // The way to do the run again is in its own record.
    run.settings.clear();
    run.working_folder.clear();
    let mut images = Images::of_rows(tables)?;
    images.name_subjects(subject);
    let mut explanations = Vec::new();
    let models = run.models.iter().take(tables.len()).enumerate();
    let models: Vec<ModelReport> =
        models.map(|(index, model)| empty_model(model, [0, index], &mut explanations)).collect();
    images.number_explanations(&models);
    Ok(Report {
        schema: SCHEMA,
        settings,
        runs: vec![Source { folder: ".".to_owned(), data: None, run }],
        true_classes: TrueClasses::default(),
        explanations,
        models,
        comparisons: Vec::new(),
        discordance: Vec::new(),
        agreement: Vec::new(),
        mean_face: None,
        images,
    })
}

/// A model without measures; the titles of its explanations are added to those that are known.
fn empty_model(
    model: &burncam_record::Model,
    source: [usize; 2],
    titles: &mut Vec<String>,
) -> ModelReport {
    let specs = model.explanations.iter().cloned();
    let explanations =
        specs.map(|spec| ExplanationReport::new(place_of(titles, &spec.title), spec)).collect();
    ModelReport {
        name: model.name.clone(),
        sources: vec![source],
        classes: model.classes.clone(),
        positive: None,
        network_per_fold: model.weights.iter().all(|weights| weights.fold.is_some()),
        images: 0,
        failed: 0,
        judged: 0,
        unknown: 0,
        explanations,
        scores: burncam_evaluation::Scores::default(),
        intervals: BTreeMap::new(),
        unit: String::new(),
        units: 0,
        folds: Vec::new(),
        over_folds: BTreeMap::new(),
        confusion: Confusion::default(),
        roc: [].into(),
        reliability: Vec::new(),
        histogram: Histogram::default(),
        trust: None,
    }
}

/// The place of a title among those that are known, to which it is added if it is not.
pub(super) fn place_of(titles: &mut Vec<String>, title: &str) -> usize {
    titles.iter().position(|known| known == title).unwrap_or_else(|| {
        titles.push(title.to_owned());
        titles.len() - 1
    })
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
    let mut alike = AgreementSums::default();
    let mut discordance = DiscordanceSums::default();
    let compared = report.is_compared();
    let mut true_classes = TrueClasses::default();
    for image in report.compared_images() {
        let image = image?;
        true_classes.add(&image);
        for result in &image.results {
            models[result.model].add(&image, result);
        }
        alike.add(&image.agreement);
        if compared {
            discordance.add(&image);
        }
    }
    for (model, measured) in report.models.iter_mut().zip(models) {
        measured.finish(model, &report.settings.resampling);
    }
    report.comparisons = if compared { comparisons(&report.models) } else { Vec::new() };
    report.discordance = discordance.finish();
    report.agreement = alike.finish();
    report.true_classes = true_classes;
    Ok(())
}

/// Every pair of models by every compared measure.
fn comparisons(models: &[ModelReport]) -> Vec<Comparison> {
    let names: BTreeSet<&str> =
        models.iter().flat_map(|model| &model.folds).map(|fold| fold.fold.as_str()).collect();
    let numbers: HashMap<&str, usize> = names.into_iter().zip(0..).collect();
    let mut all = Vec::new();
    for measure in COMPARED {
        let Some(place) = MEASURES.iter().position(|name| *name == measure) else { continue };
        let columns: Vec<Column> =
            models.iter().map(|model| Column::new(model, place, &numbers)).collect();
        let mut of_measure: Vec<Comparison> = Vec::new();
        for (first, column) in columns.iter().enumerate() {
            for (second, other) in columns.iter().enumerate().skip(first + 1) {
                let Some(test) = column.compared(other) else { continue };
                let measure = measure.to_owned();
                of_measure.push(Comparison { first, second, measure, test, p_holm: None });
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

/// A measure of a model by fold. Folds have numbers, since a model is in many pairs and names take
/// long to find.
struct Column {
    /// The folds where the measure is defined, by number: the measure, and the judged images.
    folds: Vec<(usize, f64, f64)>,
    /// The judged images of all folds. A fold's networks were trained on all others, also on those
    /// where the measure is not defined.
    all: f64,
}

impl Column {
    /// `numbers` are in the order of the folds' names, by which the model's folds are sorted.
    fn new(model: &ModelReport, place: usize, numbers: &HashMap<&str, usize>) -> Self {
        let of_fold = |fold: &FoldReport| {
            let number = numbers.get(fold.fold.as_str())?;
            Some((*number, fold.scores.values()[place]?, fold.judged as f64))
        };
        let all = model.folds.iter().map(|fold| fold.judged as f64).sum();
        Self { folds: model.folds.iter().filter_map(of_fold).collect(), all }
    }

    /// The test over the folds that both have.
    fn compared(&self, other: &Self) -> Option<TTest> {
        let (mut a, mut b, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        let mut others = other.folds.iter().peekable();
        for &(number, x, judged) in &self.folds {
            while others.next_if(|other| other.0 < number).is_some() {}
            let Some(&(_, y, _)) = others.next_if(|other| other.0 == number) else { continue };
            a.push(x);
            b.push(y);
            let ratio = judged / (self.all - judged);
            ratios.extend(ratio.is_finite().then_some(ratio));
        }
        let ratio = ratios.iter().sum::<f64>() / ratios.len().max(1) as f64;
        corrected_t_test(&a, &b, ratio)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests;
    use burncam_evaluation::Scores;

    /// A model with an accuracy for each of these folds; a negative one is not defined.
    fn model(folds: &[(&str, usize, f64)]) -> ModelReport {
        let folds = folds.iter().map(|&(fold, judged, accuracy)| FoldReport {
            fold: fold.to_owned(),
            images: judged,
            judged,
            scores: Scores { accuracy: (accuracy >= 0.0).then_some(accuracy), ..Scores::default() },
        });
        let mut report = tests::report(&["NCNN"], &["A"], ["Pain", "No_pain"]);
        ModelReport { folds: folds.collect(), ..report.models.remove(0) }
    }

    #[test]
    fn models_are_compared_over_the_folds_that_both_have() {
        let first = model(&[("A", 10, 0.5), ("B", 20, 0.75), ("C", 30, 0.25), ("D", 40, -1.0)]);
        let second =
            model(&[("B", 1, 0.5), ("B2", 1, 0.5), ("C", 1, 0.5), ("D", 1, 0.5), ("E", 1, 0.5)]);
        let found = comparisons(&[first.clone(), second, model(&[("C", 9, 1.0)]), first]);
        let pairs: Vec<[usize; 2]> = found.iter().map(|pair| [pair.first, pair.second]).collect();
        assert_eq!(pairs, [[0, 1], [0, 3], [1, 3]]);
        let ratio = (20.0 / 80.0 + 30.0 / 70.0) / 2.0;
        assert_eq!(Some(found[0].test), corrected_t_test(&[0.75, 0.25], &[0.5, 0.5], ratio));
        assert_eq!(found[1].test.folds, 3);
    }
}
