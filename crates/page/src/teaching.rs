//! The few images that teach most about a report's networks.

use std::collections::BTreeMap;

use crate::document::{ImageReport, Report, ResultReport};
use crate::maps::OK;
use crate::text::Language;
use burncam_evaluation::Outcome;
use burncam_record::Error;

/// How many images teach, at most.
pub const TEACHING: usize = 4;

/// An image that teaches something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Teaching {
    /// Its place among the report's images, counted from 0.
    pub image: usize,
    /// Why it was chosen.
    pub reason: Reason,
}

/// Why an image was chosen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Every network is right, and the least confident of them is surer than of any other image.
    SurestRight,
    /// A network is wrong, and surer than of any other image that it has wrong.
    SurestWrong,
    /// Networks predict different classes, and all are sure.
    Disagreement,
    /// A map of it must not be read.
    Unreadable,
    /// No network is known to be wrong, and the least confident is surer than of any other image of this class: the
    /// true one, or where it is not known, the predicted one.
    SurestOf(String),
    /// A network is less sure than of any other image of a class.
    LeastSureOf(String),
}

impl Reason {
    fn is_of_class(&self) -> bool {
        matches!(self, Self::SurestOf(_) | Self::LeastSureOf(_))
    }

    /// The reason in words.
    #[must_use]
    pub fn say(&self, language: Language) -> String {
        let (key, class) = match self {
            Self::SurestRight => ("teaching_surest_right", ""),
            Self::SurestWrong => ("teaching_surest_wrong", ""),
            Self::Disagreement => ("teaching_disagreement", ""),
            Self::Unreadable => ("teaching_unreadable", ""),
            Self::SurestOf(class) => ("teaching_surest_of", class.as_str()),
            Self::LeastSureOf(class) => ("teaching_least_sure_of", class.as_str()),
        };
        language.say(key, &[("class", class)]).unwrap_or_default()
    }
}

/// Images with how well each stands for a reason, the best first; no more than can be needed.
type Best = Vec<(f32, usize)>;

/// The images that teach most, at most [`TEACHING`]: the most confident right and wrong predictions, networks that
/// disagree, and a map that must not be read. In place of kinds that do not occur stand the surest and the least sure
/// image of each class. Of equal images the first is chosen, so the choice is the same every time.
///
/// # Errors
///
/// If the images cannot be read.
pub fn teaching_images(report: &Report<'_>) -> Result<Vec<Teaching>, Error> {
    let mut best: BTreeMap<Reason, Best> = BTreeMap::new();
    for (place, image) in report.images.plain().enumerate() {
        for (reason, score) in reasons(&image?) {
            let found = best.entry(reason).or_default();
            let rank = found.partition_point(|(other, _)| *other >= score);
            if rank < TEACHING {
                found.insert(rank, (score, place));
                found.truncate(TEACHING);
            }
        }
    }
    let mut chosen: Vec<Teaching> = Vec::new();
    for (reason, images) in best {
        let is_new = |image: usize| chosen.iter().all(|other| other.image != image);
        // The second of a class is not its surest or least sure.
        let most = if reason.is_of_class() { 1 } else { TEACHING };
        let mut candidates = images.into_iter().take(most).map(|(_, image)| image);
        let next = candidates.find(|image| is_new(*image));
        if let Some(image) = next.filter(|_| chosen.len() < TEACHING) {
            chosen.push(Teaching { image, reason });
        }
    }
    Ok(chosen)
}

