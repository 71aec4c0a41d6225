//! The figure's typeface: how wide text is, and its outlines.

use std::fmt::Write as _;
use std::sync::LazyLock;

use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::{FontRef, GlyphId, MetadataProvider};

use crate::scene::POINT;

static REGULAR: &[u8] = include_bytes!("../../../assets/fonts/Inter-Regular.otf");
static SEMI_BOLD: &[u8] = include_bytes!("../../../assets/fonts/Inter-SemiBold.otf");

/// A weight of the typeface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Face {
    Regular,
    SemiBold,
}

/// What stands where text is cut.
const ELLIPSIS: char = '…';

/// A character as it is drawn.
pub(crate) struct Placed {
    pub id: GlyphId,
    /// How far the next one is, as a share of the text's size.
    pub advance: f32,
    /// Where its character begins in the text, in bytes.
    pub start: usize,
    pub end: usize,
}

impl Face {
    /// The font's file.
    pub(crate) fn file(self) -> &'static [u8] {
        match self {
            Self::Regular => REGULAR,
            Self::SemiBold => SEMI_BOLD,
        }
    }

    fn font(self) -> &'static FontRef<'static> {
        static FONTS: LazyLock<[FontRef<'static>; 2]> = LazyLock::new(|| {
            [REGULAR, SEMI_BOLD].map(|file| FontRef::new(file).expect("the program's own font"))
        });
        &FONTS[self as usize]
    }

    /// The characters of a text. What the font does not have is its box for such.
    pub(crate) fn placed(self, text: &str) -> Vec<Placed> {
        let font = self.font();
        let (characters, metrics) =
            (font.charmap(), font.glyph_metrics(Size::new(1.0), LocationRef::default()));
        let one = |(start, character): (usize, char)| {
            let id = characters.map(character).unwrap_or(GlyphId::NOTDEF);
            let advance = metrics.advance_width(id).unwrap_or_default();
            Placed { id, advance, start, end: start + character.len_utf8() }
        };
        text.char_indices().map(one).collect()
    }

    /// The width of a text in millimetres; `size` is in points.
    pub(crate) fn width(self, text: &str, size: f32) -> f32 {
        self.placed(text).iter().map(|one| one.advance).sum::<f32>() * size * POINT
    }

    /// The text, or its beginning and an ellipsis, not wider than `most` millimetres.
    pub(crate) fn cut(self, text: &str, size: f32, most: f32) -> String {
        if self.width(text, size) <= most {
            return text.to_owned();
        }
        let mut kept: Vec<char> = text.chars().collect();
        while kept.pop().is_some() {
            let cut: String = kept.iter().chain([&ELLIPSIS]).collect();
            if self.width(&cut, size) <= most {
                return cut;
            }
        }
        String::new()
    }

    /// The text in lines not wider than `most` millimetres, at most `lines` of them. It is parted at blanks; words that
    /// are wider alone also behind `_`, `-`, `.` and `/`.
    pub(crate) fn wrapped(self, text: &str, size: f32, most: f32, lines: usize) -> Vec<String> {
        let fits = |text: &str| self.width(text.trim_end(), size) <= most;
        let parts = |word: &'_ str| -> Vec<String> {
            match fits(word) {
                true => vec![word.to_owned()],
                false => word.split_inclusive(['_', '-', '.', '/']).map(str::to_owned).collect(),
            }
        };
        let mut wrapped: Vec<String> = Vec::new();
        let mut line = String::new();
        for part in text.split_inclusive(' ').flat_map(parts) {
            let longer = format!("{line}{part}");
            if line.is_empty() || fits(&longer) || wrapped.len() + 1 >= lines {
                line = longer;
            } else {
                wrapped.push(std::mem::replace(&mut line, part));
            }
        }
        wrapped.push(line);
        wrapped.iter().map(|line| self.cut(line.trim_end(), size, most)).collect()
    }

    /// The outlines of a text that starts at the origin, as the data of an SVG path; `size` is in millimetres.
    pub(crate) fn outlines(self, text: &str, size: f32) -> String {
        let mut pen = Pen { path: String::new(), right: 0.0 };
        let outlines = self.font().outline_glyphs();
        for one in self.placed(text) {
            if let Some(outline) = outlines.get(one.id) {
                let settings = DrawSettings::unhinted(Size::new(size), LocationRef::default());
                // An outline that cannot be drawn is left out; the program's own font has none.
                let _ = outline.draw(settings, &mut pen);
            }
            pen.right += one.advance * size;
        }
        pen.path
    }
}

/// Writes outlines as SVG's commands, y downwards.
struct Pen {
    path: String,
    right: f32,
}

impl Pen {
    fn command(&mut self, name: char, numbers: &[f32]) {
        self.path.push(name);
        for (place, number) in numbers.iter().enumerate() {
            let number = if place % 2 == 0 { self.right + number } else { -number };
            // A thousandth of a millimetre is finer than any press prints.
            let number = (number * 1000.0).round() / 1000.0 + 0.0;
            let blank = if place == 0 { "" } else { " " };
            let _ = write!(self.path, "{blank}{number}");
        }
    }
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.command('M', &[x, y]);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.command('L', &[x, y]);
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        self.command('Q', &[cx, cy, x, y]);
    }

    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        self.command('C', &[ax, ay, bx, by, x, y]);
    }

    fn close(&mut self) {
        self.path.push('Z');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_the_characters_of_figures() {
        for face in [Face::Regular, Face::SemiBold] {
            for one in face.placed("aZ09ãéçõÍ✓✗−×±…%\u{a0}") {
                assert_ne!(one.id, GlyphId::NOTDEF, "{}", one.start);
            }
        }
    }

    #[test]
    fn text_is_cut_and_wrapped() {
        let face = Face::Regular;
        let name = "S01_sem_dor_01.png";
        assert_eq!(face.cut(name, 7.0, 100.0), name);
        let cut = face.cut(name, 7.0, 12.0);
        assert!(cut.ends_with('…') && face.width(&cut, 7.0) <= 12.0, "{cut}");
        let lines = face.wrapped(name, 7.0, 14.0, 3);
        assert!(lines.len() > 1 && lines.concat() == name, "{lines:?}");
        let lines = face.wrapped("a prediction that is very long", 7.0, 14.0, 2);
        assert!(lines.len() == 2 && lines[1].ends_with('…'), "{lines:?}");
        assert!(lines.iter().all(|line| face.width(line, 7.0) <= 14.0), "{lines:?}");
    }

    #[test]
    fn outlines_lie_above_the_baseline_and_side_by_side() {
        assert_eq!(Face::Regular.outlines(" ", 3.0), "");
        let one = Face::Regular.outlines("I", 3.0);
        assert!(one.starts_with('M') && one.ends_with('Z') && one.contains('-'), "{one}");
        assert!(Face::Regular.outlines("II", 3.0).starts_with(&one));
    }
}
