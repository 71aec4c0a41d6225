//! Measures as bars beside those of controls, and how maps change as the network forgets.

use minijinja::Value;
use serde::Serialize;

use super::names::{self, Titles};
use super::numbers::{number, plain};
use super::table::{ByName, direction, measures};
use crate::bars::{Bar, bars};
use crate::steps::{Line, MOST_LINES, MOST_STEPS, steps};
use crate::text::Language;
use burncam_trust::{Assessment, Group, Profile, find};

/// Measures of steps to an untrained network, and the measure by which each compares maps.
const CASCADES: [(&str, &str); 4] = [
    ("head-down", "spearman"),
    ("stem-up", "spearman"),
    ("head-down-ssim", "ssim"),
    ("stem-up-ssim", "ssim"),
];

/// Bars of a chart at most: explanations and their controls.
const MOST_BARS: usize = 64;

/// Explanations whose values are listed at most.
const MOST_CURVES: usize = 64;

/// A drawing and what stands below it.
#[derive(Serialize)]
pub(super) struct Figure {
    svg: Value,
    caption: String,
    better: &'static str,
}

/// Charts of the measures by which maps are judged.
pub(super) fn measure_charts<'a>(
    all: &'a [Assessment],
    explanations: &[&'a str],
    by_name: &ByName<'a>,
    titles: &Titles<'a>,
    language: Language,
) -> Vec<Figure> {
    let judged = [Group::Faithfulness, Group::GroundTruth].map(|group| measures(all, Some(group)));
    let figure = |measure: &'a str| {
        let own = explanations.iter().filter_map(|&name| by_name.get(&(name, measure)).copied());
        let own: Vec<&Assessment> = own.collect();
        let mut all: Vec<Bar> = own.iter().filter_map(|one| own_bar(one, titles)).collect();
        if all.is_empty() {
            return None;
        }
        all.extend(control_bars(&own, titles, language));
        all.truncate(MOST_BARS);
        let caption = names::measure(measure, language);
        let numbers =
            all.iter().map(|bar| format!("{}: {}", bar.name, number(bar.value, language)));
        let numbers = numbers.collect::<Vec<_>>().join("; ");
        let alt = language
            .say("bars_alt", &[("measure", &caption), ("numbers", &numbers)])
            .unwrap_or_default();
        let chance = own.iter().find_map(|one| one.chance);
        let svg = Value::from_safe_string(bars(&alt, &all, chance, 3, language));
        Some(Figure { svg, caption, better: direction(measure) })
    };
    judged.into_iter().flatten().filter_map(figure).collect()
}

fn own_bar<'a>(one: &'a Assessment, titles: &Titles<'a>) -> Option<Bar> {
    let mean = one.mean?;
    let name = titles.explanation(&one.explanation).to_owned();
    Some(Bar { name, value: mean.mean, interval: mean.interval, is_map: true })
}

/// A bar for each control, and for each explanation where its means differ.
fn control_bars<'a>(own: &[&'a Assessment], titles: &Titles<'a>, language: Language) -> Vec<Bar> {
    let mut by_control: Vec<(&str, Vec<(&str, f64)>)> = Vec::new();
    for one in own {
        for control in &one.controls {
            let Some(mean) = control.mean else { continue };
            let value = (one.explanation.as_str(), mean);
            let known = by_control.iter().position(|(name, _)| *name == control.control);
            match known {
                Some(place) => by_control[place].1.push(value),
                None if by_control.len() < MOST_BARS => {
                    by_control.push((&control.control, vec![value]));
                }
                None => {}
            }
        }
    }
    let bar = |name: String, value| Bar { name, value, interval: None, is_map: false };
    let of_control = |(control, means): (&str, Vec<(&'a str, f64)>)| -> Vec<Bar> {
        match means.iter().all(|(_, mean)| *mean == means[0].1) {
            true => vec![bar(names::control_title(control, language), means[0].1)],
            false => (means.iter())
                .map(|(explanation, mean)| bar(titles.owner(explanation, control, language), *mean))
                .collect(),
        }
    };
    by_control.into_iter().flat_map(of_control).collect()
}

/// How maps change as the network forgets, step by step.
#[derive(Serialize)]
pub(super) struct Cascade<'a> {
    svg: Value,
    caption: String,
    explanations: Vec<&'a str>,
    /// The last layer that forgets at each step, and a mean for each explanation.
    rows: Vec<(&'a str, Vec<String>)>,
}

/// The curves of a model.
pub(super) fn cascades<'a>(
    profiles: &'a [Profile],
    titles: &Titles<'a>,
    language: Language,
) -> Vec<Cascade<'a>> {
    CASCADES.iter().filter_map(|pair| cascade(profiles, *pair, titles, language)).collect()
}

fn cascade<'a>(
    profiles: &'a [Profile],
    (measure, compared): (&str, &str),
    titles: &Titles<'a>,
    language: Language,
) -> Option<Cascade<'a>> {
    let own = profiles
        .iter()
        .filter(|one| one.measure == measure && one.control.is_empty() && one.class.is_empty());
    let mut own: Vec<&Profile> = own.collect();
    own.sort_by_key(|one| titles.place(&one.explanation));
    own.truncate(MOST_CURVES);
    let longest = own.iter().max_by_key(|one| one.points.len())?;
    let steps_of = longest.points.iter().map(|point| point.condition.as_str());
    let step_names: Vec<&str> = steps_of.take(MOST_STEPS).collect();
    // Explanations of one network forget the same layers; a name may stand at two places only in a made-up file.
    let at = |profile: &'a Profile, step: usize| {
        let name = *step_names.get(step)?;
        let here = profile.points.get(step).filter(|point| point.condition == name);
        here.and_then(|point| point.mean)
    };
    let line = |profile: &&'a Profile| Line {
        name: titles.explanation(&profile.explanation).to_owned(),
        points: (0..step_names.len())
            .map(|step| at(profile, step).map(|mean| (mean.mean, mean.interval)))
            .collect(),
    };
    let lines: Vec<Line> = own.iter().take(MOST_LINES).map(line).collect();
    let caption = names::measure(measure, language);
    let last = own.iter().take(MOST_LINES).filter_map(|profile| {
        let mean = at(profile, step_names.len().checked_sub(1)?)?;
        Some(format!(
            "{}: {}",
            titles.explanation(&profile.explanation),
            number(mean.mean, language)
        ))
    });
    let last = last.collect::<Vec<_>>().join("; ");
    let alt = language.say("cascade_alt", &[("measure", &caption), ("last", &last)])?;
    let limit = find(measure).and_then(|measure| measure.limit);
    let up = names::measure(compared, language);
    let text = |value: f64| number(value, language);
    let cell = |profile: &&'a Profile, step: usize| {
        at(profile, step).map_or_else(|| "–".to_owned(), |mean| plain(&mean, text))
    };
    Some(Cascade {
        svg: Value::from_safe_string(steps(&alt, &up, &step_names, &lines, limit, language)),
        caption,
        explanations: own.iter().map(|one| titles.explanation(&one.explanation)).collect(),
        rows: (step_names.iter().enumerate())
            .map(|(step, name)| (*name, own.iter().map(|one| cell(one, step)).collect()))
            .collect(),
    })
}
