//! Mean maps, and how alike the maps of several models are.

use std::collections::BTreeMap;

use crate::document::{Agreement, AttributionReport, ImageReport, MeanMap, Pair, ResultReport};
use crate::on_face::FaceSums;
use crate::structure::Structure;
use burncam_evaluation::Outcome;
use burncam_evaluation::{GRID, Grid, Values};
use burncam_evaluation::{MeanSd, Ranks, Strongest};
pub(super) use burncam_record::READABLE as OK;

/// The share of a map's cells that counts as its strongest.
pub(super) const TOP: f64 = 0.1;

/// The map of an attribution, if it can be read.
fn readable(attribution: &AttributionReport) -> Option<&Grid> {
    attribution.map.as_ref().filter(|_| attribution.status == OK)
}

/// Class, outcome and fold, all folds first.
type Group = (String, Outcome, Option<String>);

/// The number of maps of each group, and their sum.
type Sums = BTreeMap<Group, (usize, Vec<f64>)>;

/// How many mean maps over all folds a model has at most, and how many of single folds. Where there
/// would be more, it has none.
pub(super) const MOST_MEANS: usize = 2000;

/// The sums of the readable maps of one explanation of a model by class, outcome and fold.
pub(super) struct MeanMaps {
    /// Over all folds, unless there are too many.
    over_folds: Option<Sums>,
    /// Of single folds, unless there are too many.
    by_fold: Option<Sums>,
    /// Over all folds, brought together by eyes and mouth.
    on_face: FaceSums,
}

impl Default for MeanMaps {
    fn default() -> Self {
        Self {
            over_folds: Some(Sums::new()),
            by_fold: Some(Sums::new()),
            on_face: FaceSums::default(),
        }
    }
}

impl MeanMaps {
    /// Adds a map of a result, if it can be read.
    pub(super) fn add(
        &mut self,
        image: &ImageReport,
        result: &ResultReport,
        attribution: &AttributionReport,
    ) {
        let (Some(map), Some(outcome)) = (readable(attribution), result.outcome) else { return };
        let Some(class) = result.label.as_ref().or(result.predicted.as_ref()) else { return };
        let shares = map.shares();
        if let Some(points) = &image.eyes_and_mouth {
            self.on_face.add((class, outcome), &shares, points);
        }
        add(&mut self.over_folds, (class.clone(), outcome, None), &shares);
        add(&mut self.by_fold, (class.clone(), outcome, Some(image.fold.clone())), &shares);
    }

    /// The means of maps with such values.
    pub(super) fn finish(self, values: Values) -> Vec<MeanMap> {
        let Some(mut all) = self.over_folds else { return Vec::new() };
        all.extend(self.by_fold.into_iter().flatten());
        let one = |((class, outcome, fold), (maps, sums)): (Group, (usize, Vec<f64>))| {
            let means: Vec<f32> = sums.iter().map(|sum| (sum / maps as f64) as f32).collect();
            let map = Grid::from_shares(&means, values);
            let on_face = match fold {
                None => self.on_face.mean((&class, outcome), values),
                Some(_) => None,
            };
            MeanMap { class, outcome, fold, maps, map, on_face }
        };
        all.into_iter().map(one).collect()
    }
}

/// Adds a map to its group, which may be one too many.
fn add(groups: &mut Option<Sums>, group: Group, shares: &[f32]) {
    let Some(all) = groups else { return };
    let (maps, sums) = all.entry(group).or_insert_with(|| (0, vec![0.0; GRID * GRID]));
    *maps += 1;
    sums.iter_mut().zip(shares).for_each(|(sum, share)| *sum += f64::from(*share));
    if all.len() > MOST_MEANS {
        *groups = None;
    }
}

/// What a result's map is compared by. It is found once for each map, since a map is in many pairs.
struct Compared {
    explanation: usize,
    model: usize,
    ranks: Ranks,
    strongest: Option<Strongest>,
    structure: Option<Structure>,
}

impl Compared {
    fn new(model: usize, attribution: &AttributionReport) -> Option<Self> {
        let shares = readable(attribution)?.shares();
        Some(Self {
            explanation: attribution.explanation,
            model,
            ranks: Ranks::from_map(&shares),
            strongest: Strongest::from_map(&shares, TOP),
            structure: Structure::from_map(&shares),
        })
    }

