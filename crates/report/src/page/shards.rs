//! Runs that each explained a part of the images.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Report, Source};

/// More parts than any run has; what a file says beyond that is not believed.
const MOST: usize = 1_000_000;

/// The part that a run explained, and the number of parts, counted from 1.
#[must_use]
pub fn shard(source: &Source) -> Option<(usize, usize)> {
    let (part, parts) = source.run.data.shard.as_ref()?.split_once('/')?;
    let (part, parts) = (part.parse().ok()?, parts.parse().ok()?);
    (parts <= MOST && (1..=parts).contains(&part)).then_some((part, parts))
}

/// The number of parts, if every run of a report is a part of the same data set.
#[must_use]
pub fn parts(report: &Report<'_>) -> Option<usize> {
    let mut all = report.runs.iter().map(shard);
    let (_, parts) = all.next()??;
    all.all(|one| one.is_some_and(|(_, others)| others == parts)).then_some(parts)
}

/// The parts that no run of the report explained, as `2/4`; with the models' names where there are
/// parts of several runs.
#[must_use]
pub fn missing_parts(report: &Report<'_>) -> Vec<String> {
    let mut there: BTreeMap<(usize, Vec<&str>), BTreeSet<usize>> = BTreeMap::new();
    for source in &report.runs {
        if let Some((part, parts)) = shard(source) {
            let models = source.run.models.iter().map(|model| model.name.as_str()).collect();
            there.entry((parts, models)).or_default().insert(part);
        }
    }
    let several = there.len() > 1;
    let of = |((parts, models), there): ((usize, Vec<&str>), BTreeSet<usize>)| {
        let of_models = if several { format!(" of {}", models.join(", ")) } else { String::new() };
        let missing = (1..=parts).filter(move |part| !there.contains(part));
        missing.map(move |part| format!("{part}/{parts}{of_models}"))
    };
    there.into_iter().flat_map(of).collect()
}

/// The runs that did not come to their end: folder, images that they have a result of, and all.
#[must_use]
pub fn unfinished_runs<'a>(report: &'a Report<'_>) -> Vec<(&'a str, usize, usize)> {
    let open = report.runs.iter().filter(|source| source.run.status == crate::RunStatus::Partial);
    let facts = |source: &'a Source| {
        let run = &source.run;
        let done = run.counts.explained.saturating_add(run.counts.failed);
        (source.folder.as_str(), done, run.data.images.saturating_mul(run.models.len()))
    };
    open.map(facts).collect()
}
