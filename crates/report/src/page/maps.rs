//! Mean maps, and how alike the maps of several models are.

use std::collections::BTreeMap;

use super::document::{Agreement, ImageReport, MeanMap, Pair, ResultReport};
use super::{GRID, Grid};
use crate::Outcome;
use crate::statistics::{MeanSd, spearman, top_overlap};

/// The share of a map's cells that counts as its strongest.
const TOP: f64 = 0.1;

/// The status of a map that can be read.
const OK: &str = "ok";

/// The map of a result, if it can be read.
fn readable(result: &ResultReport) -> Option<&Grid> {
    result.map.as_ref().filter(|_| result.status.as_deref() == Some(OK))
}

/// Class, outcome and fold, all folds first.
type Group = (String, Outcome, Option<String>);

/// The sums of one model's readable maps by class, outcome and fold.
#[derive(Default)]
pub(super) struct MeanMaps(BTreeMap<Group, (usize, Vec<f64>)>);

impl MeanMaps {
    /// Adds the map of a result, if it can be read.
    pub(super) fn add(&mut self, image: &ImageReport, result: &ResultReport) {
        let (Some(map), Some(outcome)) = (readable(result), result.outcome) else { return };
        let Some(class) = result.label.as_ref().or(result.predicted.as_ref()) else { return };
        let shares = map.shares();
        for fold in [None, Some(image.fold.clone())] {
            let empty = || (0, vec![0.0; GRID * GRID]);
            let group = self.0.entry((class.clone(), outcome, fold));
            let (maps, sums) = group.or_insert_with(empty);
            *maps += 1;
            sums.iter_mut().zip(&shares).for_each(|(sum, share)| *sum += f64::from(*share));
        }
    }

    /// The means.
    pub(super) fn finish(self) -> Vec<MeanMap> {
        let one = |((class, outcome, fold), (maps, sums)): (Group, (usize, Vec<f64>))| {
            let means: Vec<f32> = sums.iter().map(|sum| (sum / maps as f64) as f32).collect();
            MeanMap { class, outcome, fold, maps, map: Grid::from_shares(&means) }
        };
        self.0.into_iter().map(one).collect()
    }
}

/// How alike the maps of every pair of models are on one image.
pub(super) fn pairs(image: &ImageReport) -> Vec<Pair> {
    let maps: Vec<(usize, Vec<f32>)> = (image.results.iter())
        .filter_map(|result| Some((result.model, readable(result)?.shares())))
        .collect();
    let mut pairs = Vec::new();
    for (place, (first, a)) in maps.iter().enumerate() {
        for (second, b) in &maps[place + 1..] {
            let (first, second) = (*first, *second);
            let (spearman, overlap) = (spearman(a, b), top_overlap(a, b, TOP));
            pairs.push(Pair { first, second, spearman, overlap });
        }
    }
    pairs
}

/// The correlations and the overlaps of each pair of models, where they are defined.
#[derive(Default)]
pub(super) struct Alike(BTreeMap<[usize; 2], [Vec<f64>; 2]>);

impl Alike {
    /// Adds the pairs of an image.
    pub(super) fn add(&mut self, pairs: &[Pair]) {
        for pair in pairs {
            let [spearman, overlap] = self.0.entry([pair.first, pair.second]).or_default();
            spearman.extend(pair.spearman);
            overlap.extend(pair.overlap);
        }
    }

    /// Their means.
    pub(super) fn finish(self) -> Vec<Agreement> {
        let one = |([first, second], values): ([usize; 2], [Vec<f64>; 2])| {
            let [spearman, overlap] = values.map(|values| MeanSd::of(values.into_iter().map(Some)));
            Agreement { first, second, spearman, overlap }
        };
        self.0.into_iter().map(one).collect()
    }
}
