//! Whether the order of methods depends on what removed places become.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::names::{self, Titles};
use super::numbers::number;
use super::table::direction;
use crate::text::Language;
use burncam_trust::{Baseline, Group, Profile, find};

/// A measure with several baselines.
#[derive(Serialize)]
pub(super) struct Sweep {
    title: String,
    better: &'static str,
    baselines: Vec<String>,
    rows: Vec<Row>,
    /// Whether the order changes, in a sentence.
    order: Option<String>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    is_map: bool,
    /// The mean and its rank, one for each baseline.
    cells: Vec<Option<(String, usize)>>,
}

/// The measures of a model that were computed with several baselines.
pub(super) fn sweeps<'a>(
    profiles: &'a [Profile],
    titles: &Titles<'a>,
    language: Language,
) -> Vec<Sweep> {
    let mut by_measure: BTreeMap<&str, Vec<&Profile>> = BTreeMap::new();
    let is_baseline = |name: &str| Baseline::ALL.iter().any(|one| one.name() == name);
    for profile in profiles.iter().filter(|one| one.class.is_empty()) {
        let group = find(&profile.measure).map(|measure| measure.group);
        if group == Some(Group::Faithfulness)
            && profile.points.iter().any(|point| is_baseline(&point.condition))
        {
            by_measure.entry(&profile.measure).or_default().push(profile);
        }
    }
    let sweep = |(measure, own): (&str, Vec<&'a Profile>)| sweep(measure, own, titles, language);
    by_measure.into_iter().filter_map(sweep).collect()
}

fn sweep<'a>(
    measure: &str,
    mut own: Vec<&'a Profile>,
    titles: &Titles<'a>,
    language: Language,
) -> Option<Sweep> {
    // Maps first.
    own.sort_by_key(|one| (!one.control.is_empty(), titles.place(&one.explanation)));
    let means = |profile: &&Profile| -> HashMap<&'a str, f64> {
        let points = profile.points.iter();
        points.filter_map(|point| Some((known(&point.condition)?, point.mean?.mean))).collect()
    };
    let means: Vec<HashMap<&str, f64>> = own.iter().map(means).collect();
    let baselines: Vec<&str> = (Baseline::ALL.iter().map(|one| one.name()))
        .filter(|name| means.iter().any(|means| means.contains_key(name)))
        .collect();
    if baselines.len() < 2 {
        return None;
    }
    let sign = if direction(measure) == "lower" { 1.0 } else { -1.0 };
    let column = |baseline: &&str| -> Vec<Option<f64>> {
        means.iter().map(|means| means.get(baseline).copied()).collect()
    };
    let columns: Vec<Vec<Option<f64>>> = baselines.iter().map(column).collect();
    let ranks: Vec<Vec<Option<usize>>> = columns.iter().map(|column| ranks(column, sign)).collect();
    let row = |(place, profile): (usize, &&'a Profile)| Row {
        name: titles.owner(&profile.explanation, &profile.control, language),
        is_map: profile.control.is_empty(),
        cells: (columns.iter().zip(&ranks))
            .map(|(column, ranks)| Some((number(column[place]?, language), ranks[place]?)))
            .collect(),
    };
    let maps = own.iter().filter(|profile| profile.control.is_empty()).count();
    // One method alone is ordered among the controls.
    let ordered = if maps > 1 { maps } else { own.len() };
    let orders: Vec<_> =
        columns.iter().map(|column| self::ranks(&column[..ordered], sign)).collect();
    let same = orders.iter().all(|order| *order == orders[0]);
    let key = match (maps > 1, same) {
        (true, true) => "order_same",
        (true, false) => "order_changes",
        (false, true) => "order_same_controls",
        (false, false) => "order_changes_controls",
    };
    Some(Sweep {
        title: names::measure(measure, language),
        better: direction(measure),
        baselines: baselines.iter().map(|name| names::baseline(name, language)).collect(),
        rows: own.iter().enumerate().map(row).collect(),
        order: (ordered > 1).then(|| language.say(key, &[])).flatten(),
    })
}

fn known(name: &str) -> Option<&'static str> {
    Baseline::ALL.iter().map(|one| one.name()).find(|known| *known == name)
}

/// The places of values, the best first; equal ones share the better place.
fn ranks(values: &[Option<f64>], sign: f64) -> Vec<Option<usize>> {
    let mut sorted: Vec<f64> = values.iter().flatten().map(|value| value * sign).collect();
    sorted.sort_by(f64::total_cmp);
    let rank = |value: f64| sorted.partition_point(|other| *other < value * sign) + 1;
    values.iter().map(|value| value.map(rank)).collect()
}
