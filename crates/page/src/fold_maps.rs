//! How alike the mean maps of networks of different folds are.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::document::{ExplanationReport, ModelReport, Report};
use crate::maps::TOP;
use crate::mean_maps::named;
use crate::structure::Structure;
use crate::text::Language;
use burncam_evaluation::{MeanSd, Ranks, Strongest};

/// Folds that are compared in pairs at most.
const MOST_FOLDS: usize = 64;

/// Rows that are shown at most.
const MOST_ROWS: usize = 256;

/// The mean maps of a class by the networks of all folds.
#[derive(Serialize)]
pub(super) struct FoldMaps {
    /// The model, and the explanation where there are several.
    name: String,
    class: String,
    folds: usize,
    spearman: String,
    overlap: String,
    ssim: String,
}

/// A row for each explanation and class of models that have a network for each fold.
pub(super) fn views(report: &Report<'_>, language: Language) -> Vec<FoldMaps> {
    let of = |model: &ModelReport| -> Vec<FoldMaps> {
        let explanations = model.explanations.iter();
        explanations.flat_map(|maps| rows(named(report, model, maps), maps, language)).collect()
    };
    let own = report.models.iter().filter(|model| model.network_per_fold);
    own.flat_map(of).take(MOST_ROWS).collect()
}

fn rows(name: String, maps: &ExplanationReport, language: Language) -> Vec<FoldMaps> {
    let row = |(class, folds): (&str, BTreeMap<&str, Vec<f32>>)| {
        if !(2..=MOST_FOLDS).contains(&folds.len()) {
            return None;
        }
        let maps: Vec<&[f32]> = folds.values().map(Vec::as_slice).collect();
        let [spearman, overlap, ssim] = alike(&maps).map(|over| text(&over, language));
        let (name, class, folds) = (name.clone(), class.to_owned(), maps.len());
        Some(FoldMaps { name, class, folds, spearman, overlap, ssim })
    };
    by_class(maps).into_iter().filter_map(row).collect()
}

/// By class and fold: the mean of the maps of all outcomes.
fn by_class(maps: &ExplanationReport) -> BTreeMap<&str, BTreeMap<&str, Vec<f32>>> {
    let mut sums: BTreeMap<&str, BTreeMap<&str, (usize, Vec<f32>)>> = BTreeMap::new();
    for one in &maps.mean_maps {
        let Some(fold) = &one.fold else { continue };
        let (count, sum) = sums.entry(&one.class).or_default().entry(fold).or_default();
        let shares = one.map.shares();
        sum.resize(shares.len(), 0.0);
        sum.iter_mut().zip(shares).for_each(|(sum, share)| *sum += share * one.maps as f32);
        *count += one.maps;
    }
    let mean =
        |(count, sum): (usize, Vec<f32>)| sum.into_iter().map(|cell| cell / count as f32).collect();
    let means =
        |folds: BTreeMap<_, _>| folds.into_iter().map(|(fold, of)| (fold, mean(of))).collect();
    sums.into_iter().map(|(class, folds)| (class, means(folds))).collect()
}

/// Correlation, overlap and structural similarity over all pairs of maps.
fn alike(maps: &[&[f32]]) -> [MeanSd; 3] {
    let ranks: Vec<Ranks> = maps.iter().map(|map| Ranks::from_map(map)).collect();
    let strongest: Vec<_> = maps.iter().map(|map| Strongest::from_map(map, TOP)).collect();
    let structures: Vec<_> = maps.iter().map(|map| Structure::from_map(map)).collect();
    let pairs = || (0..maps.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
    [
        MeanSd::compute(pairs().map(|(a, b)| ranks[a].correlation(&ranks[b]))),
        MeanSd::compute(
            pairs().map(|(a, b)| strongest[a].as_ref()?.overlap(strongest[b].as_ref()?)),
        ),
        MeanSd::compute(
            pairs().map(|(a, b)| Some(structures[a].as_ref()?.similarity(structures[b].as_ref()?))),
        ),
    ]
}

fn text(over: &MeanSd, language: Language) -> String {
    let number = |value: f64| language.number(value, 2);
    match (over.mean, over.sd) {
        (Some(mean), Some(sd)) => format!("{} ± {}", number(mean), number(sd)),
        (Some(mean), None) => number(mean),
        (None, _) => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_that_are_the_same_are_alike() {
        let map: Vec<f32> = (0..196).map(|cell| (cell * 7 % 31) as f32).collect();
        let back: Vec<f32> = map.iter().map(|cell| 31.0 - cell).collect();
        for over in alike(&[&map, &map, &map]) {
            assert_eq!(over.folds, 3);
            assert!((over.mean.expect("a mean") - 1.0).abs() < 1e-9);
        }
        let [spearman, overlap, ssim] =
            alike(&[&map, &back]).map(|over| over.mean.expect("one pair"));
        assert!(spearman < -0.99 && overlap == 0.0 && ssim < 0.0);
    }
}
