//! Runs that each explained a part of the images.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::{Report, Source};

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

/// How many missing parts are named. A file may say that a million are missing of each of its runs.
pub const MOST_MISSING: usize = 100;

/// How much of the models' names stands beside a missing part, in characters.
const NAMES: usize = 200;

/// The first [`MOST_MISSING`] parts that no run of the report explained, as `2/4`; with the models'
/// names where there are parts of several runs. [`count_missing_parts`] says how many there are.
#[must_use]
pub fn missing_parts(report: &Report<'_>) -> Vec<String> {
    let there = parts_there(report);
    let several = there.len() > 1;
    let of = |((parts, models), there): (&(usize, Vec<&str>), &BTreeSet<usize>)| {
        let of_models = if several { format!(" of {}", names(models)) } else { String::new() };
        let missing = (1..=*parts).filter(|part| !there.contains(part)).take(MOST_MISSING);
        missing.map(|part| format!("{part}/{parts}{of_models}")).collect::<Vec<_>>()
    };
    there.iter().flat_map(of).take(MOST_MISSING).collect()
}

/// How many parts no run of the report explained.
#[must_use]
pub fn count_missing_parts(report: &Report<'_>) -> usize {
    let missing =
        |((parts, _), there): (&(usize, Vec<&str>), &BTreeSet<usize>)| parts - there.len();
    parts_there(report).iter().map(missing).fold(0, usize::saturating_add)
}

/// The parts that are there, by their number and the names of the models.
fn parts_there<'a>(report: &'a Report<'_>) -> BTreeMap<(usize, Vec<&'a str>), BTreeSet<usize>> {
    let mut there: BTreeMap<(usize, Vec<&str>), BTreeSet<usize>> = BTreeMap::new();
    for source in &report.runs {
        if let Some((part, parts)) = shard(source) {
            let models = source.run.models.iter().map(|model| model.name.as_str()).collect();
            there.entry((parts, models)).or_default().insert(part);
        }
    }
    there
}

/// The start of the models' names.
fn names(models: &[&str]) -> String {
    let all = models.join(", ");
    match all.char_indices().nth(NAMES) {
        Some((end, _)) => format!("{}…", &all[..end]),
        None => all,
    }
}

/// The runs that did not come to their end: folder, images that they have a result of, and all.
#[must_use]
pub fn unfinished_runs<'a>(report: &'a Report<'_>) -> Vec<(&'a str, usize, usize)> {
    let open =
        report.runs.iter().filter(|source| source.run.status == burncam_record::RunStatus::Partial);
    let facts = |source: &'a Source| {
        let run = &source.run;
        let done = run.counts.explained.saturating_add(run.counts.failed);
        (source.folder.as_str(), done, run.data.images.saturating_mul(run.models.len()))
    };
    open.map(facts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests;

    /// A report of runs that say they are these parts, each of a model.
    fn report(shards: &[(&str, &str)]) -> Report<'static> {
        let mut report = tests::report(&["NCNN"], &["A"], ["Pain", "No_pain"]);
        let source = |&(shard, model): &(&str, &str)| {
            let mut source = report.runs[0].clone();
            source.run.data.shard = Some(shard.to_owned());
            source.run.models[0].name = model.to_owned();
            source
        };
        report.runs = shards.iter().map(source).collect();
        report
    }

    #[test]
    fn a_few_missing_parts_are_all_named() {
        let one = report(&[("1/4", "NCNN"), ("3/4", "NCNN")]);
        assert_eq!(
            (missing_parts(&one).join(" "), count_missing_parts(&one)),
            ("2/4 4/4".into(), 2)
        );
        let two = report(&[("1/2", "NCNN"), ("2/2", "NCNN"), ("1/3", "VGG16")]);
        assert_eq!(missing_parts(&two), ["2/3 of VGG16", "3/3 of VGG16"]);
        let whole = report(&[("2/2", "NCNN"), ("1/2", "NCNN")]);
        assert_eq!((missing_parts(&whole).len(), count_missing_parts(&whole)), (0, 0));
    }

    #[test]
    fn of_many_missing_parts_the_first_are_named() {
        let long = "é".repeat(10_000);
        let many = report(&[("1/1000000", "NCNN"), ("2/999999", &long)]);
        let missing = missing_parts(&many);
        assert_eq!((missing.len(), count_missing_parts(&many)), (MOST_MISSING, 1_999_997));
        assert_eq!(missing[1], format!("3/999999 of {}…", "é".repeat(NAMES)));
    }
}
