//! What occurs among the images, for the page's lists.

use std::collections::BTreeSet;

use crate::document::{MeasuredMap, Report};
use crate::examples::{Example, Examples};
use crate::measured_map::has_order;
use burncam_record::Error;
use burncam_trust::regions::FACE_REGIONS;
use burncam_trust::{MEASURES, Measure};

/// How many failures the page lists; the rest are in `failures.csv`.
const FAILURES: usize = 100;

/// Regions that the page knows at most: a label map has 256 values.
const MOST_REGIONS: usize = 256;

/// What occurs among a report's images.
#[derive(Default)]
pub(super) struct Occurrences {
    /// The folds, sorted.
    pub folds: BTreeSet<String>,
    /// The states of maps, sorted.
    pub statuses: BTreeSet<String>,
    /// The outcomes.
    pub outcomes: BTreeSet<&'static str>,
    /// The first failures, in words.
    pub failures: Vec<String>,
    /// The number of all failures.
    pub failure_count: usize,
    /// The images that should be seen first.
    pub examples: Vec<Example>,
    /// The regions of faces in which parts of maps lie.
    pub regions: Vec<String>,
    /// The measures that maps can be put in order by.
    pub measures: Vec<&'static Measure>,
}

impl Occurrences {
    /// Looks at every image.
    pub(super) fn collect(report: &Report<'_>) -> Result<Self, Error> {
        let mut seen = Self::default();
        let mut examples = Examples::default();
        let mut measured = MeasuredNames::default();
        for (place, image) in report.images.plain().enumerate() {
            let image = image?;
            examples.add(place, &image);
            for result in &image.results {
                let maps = result.attributions.iter();
                maps.filter_map(|one| one.measured.as_deref()).for_each(|one| measured.add(one));
                for status in result.attributions.iter().map(|one| &one.status) {
                    if !seen.statuses.contains(status) {
                        seen.statuses.insert(status.clone());
                    }
                }
                seen.outcomes.extend(result.outcome.map(burncam_evaluation::Outcome::name));
                if result.predicted.is_none() {
                    seen.failure_count += 1;
                    if seen.failures.len() < FAILURES {
                        let model = &report.models[result.model].name;
                        let reason = result.error.as_deref().unwrap_or_default();
                        seen.failures.push(format!("{}, {model}: {reason}", image.path));
                    }
                }
            }
            if !seen.folds.contains(&image.fold) {
                seen.folds.insert(image.fold);
            }
        }
        seen.examples = examples.finish();
        (seen.regions, seen.measures) = measured.finish();
        Ok(seen)
    }
}

/// The names of what was measured.
#[derive(Default)]
struct MeasuredNames {
    measures: BTreeSet<String>,
    regions: BTreeSet<String>,
}

impl MeasuredNames {
    fn add(&mut self, map: &MeasuredMap) {
        for name in map.measures.keys().filter(|name| has_order(name)) {
            if !self.measures.contains(name) {
                self.measures.insert(name.clone());
            }
        }
        for name in map.regions.keys().chain(&map.peak_region) {
            if self.regions.len() < MOST_REGIONS && !self.regions.contains(name) {
                self.regions.insert(name.clone());
            }
        }
    }

    /// Regions in the order of those of landmarks, others after them by name; measures in the order of tables.
    fn finish(self) -> (Vec<String>, Vec<&'static Measure>) {
        let place = |name: &String| FACE_REGIONS.iter().position(|known| known == name);
        let mut regions: Vec<String> = self.regions.into_iter().collect();
        regions.sort_by_key(|name| place(name).unwrap_or(FACE_REGIONS.len()));
        let measures = MEASURES.iter().filter(|one| self.measures.contains(one.name));
        (regions, measures.copied().collect())
    }
}
