//! Values over steps as SVG: a line and a band for each of several things.

use std::fmt::Write as _;

use crate::bars::shortened;
use crate::svg::escaped;
use crate::text::Language;

const WIDTH: f64 = 420.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 405.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 212.0;
/// Room for the names of steps, which stand askew.
const NAMES: f64 = 92.0;
const ROW: f64 = 17.0;

/// Steps that have a name below them at most, and lines that are drawn.
const MOST_NAMES: usize = 12;
pub(crate) const MOST_STEPS: usize = 64;
pub(crate) const MOST_LINES: usize = 12;

const COLOURS: [&str; 6] = ["#0b57a4", "#b35900", "#0b7a4b", "#8a2a8a", "#5c5c5c", "#a3172b"];
const DASHES: [&str; 2] = ["", " stroke-dasharray=\"6 3\""];

/// A line: at each step the mean and its interval.
pub(crate) struct Line {
    pub name: String,
    pub points: Vec<Option<(f64, Option<[f64; 2]>)>>,
}

/// A drawing of lines over named steps, from -1 to 1, with a dashed line at `limit`.
pub(crate) fn steps(
    alt: &str,
    up: &str,
    names: &[&str],
    lines: &[Line],
    limit: Option<f64>,
    language: Language,
) -> String {
    let steps = names.len().min(MOST_STEPS);
    let height = BOTTOM + NAMES + ROW * lines.len().min(MOST_LINES) as f64;
    let x = |step: usize| LEFT + (step as f64 + 0.5) / steps.max(1) as f64 * (RIGHT - LEFT);
    let y = |value: f64| TOP + (1.0 - value.clamp(-1.0, 1.0)) / 2.0 * (BOTTOM - TOP);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\" font-family=\"system-ui, sans-serif\" \
         font-size=\"12\" fill=\"#1a1a1a\"><rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>",
        escaped(alt)
    );
    for tick in 0..=4 {
        let value = -1.0 + f64::from(tick) / 2.0;
        let stroke = if tick == 2 { "#999" } else { "#ddd" };
        let _ = write!(
            svg,
            "<path d=\"M{LEFT} {0:.1}H{RIGHT}\" stroke=\"{stroke}\"/>\
             <text x=\"{1:.1}\" y=\"{2:.1}\" text-anchor=\"end\">{3}</text>",
            y(value),
            LEFT - 5.0,
            y(value) + 4.0,
            language.number(value, 1),
        );
    }
    let _ = write!(
        svg,
        "<text transform=\"translate(12 {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
        (TOP + BOTTOM) / 2.0,
        escaped(up)
    );
    let every = steps.div_ceil(MOST_NAMES).max(1);
    for (step, name) in names.iter().enumerate().take(steps).filter(|(step, _)| step % every == 0) {
        let _ = write!(
            svg,
            "<path d=\"M{0:.1} {BOTTOM}v4\" stroke=\"#999\"/>\
             <text transform=\"translate({1:.1} {2:.1}) rotate(-38)\" text-anchor=\"end\" font-size=\"11\">{3}</text>",
            x(step),
            x(step) + 4.0,
            BOTTOM + 14.0,
            escaped(&shortened(name)),
        );
    }
    if let Some(limit) = limit {
        let _ = write!(
            svg,
            "<path d=\"M{LEFT} {0:.1}H{RIGHT}\" stroke=\"#1a1a1a\" stroke-dasharray=\"4 3\"/>",
            y(limit)
        );
    }
    for (place, line) in lines.iter().enumerate().take(MOST_LINES) {
        let (colour, dash) =
            (COLOURS[place % COLOURS.len()], DASHES[place / COLOURS.len() % DASHES.len()]);
        let known = || {
            let points = line.points.iter().take(steps).enumerate();
            points.filter_map(|(step, point)| Some((step, (*point)?)))
        };
        let ends = |end: usize| {
            known().map(move |(step, (mean, ends))| (step, ends.map_or(mean, |ends| ends[end])))
        };
        let corner = |(step, value): (usize, f64)| format!("{:.1} {:.1}", x(step), y(value));
        let band: Vec<String> = ends(0)
            .map(corner)
            .chain(ends(1).collect::<Vec<_>>().into_iter().rev().map(corner))
            .collect();
        let means: Vec<String> = known().map(|(step, (mean, _))| corner((step, mean))).collect();
        if means.is_empty() {
            continue;
        }
        let _ = write!(
            svg,
            "<path d=\"M{}Z\" fill=\"{colour}\" fill-opacity=\".13\"/>\
             <path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>",
            band.join("L"),
            means.join("L"),
        );
        for (step, (mean, _)) in known() {
            let _ = write!(
                svg,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.5\" fill=\"{colour}\"/>",
                x(step),
                y(mean)
            );
        }
    }
    for (place, line) in lines.iter().enumerate().take(MOST_LINES) {
        let (colour, dash) =
            (COLOURS[place % COLOURS.len()], DASHES[place / COLOURS.len() % DASHES.len()]);
        let middle = BOTTOM + NAMES + ROW * place as f64;
        let _ = write!(
            svg,
            "<path d=\"M{LEFT} {middle:.1}h26\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            LEFT + 33.0,
            middle + 4.0,
            escaped(&line.name),
        );
    }
    svg.push_str("</svg>");
    svg
}
