//! ROC curves and reliability of all networks.

use burncam_page::{ModelReport, Report};

use crate::error::Error;
use crate::font::Face;
use crate::look::{Look, WIDEST};
use crate::panel::{MARGIN, heading};
use crate::scene::{Anchor, BLACK, Colour, Item, Line, PALE, POINT, RULE, Scene, Text};

/// Colours that people with any kind of sight tell apart (Okabe and Ito, *Color Universal Design*, 2008).
const COLOURS: [Colour; 7] = [
    [0, 114, 178],
    [213, 94, 0],
    [0, 158, 115],
    [204, 121, 167],
    [86, 180, 233],
    [230, 159, 0],
    [26, 26, 26],
];

/// Dashes, so that curves differ in grey, in millimetres.
const DASHES: [&[f32]; 4] = [&[], &[2.4, 1.0], &[0.8, 0.8], &[3.0, 0.8, 0.8, 0.8]];

/// Networks that can be told apart.
const MOST: usize = COLOURS.len() * DASHES.len();

/// Sizes of text in points, and from line to line.
const HEADING: f32 = 8.0;
const BODY: f32 = 7.0;
const LEADING: f32 = 9.0;

/// The room of words left of and below a chart, between charts, and a chart's side, in millimetres.
const LEFT: f32 = 11.0;
const BELOW: f32 = 9.5;
const GAP: f32 = 7.0;
const SIDE: f32 = 62.0;

/// A sample of a curve in the legend.
const SAMPLE: f32 = 7.0;

/// Where a chart is.
#[derive(Clone, Copy)]
struct Chart {
    left: f32,
    top: f32,
    side: f32,
}

impl Chart {
    fn at(&self, [across, up]: [f64; 2]) -> [f32; 2] {
        [self.left + across as f32 * self.side, self.top + (1.0 - up as f32) * self.side]
    }
}

/// The curves of a report's networks.
///
/// # Errors
///
/// [`Error::Asked`] if no network has any, or more have than can be told apart.
pub fn curves(report: &Report<'_>, look: &Look) -> Result<Scene, Error> {
    let has = |model: &&ModelReport| !model.roc.is_empty() || !dots(model).is_empty();
    let models: Vec<&ModelReport> = report.models.iter().filter(has).collect();
    if models.is_empty() || models.len() > MOST {
        let hint = "curves are of 1 to 28 networks whose images have true classes";
        return Err(Error::Asked(format!("{} networks have curves\nhint: {hint}", models.len())));
    }
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
    let mut scene = Scene::new(title, look.language.tag());
    scene.width = beside + 2.0 * side;
    let start = MARGIN + heading(&mut scene, look);
    let top = start + HEADING * POINT + 1.5;
    let charts = [0.0, 1.0].map(|place| Chart {
        left: MARGIN + LEFT + place * (side + GAP + LEFT),
        top,
        side,
    });
    let words =
        [["roc", "axis_fpr", "axis_tpr"], ["reliability", "axis_confidence", "axis_accuracy"]];
    for (chart, [title, across, up]) in charts.iter().zip(words) {
        axes(&mut scene, chart, [title, across, up].map(|key| look.say(key, &[])), look);
    }
    let mut ends = [top + side + BELOW + BODY * POINT; 2];
    for (place, model) in models.iter().enumerate() {
        let colour = COLOURS[place % COLOURS.len()];
        // Every pair of a colour and dashes occurs once: 7 and 4 have no divisor in common.
        let dashes = DASHES[place % DASHES.len()].to_vec();
        let curve = |points: Vec<[f32; 2]>| {
            Item::Line(Line { points, width: 0.5, colour, dashes: dashes.clone() })
        };
        let points = plain(model.roc.iter().map(|point| charts[0].at(*point)));
        let dots = dots(model);
        if points.len() > 1 {
            scene.add(curve(points));
            let auc = said_auc(model, look);
            legend(&mut scene, &charts[0], &mut ends[0], &model.name, &auc, &curve);
        }
        if !dots.is_empty() {
            scene.add(curve(dots.iter().map(|(at, _)| charts[1].at(*at)).collect()));
            for (at, share) in &dots {
                let radius = 0.5 + 1.3 * (*share as f32).sqrt();
                scene.add(Item::Disc { centre: charts[1].at(*at), radius, fill: colour });
            }
            let error = model.scores.calibration_error.map(|error| {
                look.say("figure_error", &[("error", &look.language.number(error, 3))])
            });
            let error = error.unwrap_or_default();
            legend(&mut scene, &charts[1], &mut ends[1], &model.name, &error, &curve);
        }
    }
    scene.height = ends[0].max(ends[1]) - (LEADING - 2.0) * POINT + MARGIN;
    Ok(scene)
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

fn axes(scene: &mut Scene, chart: &Chart, [title, across, up]: [String; 3], look: &Look) {
    let Chart { left, top, side } = *chart;
    scene.text(Text::new(title, [left, top - 1.8], HEADING).bold());
    for tick in 0..=4 {
        let share = f64::from(tick) / 4.0;
        let ([x, _], [_, y]) = (chart.at([share, 0.0]), chart.at([0.0, share]));
        if tick > 0 {
            scene.rule([x, top], [x, top + side], 0.15, PALE);
            scene.rule([left, y], [left + side, y], 0.15, PALE);
        }
        let number = look.language.number(share, 2);
        let below = [x, top + side + 1.0 + BODY * POINT * 0.8];
        scene.text(Text::new(number.as_str(), below, BODY).anchored(Anchor::Middle));
        let beside = [left - 1.2, y + BODY * POINT * 0.36];
        scene.text(Text::new(number, beside, BODY).anchored(Anchor::End));
    }
    let diagonal = vec![chart.at([0.0, 0.0]), chart.at([1.0, 1.0])];
    let dashes = vec![1.0, 1.0];
    scene.add(Item::Line(Line { points: diagonal, width: 0.25, colour: RULE, dashes }));
    scene.rule([left, top], [left, top + side], 0.25, BLACK);
    scene.rule([left, top + side], [left + side, top + side], 0.25, BLACK);
    let middle = [left + side / 2.0, top + side + 1.0 + BODY * POINT * 2.2];
    scene.text(Text::new(capitalised(&across), middle, BODY).anchored(Anchor::Middle));
    let upright =
        Text::new(capitalised(&up), [left - LEFT + BODY * POINT * 0.8, top + side / 2.0], BODY);
    scene.text(upright.anchored(Anchor::Middle).upright());
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).collect()
}

/// Writes a network's line of the legend.
fn legend(
    scene: &mut Scene,
    chart: &Chart,
    baseline: &mut f32,
    name: &str,
    value: &str,
    curve: &impl Fn(Vec<[f32; 2]>) -> Item,
) {
    let (left, middle) = (chart.left, *baseline - BODY * POINT * 0.33);
    scene.add(curve(vec![[left, middle], [left + SAMPLE, middle]]));
    let start = left + SAMPLE + 1.5;
    let room = left + chart.side - start;
    let value = if value.is_empty() { String::new() } else { format!(": {value}") };
    let name = Face::Regular.cut(name, BODY, (room - Face::Regular.width(&value, BODY)).max(8.0));
    scene.text(Text::new(format!("{name}{value}"), [start, *baseline], BODY));
    *baseline += LEADING * POINT;
}
