//! What occurs among the images, for the page's lists.

use std::collections::BTreeSet;

use crate::document::Report;
use crate::examples::{Example, Examples};
use burncam_record::Error;

/// How many failures the page lists; the rest are in `failures.csv`.
const FAILURES: usize = 100;

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
}

impl Occurrences {
    /// Looks at every image.
    pub(super) fn collect(report: &Report<'_>) -> Result<Self, Error> {
        let mut seen = Self::default();
        let mut examples = Examples::default();
        for (place, image) in report.images.plain().enumerate() {
            let image = image?;
            examples.add(place, &image);
            for result in &image.results {
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
        Ok(seen)
    }
}
