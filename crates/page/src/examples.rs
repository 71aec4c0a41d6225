//! The images that a reader should see first.

use crate::document::{AttributionReport, ImageReport, Report, ResultReport};
use crate::maps::OK;
use crate::text::Language;
use burncam_evaluation::{Outcome, Peaks};
use burncam_record::Error;

/// How many there are at most.
const MOST: usize = 4;

/// Why an image should be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Right, and the most confident.
    Right,
    /// Wrong, and the most confident.
    Wrong,
    /// Two networks say different classes, both with confidence.
    Disagree,
    /// A map that must not be read.
    Unreadable,
    /// The least confident.
    Doubt,
    /// The most confident of those whose map is largest in a border cell.
    Border,
    /// The map with the smallest largest value, by the first network and explanation.
    Weak,
    /// Right, of another class than the first, and the most confident.
    RightToo,
}

impl Reason {
    /// All, those that are preferred first.
    pub const ALL: [Self; 8] = [
        Self::Right,
        Self::Wrong,
        Self::Disagree,
        Self::Unreadable,
        Self::Doubt,
        Self::Border,
        Self::Weak,
        Self::RightToo,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Wrong => "wrong",
            Self::Disagree => "disagree",
            Self::Unreadable => "unreadable",
            Self::Doubt => "doubt",
            Self::Border => "border",
            Self::Weak => "weak",
            Self::RightToo => "right_too",
        }
    }

    /// The reason in words.
    #[must_use]
    pub fn say(self, language: Language) -> String {
        language.say(&format!("example_{}", self.name()), &[]).unwrap_or_default()
    }
}

/// Whether networks predict different classes for an image.
#[must_use]
pub fn disagree(image: &ImageReport) -> bool {
    let mut classes = image.results.iter().filter_map(|one| one.predicted.as_ref());
    let first = classes.next();
    classes.any(|class| Some(class) != first)
}

/// An image to be seen first.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// Its place among the images.
    pub image: usize,
    /// Its path in the data folder.
    pub path: String,
    /// Why.
    pub reason: Reason,
    /// The models that it is about.
    pub models: Vec<usize>,
    /// The explanation whose map shows it.
    pub explanation: usize,
}

/// At most four images to be seen first, each another: one for each of the first reasons that has one.
///
/// # Errors
///
/// What reading an image gives.
pub fn examples(report: &Report<'_>) -> Result<Vec<Example>, Error> {
    let mut found = Examples::default();
    for (place, image) in report.images.plain().enumerate() {
        found.add(place, &image?);
    }
    Ok(found.finish())
}

/// The best images so far for each reason.
#[derive(Default)]
pub(super) struct Examples {
    /// In the order of [`Reason::ALL`]: how good it is, and the image. As many as images that could be taken by others.
    best: [Vec<(f32, Example)>; 8],
    /// The best right image of each class; classes beyond a few do not matter.
    right: Vec<(String, f32, Example)>,
}

/// Classes whose best right image is kept.
const MOST_CLASSES: usize = 8;

impl Examples {
    /// Looks at an image; `place` is its place among all.
    pub(super) fn add(&mut self, place: usize, image: &ImageReport) {
        for result in &image.results {
            let Some(confidence) = result.confidence else { continue };
            let attribution = readable(result).or_else(|| result.attributions.first());
            let explanation = attribution.map_or(0, |one| one.explanation);
            let example = |reason: Reason, explanation: usize| Example {
                image: place,
                path: image.path.clone(),
                reason,
                models: vec![result.model],
                explanation,
            };
            let is_readable = readable(result).is_some();
            match result.outcome {
                Some(Outcome::Right) if is_readable => {
                    self.offer_right(confidence, result, || example(Reason::RightToo, explanation));
                    self.offer(Reason::Right, confidence, |reason| example(reason, explanation));
                }
                Some(Outcome::Wrong) if is_readable => {
                    self.offer(Reason::Wrong, confidence, |reason| example(reason, explanation));
                }
                _ => {}
            }
            if is_readable {
                self.offer(Reason::Doubt, -confidence, |reason| example(reason, explanation));
            }
            // Largest values of other networks and methods are on other scales.
            let largest = readable(result).filter(|one| result.model + one.explanation == 0);
            if let Some(largest) = largest.and_then(|one| one.map_max).filter(|most| *most > 0.0) {
                self.offer(Reason::Weak, -largest, |reason| example(reason, explanation));
            }
            let mut maps = result.attributions.iter();
            if let Some(bad) = maps.find(|one| one.status != OK) {
                let explanation = bad.explanation;
                self.offer(Reason::Unreadable, confidence, |reason| example(reason, explanation));
            }
            let mut maps = result.attributions.iter();
            if let Some(border) = maps.find(|one| one.status == OK && is_largest_at_border(one)) {
                let explanation = border.explanation;
                self.offer(Reason::Border, confidence, |reason| example(reason, explanation));
            }
        }
        self.add_disagreement(place, image);
    }

