//! The figure's typeface: which glyphs a text has, and how wide it is.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use krilla::Data;
use krilla::text::Font;
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, GlyphId, MetadataProvider};

use crate::error::Error;
use crate::scene::POINT;

static REGULAR: &[u8] = include_bytes!("../../../assets/fonts/Inter-Regular.otf");
static SEMI_BOLD: &[u8] = include_bytes!("../../../assets/fonts/Inter-SemiBold.otf");

/// The largest font file that is read. Those with all of Chinese have about 20 MB.
const LARGEST: u64 = 1 << 26;

/// A weight of the typeface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Face {
    Regular,
    SemiBold,
}

/// The file that a glyph is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    Regular,
    SemiBold,
    Given,
}

/// The typeface of a figure: Inter, or a font file, with Inter for characters that the file lacks.
#[derive(Clone, Default)]
pub struct Typeface {
    given: Option<Arc<[u8]>>,
}

/// What stands where text is cut.
const ELLIPSIS: char = '…';

/// A character as it is drawn.
pub(crate) struct Placed {
    /// The file of its glyph.
    pub source: Source,
    pub id: GlyphId,
    /// How far the next one is, as a share of the text's size.
    pub advance: f32,
    /// Where its character begins in the text, in bytes.
    pub start: usize,
    pub end: usize,
}

impl std::fmt::Debug for Typeface {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = self.given.as_ref().map(|file| file.len());
        formatter.debug_struct("Typeface").field("given", &bytes).finish()
    }
}

