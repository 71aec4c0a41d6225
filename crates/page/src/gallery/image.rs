//! An image as the page's script takes it, as short as it can be.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::document::{AttributionReport, ImageReport, Report, ResultReport};
use crate::examples::is_largest_at_border;
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
    /// The map's cells, a byte each, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<String>,
    /// 1 where the map is largest in a border cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    i: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    v: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    h: Option<Cow<'a, str>>,
    p: Vec<(usize, f32)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<&'a str>,
}

/// An image with the places of its fold and its classes.
pub(super) fn view<'a>(
    report: &'a Report<'_>,
    image: &'a ImageReport,
    (folds, classes): (&BTreeMap<&str, usize>, &BTreeMap<&str, usize>),
    standalone: Option<&Standalone>,
) -> Image<'a> {
    let round = |value: f64| (value * 1000.0).round() / 1000.0;
    let pairs = &image.agreement;
    let known: Vec<f64> = pairs.iter().filter_map(|pair| pair.spearman).collect();
    Image {
        n: &image.path,
        f: folds.get(image.fold.as_str()).copied().unwrap_or_default(),
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
        r: image
            .results
            .iter()
            .flat_map(|result| entries(report, result, classes, standalone))
            .collect(),
    }
}

fn entries<'a>(
    report: &'a Report<'_>,
    result: &'a ResultReport,
    classes: &BTreeMap<&str, usize>,
    standalone: Option<&Standalone>,
) -> Vec<GalleryEntry<'a>> {
    let place = |class: &Option<String>| {
        class.as_ref().and_then(|class| classes.get(class.as_str()).copied())
    };
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
