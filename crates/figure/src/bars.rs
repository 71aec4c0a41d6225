//! Colour bars: those under a figure, one for each scale, and what lines and crosses mean.

use std::collections::BTreeSet;

use burncam_evaluation::Values;
use burncam_page::Language;
use burncam_render::Scale;
use image::{Rgb, RgbImage};

use crate::font::Face;
use crate::look::Look;
use crate::scene::{Anchor, BLACK, GREY, Item, POINT, Place, Scene, Text};

/// Size of the words and numbers, and from line to line, in points.
const SIZE: f32 = 6.5;
const LEADING: f32 = 8.0;

/// Length of a bar, at most and where several stand side by side, its height, and the space between two, in millimetres.
const LENGTH: f32 = 48.0;
const SHORTEST: f32 = 32.0;
const HEIGHT: f32 = 2.2;
const BETWEEN: f32 = 8.0;

/// Colours of a bar.
const STEPS: u32 = 255;

/// Draws a bar for each kind of values, from `left` on and between there and `right`, and the notes under them; where
/// they end.
pub(crate) fn bars(
    scene: &mut Scene,
    kinds: &BTreeSet<Values>,
    key: &str,
    notes: &[String],
    (left, right): (f32, f32),
    top: f32,
    look: &Look,
) -> f32 {
    let (room, count) = (right - left, kinds.len().max(1) as f32);
    let each = (room - (count - 1.0) * BETWEEN) / count;
    let length = each.clamp(SHORTEST, LENGTH).min(room);
    let fitting = (((right - left + BETWEEN) / (length + BETWEEN)) as usize).max(1);
    let mut bottom = top;
    let kinds: Vec<Values> = kinds.iter().copied().collect();
    for group in kinds.chunks(fitting) {
        let (start, mut titles) = (bottom, Vec::new());
        for (place, values) in group.iter().enumerate() {
            let title = look.say(&format!("{key}_{}", values.name()), &[]);
            let free = room - place as f32 * (length + BETWEEN);
            titles.push(look.typeface.wrapped(
                Face::Regular,
                &title,
                SIZE,
                (length + BETWEEN - 2.0).min(free),
                4,
            ));
        }
        let most = titles.iter().map(Vec::len).max().unwrap_or_default();
        for (place, (values, title)) in group.iter().zip(titles).enumerate() {
            let x = left + place as f32 * (length + BETWEEN);
            let skipped = (most - title.len()) as f32;
            let baseline = start + (skipped * LEADING + SIZE) * POINT;
            let below = scene.lines(&title, &Text::new("", [x, baseline], SIZE), LEADING);
            let under = bar(scene, *values, [x, below - (SIZE - 1.5) * POINT], length, look);
            bottom = bottom.max(under);
        }
        bottom += 2.0;
    }
    let note = notes.join(" ");
    if note.is_empty() {
        return bottom;
    }
    let lines = look.typeface.wrapped(Face::Regular, &note, SIZE, right - left, 4);
    let first = Text::new("", [left, bottom + SIZE * POINT * 0.9], SIZE).coloured(GREY);
    scene.lines(&lines, &first, LEADING) - (LEADING - 1.5) * POINT
}

/// Draws a bar with its numbers; where it ends.
fn bar(scene: &mut Scene, values: Values, [left, top]: [f32; 2], length: f32, look: &Look) -> f32 {
    let scale = look.scale(values);
    let colours: Vec<[u8; 3]> = spectrum(&scale, STEPS).collect();
    // Several rows of pixels, so that no program fades the bar's edges.
    let picture = RgbImage::from_fn(STEPS, 8, |x, _| Rgb(colours[x as usize]));
    let place = Place { left, top, width: length, height: HEIGHT };
    scene.add(Item::Picture { place, picture });
    let bottom = top + HEIGHT;
    for ((at, value), anchor) in
        ticks(&scale).into_iter().zip([Anchor::Start, Anchor::Middle, Anchor::End])
    {
        let x = left + at * length;
        let tick = x.clamp(left + 0.1, left + length - 0.1);
        scene.rule([tick, bottom], [tick, bottom + 0.7], 0.2, BLACK);
        let baseline = bottom + 1.1 + SIZE * POINT * 0.8;
        let text = number(value, look.language);
        scene.text(Text::new(text, [x, baseline], SIZE).anchored(anchor));
    }
    bottom + 1.1 + SIZE * POINT
}

/// The colours of a bar of so many steps, the lowest value first.
pub(crate) fn spectrum(scale: &Scale, steps: u32) -> impl Iterator<Item = [u8; 3]> {
    let last = steps.saturating_sub(1).max(1) as f32;
    (0..steps).map(move |step| scale.colour(share(scale, step as f32 / last)))
}

/// Where the numbers of a bar are, as shares of its length, and the values there.
pub(crate) fn ticks(scale: &Scale) -> [(f32, f32); 3] {
    [0.0, 0.5, 1.0].map(|at| (at, scale.top * share(scale, at)))
}

/// The share of the top at a share of a bar's length.
fn share(scale: &Scale, at: f32) -> f32 {
    scale.bottom() + at * (1.0 - scale.bottom())
}

/// The value at a tick, in nine characters at most.
pub(crate) fn number(value: f32, language: Language) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        size if !(0.01..1000.0).contains(&size) => {
            let text = format!("{value:.2e}");
            let (digits, power) = text.split_once('e').unwrap_or((text.as_str(), "0"));
            let digits = language.number(digits.parse().unwrap_or_default(), 2);
            return format!("{digits}e{}", power.replace('-', "−"));
        }
        size if size < 1.0 => 3,
        size if size < 10.0 => 2,
        _ => 1,
    };
    let text = language.number(f64::from(value), digits);
    match digits {
        0 => text,
        _ => text.trim_end_matches('0').trim_end_matches(['.', ',']).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-1.0, "−1"),
            (0.5, "0.5"),
            (0.734, "0.734"),
            (12.34, "12.3"),
            (100.0, "100"),
            (-0.734, "−0.734"),
            (1.2e-7, "1.20e−7"),
            (-1.2e-38, "−1.20e−38"),
            (4e12, "4.00e12"),
            (999.96, "1000"),
        ] {
            assert_eq!(number(value, Language::English), text);
            assert!(text.chars().count() <= 9);
        }
        assert_eq!(number(0.25, Language::Portuguese), "0,25");
        assert_eq!(number(1.2e-7, Language::Portuguese), "1,20e−7");
    }
}
