//! What measures say of a method over a data set, beside its controls.

use std::collections::{BTreeMap, BTreeSet};

use burncam_evaluation::{PairedDifference, holm, paired_difference};
use serde::{Deserialize, Serialize};

use crate::{Better, Group, find};

/// The share of samples in which intervals hold the mean.
const LEVEL: f64 = 0.95;

/// The chance at which a method still is no better than its controls.
const ALPHA: f64 = 0.05;

/// What a measure says of one map of an image.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// Whom the image shows, or the image.
    pub unit: &'a str,
    /// The explanation; empty for a control of the image alone.
    pub explanation: &'a str,
    /// The control that takes the map's place; empty for the map itself.
    pub control: &'a str,
    /// The measure.
    pub measure: &'a str,
    /// What the value is of, where the measure has several of a map: a layer, a region, a baseline, a share of pixels;
    /// else empty.
    pub condition: &'a str,
    /// The image's true class, or where it is not known, the predicted one, and whether the prediction is right.
    pub group: (&'a str, &'a str),
    /// Its value, if it is defined.
    pub value: Option<f64>,
    /// Its value by chance, if it has one.
    pub chance: Option<f64>,
}

/// A measure of the maps of an explanation, over all images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// The explanation: `GradCAM`.
    pub explanation: String,
    /// The measure: `deletion`.
    pub measure: String,
    /// The mean over subjects, or images, its interval, and the number of those; `None` where it is defined for none.
    pub mean: Option<PairedDifference>,
    /// Images for which it is not defined.
    pub undefined: usize,
    /// The mean value by chance, where the measure has one.
    pub chance: Option<f64>,
    /// The controls, in the order of their names.
    pub controls: Vec<ControlAssessment>,
    /// Whether the maps are better than every control; `None` for measures that do not say what is better.
    pub verdict: Option<Verdict>,
    /// Whether the maps change with the network and the class as they should; `None` for measures that have no
    /// [`limit`](crate::Measure::limit).
    pub is_sane: Option<bool>,
}

/// The same measure of a control.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ControlAssessment {
    /// The control: `random`.
    pub control: String,
    /// The mean over subjects, or images; `None` where it is defined for none.
    pub mean: Option<f64>,
    /// Images for which it is not defined.
    pub undefined: usize,
    /// By how much the maps are better, over those for which both are defined.
    pub advantage: Option<PairedDifference>,
}

/// Whether maps are better than every control.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The control that is hardest to beat.
    pub control: String,
    /// By how much the maps are better than that.
    pub advantage: PairedDifference,
    /// The largest probability over all controls, corrected for all verdicts of the network (Holm).
    pub p: Option<f64>,
    /// Whether that is below 0.05 and the maps are better than every control.
    pub is_better: bool,
}

/// All that the measures of a model come to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trust {
    /// What intervals are made over: `subjects` or `images`.
    pub unit: String,
    /// The measures of each explanation.
    pub assessments: Vec<Assessment>,
    /// Those that have several values of a map.
    pub profiles: Vec<Profile>,
}

/// A measure that has several values of a map, over all images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The explanation; empty for a control of the image alone.
    pub explanation: String,
    /// The control that takes the map's place; empty for the map itself.
    pub control: String,
    /// The measure: `region-mass`.
    pub measure: String,
    /// The class of the images; empty for all.
    pub class: String,
    /// Whether their predictions are right; empty for all.
    pub outcome: String,
    /// Its values, in the order in which they were measured.
    pub points: Vec<Point>,
}

/// One of several values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// What it is of: a layer, a region, a baseline, a share of pixels (`0.0500`).
    pub condition: String,
    /// The mean over subjects, or images.
    pub mean: Option<PairedDifference>,
    /// Images for which it is not defined.
    pub undefined: usize,
    /// The mean value by chance, where the measure has one.
    pub chance: Option<f64>,
}

/// Values by unit: their sum and number.
type Units = BTreeMap<String, (f64, usize)>;

#[derive(Default)]
struct Cell {
    units: Units,
    chance: (f64, usize),
    undefined: usize,
}

impl Cell {
    fn add(&mut self, one: &Observation<'_>) {
        match one.value {
            Some(value) => {
                let unit = self.units.entry(one.unit.to_owned()).or_default();
                *unit = (unit.0 + value, unit.1 + 1);
            }
            None => self.undefined += 1,
        }
        if let Some(chance) = one.chance {
            self.chance = (self.chance.0 + chance, self.chance.1 + 1);
        }
    }

    fn mean_chance(&self) -> Option<f64> {
        let (sum, count) = self.chance;
        (count > 0).then(|| sum / count as f64)
    }
}

fn profile((key, cells): (&[String; 5], &Vec<(String, Cell)>)) -> Profile {
    let point = |(condition, cell): &(String, Cell)| Point {
        condition: condition.clone(),
        mean: mean(&cell.units),
        undefined: cell.undefined,
        chance: cell.mean_chance(),
    };
    let [explanation, control, measure, class, outcome] = key.clone();
    let points = cells.iter().map(point).collect();
    Profile { explanation, control, measure, class, outcome, points }
}

/// The observations of a network, added up.
#[derive(Default)]
pub struct Tally {
    /// By explanation, control and measure.
    cells: BTreeMap<(String, String, String), Cell>,
    /// By explanation, control, measure, class and outcome, by condition in their order.
    profiles: BTreeMap<[String; 5], Vec<(String, Cell)>>,
}

