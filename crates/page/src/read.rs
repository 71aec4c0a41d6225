//! A `report.json` as it is read: what it names is there, and no more than a page can show.

#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
    )
)]

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::document::{ExplanationReport, ModelReport, Report, ResultReport, SCHEMA};
use crate::maps::OK;
use crate::on_face::MOST_FACES;
use crate::text::Language;
use burncam_evaluation::{CONFUSED, Resampling};
use burncam_record::Error;
use burncam_trust::Trust;

/// A report is read whole; a million images need less.
const LARGEST: u64 = 1 << 30;

/// More draws than an interval needs.
const MOST_RESAMPLES: usize = 10_000;

/// Draws of all models' intervals together, each counted once for every judged result that it draws
/// from; all measures come of one draw. What `explain` writes passes: its 2,000 draws of 50,000
/// images by five models are half a thousand million, and those of the largest report, at some 800
/// bytes a result, 2.7. A thousand million take a processor about 25 seconds.
const MOST_DRAWN: u64 = 3_000_000_000;

/// Cells of all models' tables of confusions together: 16 tables of a thousand classes.
const MOST_CELLS: u64 = 16_000_000;

/// More models than a page can show.
const MOST_MODELS: usize = 1000;

/// More runs than are joined.
const MOST_RUNS: usize = 10_000;

/// Means on the face of all models together; each takes 50 kB while images are read.
const MOST_ON_FACE: usize = 10_000;

/// What the mean face begins with.
const MEAN_FACE: &str = "data:image/png;base64,";

/// Bytes of the mean face: a grey picture of 112 × 112 pixels that cannot be compressed has some 17,000.
const LARGEST_FACE: usize = 1 << 16;

/// Means, controls and points of all models' trust together. What is measured of a model comes to a few thousand.
const MOST_TRUST: usize = 200_000;

/// Reads a `report.json`.
///
/// # Errors
///
/// [`Error::Read`] if it cannot be read, is no report, is of another version, names models, runs or
/// classes that it does not have, or has more than a page can show: draws for intervals times judged
/// results are at most 3,000,000,000, cells of all tables of confusions 16,000,000, values of all models' trust
/// 200,000. A mean face that is no small PNG in base64 is refused too.
pub fn read_report(path: &Path) -> Result<Report<'static>, Error> {
    let wrong = |what: String| Error::Read { path: path.to_owned(), what };
    let text = text(path).map_err(wrong)?;
    #[derive(serde::Deserialize)]
    struct Version {
        schema: u32,
    }
    let version: Version =
        serde_json::from_slice(&text).map_err(|error| wrong(format!("no report: {error}")))?;
    if version.schema != SCHEMA {
        let found = version.schema;
        return Err(wrong(format!("it has layout {found}, and this program reads {SCHEMA}")));
    }
    let report: Report<'static> =
        serde_json::from_slice(&text).map_err(|error| wrong(format!("no report: {error}")))?;
    check(&report).map_err(wrong)?;
    Ok(report)
}

/// The bytes of a file that is no larger than a report can be.
fn text(path: &Path) -> Result<Vec<u8>, String> {
    // A pipe would be waited for.
    let found = fs::metadata(path).map_err(|error| error.to_string())?;
    if !found.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let bytes = found.len();
    if bytes > LARGEST {
        return Err(format!("it has {bytes} bytes, more than any report"));
    }
    let mut text = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(LARGEST).read_to_end(&mut text).map_err(|error| error.to_string())?;
    Ok(text)
}

