//! Means and intervals as text.

use serde::Serialize;

use crate::text::Language;
use burncam_evaluation::PairedDifference;

/// Digits after the point.
const DIGITS: usize = 3;

/// A mean and its interval.
#[derive(Serialize)]
pub(crate) struct Estimate {
    mean: String,
    /// `(0.1 – 0.2)`; empty where there is none.
    interval: String,
}

pub(crate) fn number(value: f64, language: Language) -> String {
    language.number(value, DIGITS)
}

pub(crate) fn percent(share: f64, language: Language) -> String {
    format!("{}\u{a0}%", language.number(share * 100.0, 1))
}

/// A mean and its interval, each end as `text` has it.
pub(crate) fn estimate(mean: &PairedDifference, text: impl Fn(f64) -> String) -> Estimate {
    let ends = |[low, high]: [f64; 2]| format!("({} – {})", text(low), text(high));
    Estimate { mean: text(mean.mean), interval: mean.interval.map_or_else(String::new, ends) }
}

/// The same in one text.
pub(crate) fn plain(mean: &PairedDifference, text: impl Fn(f64) -> String) -> String {
    let Estimate { mean, interval } = estimate(mean, text);
    format!("{mean} {interval}").trim_end().to_owned()
}
