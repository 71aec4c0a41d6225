//! How a figure looks.

use burncam_evaluation::Values;
use burncam_page::Language;
use burncam_render::{Colormap, Scale, Style};

/// How a figure looks.
#[derive(Clone, Debug)]
pub struct Look {
    /// The language of its words.
    pub language: Language,
    /// Its width in millimetres; without, as wide as it needs, and 180 at most.
    pub width: Option<f32>,
    /// The colours of maps without a sign.
    pub colormap: Colormap,
    /// The weight of maps over the photograph, in 0..=1.
    pub alpha: f32,
    /// A title above it.
    pub title: Option<String>,
}

/// The width of a page's figure in millimetres, where none is asked for.
pub(crate) const WIDEST: f32 = 180.0;

impl Look {
    /// Words by their key; see the page's words.
    pub(crate) fn say(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.language.say(key, values).unwrap_or_default()
    }

    /// The colours of maps that are given as shares of their largest value.
    pub(crate) fn scale(&self, values: Values) -> Scale {
        Scale { colormap: self.colormap, values, top: 1.0 }
    }

    pub(crate) fn style(&self, values: Values) -> Style {
        Style { scale: self.scale(values), alpha: self.alpha, line: true }
    }

    /// A share as a percentage.
    pub(crate) fn percent(&self, share: f32) -> String {
        // 99.96 % is not 100 %.
        let percent = f64::from(share) * 100.0;
        let shown = if percent < 100.0 { percent.min(99.9) } else { percent };
        format!("{}\u{a0}%", self.language.number(shown, 1))
    }
}
