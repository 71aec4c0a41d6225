//! Charts with two axes, and their legends.

use crate::font::Face;
use crate::look::Look;
use crate::scene::{Anchor, BLACK, Colour, Item, Line, PALE, POINT, Scene, Text};

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

/// Greys of what curves are compared with.
const GREYS: [Colour; 2] = [[120, 120, 120], [175, 175, 175]];

/// Dashes, so that curves differ in grey, in millimetres.
const DASHES: [&[f32]; 4] = [&[], &[2.4, 1.0], &[0.8, 0.8], &[3.0, 0.8, 0.8, 0.8]];

/// Curves that can be told apart.
pub(crate) const MOST: usize = COLOURS.len() * DASHES.len();

/// Sizes of text in points, and from line to line.
pub(crate) const HEADING: f32 = 8.0;
pub(crate) const BODY: f32 = 7.0;
pub(crate) const LEADING: f32 = 9.0;

/// The room of words left of and below a chart, between charts, and a chart's side, in millimetres.
pub(crate) const LEFT: f32 = 11.0;
const BELOW: f32 = 9.5;
pub(crate) const GAP: f32 = 7.0;
pub(crate) const SIDE: f32 = 62.0;

/// A sample of a curve in the legend.
const SAMPLE: f32 = 7.0;

/// The steps between an axis's numbers.
const STEPS: u32 = 4;

/// Where a chart is, and the values at the ends of its upright axis; the other runs from 0 to 1.
#[derive(Clone, Copy)]
pub(crate) struct Chart {
    pub left: f32,
    pub top: f32,
    pub side: f32,
    pub range: [f64; 2],
}

/// How a curve is drawn.
#[derive(Clone)]
pub(crate) struct Stroke {
    pub width: f32,
    pub colour: Colour,
    pub dashes: Vec<f32>,
}

impl Stroke {
    /// The stroke of a curve: every pair of a colour and dashes occurs once, since 7 and 4 have no divisor in common.
    pub(crate) fn coloured(place: usize) -> Self {
        let dashes = DASHES[place % DASHES.len()].to_vec();
        Self { width: 0.5, colour: COLOURS[place % COLOURS.len()], dashes }
    }

    /// The stroke of what curves are compared with.
    pub(crate) fn grey(place: usize) -> Self {
        let dashes = DASHES[place % DASHES.len()].to_vec();
        Self { width: 0.35, colour: GREYS[place / DASHES.len() % GREYS.len()], dashes }
    }

    pub(crate) fn line(&self, points: Vec<[f32; 2]>) -> Item {
        let Self { width, colour, dashes } = self.clone();
        Item::Line(Line { points, width, colour, dashes })
    }
}

impl Chart {
    /// Where a point of both axes is.
    pub(crate) fn at(&self, [across, up]: [f64; 2]) -> [f32; 2] {
        let [low, high] = self.range;
        let up = (up - low) / (high - low);
        [self.left + across as f32 * self.side, self.top + (1.0 - up as f32) * self.side]
    }

    /// The baseline of the legend's first line.
    pub(crate) fn below(&self) -> f32 {
        self.top + self.side + BELOW + BODY * POINT
    }

    /// Draws the axes with their numbers, and what they and the chart are called.
    pub(crate) fn axes(&self, scene: &mut Scene, [title, across, up]: [String; 3], look: &Look) {
        let Self { left, top, side, range: [low, high] } = *self;
        scene.text(Text::new(title, [left, top - 1.8], HEADING).bold());
        for tick in 0..=STEPS {
            let share = f64::from(tick) / f64::from(STEPS);
            let value = low + share * (high - low);
            let ([x, _], [_, y]) = (self.at([share, low]), self.at([0.0, value]));
            if tick > 0 {
                scene.rule([x, top], [x, top + side], 0.15, PALE);
                scene.rule([left, y], [left + side, y], 0.15, PALE);
            }
            let below = [x, top + side + 1.0 + BODY * POINT * 0.8];
            let number = look.language.number(share, 2);
            scene.text(Text::new(number, below, BODY).anchored(Anchor::Middle));
            let beside = [left - 1.2, y + BODY * POINT * 0.36];
            let number = look.language.number(value, 2);
            scene.text(Text::new(number, beside, BODY).anchored(Anchor::End));
        }
        scene.rule([left, top], [left, top + side], 0.25, BLACK);
        scene.rule([left, top + side], [left + side, top + side], 0.25, BLACK);
        let middle = [left + side / 2.0, top + side + 1.0 + BODY * POINT * 2.2];
        scene.text(Text::new(capitalised(&across), middle, BODY).anchored(Anchor::Middle));
        let beside = [left - LEFT + BODY * POINT * 0.8, top + side / 2.0];
        let upright = Text::new(capitalised(&up), beside, BODY);
        scene.text(upright.anchored(Anchor::Middle).upright());
    }

    /// Writes a curve's line of the legend; the next one's baseline.
    pub(crate) fn legend(
        &self,
        scene: &mut Scene,
        baseline: f32,
        [name, value]: [&str; 2],
        stroke: &Stroke,
        look: &Look,
    ) -> f32 {
        let (left, middle) = (self.left, baseline - BODY * POINT * 0.33);
        scene.add(stroke.line(vec![[left, middle], [left + SAMPLE, middle]]));
        let start = left + SAMPLE + 1.5;
        let value = if value.is_empty() { String::new() } else { format!(": {value}") };
        let taken = look.typeface.width(Face::Regular, &value, BODY);
        let room = (left + self.side - start - taken).max(8.0);
        let name = look.typeface.cut(Face::Regular, name, BODY, room);
        scene.text(Text::new(format!("{name}{value}"), [start, baseline], BODY));
        baseline + LEADING * POINT
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).collect()
}
