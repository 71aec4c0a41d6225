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

/// The mean maps of one model by class, outcome and fold.
pub(super) fn mean_maps(model: usize, images: &[ImageReport]) -> Vec<MeanMap> {
    let mut groups: BTreeMap<Group, (usize, Vec<f64>)> = BTreeMap::new();
    for image in images {
        for result in image.results.iter().filter(|result| result.model == model) {
            let (Some(map), Some(outcome)) = (readable(result), result.outcome) else { continue };
            let Some(class) = result.label.as_ref().or(result.predicted.as_ref()) else { continue };
            let shares = map.shares();
            for fold in [None, Some(image.fold.clone())] {
                let empty = || (0, vec![0.0; GRID * GRID]);
                let (maps, sums) =
                    groups.entry((class.clone(), outcome, fold)).or_insert_with(empty);
                *maps += 1;
                sums.iter_mut().zip(&shares).for_each(|(sum, share)| *sum += f64::from(*share));
            }
        }
    }
    let one = |((class, outcome, fold), (maps, sums)): (Group, (usize, Vec<f64>))| {
        let means: Vec<f32> = sums.iter().map(|sum| (sum / maps as f64) as f32).collect();
        MeanMap { class, outcome, fold, maps, map: Grid::from_shares(&means) }
    };
    groups.into_iter().map(one).collect()
}

/// Compares the maps of every pair of models on each image, and over all images.
pub(super) fn agreement(models: usize, images: &mut [ImageReport]) -> Vec<Agreement> {
    for image in images.iter_mut() {
        let maps: Vec<(usize, Vec<f32>)> = (image.results.iter())
            .filter_map(|result| Some((result.model, readable(result)?.shares())))
            .collect();
        image.agreement.clear();
        for (place, (first, a)) in maps.iter().enumerate() {
            for (second, b) in &maps[place + 1..] {
                let (first, second) = (*first, *second);
                let (spearman, overlap) = (spearman(a, b), top_overlap(a, b, TOP));
                image.agreement.push(Pair { first, second, spearman, overlap });
            }
        }
    }
    let mut all = Vec::new();
    for first in 0..models {
        for second in first + 1..models {
            let pairs: Vec<&Pair> = (images.iter().flat_map(|image| &image.agreement))
                .filter(|pair| (pair.first, pair.second) == (first, second))
                .collect();
            if !pairs.is_empty() {
                let spearman = MeanSd::of(pairs.iter().map(|pair| pair.spearman));
                let overlap = MeanSd::of(pairs.iter().map(|pair| pair.overlap));
                all.push(Agreement { first, second, spearman, overlap });
            }
        }
    }
    all
}
