//! An image as the page's script takes it, as short as it can be.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::class_places;
use crate::document::{AttributionReport, ImageReport, MeasuredMap, Report, ResultReport};
use crate::examples::is_largest_at_border;
use crate::occurrences::Occurrences;
use crate::picture::base64;
use crate::standalone::Standalone;
use burncam_evaluation::Outcome;

/// How many of the likeliest classes the large view lists.
const LIKELIEST: usize = 5;

#[derive(Serialize)]
pub(super) struct Image<'a> {
    n: &'a str,
    f: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    u: Option<&'a str>,
    /// Mean correlation of the pairs of maps.
    #[serde(skip_serializing_if = "Option::is_none")]
    g: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    a: Vec<Pair>,
    /// The share of the picture that each region has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    w: Vec<(usize, f32)>,
    r: Vec<GalleryEntry<'a>>,
}

/// Two models' maps of an image by one explanation: first, second, correlation, overlap, explanation, structural
/// similarity.
type Pair = (usize, usize, Option<f64>, Option<f64>, usize, Option<f64>);

fn is_first(place: &usize) -> bool {
    *place == 0
}

/// An attribution and the result that it belongs to; or a result without one.
#[derive(Serialize)]
struct GalleryEntry<'a> {
    m: usize,
    /// The explanation.
    #[serde(skip_serializing_if = "is_first")]
    k: usize,
    r: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    l: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    q: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    c: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    o: Option<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<f32>,
    /// What the cells are shares of, where it is another number.
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<f32>,
    /// The map's cells, a byte each, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<String>,
    /// 1 where the map is largest in a border cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    i: Option<u8>,
    /// Measures by their places.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    t: Vec<(usize, f32)>,
    /// The map's share in each region, without those that have none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    w: Vec<(usize, f32)>,
    /// The region in which it is highest.
    #[serde(skip_serializing_if = "Option::is_none")]
    z: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    v: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    h: Option<Cow<'a, str>>,
    p: Vec<(usize, f32)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<&'a str>,
}

/// By name: the places in the script's lists.
type Places<'a> = BTreeMap<&'a str, usize>;

/// The places of what images name.
pub(super) struct Lookup<'a> {
    folds: Places<'a>,
    classes: Places<'a>,
    regions: Places<'a>,
    measures: Places<'a>,
}

impl<'a> Lookup<'a> {
    pub(super) fn new(report: &'a Report<'_>, seen: &'a Occurrences) -> Self {
        fn places<'a>(names: impl Iterator<Item = &'a str>) -> Places<'a> {
            names.enumerate().map(|(place, name)| (name, place)).collect()
        }
        Self {
            folds: places(seen.folds.iter().map(String::as_str)),
            classes: class_places(report),
            regions: places(seen.regions.iter().map(String::as_str)),
            measures: places(seen.measures.iter().map(|measure| measure.name)),
        }
    }

    /// Shares by the places of their regions, those of no region left out.
    fn shares(&self, map: &MeasuredMap, which: usize) -> Vec<(usize, f32)> {
        let of = |(name, shares): (&String, &[f32; 2])| {
            Some((*self.regions.get(name.as_str())?, shares[which])).filter(|one| one.1 > 0.0)
        };
        map.regions.iter().filter_map(of).collect()
    }

    fn measures(&self, map: &MeasuredMap) -> Vec<(usize, f32)> {
        let of = |(name, value): (&String, &f32)| {
            Some((*self.measures.get(name.as_str())?, four_digits(*value)))
        };
        map.measures.iter().filter_map(of).collect()
    }

    fn peak(&self, map: &MeasuredMap) -> Option<usize> {
        self.regions.get(map.peak_region.as_deref()?).copied()
    }
}

/// A number to four digits.
fn four_digits(value: f32) -> f32 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

/// An image with the places of what it names.
pub(super) fn view<'a>(
    report: &'a Report<'_>,
    image: &'a ImageReport,
    lookup: &Lookup<'_>,
    standalone: Option<&Standalone>,
) -> Image<'a> {
    let round = |value: f64| (value * 1000.0).round() / 1000.0;
    let pairs = &image.agreement;
    let maps = image.results.iter().flat_map(|result| &result.attributions);
    let mut measured = maps.filter_map(|one| one.measured.as_deref());
    let known: Vec<f64> = pairs.iter().filter_map(|pair| pair.spearman).collect();
    Image {
        n: &image.path,
        f: lookup.folds.get(image.fold.as_str()).copied().unwrap_or_default(),
        u: image.subject.as_deref(),
        g: (!known.is_empty()).then(|| round(known.iter().sum::<f64>() / known.len() as f64)),
        a: pairs
            .iter()
            .map(|pair| {
                let alike = [pair.spearman, pair.overlap, pair.ssim];
                let [spearman, overlap, ssim] = alike.map(|value| value.map(round));
                (pair.first, pair.second, spearman, overlap, pair.explanation, ssim)
            })
            .collect(),
        w: (measured.find(|map| !map.regions.is_empty()))
            .map_or_else(Vec::new, |map| lookup.shares(map, 1)),
        r: image
            .results
            .iter()
            .flat_map(|result| entries(report, result, lookup, standalone))
            .collect(),
    }
}

fn entries<'a>(
    report: &'a Report<'_>,
    result: &'a ResultReport,
    lookup: &Lookup<'_>,
    standalone: Option<&Standalone>,
) -> Vec<GalleryEntry<'a>> {
    let classes = &lookup.classes;
    let place = |class: &Option<String>| {
        class.as_ref().and_then(|class| classes.get(class.as_str()).copied())
    };
    let measured = |one: Option<&'a AttributionReport>| one.and_then(|one| one.measured.as_deref());
    let own = &report.models[result.model].classes;
    let mut likeliest: Vec<usize> = (0..result.probabilities.len()).collect();
    likeliest.sort_by(|&a, &b| result.probabilities[b].total_cmp(&result.probabilities[a]));
    let likeliest: Vec<(usize, f32)> = (likeliest.into_iter().take(LIKELIEST))
        .map(|class| (classes[own[class].as_str()], result.probabilities[class]))
        .collect();
    let one = |attribution: Option<&'a AttributionReport>| GalleryEntry {
        m: result.model,
        k: attribution.map_or(0, |one| one.explanation),
        r: result.run,
        l: place(&result.label),
        q: place(&result.predicted),
        c: result.confidence,
        o: result.outcome,
        s: attribution.map(|one| one.status.as_str()),
        x: attribution.and_then(|one| one.map_max),
        y: attribution.and_then(|one| one.cell_max),
        t: measured(attribution).map_or_else(Vec::new, |map| lookup.measures(map)),
        w: measured(attribution).map_or_else(Vec::new, |map| lookup.shares(map, 0)),
        z: measured(attribution).and_then(|map| lookup.peak(map)),
        b: attribution.and_then(|one| Some(base64(one.map.as_ref()?.levels()))),
        i: attribution.filter(|one| is_largest_at_border(one)).map(|_| 1),
        // The overlay is a file beside the page.
        v: attribution.filter(|_| standalone.is_none()).and_then(|one| one.overlay.as_deref()),
        h: attribution.and_then(|one| match standalone {
            Some(page) => page.picture(result.run, one).map(Cow::Owned),
            None => one.thumbnail.as_deref().map(Cow::Borrowed),
        }),
        p: likeliest.clone(),
        e: result.error.as_deref(),
    };
    match result.attributions.as_slice() {
        [] => vec![one(None)],
        attributions => attributions.iter().map(Some).map(one).collect(),
    }
}
