//! Whether an explanation's maps may be believed, in sentences.

use std::cmp::Reverse;

use serde::Serialize;

use super::names;
use super::numbers::{number, plain};
use crate::text::Language;
use burncam_trust::{Assessment, MEASURES, Verdict};

/// Measures of whether maps change with the network and with the class.
const SANE: [&str; 2] = ["head-down", "other-class"];

/// Measures of which a sentence says by how much maps are better.
const GAINS: usize = 3;

/// What an explanation's measures come to.
#[derive(Serialize)]
pub(super) struct VerdictView {
    /// The model and the explanation.
    name: String,
    /// The verdict in a few words.
    pub headline: String,
    /// `all`, `part`, `none`, `doubt` or `open`.
    pub kind: &'static str,
    /// Why, in a few words; empty where nothing is to be said.
    #[serde(skip)]
    pub reason: String,
    sentences: Vec<String>,
}

/// The verdict on an explanation, from its assessments.
pub(super) fn verdict(name: String, own: &[&Assessment], language: Language) -> VerdictView {
    let mut judged: Vec<(&Assessment, &Verdict)> =
        own.iter().filter_map(|one| Some((*one, one.verdict.as_ref()?))).collect();
    judged.sort_by_key(|(one, _)| MEASURES.iter().position(|known| known.name == one.measure));
    let better: Vec<_> = judged.iter().filter(|(_, verdict)| verdict.is_better).copied().collect();
    let sane: Vec<(&str, bool)> = (SANE.into_iter())
        .filter_map(|measure| {
            let one = own.iter().find(|one| one.measure == measure)?;
            Some((measure, one.is_sane?))
        })
        .collect();
    let failed: Vec<&str> =
        sane.iter().filter(|(_, is_sane)| !is_sane).map(|(measure, _)| *measure).collect();
    let is_sane = failed.is_empty();
    let kind = match (better.len(), judged.len()) {
        (_, 0) if is_sane => "open",
        (0, 1..) => "none",
        _ if !is_sane => "doubt",
        (some, all) if some == all => "all",
        _ => "part",
    };
    let mut sentences = Vec::new();
    sentences.extend(counts(&judged, &better, language));
    sentences.extend(gains(&better, language));
    for (measure, is_sane) in sane {
        let answer = language.say(if is_sane { "yes" } else { "no" }, &[]).unwrap_or_default();
        sentences.extend(language.say(&format!("sane_{measure}"), &[("answer", &answer)]));
    }
    let headline = language.say(&format!("trust_{kind}"), &[]).unwrap_or_default();
    let reason = reason(&failed, [better.len(), judged.len()], language);
    VerdictView { name, headline, kind, reason, sentences }
}

/// What speaks against the maps most, or else by how many of the measures they are better.
fn reason(failed: &[&str], counts: [usize; 2], language: Language) -> String {
    let checks =
        failed.iter().filter_map(|measure| language.say(&format!("reason_{measure}"), &[]));
    let checks: Vec<String> = checks.collect();
    let [some, all] = counts.map(|count| language.number(count as f64, 0));
    match (checks.is_empty(), counts) {
        (false, _) => checks.join(", "),
        (true, [_, 0]) => String::new(),
        (true, _) => {
            language.say("reason_better", &[("some", &some), ("all", &all)]).unwrap_or_default()
        }
    }
}

/// By how many measures the maps are better, and what they say no more than by the others.
fn counts(
    judged: &[(&Assessment, &Verdict)],
    better: &[(&Assessment, &Verdict)],
    language: Language,
) -> Vec<String> {
    let [all, some, rest] = [judged.len(), better.len(), judged.len() - better.len()];
    let say = |key: &str, values: &[(&str, &str)]| language.say(key, values);
    let control = || hardest(judged, language);
    let [all, some] = [all, some].map(|count| language.number(count as f64, 0));
    let said = match (judged.len(), better.len(), rest) {
        (0, ..) => [say("trust_unjudged", &[]), None],
        (_, 0, _) => [say("trust_not_better", &[("all", &all), ("control", &control())]), None],
        (.., 0) => [say("trust_better", &[("some", &some), ("all", &all)]), None],
        _ => {
            let rest = language.number(rest as f64, 0);
            let values = [("n", rest.as_str()), ("control", &control())];
            [say("trust_better", &[("some", &some), ("all", &all)]), say("trust_rest", &values)]
        }
    };
    said.into_iter().flatten().collect()
}

/// The controls that are hardest to beat where maps are not better, in words, the most frequent first.
fn hardest(judged: &[(&Assessment, &Verdict)], language: Language) -> String {
    let mut said: Vec<(String, usize)> = Vec::new();
    for (_, verdict) in judged.iter().filter(|(_, verdict)| !verdict.is_better) {
        let control = &verdict.control;
        let words = language.say(&format!("control_says_{control}"), &[]).or_else(|| {
            let title = names::control_title(control, language);
            language.say("control_says", &[("control", &title)])
        });
        let words = words.unwrap_or_default();
        match said.iter_mut().find(|(known, _)| *known == words) {
            Some((_, count)) => *count += 1,
            None => said.push((words, 1)),
        }
    }
    said.sort_by_key(|&(_, count)| Reverse(count));
    let words: Vec<String> = said.into_iter().map(|(words, _)| words).collect();
    words.join(&language.say("or", &[]).unwrap_or_default())
}

/// By how much the maps are better than the best control, measure by measure.
fn gains(better: &[(&Assessment, &Verdict)], language: Language) -> Option<String> {
    let gain = |(one, verdict): &(&Assessment, &Verdict)| {
        let advantage = plain(&verdict.advantage, |value| number(value, language));
        let measure = names::measure(&one.measure, language);
        let control = names::control_title(&verdict.control, language);
        let values = [("measure", &*measure), ("advantage", &*advantage), ("control", &*control)];
        language.say("trust_gain", &values)
    };
    let mut gains: Vec<String> = better.iter().take(GAINS).filter_map(gain).collect();
    if better.len() > GAINS {
        let more = language.number((better.len() - GAINS) as f64, 0);
        gains.extend(language.say("trust_more", &[("n", &more)]));
    }
    (!gains.is_empty()).then(|| language.say("trust_gains", &[("gains", &gains.join("; "))]))?
}
