//! Pairs of models as tables of models by models.

use serde::Serialize;

use crate::document::{Comparison, Report};
use crate::text::Language;

/// Folds that a test over folds needs.
const FEWEST_FOLDS: usize = 5;

/// What is shown of pairs of models.
#[derive(Serialize)]
pub(super) struct PairedView {
    /// Tests over folds, measure by measure.
    over_folds: Vec<Matrix>,
    /// Why there are none.
    withheld: Option<String>,
    /// Tests over images.
    over_images: Option<Matrix>,
}

/// A cell for each pair: the row's model and the column's.
#[derive(Serialize)]
pub(super) struct Matrix {
    title: String,
    rows: Vec<Vec<Option<Cell>>>,
}

#[derive(Clone, Serialize)]
struct Cell {
    /// The difference, or two counts.
    text: String,
    p: String,
    /// Whether the corrected p is below 0.05.
    is_small: bool,
}

/// Tests of pairs of models, if there are pairs.
pub(super) fn view(report: &Report<'_>, language: Language) -> Option<PairedView> {
    if report.models.len() < 2 || !report.is_compared() {
        return None;
    }
    let all = &report.comparisons;
    let can_be_tested = report.models.iter().all(|model| model.network_per_fold)
        && all.iter().any(|pair| pair.test.folds >= FEWEST_FOLDS);
    let mut over_folds: Vec<Matrix> = Vec::new();
    if can_be_tested {
        for of_measure in all.chunk_by(|a, b| a.measure == b.measure) {
            let title = language.say(&format!("{}_short", of_measure[0].measure), &[]);
            let cells = of_measure.iter().filter(|pair| pair.test.folds >= FEWEST_FOLDS);
            let cells = cells.map(|pair| (pair.first, pair.second, difference(pair, language)));
            over_folds.push(matrix(title.unwrap_or_default(), cells, report.models.len()));
        }
    }
    let withheld = over_folds.is_empty().then(|| language.say("tests_withheld", &[])).flatten();
    let counts = report.discordance.iter().map(|pair| {
        let n = |count: usize| language.number(count as f64, 0);
        let text = format!("{} : {}", n(pair.first_only), n(pair.second_only));
        (pair.first, pair.second, cell(text, pair.p_holm, language))
    });
    let title = language.say("mcnemar", &[]).unwrap_or_default();
    let over_images =
        (!report.discordance.is_empty()).then(|| matrix(title, counts, report.models.len()));
    Some(PairedView { over_folds, withheld, over_images })
}

fn difference(pair: &Comparison, language: Language) -> Cell {
    let points = |share: f64| language.number(share * 100.0, 1);
    let sign = if pair.test.mean_difference > 0.0 { "+" } else { "" };
    let text = format!("{sign}{}", points(pair.test.mean_difference));
    cell(text, pair.p_holm, language)
}

fn cell(text: String, p: Option<f64>, language: Language) -> Cell {
    let said = match p {
        None => "p –".to_owned(),
        Some(p) if p < 0.001 => format!("p < {}", language.number(0.001, 3)),
        Some(p) => format!("p = {}", language.number(p, 3)),
    };
    Cell { text, p: said, is_small: p.is_some_and(|p| p < 0.05) }
}

fn matrix(
    title: String,
    cells: impl Iterator<Item = (usize, usize, Cell)>,
    models: usize,
) -> Matrix {
    let mut rows = vec![vec![None; models]; models];
    for (first, second, cell) in cells {
        if let Some(place) = rows.get_mut(first).and_then(|row| row.get_mut(second)) {
            *place = Some(cell);
        }
    }
    Matrix { title, rows }
}