/// Whether everything that is named by a number is there, and no more than a page can show.
fn check(report: &Report<'_>) -> Result<(), String> {
    let is_source = |&[run, model]: &[usize; 2]| {
        report.runs.get(run).is_some_and(|source| model < source.run.models.len())
    };
    let how = &report.settings.resampling;
    let Resampling { resamples, level, .. } = how;
    if *resamples > MOST_RESAMPLES {
        return Err(format!(
            "intervals of {resamples} draws are not made: there are at most {MOST_RESAMPLES}"
        ));
    }
    if !(0.0..1.0).contains(level) {
        return Err(format!(
            "intervals that hold {level} of all draws are not made: 0.95 is usual"
        ));
    }
    for (what, count, most) in [
        ("models", report.models.len(), MOST_MODELS),
        ("runs", report.runs.len(), MOST_RUNS),
        ("explanations", report.explanations.len(), MOST_MODELS),
    ] {
        if count > most {
            return Err(format!("it has {count} {what}, and a report has at most {most}"));
        }
    }
    for model in &report.models {
        let known = |one: &ExplanationReport| one.explanation < report.explanations.len();
        let mut places: Vec<usize> = model.explanations.iter().map(|one| one.explanation).collect();
        places.sort_unstable();
        places.dedup();
        if !model.explanations.iter().all(known) || places.len() < model.explanations.len() {
            return Err(format!("model {} has an explanation that is none", model.name));
        }
        if model.classes.is_empty()
            || model.sources.is_empty()
            || !model.sources.iter().all(is_source)
        {
            return Err(format!("model {} has no classes or no run", model.name));
        }
    }
    if !report.mean_face.as_deref().is_none_or(is_mean_face) {
        return Err("its mean face is no small PNG in base64".to_owned());
    }
    let values = report.models.iter().filter_map(|model| model.trust.as_ref()).map(trust_values);
    let values = values.fold(0, usize::saturating_add);
    if values > MOST_TRUST {
        return Err(format!(
            "the trust in its models has {values} values, and a report has at most {MOST_TRUST}"
        ));
    }
    check_images(report)
}

/// Whether a text is a data URI of a picture that is no larger than a mean face, and nothing else.
pub(super) fn is_mean_face(text: &str) -> bool {
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    text.len() <= LARGEST_FACE
        && text.strip_prefix(MEAN_FACE).is_some_and(|digits| {
            let plain = digits.trim_end_matches('=');
            digits.len() <= plain.len().saturating_add(2)
                && !plain.is_empty()
                && plain.bytes().all(base64)
        })
}

/// How many values a model's trust has.
fn trust_values(trust: &Trust) -> usize {
    let controls = trust.assessments.iter().map(|one| one.controls.len());
    let points = trust.profiles.iter().map(|one| one.points.len());
    controls.chain(points).map(|more| more.saturating_add(1)).fold(0, usize::saturating_add)
}

/// Means on the face that a report's models may have, if one of its images has eyes and a mouth.
fn most_on_face(report: &Report<'_>) -> usize {
    let groups = |model: &ModelReport| model.classes.len().saturating_mul(3).min(MOST_FACES);
    let of = |model: &ModelReport| groups(model).saturating_mul(model.explanations.len());
    report.models.iter().map(of).fold(0, usize::saturating_add)
}

/// Whether each image is there once, with at most one result of each model, which fits it.
fn check_images(report: &Report<'_>) -> Result<(), String> {
    let sets = report.models.iter().map(|model| model.classes.iter().collect());
    let classes: Vec<HashSet<&String>> = sets.collect();
    let mut work = Work { judged: 0, occurring: vec![HashSet::new(); classes.len()] };
    let on_face = most_on_face(report);
    let mut known = HashSet::new();
    for image in report.images.plain() {
        let image = image.map_err(|error| error.to_string())?;
        if image.eyes_and_mouth.is_some() && on_face > MOST_ON_FACE {
            return Err(format!(
                "its models may have {on_face} mean maps by eyes and mouth, and a report has at most {MOST_ON_FACE}"
            ));
        }
        let mut models = HashSet::new();
        for result in &image.results {
            let (Some(model), Some(classes)) =
                (report.models.get(result.model), classes.get(result.model))
            else {
                return Err(format!("{} has a result of no model", image.path));
            };
            if !models.insert(result.model) {
                return Err(format!("{} has two results of {}", image.path, model.name));
            }
            if !fits(result, model, classes) || result.run >= report.runs.len() {
                return Err(format!(
                    "{} has a result that does not fit {}",
                    image.path, model.name
                ));
            }
            work.add(result, classes);
        }
        let key = (image.fold, image.path);
        if known.contains(&key) {
            return Err(format!("{} of fold {} is there twice", key.1, key.0));
        }
        known.insert(key);
    }
    work.check(report)
}

/// Whether a result's classes and probabilities are the model's, and its numbers can be.
fn fits(result: &ResultReport, model: &ModelReport, classes: &HashSet<&String>) -> bool {
    let probabilities = result.predicted.as_ref().map_or(0, |_| model.classes.len());
    // A sum of exponentials may round a probability above 1.
    let shares = result.probabilities.iter().chain(&result.confidence);
    let known = |status: &String| {
        status == OK || Language::English.say(&format!("status_{status}"), &[]).is_some()
    };
    result.label.iter().chain(&result.predicted).all(|class| classes.contains(class))
        && result.probabilities.len() == probabilities
        && shares.into_iter().all(|share| (-1e-3..=1.001).contains(share))
        && result.attributions.len() <= model.explanations.len()
        && result.attributions.iter().enumerate().all(|(at, one)| {
            let [height, width] = one.map_size;
            let mut before = result.attributions.iter().take(at);
            model.explanations.iter().any(|own| own.explanation == one.explanation)
                && before.all(|other| other.explanation != one.explanation)
                && one.map_max.iter().chain(&one.cell_max).all(|most| most.is_finite())
                && one.measured.as_ref().is_none_or(|map| map.is_finite())
                && one.map_peak.is_none_or(|[row, column]| row < height && column < width)
                && known(&one.status)
        })
}

