//! The section on whether maps may be believed.

mod charts;
mod names;
mod numbers;
mod pairs;
mod sweep;
mod table;
mod verdicts;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

pub(super) use names::{Titles, measure, region};
pub(super) use numbers::{Estimate, estimate, percent};

use crate::document::{ModelReport, Report};
use crate::interval_text;
use crate::text::Language;
use burncam_trust::{Assessment, Group, Trust, find};

/// Explanations of a model that are shown at most.
const MOST_EXPLANATIONS: usize = 64;

/// What is shown of a model.
#[derive(Serialize)]
pub(super) struct TrustView<'a> {
    name: &'a str,
    /// What intervals are over.
    over: Option<String>,
    verdicts: Vec<verdicts::VerdictView>,
    table: Option<table::Table<'a>>,
    charts: Vec<charts::Figure>,
    cascades: Vec<charts::Cascade<'a>>,
    sweeps: Vec<sweep::Sweep>,
    pairs: Option<pairs::Pairs>,
}

/// The verdict on an explanation in a few words.
#[derive(Serialize)]
pub(super) struct Headline {
    explanation: String,
    headline: String,
    kind: &'static str,
    /// Why, in a few words; empty where nothing is to be said.
    reason: String,
}

/// The verdict on each explanation of a model, where that was measured.
pub(super) fn headlines(model: &ModelReport, language: Language) -> Vec<Headline> {
    let Some(trust) = &model.trust else { return Vec::new() };
    let titles = Titles::new(model);
    let by_explanation = by_explanation(&trust.assessments);
    let one = |name: &&str| {
        let own = by_explanation.get(name).map_or(&[][..], Vec::as_slice);
        let verdict = verdicts::verdict(String::new(), own, language);
        let explanation = titles.explanation(name).to_owned();
        let (headline, kind, reason) = (verdict.headline, verdict.kind, verdict.reason);
        Headline { explanation, headline, kind, reason }
    };
    explanations(model, &trust.assessments).iter().map(one).collect()
}

/// The models whose trust was measured.
pub(super) fn views<'a>(report: &'a Report<'_>, language: Language) -> Vec<TrustView<'a>> {
    let of = |model: &'a ModelReport| Some(view(model, model.trust.as_ref()?, language));
    report.models.iter().filter_map(of).collect()
}

fn view<'a>(model: &'a ModelReport, trust: &'a Trust, language: Language) -> TrustView<'a> {
    let (all, titles) = (trust.assessments.as_slice(), Titles::new(model));
    let by_name: table::ByName<'_> =
        all.iter().map(|one| ((one.explanation.as_str(), one.measure.as_str()), one)).collect();
    let explanations = explanations(model, all);
    let by_explanation = by_explanation(all);
    let verdict = |name: &&'a str| {
        let title = format!("{}, {}", model.name, titles.explanation(name));
        verdicts::verdict(title, by_explanation.get(name).map_or(&[], Vec::as_slice), language)
    };
    TrustView {
        name: &model.name,
        over: over(trust, language),
        verdicts: explanations.iter().map(verdict).collect(),
        table: table::table(all, &explanations, &by_name, &titles, language),
        charts: charts::measure_charts(all, &explanations, &by_name, &titles, language),
        cascades: charts::cascades(&trust.profiles, &titles, language),
        sweeps: sweep::sweeps(&trust.profiles, &titles, language),
        pairs: pairs::pairs(all, &by_name, &titles, language),
    }
}

fn by_explanation(all: &[Assessment]) -> HashMap<&str, Vec<&Assessment>> {
    let mut by_explanation: HashMap<&str, Vec<&Assessment>> = HashMap::new();
    for one in all.iter().filter(|one| is_of_one_map(one)) {
        by_explanation.entry(&one.explanation).or_default().push(one);
    }
    by_explanation
}

fn is_of_one_map(one: &Assessment) -> bool {
    let group = find(&one.measure).map(|measure| measure.group);
    !matches!(group, Some(Group::Agreement | Group::Regions))
}

/// The names of the explanations that were measured, in the model's order, others last.
fn explanations<'a>(model: &'a ModelReport, all: &'a [Assessment]) -> Vec<&'a str> {
    let measured = all.iter().filter(|one| is_of_one_map(one)).map(|one| one.explanation.as_str());
    let mut left: BTreeSet<&str> = measured.collect();
    let own = model.explanations.iter().map(|one| one.spec.name.as_str());
    let mut names: Vec<&str> = own.filter(|name| left.remove(name)).collect();
    names.extend(left);
    names.truncate(MOST_EXPLANATIONS);
    names
}

/// What intervals are over, in a sentence.
fn over(trust: &Trust, language: Language) -> Option<String> {
    let units = trust.assessments.iter().filter_map(|one| Some(one.mean.as_ref()?.units)).max()?;
    let unit = if trust.unit == "subjects" { "subject" } else { "image" };
    let units = interval_text::count(unit, units, language);
    language.say("trust_over", &[("units", &units)])
}