    fn pair(&self, other: &Self) -> Pair {
        let strongest = self.strongest.as_ref().zip(other.strongest.as_ref());
        let structure = self.structure.as_ref().zip(other.structure.as_ref());
        Pair {
            explanation: self.explanation,
            first: self.model,
            second: other.model,
            spearman: self.ranks.correlation(&other.ranks),
            overlap: strongest.and_then(|(a, b)| a.overlap(b)),
            ssim: structure.map(|(a, b)| a.similarity(b)),
        }
    }
}

/// How alike the maps of every pair of models are on one image, explanation by explanation.
pub(super) fn pairs(image: &ImageReport) -> Vec<Pair> {
    let all = image.results.iter().flat_map(|result| {
        result.attributions.iter().filter_map(|one| Compared::new(result.model, one))
    });
    let mut by_explanation: BTreeMap<usize, Vec<Compared>> = BTreeMap::new();
    all.for_each(|map| by_explanation.entry(map.explanation).or_default().push(map));
    let mut pairs = Vec::new();
    for maps in by_explanation.values() {
        for (place, first) in maps.iter().enumerate() {
            pairs.extend(maps.iter().skip(place + 1).map(|second| first.pair(second)));
        }
    }
    pairs
}

/// The correlations, overlaps and similarities of each pair of models, where they are defined.
#[derive(Default)]
pub(super) struct AgreementSums(BTreeMap<[usize; 3], [Vec<f64>; 3]>);

impl AgreementSums {
    /// Adds the pairs of an image.
    pub(super) fn add(&mut self, pairs: &[Pair]) {
        for pair in pairs {
            let [spearman, overlap, ssim] =
                self.0.entry([pair.explanation, pair.first, pair.second]).or_default();
            spearman.extend(pair.spearman);
            overlap.extend(pair.overlap);
            ssim.extend(pair.ssim);
        }
    }

    /// Their means.
    pub(super) fn finish(self) -> Vec<Agreement> {
        let one = |([explanation, first, second], values): ([usize; 3], [Vec<f64>; 3])| {
            let [spearman, overlap, ssim] =
                values.map(|values| MeanSd::compute(values.into_iter().map(Some)));
            Agreement { explanation, first, second, spearman, overlap, ssim }
        };
        self.0.into_iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An image of a fold with a result for a class.
    fn image(fold: usize, class: usize) -> ImageReport {
        let image = serde_json::json!({
            "path": "a.png", "fold": fold.to_string(), "subject": null, "agreement": [],
            "results": [{
                "model": 0, "run": 0, "label": class.to_string(), "predicted": class.to_string(),
                "confidence": 1.0, "probabilities": [], "outcome": "Right", "error": null,
                "attributions": [{
                    "explanation": 0, "target": "a", "status": "ok", "map_max": 1.0,
                    "map_size": [14, 14], "map_peak": [0, 0], "map": "ff".repeat(GRID * GRID),
                    "overlay": null, "thumbnail": null,
                }],
            }],
        });
        serde_json::from_value(image).expect("an image")
    }

    fn means(images: impl Iterator<Item = ImageReport>) -> (usize, usize) {
        let mut maps = MeanMaps::default();
        images.for_each(|image| {
            let result = &image.results[0];
            maps.add(&image, result, &result.attributions[0]);
        });
        let maps = maps.finish(Values::Positive);
        (maps.iter().filter(|map| map.fold.is_none()).count(), maps.len())
    }

    #[test]
    fn signed_maps_have_signed_means() {
        let mut maps = MeanMaps::default();
        for shares in [[-1.0; GRID * GRID], [0.5; GRID * GRID]] {
            let mut image = image(0, 0);
            let result = &mut image.results[0];
            result.attributions[0].map = Some(Grid::from_shares(&shares, Values::Signed));
            let result = image.results[0].clone();
            maps.add(&image, &result, &result.attributions[0]);
        }
        let means = maps.finish(Values::Signed);
        assert_eq!((means.len(), means[0].maps), (2, 2));
        assert!(means[0].map.shares().iter().all(|share| (share + 0.25).abs() < 0.01));
    }

    #[test]
    fn mean_maps_of_many_groups_are_left_out() {
        assert_eq!(means((0..MOST_MEANS).map(|fold| image(fold, 0))), (1, MOST_MEANS + 1));
        assert_eq!(means((0..=MOST_MEANS).map(|fold| image(fold, 0))), (1, 1));
        assert_eq!(
            means((0..MOST_MEANS).map(|class| image(0, class))),
            (MOST_MEANS, 2 * MOST_MEANS)
        );
        assert_eq!(means((0..=MOST_MEANS).map(|class| image(0, class))), (0, 0));
    }
}