/// What an image can stand for, and how well.
fn reasons(image: &ImageReport) -> Vec<(Reason, f32)> {
    let results = || image.results.iter();
    let confidence = |one: &ResultReport| one.confidence.filter(|one| one.is_finite());
    let mut found = Vec::new();
    let Some(least) = results().filter_map(confidence).reduce(f32::min) else { return found };
    let class = results().find_map(|one| one.label.as_ref().or(one.predicted.as_ref())).cloned();
    let wrong = results().filter(|one| one.outcome == Some(Outcome::Wrong));
    if let Some(most) = wrong.filter_map(confidence).reduce(f32::max) {
        found.push((Reason::SurestWrong, most));
    } else {
        found.extend(class.clone().map(|class| (Reason::SurestOf(class), least)));
    }
    if results().all(|one| one.outcome == Some(Outcome::Right)) {
        found.push((Reason::SurestRight, least));
    }
    if disagree(image) {
        found.push((Reason::Disagreement, least));
    }
    if results().flat_map(|one| &one.attributions).any(|one| one.status != OK) {
        found.push((Reason::Unreadable, least));
    }
    found.extend(class.map(|class| (Reason::LeastSureOf(class), -least)));
    found
}

/// Whether networks predict different classes for an image.
#[must_use]
pub fn disagree(image: &ImageReport) -> bool {
    let mut classes = image.results.iter().filter_map(|one| one.predicted.as_ref());
    let first = classes.next();
    classes.any(|class| Some(class) != first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::Images;

    /// An image with a result a network: predicted class, confidence, status; the true class is `Pain`.
    fn image(results: &[(&str, f32, &str)]) -> ImageReport {
        let results: Vec<_> = (results.iter().enumerate())
            .map(|(model, (predicted, confidence, status))| {
                let outcome = Outcome::compare(Some("Pain"), predicted);
                serde_json::json!({
                    "model": model, "run": 0, "label": "Pain", "predicted": predicted,
                    "confidence": confidence, "probabilities": [], "outcome": outcome, "error": null,
                    "attributions": [{
                        "explanation": 0, "target": "Pain", "status": status, "map_max": null,
                        "map_size": [1, 1], "map_peak": null, "map": null, "overlay": null,
                        "thumbnail": null,
                    }],
                })
            })
            .collect();
        let image = serde_json::json!({
            "path": "a.png", "fold": "A", "subject": null, "agreement": [], "results": results,
        });
        serde_json::from_value(image).expect("an image")
    }

    fn chosen(images: Vec<ImageReport>) -> Vec<(usize, Reason)> {
        let report = crate::tests::report(&["A"], &["F"], ["Pain", "No_pain"]);
        let report = Report { images: Images::held(images), ..report };
        let all = teaching_images(&report).expect("images in memory");
        all.into_iter().map(|one| (one.image, one.reason)).collect()
    }

    #[test]
    fn each_kind_has_its_image() {
        let found = chosen(vec![
            image(&[("Pain", 0.9, OK), ("Pain", 0.8, OK)]),
            image(&[("Pain", 0.99, OK), ("Pain", 0.7, OK)]),
            image(&[("No_pain", 0.9, OK), ("No_pain", 0.6, OK)]),
            image(&[("No_pain", 0.8, OK), ("Pain", 0.7, OK)]),
            image(&[("Pain", 0.6, "constant"), ("Pain", 0.6, OK)]),
        ]);
        let wanted = [
            (0, Reason::SurestRight),
            (2, Reason::SurestWrong),
            (3, Reason::Disagreement),
            (4, Reason::Unreadable),
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn others_take_the_place_of_kinds_that_do_not_occur() {
        let found = chosen(vec![
            image(&[("Pain", 0.7, OK)]),
            image(&[("Pain", 0.9, OK)]),
            image(&[("Pain", 0.9, OK)]),
        ]);
        let wanted = [(1, Reason::SurestRight), (0, Reason::LeastSureOf("Pain".to_owned()))];
        assert_eq!(found, wanted);
        assert_eq!(chosen(vec![image(&[])]), []);
    }

    #[test]
    fn an_image_teaches_one_thing() {
        let found = chosen(vec![image(&[("No_pain", 0.7, "constant"), ("Pain", 0.9, OK)])]);
        assert_eq!(found, [(0, Reason::SurestWrong)]);
    }
}