impl Tally {
    /// Counts an observation.
    pub fn add(&mut self, one: Observation<'_>) {
        let key = [one.explanation, one.control, one.measure].map(str::to_owned);
        if one.condition.is_empty() {
            self.cells.entry(key.into()).or_default().add(&one);
            return;
        }
        let [explanation, control, measure] = key;
        let group = [one.group.0, one.group.1].map(str::to_owned);
        let is_by_group = find(one.measure).is_some_and(|known| known.group == Group::Regions);
        let groups = [Default::default(), group];
        let groups = groups.into_iter().take(if is_by_group && control.is_empty() { 2 } else { 1 });
        for [class, outcome] in groups {
            let key = [explanation.clone(), control.clone(), measure.clone(), class, outcome];
            let cells = self.profiles.entry(key).or_default();
            let known = cells.iter().position(|(condition, _)| condition == one.condition);
            let place = known.unwrap_or_else(|| {
                cells.push((one.condition.to_owned(), Cell::default()));
                cells.len() - 1
            });
            cells[place].1.add(&one);
        }
    }

    /// What the observations come to; `unit` is what intervals are made over.
    #[must_use]
    pub fn finish(&self, unit: &str) -> Trust {
        Trust {
            unit: unit.to_owned(),
            assessments: self.assess(),
            profiles: self.profiles.iter().map(profile).collect(),
        }
    }

    /// What the observations come to, by explanation and measure.
    fn assess(&self) -> Vec<Assessment> {
        let own = self.cells.keys().filter(|(_, control, _)| control.is_empty());
        let mut all: Vec<Assessment> =
            own.map(|(explanation, _, measure)| self.assessment(explanation, measure)).collect();
        let p = |one: &Assessment| one.verdict.as_ref().and_then(|verdict| verdict.p);
        let corrected = holm(&all.iter().filter_map(p).collect::<Vec<_>>());
        let verdicts = all.iter_mut().filter_map(|one| one.verdict.as_mut());
        let verdicts = verdicts.filter(|verdict| verdict.p.is_some());
        for (verdict, p) in verdicts.zip(corrected) {
            verdict.p = Some(p);
            verdict.is_better = verdict.advantage.mean > 0.0 && p < ALPHA;
        }
        all
    }

    fn assessment(&self, explanation: &str, measure: &str) -> Assessment {
        let key = |explanation: &str, control: &str| {
            (explanation.to_owned(), control.to_owned(), measure.to_owned())
        };
        let better = find(measure).filter(|one| one.is_judged()).and_then(|one| one.better);
        let empty = Cell::default();
        let cell = self.cells.get(&key(explanation, "")).unwrap_or(&empty);
        let names: BTreeSet<&str> = (self.cells.keys())
            .filter(|(other, control, own)| {
                !control.is_empty() && own == measure && (other == explanation || other.is_empty())
            })
            .map(|(_, control, _)| control.as_str())
            .collect();
        let controls: Vec<ControlAssessment> = names
            .into_iter()
            .map(|control| {
                let other = self.cells.get(&key(explanation, control));
                let other = other.or_else(|| self.cells.get(&key("", control))).unwrap_or(&empty);
                let advantage = better.and_then(|better| advantage(better, cell, other));
                ControlAssessment {
                    control: control.to_owned(),
                    mean: mean(&other.units).map(|mean| mean.mean),
                    undefined: other.undefined,
                    advantage,
                }
            })
            .collect();
        let mean = mean(&cell.units);
        let limit = find(measure).and_then(|one| one.limit);
        Assessment {
            explanation: explanation.to_owned(),
            measure: measure.to_owned(),
            is_sane: limit.map(|limit| is_below(limit, mean, cell)),
            mean,
            undefined: cell.undefined,
            chance: cell.mean_chance(),
            verdict: verdict(&controls),
            controls,
        }
    }
}

/// Whether values are below a limit for sure: their interval is, and at least half of the images have one.
fn is_below(limit: f64, mean: Option<PairedDifference>, cell: &Cell) -> bool {
    let defined: usize = cell.units.values().map(|(_, count)| count).sum();
    let highest = mean.and_then(|mean| mean.interval).map(|[_, high]| high);
    highest.is_some_and(|highest| highest < limit) && defined >= cell.undefined
}

fn mean(units: &Units) -> Option<PairedDifference> {
    let values: Vec<f64> = units.values().map(|(sum, count)| sum / *count as f64).collect();
    // Against 0 there is nothing to test.
    paired_difference(&values, LEVEL).map(|mean| PairedDifference { p: None, ..mean })
}

/// By how much values are better, unit by unit.
fn advantage(better: Better, own: &Cell, other: &Cell) -> Option<PairedDifference> {
    let sign = if better == Better::Higher { 1.0 } else { -1.0 };
    let value = |(sum, count): &(f64, usize)| sum / *count as f64;
    let both = own.units.iter().filter_map(|(unit, own)| Some((own, other.units.get(unit)?)));
    let differences: Vec<f64> =
        both.map(|(own, other)| sign * (value(own) - value(other))).collect();
    paired_difference(&differences, LEVEL)
}

/// Of all controls, the one that is hardest to beat. To be better than every one of them, the largest probability
/// counts (Berger, *Multiparameter Hypothesis Testing and Acceptance Sampling*, Technometrics 24, 1982).
fn verdict(controls: &[ControlAssessment]) -> Option<Verdict> {
    let tested = controls.iter().filter_map(|control| Some((control, control.advantage?)));
    let hardest = tested.clone().min_by(|(_, a), (_, b)| a.mean.total_cmp(&b.mean))?;
    let p = tested.map(|(_, advantage)| advantage.p).collect::<Option<Vec<f64>>>();
    let p = p.and_then(|p| p.into_iter().max_by(f64::total_cmp));
    let control = hardest.0.control.clone();
    Some(Verdict { control, advantage: hardest.1, p, is_better: false })
}
