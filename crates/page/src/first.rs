//! What stands first on the page: a row for each model.

use serde::Serialize;

use crate::document::{ModelReport, Report};
use crate::interval_text::{count, value};
use crate::maps::OK;
use crate::mean_maps::{MeanPicture, MeanView};
use crate::text::Language;
use crate::trust::{Headline, headlines};
use burncam_evaluation::Outcome;

/// Mean maps beside a model at most.
const MEANS: usize = 2;

/// The measures of a row.
pub(super) const MEASURES: [&str; 4] = ["accuracy", "sensitivity", "specificity", "auc"];

/// A model in one row.
#[derive(Serialize)]
pub(super) struct First<'a> {
    name: &'a str,
    /// Those of [`MEASURES`], in its order.
    measures: Vec<MeasureCell>,
    /// How many of the maps can be read.
    readable: String,
    are_all_readable: bool,
    verdicts: Vec<Headline>,
    means: Vec<Mean<'a>>,
}

#[derive(Serialize)]
struct MeasureCell {
    measure: &'static str,
    value: String,
    interval: String,
}

/// A mean map, and which.
#[derive(Serialize)]
struct Mean<'a> {
    title: &'a str,
    picture: &'a MeanPicture,
}

/// A row for each model; `views` are the mean maps of all.
pub(super) fn rows<'a>(
    report: &'a Report<'_>,
    views: &'a [MeanView],
    language: Language,
) -> Vec<First<'a>> {
    let row = |(place, model): (usize, &'a ModelReport)| First {
        name: &model.name,
        measures: MEASURES
            .into_iter()
            .map(|measure| measure_cell(model, measure, language))
            .collect(),
        readable: readable(model, language),
        are_all_readable: maps(model).0 == maps(model).1,
        verdicts: headlines(model, language),
        means: means(views, place),
    };
    report.models.iter().enumerate().map(row).collect()
}

/// What was run, in one sentence.
pub(super) fn lead(report: &Report<'_>, folds: usize, key: &str, language: Language) -> String {
    let of = |what: &str, number: usize| count(what, number, language);
    let explanations = report.explanations.join(", ");
    let values = [
        ("models", of("network", report.models.len())),
        ("images", of("image", report.images.len())),
        ("folds", of("fold", folds)),
        ("explanations", explanations),
    ];
    let values = values.each_ref().map(|(name, text)| (*name, text.as_str()));
    language.say(key, &values).unwrap_or_default()
}

fn measure_cell(model: &ModelReport, measure: &'static str, language: Language) -> MeasureCell {
    let number = |share: f64| value(measure, share, language);
    let interval = model.intervals.get(measure).filter(|one| one.low < one.high);
    let ends = interval.map(|one| format!("{} – {}", number(one.low), number(one.high)));
    let found = burncam_evaluation::MEASURES.iter().position(|known| *known == measure);
    let found = found.and_then(|place| model.scores.values()[place]);
    MeasureCell {
        measure,
        value: found.map_or_else(|| "–".to_owned(), number),
        interval: ends.unwrap_or_default(),
    }
}

/// The maps that can be read, and all.
fn maps(model: &ModelReport) -> (usize, usize) {
    let by_status = || model.explanations.iter().flat_map(|maps| &maps.by_status);
    let readable = by_status().filter(|(status, _)| *status == OK).map(|(_, count)| count).sum();
    (readable, by_status().map(|(_, count)| count).sum())
}

fn readable(model: &ModelReport, language: Language) -> String {
    let (readable, all) = maps(model);
    match all {
        0 => "–".to_owned(),
        _ => format!("{}\u{a0}%", language.number((readable * 100) as f64 / all as f64, 0)),
    }
}

/// The mean maps of the model's first explanation that has some: of right predictions, if there are.
fn means(views: &[MeanView], place: usize) -> Vec<Mean<'_>> {
    let mut own = views.iter().filter(|view| view.model_at == place);
    let Some(view) = own.find(|view| !view.groups.is_empty()) else { return Vec::new() };
    let is_right = |outcome: Outcome| outcome == Outcome::Right;
    let (right, other): (Vec<_>, Vec<_>) =
        view.groups.iter().partition(|group| is_right(group.outcome));
    let groups = right.into_iter().chain(other).take(MEANS);
    groups.map(|group| Mean { title: &group.title, picture: &group.all }).collect()
}
