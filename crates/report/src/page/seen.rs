//! What occurs among the images, for the page's lists.

use std::collections::BTreeSet;

use super::document::Report;
use crate::Error;

/// How many failures the page lists; the rest are in `failures.csv`.
const FAILURES: usize = 100;

/// What occurs among a report's images.
#[derive(Default)]
pub(super) struct Seen {
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
}

impl Seen {
    /// Looks at every image.
    pub(super) fn of(report: &Report<'_>) -> Result<Self, Error> {
        let mut seen = Self::default();
        for image in report.images.plain() {
            let image = image?;
            for result in &image.results {
                if let Some(status) = result.status.as_ref().filter(|s| !seen.statuses.contains(*s))
                {
                    seen.statuses.insert(status.clone());
                }
                seen.outcomes.extend(result.outcome.map(crate::Outcome::name));
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
        Ok(seen)
    }
}
