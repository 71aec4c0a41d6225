//! Where on the face maps lie.

use std::collections::{BTreeMap, HashMap};

use minijinja::Value;
use serde::Serialize;

use crate::bars::{Bar, bars};
use crate::document::{ModelReport, Report};
use crate::text::Language;
use crate::trust::{Estimate, Titles, estimate, percent, region};
use burncam_trust::{Point, Profile, Trust};

const MASS: &str = "region-mass";
const PEAK: &str = "region-peak";

/// Regions that are drawn at most: a label map has 256 values.
const MOST_REGIONS: usize = 256;

/// An explanation of a model, region by region.
#[derive(Serialize)]
pub(super) struct RegionsView {
    /// The model and the explanation.
    name: String,
    svg: Value,
    rows: Vec<Row>,
    /// The same by class and outcome.
    groups: Vec<Group>,
}

#[derive(Serialize)]
struct Group {
    title: String,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    region: String,
    /// The share of the map.
    share: Option<Estimate>,
    /// The share of the picture.
    area: Option<String>,
    /// The one over the other.
    density: Option<String>,
    /// The share of maps that are highest there.
    peak: Option<String>,
    undefined: usize,
}

/// Every explanation whose maps were measured by region.
pub(super) fn views(report: &Report<'_>, language: Language) -> Vec<RegionsView> {
    let of = |model: &ModelReport| -> Vec<RegionsView> {
        let Some(trust) = &model.trust else { return Vec::new() };
        let peaks = peaks(trust);
        let titles = Titles::new(model);
        let named =
            |one: &Profile| format!("{}, {}", model.name, titles.explanation(&one.explanation));
        let mut all = masses(trust);
        let own = model.explanations.iter();
        let own = own.filter_map(|one| all.remove(one.spec.name.as_str())).collect::<Vec<_>>();
        let by_explanation = own.into_iter().chain(all.into_values()).filter_map(|own| {
            let (all, groups) = own.split_first()?;
            let is_of_all = all.class.is_empty() && all.outcome.is_empty();
            is_of_all.then(|| view(named(all), all, groups, &peaks, language))
        });
        by_explanation.collect()
    };
    report.models.iter().flat_map(of).collect()
}

/// By explanation, class and outcome: where maps are highest.
type Peaks<'a> = HashMap<[&'a str; 3], &'a Profile>;

fn peaks(trust: &Trust) -> Peaks<'_> {
    of_maps(trust, PEAK).map(|one| (key(one), one)).collect()
}

/// By explanation: the shares of all images, and then those of groups.
fn masses(trust: &Trust) -> BTreeMap<&str, Vec<&Profile>> {
    let mut by_explanation: BTreeMap<&str, Vec<&Profile>> = BTreeMap::new();
    for one in of_maps(trust, MASS) {
        by_explanation.entry(&one.explanation).or_default().push(one);
    }
    by_explanation.values_mut().for_each(|own| own.sort_by(|a, b| key(a).cmp(&key(b))));
    by_explanation
}

fn of_maps<'a>(trust: &'a Trust, measure: &str) -> impl Iterator<Item = &'a Profile> {
    trust.profiles.iter().filter(move |one| one.measure == measure && one.control.is_empty())
}

fn key(one: &Profile) -> [&str; 3] {
    [&one.explanation, &one.class, &one.outcome]
}

fn view(
    name: String,
    all: &Profile,
    groups: &[&Profile],
    peaks: &Peaks<'_>,
    language: Language,
) -> RegionsView {
    let group = |one: &&Profile| {
        let outcome = language.say(&one.outcome, &[]).unwrap_or_else(|| one.outcome.clone());
        Group { title: format!("{}, {outcome}", one.class), rows: rows(one, peaks, language) }
    };
    RegionsView {
        svg: Value::from_safe_string(chart(&name, all, language)),
        rows: rows(all, peaks, language),
        groups: groups.iter().map(group).collect(),
        name,
    }
}

/// How many times as much of the map lies in a region as by chance.
fn density(point: &Point) -> Option<f64> {
    let (mean, chance) = (point.mean?, point.chance?);
    Some(mean.mean / chance).filter(|density| density.is_finite())
}

fn rows(own: &Profile, peaks: &Peaks<'_>, language: Language) -> Vec<Row> {
    let peaks = peaks.get(&key(own));
    let text = |share: f64| percent(share, language);
    let row = |point: &Point| {
        let peak = || {
            let mut points = peaks?.points.iter().take(MOST_REGIONS);
            points.find(|peak| peak.condition == point.condition)?.mean
        };
        Row {
            region: region(&point.condition, language),
            share: point.mean.as_ref().map(|mean| estimate(mean, text)),
            area: point.chance.map(text),
            density: density(point).map(|density| language.number(density, 2)),
            peak: peak().map(|peak| text(peak.mean)),
            undefined: point.undefined,
        }
    };
    own.points.iter().take(MOST_REGIONS).map(row).collect()
}

/// A bar for each region.
fn chart(name: &str, own: &Profile, language: Language) -> String {
    let bar = |point: &Point| {
        let (value, chance) = (density(point)?, point.chance?);
        let interval = point.mean?.interval.map(|ends| ends.map(|end| end / chance));
        Some(Bar { name: region(&point.condition, language), value, interval, is_map: true })
    };
    let all: Vec<Bar> = own.points.iter().take(MOST_REGIONS).filter_map(bar).collect();
    let numbers = all.iter().map(|bar| format!("{}: {}", bar.name, language.number(bar.value, 2)));
    let numbers = numbers.collect::<Vec<_>>().join("; ");
    let alt = language.say("regions_alt", &[("name", name), ("numbers", &numbers)]);
    bars(&alt.unwrap_or_default(), &all, Some(1.0), 2, language)
}
