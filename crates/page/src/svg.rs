//! Curves as SVG, drawn in black on white.

use std::fmt::Write as _;

use crate::document::ModelReport;
use crate::template::is_control;
use crate::text::Language;
use burncam_evaluation::Histogram;

/// The drawing's sides, and the margins left and below for words.
const SIZE: f64 = 300.0;
const LEFT: f64 = 44.0;
const BELOW: f64 = 40.0;
const EDGE: f64 = 16.0;

/// A chart with axes from 0 to 1 across and to `top` up.
struct Chart {
    svg: String,
}

fn x(share: f64) -> f64 {
    LEFT + share * (SIZE - LEFT - EDGE)
}

fn y(share: f64) -> f64 {
    SIZE - BELOW - share * (SIZE - BELOW - EDGE)
}

impl Chart {
    fn new(language: Language, alt: &str, across: &str, up: &str, top: f64) -> Self {
        let mut svg = format!(
            "<svg viewBox=\"0 0 {SIZE} {SIZE}\" role=\"img\" aria-label=\"{}\" font-family=\"system-ui, sans-serif\" \
             font-size=\"12\" fill=\"#1a1a1a\"><rect x=\"0\" y=\"0\" width=\"{SIZE}\" height=\"{SIZE}\" fill=\"#fff\"/>",
            escaped(alt)
        );
        for tick in 0..=4 {
            let share = f64::from(tick) / 4.0;
            let digits = if top == 1.0 { 2 } else { 0 };
            let (across, up) = (language.number(share, 2), language.number(share * top, digits));
            let _ = write!(
                svg,
                "<path d=\"M{0:.1} {1:.1}V{2:.1}M{3:.1} {4:.1}H{5:.1}\" stroke=\"#ddd\"/>\
                 <text x=\"{0:.1}\" y=\"{6:.1}\" text-anchor=\"middle\">{across}</text>\
                 <text x=\"{7:.1}\" y=\"{8:.1}\" text-anchor=\"end\">{up}</text>",
                x(share),
                y(0.0),
                y(1.0),
                x(0.0),
                y(share),
                x(1.0),
                y(0.0) + 15.0,
                x(0.0) - 5.0,
                y(share) + 4.0,
            );
        }
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\
             <text transform=\"translate(11 {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            x(0.5),
            SIZE - 8.0,
            escaped(across),
            y(0.5),
            escaped(up),
        );
        Self { svg }
    }

    /// A line through points in 0..=1. Points that are drawn at one place are one, so that a curve
    /// with a corner for every image takes no more than the drawing can show.
    fn line(&mut self, points: &[[f64; 2]], style: &str) {
        self.svg.push_str("<path d=\"M");
        let mut last = String::new();
        for [across, up] in points {
            let place = format!("{:.1} {:.1}", x(*across), y(*up));
            if place == last {
                continue;
            }
            let between = if last.is_empty() { "" } else { "L" };
            let _ = write!(self.svg, "{between}{place}");
            last = place;
        }
        let _ = write!(self.svg, "\" fill=\"none\" {style}/>");
    }

    fn end(mut self) -> String {
        self.svg.push_str("</svg>");
        self.svg
    }
}

const DIAGONAL: [[f64; 2]; 2] = [[0.0, 0.0], [1.0, 1.0]];
const DASHED: &str = "stroke=\"#777\" stroke-dasharray=\"4 4\"";
const SOLID: &str = "stroke=\"#0b57a4\" stroke-width=\"2.5\"";

fn word(language: Language, key: &str) -> String {
    language.say(key, &[]).unwrap_or_default()
}

/// The ROC curve; nothing where it is not defined.
pub(super) fn roc(model: &ModelReport, language: Language) -> Option<String> {
    let auc = model.scores.auc.filter(|_| !model.roc.is_empty())?;
    let alt =
        language.say("roc_alt", &[("name", &model.name), ("auc", &language.number(auc, 3))])?;
    let [across, up] = ["axis_fpr", "axis_tpr"].map(|key| word(language, key));
    let mut chart = Chart::new(language, &alt, &across, &up, 1.0);
    chart.line(&DIAGONAL, DASHED);
    chart.line(&model.roc, SOLID);
    Some(chart.end())
}