impl Typeface {
    /// The typeface of a TrueType or OpenType file; of a collection its first font.
    ///
    /// # Errors
    ///
    /// [`Error::Font`] if the file cannot be read, is larger than 64 MiB, or is no font with outlines.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let wrong = |what: String| Error::Font { path: path.to_owned(), what };
        let length = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
        if length > LARGEST {
            return Err(wrong(format!("it has {length} bytes, and a font at most {LARGEST}")));
        }
        let file = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let is_font = FontRef::from_index(&file, 0)
            .is_ok_and(|font| font.outline_glyphs().format().is_some() && font.charmap().has_map());
        if !is_font || Font::new(Data::from(file.clone()), 0).is_none() {
            return Err(wrong(
                "it is no font with outlines\nhint: fonts are .ttf or .otf".to_owned(),
            ));
        }
        Ok(Self { given: Some(file.into()) })
    }

    /// The bytes of a file that glyphs are from.
    pub(crate) fn file(&self, source: Source) -> &[u8] {
        match source {
            Source::Regular => REGULAR,
            Source::SemiBold => SEMI_BOLD,
            Source::Given => self.given.as_deref().unwrap_or(REGULAR),
        }
    }

    /// The font that glyphs are from.
    pub(crate) fn font(&self, source: Source) -> FontRef<'_> {
        static FONTS: LazyLock<[FontRef<'static>; 2]> = LazyLock::new(|| {
            [REGULAR, SEMI_BOLD].map(|file| FontRef::new(file).expect("the program's own font"))
        });
        let own = || FONTS[usize::from(source == Source::SemiBold)].clone();
        match source {
            // A file is one whose first font could be read.
            Source::Given => FontRef::from_index(self.file(source), 0).unwrap_or_else(|_| own()),
            Source::Regular | Source::SemiBold => own(),
        }
    }

    /// The glyphs of a text. Of what no font has it is the box for such.
    pub(crate) fn placed(&self, face: Face, text: &str) -> Vec<Placed> {
        let own = match face {
            Face::Regular => Source::Regular,
            Face::SemiBold => Source::SemiBold,
        };
        let sources = self.given.as_ref().map(|_| Source::Given).into_iter().chain([own]);
        let fonts: Vec<_> = sources
            .map(|source| {
                let font = self.font(source);
                let metrics = font.glyph_metrics(Size::new(1.0), LocationRef::default());
                (source, font.charmap(), metrics)
            })
            .collect();
        let one = |(start, character): (usize, char)| {
            let glyph =
                |(place, (_, characters, _)): (usize, &(_, skrifa::charmap::Charmap, _))| {
                    Some((place, characters.map(character)?))
                };
            let known = fonts.iter().enumerate().find_map(glyph);
            let (place, id) = known.unwrap_or((fonts.len() - 1, GlyphId::NOTDEF));
            let (source, _, metrics) = &fonts[place];
            let advance = metrics.advance_width(id).unwrap_or_default();
            Placed { source: *source, id, advance, start, end: start + character.len_utf8() }
        };
        text.char_indices().map(one).collect()
    }

    /// The characters of a text that no font has, save control characters, which no font can have.
    pub(crate) fn missing<'a>(&self, face: Face, text: &'a str) -> impl Iterator<Item = char> + 'a {
        let boxes = self.placed(face, text).into_iter().filter(|one| one.id == GlyphId::NOTDEF);
        boxes.flat_map(|one| text[one.start..one.end].chars()).filter(|one| !one.is_control())
    }

    /// The width of a text in millimetres; `size` is in points.
    pub(crate) fn width(&self, face: Face, text: &str, size: f32) -> f32 {
        self.placed(face, text).iter().map(|one| one.advance).sum::<f32>() * size * POINT
    }

    /// The text, or its beginning and an ellipsis, not wider than `most` millimetres.
    pub(crate) fn cut(&self, face: Face, text: &str, size: f32, most: f32) -> String {
        if self.width(face, text, size) <= most {
            return text.to_owned();
        }
        let mut kept: Vec<char> = text.chars().collect();
        while kept.pop().is_some() {
            let cut: String = kept.iter().chain([&ELLIPSIS]).collect();
            if self.width(face, &cut, size) <= most {
                return cut;
            }
        }
        String::new()
    }

    /// The text in lines not wider than `most` millimetres, at most `lines` of them. It is parted at blanks; words that
    /// are wider alone also behind `_`, `-`, `.` and `/`.
    pub(crate) fn wrapped(
        &self,
        face: Face,
        text: &str,
        size: f32,
        most: f32,
        lines: usize,
    ) -> Vec<String> {
        let fits = |text: &str| self.width(face, text.trim_end(), size) <= most;
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
        wrapped.iter().map(|line| self.cut(face, line.trim_end(), size, most)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_the_characters_of_figures() {
        let typeface = Typeface::default();
        for face in [Face::Regular, Face::SemiBold] {
            let text = "aZ09ãéçõÍ✓✗−×±…%\u{a0}\u{1}";
            assert_eq!(typeface.missing(face, text).collect::<String>(), "");
            assert_eq!(typeface.missing(face, "Dor 痛み").collect::<String>(), "痛み");
        }
    }

    #[test]
    fn text_is_cut_and_wrapped() {
        let typeface = Typeface::default();
        let width = |text: &str| typeface.width(Face::Regular, text, 7.0);
        let name = "S01_sem_dor_01.png";
        assert_eq!(typeface.cut(Face::Regular, name, 7.0, 100.0), name);
        let cut = typeface.cut(Face::Regular, name, 7.0, 12.0);
        assert!(cut.ends_with('…') && width(&cut) <= 12.0, "{cut}");
        let lines = typeface.wrapped(Face::Regular, name, 7.0, 14.0, 3);
        assert!(lines.len() > 1 && lines.concat() == name, "{lines:?}");
        let long = "a prediction that is very long";
        let lines = typeface.wrapped(Face::Regular, long, 7.0, 14.0, 2);
        assert!(lines.len() == 2 && lines[1].ends_with('…'), "{lines:?}");
        assert!(lines.iter().all(|line| width(line) <= 14.0), "{lines:?}");
    }

    #[test]
    fn a_font_file_comes_before_the_own_font() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("font.otf");
        std::fs::write(&path, SEMI_BOLD).expect("a font");
        let typeface = Typeface::read(&path).expect("a font");
        let sources = |typeface: &Typeface| {
            let all = typeface.placed(Face::Regular, "a痛");
            all.iter().map(|one| one.source).collect::<Vec<_>>()
        };
        assert_eq!(sources(&typeface), [Source::Given, Source::Regular]);
        assert_eq!(sources(&Typeface::default()), [Source::Regular; 2]);
        let width = |typeface: &Typeface| typeface.width(Face::Regular, "Wide", 9.0);
        assert!(width(&typeface) > width(&Typeface::default()));
        for wrong in [&b"no font"[..], &SEMI_BOLD[..2000], b""] {
            std::fs::write(&path, wrong).expect("a file");
            let error = Typeface::read(&path).expect_err("no font").to_string();
            assert!(error.contains("font.otf: it is no font") && error.contains("hint:"));
        }
        assert!(Typeface::read(folder.path()).is_err());
    }
}
