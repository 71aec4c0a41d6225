//! Intervals in words: their ends, how they are made, and what is to be known of them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::document::{ModelReport, Settings};
use crate::text::Language;
use burncam_evaluation::{FEW, Interval, Method, Remark};

/// The measures that are written as numbers; the others are per cent.
const NUMBERS: [&str; 3] = ["brier", "calibration_error", "auc"];

/// An interval in a table.
#[derive(Serialize)]
pub(super) struct IntervalText {
    ends: String,
    method: String,
}

/// A measure's value: per cent, or a number.
pub(super) fn value(measure: &str, value: f64, language: Language) -> String {
    match NUMBERS.contains(&measure) {
        true => language.number(value, 3),
        false => format!("{}\u{a0}%", language.number(value * 100.0, 1)),
    }
}

/// `1 image`, `3 subjects`, in the language.
pub(super) fn count(what: &str, number: usize, language: Language) -> String {
    let said = match number {
        1 => language.say(&format!("one_{what}"), &[]),
        _ => language.say(&format!("many_{what}s"), &[("n", &number.to_string())]),
    };
    said.unwrap_or_default()
}

/// The intervals of a model, by measure.
pub(super) fn intervals(model: &ModelReport, language: Language) -> BTreeMap<&str, IntervalText> {
    let one = |(measure, interval): (&'_ String, &Interval)| IntervalText {
        ends: ends(measure, interval, language),
        method: method(model, interval, language),
    };
    model.intervals.iter().map(|entry| (entry.0.as_str(), one(entry))).collect()
}

fn ends(measure: &str, interval: &Interval, language: Language) -> String {
    let [low, high] = [interval.low, interval.high].map(|end| value(measure, end, language));
    let values = [("low", low.as_str()), ("high", high.as_str())];
    let key = match (interval.method, interval.remark) {
        (Method::Bootstrap, Some(Remark::NoSpread)) => "interval_no_spread",
        _ if low == high => "interval_narrow",
        _ => "interval_ends",
    };
    language.say(key, &values).unwrap_or_default()
}

fn method(model: &ModelReport, interval: &Interval, language: Language) -> String {
    let unit = if model.unit == "subject" { "subject" } else { "image" };
    let key = match (interval.method, interval.remark) {
        (Method::Wilson, _) => "method_wilson",
        (Method::Bootstrap, Some(Remark::FewUnits)) => "method_bootstrap_few",
        (Method::Bootstrap, _) => "method_bootstrap",
    };
    language.say(key, &[("units", &count(unit, interval.units, language))]).unwrap_or_default()
}

/// What is to be known of a model's intervals, in sentences.
pub(super) fn notes(model: &ModelReport, settings: &Settings, language: Language) -> Vec<String> {
    let subjects = model.unit == "subject";
    let (units, few) = (model.units.to_string(), FEW.to_string());
    let how = &settings.resampling;
    let (resamples, seed) = (how.resamples.to_string(), how.seed.to_string());
    let values = [
        ("units", units.as_str()),
        ("few", few.as_str()),
        ("resamples", resamples.as_str()),
        ("seed", seed.as_str()),
    ];
    let is_there = |method, remark| {
        let mut all = model.intervals.values();
        all.any(|one| one.method == method && one.remark == Some(remark))
    };
    let keys = [
        (true, if subjects { "unit_subject" } else { "unit_image" }),
        (is_there(Method::Wilson, Remark::FewUnits), "wilson_few"),
        (is_there(Method::Wilson, Remark::NoSpread), "wilson_no_spread"),
        (is_there(Method::Bootstrap, Remark::FewUnits), "bootstrap_few"),
        (is_there(Method::Bootstrap, Remark::NoSpread), "bootstrap_no_spread"),
    ];
    let said = keys.iter().filter(|(said, _)| *said);
    said.filter_map(|(_, key)| language.say(key, &values)).collect()
}
