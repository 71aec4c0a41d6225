//! What the page's script needs of every image, as short as it can be.

use std::collections::BTreeMap;

use serde::Serialize;

use super::document::{ImageReport, Report, ResultReport};
use super::text::Language;
use crate::{Error, Outcome};

/// How many of the likeliest classes the large view lists.
const LIKELIEST: usize = 5;

#[derive(Serialize)]
struct Gallery<'a> {
    language: &'static str,
    text: BTreeMap<&'a str, &'a str>,
    folders: Vec<&'a str>,
    models: Vec<Named<'a>>,
    folds: Vec<&'a str>,
    classes: Vec<&'a str>,
    outcomes: Vec<&'static str>,
    statuses: Vec<&'a str>,
    images: Vec<Image<'a>>,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Image<'a> {
    n: &'a str,
    f: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    u: Option<&'a str>,
    /// Mean correlation of the pairs of maps.
    #[serde(skip_serializing_if = "Option::is_none")]
    g: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    a: Vec<(usize, usize, Option<f64>, Option<f64>)>,
    r: Vec<Found<'a>>,
}

#[derive(Serialize)]
struct Found<'a> {
    m: usize,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    v: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    h: Option<&'a str>,
    p: Vec<(usize, f32)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<&'a str>,
}

/// The keys of the words that the script says; `status_` and all that it names.
const WORDS: [&str; 34] = [
    "Right",
    "Wrong",
    "Unknown",
    "unknown_class",
    "picture_alt",
    "result_line",
    "failed_line",
    "unreadable_line",
    "shown",
    "page",
    "class",
    "predicted",
    "probabilities",
    "status",
    "map_max",
    "overlay_file",
    "fold_is",
    "subject_is",
    "original",
    "map",
    "overlay",
    "pair_line",
    "status_all_nonpositive",
    "status_constant",
    "status_nonfinite",
    "model",
    "fold",
    "outcome",
    "all",
    "close",
    "previous",
    "next",
    "previous_image",
    "next_image",
];

/// The gallery as JSON that may stand in a `script` element.
pub(super) fn json(report: &Report, language: Language) -> Result<String, Error> {
    let folds = sorted(report.images.iter().map(|image| image.fold.as_str()));
    let results = || report.images.iter().flat_map(|image| &image.results);
    let statuses = sorted(results().filter_map(|result| result.status.as_deref()));
    let mut classes: Vec<&str> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for class in report.models.iter().flat_map(|model| &model.classes) {
        places.entry(class).or_insert_with(|| {
            classes.push(class);
            classes.len() - 1
        });
    }
    let outcomes = Outcome::ALL.map(Outcome::name);
    let occurs =
        |name: &&str| results().any(|result| result.outcome.is_some_and(|o| o.name() == *name));
    let words = language.words();
    let gallery = Gallery {
        language: language.tag(),
        text: WORDS.iter().filter_map(|&key| Some((key, words.get(key)?.as_str()))).collect(),
        folders: report.runs.iter().map(|source| source.folder.as_str()).collect(),
        models: report.models.iter().map(|model| Named { name: &model.name }).collect(),
        images: report.images.iter().map(|image| one(report, image, &folds, &places)).collect(),
        folds,
        classes,
        outcomes: outcomes.into_iter().filter(occurs).collect(),
        statuses,
    };
    // No `</script>`, no `<!--`: neither can end the element it stands in.
    Ok(serde_json::to_string(&gallery)?.replace('<', "\\u003c"))
}

fn sorted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn one<'a>(
    report: &'a Report,
    image: &'a ImageReport,
    folds: &[&str],
    classes: &BTreeMap<&str, usize>,
) -> Image<'a> {
    let round = |value: f64| (value * 1000.0).round() / 1000.0;
    let pairs = &image.agreement;
    let known: Vec<f64> = pairs.iter().filter_map(|pair| pair.spearman).collect();
    Image {
        n: &image.path,
        f: folds.binary_search(&image.fold.as_str()).unwrap_or_default(),
        u: image.subject.as_deref(),
        g: (!known.is_empty()).then(|| round(known.iter().sum::<f64>() / known.len() as f64)),
        a: pairs
            .iter()
            .map(|pair| {
                (pair.first, pair.second, pair.spearman.map(round), pair.overlap.map(round))
            })
            .collect(),
        r: image.results.iter().map(|result| found(report, result, classes)).collect(),
    }
}

fn found<'a>(
    report: &'a Report,
    result: &'a ResultReport,
    classes: &BTreeMap<&str, usize>,
) -> Found<'a> {
    let place = |class: &Option<String>| {
        class.as_ref().and_then(|class| classes.get(class.as_str()).copied())
    };
    let own = &report.models[result.model].classes;
    let mut likeliest: Vec<usize> = (0..result.probabilities.len()).collect();
    likeliest.sort_by(|&a, &b| result.probabilities[b].total_cmp(&result.probabilities[a]));
    Found {
        m: result.model,
        r: result.run,
        l: place(&result.label),
        q: place(&result.predicted),
        c: result.confidence,
        o: result.outcome,
        s: result.status.as_deref(),
        x: result.map_max,
        v: result.overlay.as_deref(),
        h: result.thumbnail.as_deref(),
        p: likeliest
            .into_iter()
            .take(LIKELIEST)
            .map(|class| (classes[own[class].as_str()], result.probabilities[class]))
            .collect(),
        e: result.error.as_deref(),
    }
}