/// Accuracy against confidence, a dot for each bin that has images.
pub(super) fn reliability(model: &ModelReport, language: Language) -> Option<String> {
    let ece = model.scores.calibration_error?;
    let alt = language
        .say("reliability_alt", &[("name", &model.name), ("ece", &language.number(ece, 3))])?;
    let [across, up] = ["axis_confidence", "axis_accuracy"].map(|key| word(language, key));
    let mut chart = Chart::new(language, &alt, &across, &up, 1.0);
    chart.line(&DIAGONAL, DASHED);
    let bins: Vec<(usize, f64, f64)> = (model.reliability.iter())
        .filter_map(|bin| Some((bin.images, bin.confidence?, bin.accuracy?)))
        .collect();
    let points: Vec<[f64; 2]> =
        bins.iter().map(|&(_, confidence, right)| [confidence, right]).collect();
    chart.line(&points, "stroke=\"#0b57a4\" stroke-width=\"1.5\"");
    for (images, confidence, right) in bins {
        let radius = 3.0 + 9.0 * (images as f64 / model.judged.max(1) as f64).sqrt();
        let _ = write!(
            chart.svg,
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius:.1}\" fill=\"#0b57a4\" fill-opacity=\".7\"><title>{images}</title></circle>",
            x(confidence),
            y(right),
        );
    }
    Some(chart.end())
}

/// How many images have which confidence: right, wrong and unknown on top of each other.
/// Each bar leads to its images in the gallery; `place` is that of the model.
pub(super) fn histogram(place: usize, model: &ModelReport, language: Language) -> Option<String> {
    let Histogram { right, wrong, unknown } = &model.histogram;
    let sum = |bins: &[usize]| bins.iter().sum::<usize>().to_string();
    let highest = (0..Histogram::BINS)
        .map(|bin| right[bin] + wrong[bin] + unknown[bin])
        .max()
        .filter(|&most| most > 0)?;
    let top = highest.div_ceil(4) * 4;
    let alt = language.say(
        "histogram_alt",
        &[
            ("name", &model.name),
            ("right", &sum(right)),
            ("wrong", &sum(wrong)),
            ("unknown", &sum(unknown)),
        ],
    )?;
    let [across, up] = ["axis_confidence", "axis_images"].map(|key| word(language, key));
    let mut chart = Chart::new(language, &alt, &across, &up, top as f64);
    // What is inside an image cannot be reached.
    chart.svg = chart.svg.replacen("role=\"img\"", "role=\"group\"", 1);
    for bin in 0..Histogram::BINS {
        let mut below = 0;
        // Dark, hatched by an outline, and light: they can be told apart in grey.
        let parts = [
            ("Right", right[bin], "#0b57a4"),
            ("Wrong", wrong[bin], "#f0a35e"),
            ("Unknown", unknown[bin], "#e4e4e4"),
        ];
        for (outcome, count, fill) in parts.into_iter().filter(|part| part.1 > 0) {
            let share = |count: usize| count as f64 / top as f64;
            let width = x(1.0 / Histogram::BINS as f64) - x(0.0);
            let ends = [bin, bin + 1].map(|end| 100 * end / Histogram::BINS);
            let [low, high] = ends.map(|end| format!("{end}\u{a0}%"));
            let word = word(language, outcome);
            let values =
                [("n", &*count.to_string()), ("outcome", &*word), ("low", &*low), ("high", &*high)];
            let name = language.say("histogram_bar", &values).unwrap_or_default();
            let _ = write!(
                chart.svg,
                "<a href=\"#model={place}&amp;outcome={outcome}&amp;low={0}&amp;high={1}\" aria-label=\"{2}\"><title>{2}</title>",
                ends[0],
                ends[1],
                escaped(&name),
            );
            let _ = write!(
                chart.svg,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{fill}\" stroke=\"#1a1a1a\" stroke-width=\".7\"/></a>",
                x(bin as f64 / Histogram::BINS as f64) + 0.5,
                y(share(below + count)),
                width - 1.0,
                y(share(below)) - y(share(below + count)),
            );
            below += count;
        }
    }
    legend(&mut chart, language);
    Some(chart.end())
}

fn legend(chart: &mut Chart, language: Language) {
    let entries = [("Right", "#0b57a4"), ("Wrong", "#f0a35e"), ("Unknown", "#e4e4e4")];
    for (place, (key, fill)) in entries.into_iter().enumerate() {
        let up = 18.0 + 17.0 * place as f64;
        let _ = write!(
            chart.svg,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"11\" height=\"11\" fill=\"{fill}\" stroke=\"#1a1a1a\" stroke-width=\".7\"/>\
             <text x=\"{:.1}\" y=\"{up:.1}\">{}</text>",
            LEFT + 8.0,
            up - 10.0,
            LEFT + 25.0,
            escaped(&word(language, key)),
        );
    }
}

/// Text as it may stand in an element or an attribute.
pub(super) fn escaped(text: &str) -> String {
    let text = text.replace(is_control, "\u{fffd}");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