    /// The two most confident networks that do not agree.
    fn add_disagreement(&mut self, place: usize, image: &ImageReport) {
        let said =
            |result: &&ResultReport| result.predicted.is_some() && readable(result).is_some();
        let confidence = |result: &ResultReport| result.confidence.unwrap_or_default();
        let mut results: Vec<&ResultReport> = image.results.iter().filter(said).collect();
        results.sort_by(|a, b| confidence(b).total_cmp(&confidence(a)));
        let Some((first, others)) = results.split_first() else { return };
        let Some(other) = others.iter().find(|one| one.predicted != first.predicted) else {
            return;
        };
        self.offer(Reason::Disagree, confidence(other), |reason| Example {
            image: place,
            path: image.path.clone(),
            reason,
            models: vec![first.model, other.model],
            explanation: readable(first).map_or(0, |one| one.explanation),
        });
    }

    fn offer(&mut self, reason: Reason, score: f32, example: impl FnOnce(Reason) -> Example) {
        let best = &mut self.best[reason as usize];
        let place = best.partition_point(|(known, _)| *known >= score);
        if place < MOST {
            best.truncate(MOST - 1);
            best.insert(place, (score, example(reason)));
        }
    }

    fn offer_right(
        &mut self,
        score: f32,
        result: &ResultReport,
        example: impl FnOnce() -> Example,
    ) {
        let Some(class) = &result.predicted else { return };
        let is_full = self.right.len() >= MOST_CLASSES;
        match self.right.iter_mut().find(|(known, ..)| known == class) {
            Some((_, known, best)) if score > *known => (*known, *best) = (score, example()),
            Some(_) => {}
            None if !is_full => {
                self.right.push((class.clone(), score, example()));
            }
            None => {}
        }
    }

    /// The images that were found, in the order of their reasons.
    pub(super) fn finish(mut self) -> Vec<Example> {
        self.right.sort_by(|a, b| b.1.total_cmp(&a.1));
        let too = self.right.into_iter().map(|(_, score, example)| (score, example)).collect();
        let mut found: Vec<Example> = Vec::new();
        for of_reason in self.best.into_iter().chain([too]) {
            let is_new = |example: &Example| found.iter().all(|known| known.image != example.image);
            let next = of_reason.into_iter().map(|(_, example)| example).find(is_new);
            found.extend(next);
        }
        found.truncate(MOST);
        found
    }
}

/// The first map of a result that can be read.
fn readable(result: &ResultReport) -> Option<&AttributionReport> {
    result.attributions.iter().find(|one| one.status == OK)
}

/// Whether a map that has inner cells has its largest value in a border cell.
pub(super) fn is_largest_at_border(attribution: &AttributionReport) -> bool {
    let [height, width] = attribution.map_size;
    let mut peaks = Peaks::default();
    if let Some([row, column]) = attribution.map_peak {
        peaks.add((height, width), (row, column));
    }
    peaks.border > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::report;

    #[test]
    fn each_is_another_image_with_its_reason() {
        let two = report(&["NCNN", "VGG16"], &["A", "BB"], ["Pain", "No_pain"]);
        let found = examples(&two).expect("images");
        let reasons: Vec<Reason> = found.iter().map(|one| one.reason).collect();
        assert_eq!(reasons, Reason::ALL[..4]);
        let images: Vec<ImageReport> =
            two.images.plain().collect::<Result<_, _>>().expect("images");
        let results = |place: usize| &images[found[place].image].results;
        let all = || images.iter().flat_map(|image| &image.results);
        let most = |outcome: Outcome| {
            let own = all().filter(|one| one.outcome == Some(outcome) && readable(one).is_some());
            own.filter_map(|one| one.confidence).fold(0.0, f32::max)
        };
        assert_eq!(results(0)[found[0].models[0]].confidence, Some(most(Outcome::Right)));
        assert_eq!(results(1)[found[1].models[0]].confidence, Some(most(Outcome::Wrong)));
        let said = |model: usize| &results(2)[found[2].models[model]].predicted;
        assert_ne!(said(0), said(1));
        let places: std::collections::BTreeSet<usize> = found.iter().map(|one| one.image).collect();
        assert_eq!(places.len(), 4);
        for one in &found {
            assert_eq!(one.path, images[one.image].path);
        }
        // One network, all right: others take the places.
        let one = report(&["NCNN"], &["A"], ["Pain", "No_pain"]);
        let found = examples(&one).expect("images");
        assert_eq!(found.len(), 4);
        assert!(found.iter().all(|one| one.reason != Reason::Disagree));
    }
}
