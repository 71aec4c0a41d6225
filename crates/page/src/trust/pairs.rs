//! How far the maps of two explanations agree.

use std::collections::BTreeSet;

use serde::Serialize;

use super::names::{self, Titles};
use super::numbers::{Estimate, estimate, number};
use super::table::{ByName, measures};
use crate::text::Language;
use burncam_trust::{Assessment, Group};

/// Pairs of explanations by measure.
#[derive(Serialize)]
pub(super) struct Pairs {
    measures: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    pair: String,
    cells: Vec<Option<Cell>>,
}

#[derive(Serialize)]
struct Cell {
    mean: Option<Estimate>,
    chance: Option<String>,
    undefined: usize,
}

/// The pairs of a model, if any were compared.
pub(super) fn pairs<'a>(
    all: &'a [Assessment],
    by_name: &ByName<'a>,
    titles: &Titles<'a>,
    language: Language,
) -> Option<Pairs> {
    let measures = measures(all, Some(Group::Agreement));
    let own = all.iter().filter(|one| measures.contains(&one.measure.as_str()));
    let pairs: BTreeSet<&str> = own.map(|one| one.explanation.as_str()).collect();
    let cell = |pair: &'a str, measure: &'a str| {
        let one = by_name.get(&(pair, measure))?;
        let text = |value: f64| number(value, language);
        let mean = one.mean.as_ref().map(|mean| estimate(mean, text));
        Some(Cell { mean, chance: one.chance.map(text), undefined: one.undefined })
    };
    let row = |pair: &'a str| Row {
        pair: titles.pair(pair),
        cells: measures.iter().map(|&measure| cell(pair, measure)).collect(),
    };
    let rows: Vec<Row> = pairs.into_iter().map(row).collect();
    let titles = measures.iter().map(|name| names::measure(name, language)).collect();
    (!rows.is_empty()).then_some(Pairs { measures: titles, rows })
}
