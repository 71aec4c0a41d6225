//! Every measure of a model, explanation by explanation.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::names::{self, Titles};
use super::numbers::{Estimate, estimate, number, plain};
use crate::text::Language;
use burncam_trust::{Assessment, Better, Group, MEASURES, find};

/// The groups of the table, in its order, and the keys of their words.
const GROUPS: [(Option<Group>, &str); 7] = [
    (Some(Group::Faithfulness), "group_faithfulness"),
    (Some(Group::GroundTruth), "group_ground_truth"),
    (Some(Group::Composite), "group_composite"),
    (Some(Group::Sanity), "group_sanity"),
    (Some(Group::Robustness), "group_robustness"),
    (Some(Group::Concentration), "group_concentration"),
    (None, "group_other"),
];

/// Measures of other versions that are shown at most.
const MOST_UNKNOWN: usize = 64;

/// Measures by explanation.
#[derive(Serialize)]
pub(super) struct Table<'a> {
    explanations: Vec<&'a str>,
    groups: Vec<GroupView>,
    /// The controls of each explanation.
    controls: Vec<Controls<'a>>,
}

#[derive(Serialize)]
struct GroupView {
    title: String,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    title: String,
    /// `higher`, `lower` or empty.
    better: &'static str,
    /// One for each explanation.
    cells: Vec<Option<Cell>>,
}

#[derive(Serialize)]
struct Cell {
    mean: Option<Estimate>,
    /// `better`, `not_better`, `sane`, `not_sane` or empty.
    mark: &'static str,
    /// The best control, its mean and the maps' advantage.
    best: Option<String>,
    chance: Option<String>,
    undefined: usize,
}

/// All controls of an explanation.
#[derive(Serialize)]
struct Controls<'a> {
    explanation: &'a str,
    names: Vec<String>,
    rows: Vec<ControlRow>,
}

#[derive(Serialize)]
struct ControlRow {
    title: String,
    own: String,
    cells: Vec<Option<ControlCell>>,
}

#[derive(Serialize)]
struct ControlCell {
    mean: String,
    advantage: Option<String>,
    undefined: usize,
}

/// Assessments by explanation and measure.
pub(super) type ByName<'a> = HashMap<(&'a str, &'a str), &'a Assessment>;

/// Measures that are of one map: their names in the order of tables, unknown ones last.
pub(super) fn measures(all: &[Assessment], group: Option<Group>) -> Vec<&str> {
    let there: BTreeSet<&str> = all.iter().map(|one| one.measure.as_str()).collect();
    if group.is_none() {
        return there.into_iter().filter(|name| find(name).is_none()).take(MOST_UNKNOWN).collect();
    }
    let known = MEASURES.iter().filter(|one| Some(one.group) == group);
    known.filter_map(|one| there.get(one.name).copied()).collect()
}

/// The table of a model; `explanations` are names.
pub(super) fn table<'a>(
    all: &'a [Assessment],
    explanations: &[&'a str],
    by_name: &ByName<'a>,
    titles: &Titles<'a>,
    language: Language,
) -> Option<Table<'a>> {
    let row = |measure: &'a str| Row {
        title: names::measure(measure, language),
        better: direction(measure),
        cells: (explanations.iter())
            .map(|&name| Some(cell(by_name.get(&(name, measure))?, language)))
            .collect(),
    };
    let groups = GROUPS.into_iter().map(|(group, key)| GroupView {
        title: language.say(key, &[]).unwrap_or_default(),
        rows: measures(all, group).into_iter().map(row).collect(),
    });
    let groups: Vec<GroupView> = groups.filter(|group| !group.rows.is_empty()).collect();
    let own = |name: &&'a str| controls(all, name, by_name, titles, language);
    (!groups.is_empty()).then(|| Table {
        explanations: explanations.iter().map(|name| titles.explanation(name)).collect(),
        groups,
        controls: explanations.iter().filter_map(own).collect(),
    })
}

/// Which values are better: `higher`, `lower` or nothing.
pub(super) fn direction(measure: &str) -> &'static str {
    match find(measure).and_then(|measure| measure.better) {
        Some(Better::Higher) => "higher",
        Some(Better::Lower) => "lower",
        None => "",
    }
}

fn cell(one: &Assessment, language: Language) -> Cell {
    let text = |value: f64| number(value, language);
    let best = one.verdict.as_ref().and_then(|verdict| {
        let control = one.controls.iter().find(|other| other.control == verdict.control)?;
        let title = names::control_title(&verdict.control, language);
        let (mean, advantage) = (text(control.mean?), plain(&verdict.advantage, text));
        let values = [("control", &*title), ("mean", &*mean), ("advantage", &*advantage)];
        language.say("best_control", &values)
    });
    let mark = match (&one.verdict, one.is_sane) {
        (Some(verdict), _) if verdict.is_better => "better",
        (Some(_), _) => "not_better",
        (None, Some(true)) => "sane",
        (None, Some(false)) => "not_sane",
        (None, None) => "",
    };
    Cell {
        mean: one.mean.as_ref().map(|mean| estimate(mean, text)),
        mark,
        best,
        chance: one.chance.map(text),
        undefined: one.undefined,
    }
}

/// The means of all controls of an explanation, if it has any.
fn controls<'a>(
    all: &'a [Assessment],
    explanation: &'a str,
    by_name: &ByName<'a>,
    titles: &Titles<'a>,
    language: Language,
) -> Option<Controls<'a>> {
    let measures = GROUPS.into_iter().flat_map(|(group, _)| measures(all, group));
    let own: Vec<&Assessment> =
        measures.filter_map(|measure| by_name.get(&(explanation, measure)).copied()).collect();
    let names: BTreeSet<&str> =
        own.iter().flat_map(|one| &one.controls).map(|one| one.control.as_str()).collect();
    let text = |value: f64| number(value, language);
    let row = |one: &&Assessment| {
        let cell = |name: &&str| {
            let control = one.controls.iter().find(|control| control.control == **name)?;
            Some(ControlCell {
                mean: control.mean.map_or_else(|| "–".to_owned(), text),
                advantage: control.advantage.as_ref().map(|advantage| plain(advantage, text)),
                undefined: control.undefined,
            })
        };
        ControlRow {
            title: names::measure(&one.measure, language),
            own: one.mean.as_ref().map_or_else(|| "–".to_owned(), |mean| plain(mean, text)),
            cells: names.iter().map(cell).collect(),
        }
    };
    let rows = own.iter().filter(|one| !one.controls.is_empty()).map(row).collect();
    (!names.is_empty()).then(|| Controls {
        explanation: titles.explanation(explanation),
        names: names.iter().map(|name| names::control_title(name, language)).collect(),
        rows,
    })
}
