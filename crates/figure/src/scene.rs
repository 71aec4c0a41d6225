//! A figure as what is drawn on it, in millimetres from its top left corner.

use std::collections::BTreeSet;

use image::RgbImage;

use crate::error::Error;
use crate::font::{Face, Typeface};
use crate::look::Look;

/// Millimetres of a point.
pub(crate) const POINT: f32 = 25.4 / 72.0;

/// Red, green and blue.
pub(crate) type Colour = [u8; 3];

pub(crate) const BLACK: Colour = [26, 26, 26];
pub(crate) const GREY: Colour = [95, 95, 95];
pub(crate) const RULE: Colour = [150, 150, 150];
pub(crate) const PALE: Colour = [225, 225, 225];

/// A figure, ready to be written as [`svg`](crate::svg), [`pdf`](crate::pdf) or [`png`](crate::png()).
#[derive(Clone, Debug)]
pub struct Scene {
    /// Its width in millimetres.
    pub width: f32,
    /// Its height in millimetres.
    pub height: f32,
    /// What it shows, for readers who do not see it.
    pub title: String,
    /// The language of its words, as in BCP 47.
    pub language: &'static str,
    pub(crate) typeface: Typeface,
    pub(crate) items: Vec<Item>,
}

/// Something that is drawn. Later ones lie over earlier ones.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Rectangle { place: Place, fill: Colour },
    Picture { place: Place, picture: RgbImage },
    Line(Line),
    Disc { centre: [f32; 2], radius: f32, fill: Colour },
    Text(Text),
}

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    pub left: f32,
    pub top: f32,
    pub width: f32,
    pub height: f32,
}

/// A line through points.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub points: Vec<[f32; 2]>,
    pub width: f32,
    pub colour: Colour,
    /// Lengths of dashes and gaps; none for a line without gaps.
    pub dashes: Vec<f32>,
}

/// A line of text.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// Where its anchor lies on its baseline.
    pub at: [f32; 2],
    pub text: String,
    /// Its size in points.
    pub size: f32,
    pub face: Face,
    pub colour: Colour,
    pub anchor: Anchor,
    /// Whether it runs upwards.
    pub is_upright: bool,
}

/// What of a text lies at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Text {
    /// Black text from a place on.
    pub(crate) fn new(text: impl Into<String>, at: [f32; 2], size: f32) -> Self {
        let (face, anchor) = (Face::Regular, Anchor::Start);
        Self { at, text: text.into(), size, face, colour: BLACK, anchor, is_upright: false }
    }

    pub(crate) fn bold(self) -> Self {
        Self { face: Face::SemiBold, ..self }
    }

    pub(crate) fn coloured(self, colour: Colour) -> Self {
        Self { colour, ..self }
    }

    pub(crate) fn anchored(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    pub(crate) fn upright(self) -> Self {
        Self { is_upright: true, ..self }
    }

    /// Where it starts on its baseline.
    pub(crate) fn start(&self, typeface: &Typeface) -> [f32; 2] {
        let width = || typeface.width(self.face, &self.text, self.size);
        let back = match self.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => width() / 2.0,
            Anchor::End => width(),
        };
        let [x, y] = self.at;
        if self.is_upright { [x, y + back] } else { [x - back, y] }
    }
}

impl Scene {
    /// Nothing yet.
    pub(crate) fn new(title: String, look: &Look) -> Self {
        let (language, typeface) = (look.language.tag(), look.typeface.clone());
        Self { width: 0.0, height: 0.0, title, language, typeface, items: Vec::new() }
    }

    /// The figure, if its fonts have all characters.
    ///
    /// # Errors
    ///
    /// [`Error::Characters`] names those that they lack.
    pub(crate) fn legible(self) -> Result<Self, Error> {
        let texts = self.items.iter().filter_map(|item| match item {
            Item::Text(text) => Some(text),
            _ => None,
        });
        let (mut missing, mut places) = (BTreeSet::new(), BTreeSet::new());
        for text in texts {
            let before = missing.len();
            missing.extend(self.typeface.missing(text.face, &text.text));
            if missing.len() > before {
                places.insert(text.text.clone());
            }
        }
        match missing.is_empty() {
            true => Ok(self),
            false => Err(Error::Characters { missing, places }),
        }
    }

    pub(crate) fn add(&mut self, item: Item) {
        self.items.push(item);
    }

    pub(crate) fn text(&mut self, text: Text) {
        self.items.push(Item::Text(text));
    }

    /// A line without gaps between two points.
    pub(crate) fn rule(&mut self, from: [f32; 2], to: [f32; 2], width: f32, colour: Colour) {
        let line = Line { points: vec![from, to], width, colour, dashes: Vec::new() };
        self.items.push(Item::Line(line));
    }

    /// Lines of text under each other, each `leading` points below the one before; where the next one's baseline
    /// would be.
    pub(crate) fn lines(&mut self, lines: &[String], first: &Text, leading: f32) -> f32 {
        let mut baseline = first.at[1];
        for line in lines {
            self.text(Text { text: line.clone(), at: [first.at[0], baseline], ..first.clone() });
            baseline += leading * POINT;
        }
        baseline
    }
}
