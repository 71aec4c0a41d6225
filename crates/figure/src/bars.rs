//! The colour bars under a figure: one for each scale, and what lines and crosses mean.

use std::collections::BTreeSet;

use burncam_evaluation::Values;
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
            titles.push(Face::Regular.wrapped(&title, SIZE, (length + BETWEEN - 2.0).min(free), 4));
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
    let lines = Face::Regular.wrapped(&note, SIZE, right - left, 4);
    let first = Text::new("", [left, bottom + SIZE * POINT * 0.9], SIZE).coloured(GREY);
    scene.lines(&lines, &first, LEADING) - (LEADING - 1.5) * POINT
}

/// Draws a bar with its numbers; where it ends.
fn bar(scene: &mut Scene, values: Values, [left, top]: [f32; 2], length: f32, look: &Look) -> f32 {
    let scale = look.scale(values);
    let share = |at: f32| scale.bottom() + at * (1.0 - scale.bottom());
    let picture =
        RgbImage::from_fn(STEPS, 1, |x, _| Rgb(scale.colour(share(x as f32 / (STEPS - 1) as f32))));
    // Several rows of pixels, so that no program fades the bar's edges.
    let picture = RgbImage::from_fn(STEPS, 8, |x, _| *picture.get_pixel(x, 0));
    let place = Place { left, top, width: length, height: HEIGHT };
    scene.add(Item::Picture { place, picture });
    let bottom = top + HEIGHT;
    for (at, anchor) in [(0.0, Anchor::Start), (0.5, Anchor::Middle), (1.0, Anchor::End)] {
        let x = left + at * length;
        let tick = x.clamp(left + 0.1, left + length - 0.1);
        scene.rule([tick, bottom], [tick, bottom + 0.7], 0.2, BLACK);
        let digits = if share(at).fract() == 0.0 { 0 } else { 1 };
        let number = look.language.number(f64::from(share(at)), digits);
        let baseline = bottom + 1.1 + SIZE * POINT * 0.8;
        scene.text(Text::new(number, [x, baseline], SIZE).anchored(anchor));
    }
    bottom + 1.1 + SIZE * POINT
}
