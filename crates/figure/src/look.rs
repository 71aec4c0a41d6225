//! How a figure looks.

use burncam_evaluation::Values;
use burncam_page::Language;
use burncam_render::{Colormap, Scale, Style};

use crate::font::Typeface;

/// How a figure looks.
#[derive(Clone, Debug)]
pub struct Look {
    /// The language of its words.
    pub language: Language,
    /// Its width in millimetres; without, as wide as it needs, and 180 at most.
    pub width: Option<f32>,
    /// The colours of maps without a sign.
    pub colormap: Colormap,
    /// A title above it.
    pub title: Option<String>,
    /// The typeface of its words.
    pub typeface: Typeface,
}

/// The width of a page's figure in millimetres, where none is asked for.
pub(crate) const WIDEST: f32 = 180.0;

/// The `alpha` by which a map's weight is its share of the largest value.
const LINEAR: f32 = 0.5;

impl Look {
    /// Words by their key; see the page's words.
    pub(crate) fn say(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.language.say(key, values).unwrap_or_default()
    }

    /// The colours of maps that are given as shares of their largest value.
    pub(crate) fn scale(&self, values: Values) -> Scale {
        Scale { colormap: self.colormap, values, top: 1.0 }
    }

    /// How a map lies over its photograph: its weight is its share, so that the photograph is as it is where nothing
    /// was seen. That is how sizes are drawn, whose colours are those of positive values.
    pub(crate) fn style(&self, values: Values) -> Style {
        let values = if values == Values::Positive { Values::Sizes } else { values };
        Style { scale: self.scale(values), alpha: LINEAR, line: true }
    }

    /// A share as a percentage.
    pub(crate) fn percent(&self, share: f32) -> String {
        // 99.96 % is not 100 %.
        let percent = f64::from(share) * 100.0;
        let shown = if percent < 100.0 { percent.min(99.9) } else { percent };
        format!("{}\u{a0}%", self.language.number(shown, 1))
    }
}