/// What the measures of a report will take.
struct Work<'a> {
    /// The results with a true class.
    judged: u64,
    /// By model: the classes of these, true and predicted.
    occurring: Vec<HashSet<&'a String>>,
}

impl<'a> Work<'a> {
    fn add(&mut self, result: &ResultReport, classes: &HashSet<&'a String>) {
        let (Some(label), Some(predicted)) = (&result.label, &result.predicted) else { return };
        self.judged = self.judged.saturating_add(1);
        if let Some(occurring) = self.occurring.get_mut(result.model) {
            occurring.extend([label, predicted].iter().filter_map(|&class| classes.get(class)));
        }
    }

    fn check(&self, report: &Report<'_>) -> Result<(), String> {
        let (judged, resamples) = (self.judged, report.settings.resampling.resamples);
        if judged.saturating_mul(resamples as u64) > MOST_DRAWN {
            return Err(format!(
                "intervals of {resamples} draws of its {judged} results are not made: draws times \
                 results is at most {MOST_DRAWN}"
            ));
        }
        let mut cells = 0_u64;
        for (model, occurring) in report.models.iter().zip(&self.occurring) {
            let classes = occurring.len();
            if classes <= CONFUSED {
                cells = cells.saturating_add((classes as u64).saturating_pow(2));
            }
            if cells > MOST_CELLS {
                return Err(format!(
                    "the tables of confusions of its models have more than {MOST_CELLS} cells \
                     together: {} has {classes} classes",
                    model.name
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::ImageReport;
    use crate::images::Images;
    use crate::tests;

    /// A report of equal models of so many classes, with as many images as there are label and
    /// predicted class: all models say the same of each.
    fn report(models: usize, classes: usize, found: &[[usize; 2]]) -> Report<'static> {
        let mut report = tests::report(&["NCNN"], &["A"], ["Pain", "No_pain"]);
        let some = report.images.plain().next().expect("an image").expect("no file");
        let names: Vec<String> = (0..classes).map(|class| class.to_string()).collect();
        let mut result = some.results[0].clone();
        (result.probabilities, result.attributions) = (vec![0.0; classes], Vec::new());
        let image = |(number, &[label, predicted]): (usize, &[usize; 2])| {
            let mut result = result.clone();
            result.label = names.get(label).cloned();
            result.predicted = names.get(predicted).cloned();
            let of_model = |model| ResultReport { model, ..result.clone() };
            let results = (0..models).map(of_model).collect();
            ImageReport { path: number.to_string(), results, ..some.clone() }
        };
        report.images = Images::held(found.iter().enumerate().map(image).collect());
        report.models[0].classes = names;
        report.models = vec![report.models[0].clone(); models];
        report
    }

    #[test]
    fn draws_of_many_results_are_refused() {
        let mut report = report(3, 2, &[[0, 1]; 100_001]);
        report.settings.resampling.resamples = 9_999;
        assert_eq!(check(&report), Ok(()));
        report.settings.resampling.resamples = 10_000;
        let error = check(&report).expect_err("too much");
        assert!(error.contains("10000 draws of its 300003 results are not made"), "{error}");
        let label = usize::MAX;
        let mut unlabelled = self::report(3, 2, &[[label, 1]; 100_001]);
        unlabelled.settings.resampling.resamples = 10_000;
        assert_eq!(check(&unlabelled), Ok(()), "they have no intervals");
    }

    #[test]
    fn large_tables_of_confusions_are_refused() {
        let found: Vec<[usize; 2]> = (0..500).map(|image| [2 * image, 2 * image + 1]).collect();
        assert_eq!(check(&report(16, 1000, &found)), Ok(()));
        let error = check(&report(17, 1000, &found)).expect_err("too much");
        assert!(error.contains("more than 16000000 cells together: NCNN has 1000"), "{error}");
        assert_eq!(check(&report(17, 1000, &found[..400])), Ok(()), "not all classes occur");
    }
}
