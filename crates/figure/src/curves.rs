//! ROC curves and reliability of all networks, and how scores change as pixels are removed.

use burncam_page::{ModelReport, Report};

use crate::chart::{Chart, GAP, HEADING, LEADING, LEFT, MOST, SIDE, Stroke};
use crate::error::Error;
use crate::font::Face;
use crate::look::{Look, WIDEST};
use crate::panel::{MARGIN, heading};
use crate::removal::{Removal, removals};
use crate::scene::{GREY, Item, Line, POINT, RULE, Scene, Text};

/// Charts side by side.
const BESIDE: usize = 2;

/// Size of the words under the charts, in points.
const SMALL: f32 = 6.5;

/// What a chart shows.
enum Plot<'a> {
    Roc(Vec<&'a ModelReport>),
    Reliability(Vec<&'a ModelReport>),
    Removal(Removal),
}

/// The curves of a report: ROC and reliability of its networks, and of runs with such measures the scores as pixels are
/// removed.
///
/// # Errors
///
/// [`Error::Asked`] if there are no curves, or more than can be told apart; [`Error::Characters`] if fonts lack some.
pub fn curves(report: &Report<'_>, look: &Look) -> Result<Scene, Error> {
    let has = |model: &&ModelReport| !model.roc.is_empty() || !dots(model).is_empty();
    let models: Vec<&ModelReport> = report.models.iter().filter(has).collect();
    let removals = removals(report, look);
    let lines = removals.iter().map(Removal::lines).max().unwrap_or_default();
    if models.is_empty() && removals.is_empty() || models.len().max(lines) > MOST {
        let hint = "curves are of 1 to 28 networks whose images have true classes, or of runs with --measure \
                    deletion,insertion";
        let count = models.len().max(lines);
        return Err(Error::Asked(format!("the report has {count} curves of a kind\nhint: {hint}")));
    }
    let is_measured = !removals.is_empty();
    let mut drawn: Vec<Plot<'_>> = Vec::new();
    if !models.is_empty() {
        drawn.extend([Plot::Roc(models.clone()), Plot::Reliability(models)]);
    }
    drawn.extend(removals.into_iter().map(Plot::Removal));
    let most = look.width.unwrap_or(WIDEST);
    let beside = 2.0 * MARGIN + 2.0 * LEFT + GAP + 1.5;
    let fitting = (most - beside) / 2.0;
    let side = if look.width.is_some() { fitting } else { fitting.min(SIDE) };
    if side < 20.0 {
        return Err(Error::Asked(format!(
            "two charts do not fit into {most} mm\nhint: a larger --width"
        )));
    }
    let title = look.title.clone().unwrap_or_else(|| look.say("figure_curves", &[]));
    let mut scene = Scene::new(title, look);
    scene.width = beside + 2.0 * side;
    let mut start = MARGIN + heading(&mut scene, look);
    for (row, pair) in drawn.chunks(BESIDE).enumerate() {
        let top = start + if row == 0 { 0.0 } else { GAP } + HEADING * POINT + 1.5;
        let mut end: f32 = 0.0;
        for (place, one) in pair.iter().enumerate() {
            let left = MARGIN + LEFT + place as f32 * (side + GAP + LEFT);
            let chart = Chart { left, top, side, range: [0.0, 1.0] };
            end = end.max(match one {
                Plot::Roc(models) => roc(&mut scene, chart, models, look),
                Plot::Reliability(models) => reliability(&mut scene, chart, models, look),
                Plot::Removal(removal) => removal.draw(&mut scene, chart, look),
            });
        }
        start = end - (LEADING - 2.0) * POINT;
    }
    if is_measured {
        let note = look.say("figure_removal", &[]);
        let lines =
            look.typeface.wrapped(Face::Regular, &note, SMALL, scene.width - 2.0 * MARGIN, 3);
        let first = Text::new("", [MARGIN, start + GAP / 2.0], SMALL).coloured(GREY);
        start = scene.lines(&lines, &first, LEADING) - (LEADING - 2.0) * POINT;
    }
    scene.height = start + MARGIN;
    scene.legible()
}

/// Draws the ROC curves; the baseline of the next line of the legend.
fn roc(scene: &mut Scene, chart: Chart, models: &[&ModelReport], look: &Look) -> f32 {
    axes(scene, &chart, ["roc", "axis_fpr", "axis_tpr"], look);
    let mut baseline = chart.below();
    for (place, model) in models.iter().enumerate() {
        let points = plain(model.roc.iter().map(|point| chart.at(*point)));
        if points.len() > 1 {
            let stroke = Stroke::coloured(place);
            scene.add(stroke.line(points));
            let auc = said_auc(model, look);
            baseline = chart.legend(scene, baseline, [&model.name, &auc], &stroke, look);
        }
    }
    baseline
}

/// Draws how often networks are right beside how sure they are; the baseline of the next line of the legend.
fn reliability(scene: &mut Scene, chart: Chart, models: &[&ModelReport], look: &Look) -> f32 {
    axes(scene, &chart, ["reliability", "axis_confidence", "axis_accuracy"], look);
    let mut baseline = chart.below();
    for (place, model) in models.iter().enumerate() {
        let (stroke, dots) = (Stroke::coloured(place), dots(model));
        if dots.is_empty() {
            continue;
        }
        scene.add(stroke.line(dots.iter().map(|(at, _)| chart.at(*at)).collect()));
        for (at, share) in &dots {
            let radius = 0.5 + 1.3 * (*share as f32).sqrt();
            scene.add(Item::Disc { centre: chart.at(*at), radius, fill: stroke.colour });
        }
        let error = model
            .scores
            .calibration_error
            .map(|error| look.say("figure_error", &[("error", &look.language.number(error, 3))]));
        let error = error.unwrap_or_default();
        baseline = chart.legend(scene, baseline, [&model.name, &error], &stroke, look);
    }
    baseline
}

/// Draws the axes and the diagonal between them.
fn axes(scene: &mut Scene, chart: &Chart, keys: [&str; 3], look: &Look) {
    chart.axes(scene, keys.map(|key| look.say(key, &[])), look);
    let points = vec![chart.at([0.0, 0.0]), chart.at([1.0, 1.0])];
    let dashes = vec![1.0, 1.0];
    scene.add(Item::Line(Line { points, width: 0.25, colour: RULE, dashes }));
}

/// The bins that have images: confidence and accuracy, and the share of images.
fn dots(model: &ModelReport) -> Vec<([f64; 2], f64)> {
    let all = model.judged.max(1) as f64;
    (model.reliability.iter())
        .filter_map(|bin| Some(([bin.confidence?, bin.accuracy?], bin.images as f64 / all)))
        .collect()
}

fn said_auc(model: &ModelReport, look: &Look) -> String {
    let Some(auc) = model.scores.auc else { return String::new() };
    let number = |value: f64| look.language.number(value, 3);
    // An interval without a width says nothing.
    match model.intervals.get("auc").filter(|interval| interval.low < interval.high) {
        Some(interval) => {
            let [auc, low, high] = [auc, interval.low, interval.high].map(number);
            look.say("figure_auc_interval", &[("auc", &auc), ("low", &low), ("high", &high)])
        }
        None => look.say("figure_auc", &[("auc", &number(auc))]),
    }
}

/// Points that are drawn at one place are one: a curve has a corner for every image.
fn plain(points: impl Iterator<Item = [f32; 2]>) -> Vec<[f32; 2]> {
    let mut plain: Vec<[f32; 2]> = Vec::new();
    for point in points {
        let is_near = |last: &[f32; 2]| {
            (last[0] - point[0]).abs() < 0.02 && (last[1] - point[1]).abs() < 0.02
        };
        if !plain.last().is_some_and(is_near) {
            plain.push(point);
        }
    }
    plain
}
