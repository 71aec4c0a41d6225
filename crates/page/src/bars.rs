//! Bars beside each other as SVG: a name, a bar with its interval, and the number.

use std::fmt::Write as _;

use crate::svg::escaped;
use crate::text::Language;

const WIDTH: f64 = 440.0;
/// Where bars begin and end.
const LEFT: f64 = 190.0;
const RIGHT: f64 = 390.0;
const ROW: f64 = 20.0;
const ABOVE: f64 = 6.0;
const BELOW: f64 = 22.0;
/// Characters of a name that fit.
const NAME: usize = 27;

/// One bar.
pub(crate) struct Bar {
    pub name: String,
    pub value: f64,
    pub interval: Option<[f64; 2]>,
    /// Whether it is of the maps themselves and not of a control.
    pub is_map: bool,
}

/// A drawing of bars with a dashed line at `line`. Digits of numbers are as many as given.
pub(crate) fn bars(
    alt: &str,
    bars: &[Bar],
    line: Option<f64>,
    digits: usize,
    language: Language,
) -> String {
    let ends = bars.iter().flat_map(|bar| bar.interval.into_iter().flatten().chain([bar.value]));
    let ends = ends.chain(line).filter(|end| end.is_finite());
    let (low, high) =
        ends.fold((0.0_f64, 0.0_f64), |(low, high), end| (low.min(end), high.max(end)));
    let step = step(high - low);
    let (low, high) = ((low / step).floor() * step, (high / step).ceil().max(1.0) * step);
    let x = |value: f64| {
        let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
        LEFT + if share.is_finite() { share } else { 0.0 } * (RIGHT - LEFT)
    };
    let bottom = ABOVE + ROW * bars.len() as f64;
    let height = bottom + BELOW;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\" font-family=\"system-ui, sans-serif\" \
         font-size=\"12\" fill=\"#1a1a1a\"><rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>",
        escaped(alt)
    );
    let ticks = ((high - low) / step).round().clamp(1.0, 10.0) as usize;
    for tick in 0..=ticks {
        let value = low + tick as f64 * step;
        let _ = write!(
            svg,
            "<path d=\"M{0:.1} {ABOVE}V{bottom}\" stroke=\"#ddd\"/>\
             <text x=\"{0:.1}\" y=\"{1:.1}\" text-anchor=\"middle\">{2}</text>",
            x(value),
            bottom + 15.0,
            language.number(value, digits_of(step)),
        );
    }
    for (place, bar) in bars.iter().enumerate() {
        let top = ABOVE + ROW * place as f64;
        let (from, to) = (x(bar.value.min(0.0)), x(bar.value.max(0.0)));
        let fill = if bar.is_map { "#0b57a4" } else { "#8a8f98" };
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" font-size=\"11\">{}</text>\
             <rect x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"13\" fill=\"{fill}\"/>",
            LEFT - 6.0,
            top + 14.0,
            escaped(&shortened(&bar.name)),
            top + 3.5,
            to - from,
        );
        if let Some(ends) = bar.interval {
            let ([from, to], middle) = (ends.map(x), top + 10.0);
            let _ = write!(
                svg,
                "<path d=\"M{from:.1} {0:.1}V{1:.1}M{from:.1} {middle:.1}H{to:.1}M{to:.1} {0:.1}V{1:.1}\" \
                 stroke=\"#e0791c\" stroke-width=\"2\" fill=\"none\"/>",
                middle - 4.0,
                middle + 4.0,
            );
        }
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            RIGHT + 8.0,
            top + 14.0,
            language.number(bar.value, digits),
        );
    }
    if let Some(line) = line {
        let _ = write!(
            svg,
            "<path d=\"M{:.1} {ABOVE}V{bottom}\" stroke=\"#1a1a1a\" stroke-width=\"1.5\" stroke-dasharray=\"4 3\"/>",
            x(line)
        );
    }
    svg.push_str("</svg>");
    svg
}

/// The start of a name.
pub(crate) fn shortened(name: &str) -> String {
    match name.char_indices().nth(NAME) {
        Some((end, _)) => format!("{}…", name[..end].trim_end()),
        None => name.to_owned(),
    }
}

/// The distance of ticks for a span: 1, 2 or 5 times a power of ten, so that there are at most six.
fn step(span: f64) -> f64 {
    if !(1e-6..=1e12).contains(&span) {
        return if span > 1.0 { span / 2.0 } else { 1e-6 };
    }
    let power = 10.0_f64.powf((span / 5.0).log10().floor());
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|one| one * power)
        .find(|step| span / step <= 5.0)
        .unwrap_or(10.0 * power)
}

fn digits_of(step: f64) -> usize {
    (-step.log10() - 1e-9).ceil().clamp(0.0, 6.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawing(values: &[f64]) -> String {
        let bar = |&value: &f64| Bar {
            name: "a<b".to_owned(),
            value,
            interval: Some([value; 2]),
            is_map: true,
        };
        bars("bars", &values.iter().map(bar).collect::<Vec<_>>(), Some(1.0), 3, Language::English)
    }

    #[test]
    fn ticks_are_round() {
        for (span, wanted, digits) in
            [(1.0, 0.2, 1), (0.7, 0.2, 1), (2.4, 0.5, 1), (30.0, 10.0, 0), (0.04, 0.01, 2)]
        {
            assert!((step(span) - wanted).abs() < 1e-12, "{span} {}", step(span));
            assert_eq!(digits_of(wanted), digits, "{span}");
        }
    }

    #[test]
    fn any_numbers_can_be_drawn() {
        for values in [&[][..], &[0.0], &[-0.5, 0.5], &[1e300, -1e300], &[f64::MAX], &[1e-300]] {
            let svg = drawing(values);
            assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("a<b"), "{svg}");
            assert!(svg.matches("stroke=\"#ddd\"").count() < 12);
        }
    }
}
