//! Conditions that images of a figure must meet.

use burncam_evaluation::Outcome;
use burncam_page::{ImageReport, Report, ResultReport, disagree};

use crate::columns::{self, Maps};
use crate::error::Error;

/// The conditions, for hints.
const KNOWN: &str = "conditions are fold, class, predicted, outcome (right, wrong, unknown), confidence (0.5..0.9), \
                     status, network, method, subject, text and disagree (yes, no), as in outcome=wrong,fold=Fold0";

/// Conditions that all must hold: those about results for one and the same result, those about maps for one of its maps.
pub(crate) struct Filter {
    of_image: Vec<OfImage>,
    of_result: Vec<OfResult>,
    of_map: Vec<OfMap>,
}

enum OfImage {
    Fold(String),
    Subject(String),
    Text(String),
    Disagree(bool),
}

enum OfResult {
    Class(String),
    Predicted(String),
    Outcome(Outcome),
    Confidence([f32; 2]),
    Network(usize),
}

enum OfMap {
    Status(String),
    Method(Vec<Maps>),
}

impl Filter {
    /// Conditions with commas between them.
    pub(crate) fn new(report: &Report<'_>, text: &str) -> Result<Self, Error> {
        let mut filter = Self { of_image: Vec::new(), of_result: Vec::new(), of_map: Vec::new() };
        let wrong = |part: &str| Error::Asked(format!("`{part}` is no condition\nhint: {KNOWN}"));
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').ok_or_else(|| wrong(part))?;
            let (key, value) = (key.trim().to_lowercase(), value.trim());
            let own = value.to_owned();
            match key.as_str() {
                "fold" => filter.of_image.push(OfImage::Fold(own)),
                "subject" => filter.of_image.push(OfImage::Subject(own)),
                "text" => filter.of_image.push(OfImage::Text(value.to_lowercase())),
                "disagree" => {
                    let yes = match value {
                        "yes" => true,
                        "no" => false,
                        _ => return Err(wrong(part)),
                    };
                    filter.of_image.push(OfImage::Disagree(yes));
                }
                "class" => filter.of_result.push(OfResult::Class(own)),
                "predicted" => filter.of_result.push(OfResult::Predicted(own)),
                "outcome" => {
                    let mut all = Outcome::ALL.into_iter();
                    let outcome = all.find(|one| one.name().eq_ignore_ascii_case(value));
                    filter.of_result.push(OfResult::Outcome(outcome.ok_or_else(|| wrong(part))?));
                }
                "confidence" => {
                    let range = range(value).ok_or_else(|| wrong(part))?;
                    filter.of_result.push(OfResult::Confidence(range));
                }
                "network" | "model" => {
                    let place = columns::model(report, value).ok_or_else(|| {
                        let names: Vec<&str> =
                            report.models.iter().map(|model| model.name.as_str()).collect();
                        let names = names.join(", ");
                        Error::Asked(format!(
                            "the report has no network `{value}`\nhint: its networks are {names}"
                        ))
                    })?;
                    filter.of_result.push(OfResult::Network(place));
                }
                "status" => filter.of_map.push(OfMap::Status(own)),
                "method" => {
                    filter.of_map.push(OfMap::Method(columns::maps(report, value)?));
                }
                _ => return Err(wrong(part)),
            }
        }
        // From here on, explanations are named by their places in the report.
        for condition in &mut filter.of_map {
            if let OfMap::Method(all) = condition {
                for one in all {
                    one.explanation =
                        report.models[one.model].explanations[one.explanation].explanation;
                }
            }
        }
        Ok(filter)
    }

    /// Whether the conditions hold for an image.
    pub(crate) fn holds(&self, image: &ImageReport) -> bool {
        let of_image = self.of_image.iter().all(|condition| match condition {
            OfImage::Fold(fold) => image.fold == *fold,
            OfImage::Subject(subject) => image.subject.as_ref() == Some(subject),
            OfImage::Text(text) => image.path.to_lowercase().contains(text),
            OfImage::Disagree(wanted) => disagree(image) == *wanted,
        });
        let is_any = self.of_result.is_empty() && self.of_map.is_empty();
        of_image && (is_any || image.results.iter().any(|result| self.holds_for(result)))
    }

    fn holds_for(&self, result: &ResultReport) -> bool {
        let of_result = self.of_result.iter().all(|condition| match condition {
            OfResult::Class(class) => result.label.as_ref() == Some(class),
            OfResult::Predicted(class) => result.predicted.as_ref() == Some(class),
            OfResult::Outcome(outcome) => result.outcome == Some(*outcome),
            OfResult::Confidence([low, high]) => {
                result.confidence.is_some_and(|value| (*low..=*high).contains(&value))
            }
            OfResult::Network(model) => result.model == *model,
        });
        let mut maps = result.attributions.iter();
        let is_so = |condition: &OfMap, status: &str, explanation: usize| match condition {
            OfMap::Status(wanted) => status == wanted,
            OfMap::Method(all) => all.contains(&Maps { model: result.model, explanation }),
        };
        let has_map = self.of_map.is_empty()
            || maps
                .any(|map| self.of_map.iter().all(|one| is_so(one, &map.status, map.explanation)));
        of_result && has_map
    }
}

/// `0.5..0.9`, or with one of the ends alone.
fn range(text: &str) -> Option<[f32; 2]> {
    let (low, high) = text.split_once("..")?;
    let end = |text: &str, open: f32| match text.trim() {
        "" => Some(open),
        text => text.parse().ok().filter(|value: &f32| value.is_finite()),
    };
    Some([end(low, 0.0)?, end(high, 1.0)?])
}
