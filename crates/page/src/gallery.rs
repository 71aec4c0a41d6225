//! What the page's script needs of every image, as short as it can be.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use serde::Serialize;

use crate::document::{AttributionReport, ImageReport, Report, ResultReport};
use crate::occurrences::Occurrences;
use crate::text::Language;
use burncam_evaluation::Outcome;
use burncam_record::Error;

/// How many of the likeliest classes the large view lists.
const LIKELIEST: usize = 5;

#[derive(Serialize)]
struct Gallery<'a> {
    language: &'static str,
    text: BTreeMap<&'a str, &'a str>,
    folders: Vec<&'a str>,
    models: Vec<Named<'a>>,
    /// Titles of explanations, where there are several.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    explanations: &'a [String],
    folds: &'a BTreeSet<String>,
    classes: Vec<&'a str>,
    outcomes: Vec<&'static str>,
    statuses: &'a BTreeSet<String>,
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
    a: Vec<Pair>,
    r: Vec<GalleryEntry<'a>>,
}

/// Two models' maps of an image by one explanation: first, second, correlation, overlap, explanation.
type Pair = (usize, usize, Option<f64>, Option<f64>, usize);

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
    #[serde(skip_serializing_if = "Option::is_none")]
    v: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    h: Option<&'a str>,
    p: Vec<(usize, f32)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<&'a str>,
}

/// The keys of the words that the script says; `status_` and all that it names.
const WORDS: [&str; 35] = [
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
    "status_all_zero",
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

/// The place of each class among those of all models.
pub(super) fn class_places<'a>(report: &'a Report<'_>) -> BTreeMap<&'a str, usize> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for class in report.models.iter().flat_map(|model| &model.classes) {
        let next = places.len();
        places.entry(class).or_insert(next);
    }
    places
}

/// Writes the gallery as JSON that may stand in a `script` element, image by image.
pub(super) fn write(
    report: &Report<'_>,
    seen: &Occurrences,
    language: Language,
    mut to: impl Write,
) -> Result<(), Error> {
    let places = class_places(report);
    let mut classes: Vec<&str> = places.keys().copied().collect();
    classes.sort_by_key(|class| places[class]);
    let words = language.words();
    let outcomes = Outcome::ALL.map(Outcome::name).into_iter();
    let gallery = Gallery {
        language: language.tag(),
        text: WORDS.iter().filter_map(|&key| Some((key, words.get(key)?.as_str()))).collect(),
        folders: report.runs.iter().map(|source| source.folder.as_str()).collect(),
        models: report.models.iter().map(|model| Named { name: &model.name }).collect(),
        explanations: match report.explanations.as_slice() {
            [_] => &[],
            several => several,
        },
        folds: &seen.folds,
        classes,
        outcomes: outcomes.filter(|name| seen.outcomes.contains(name)).collect(),
        statuses: &seen.statuses,
    };
    let folds: BTreeMap<&str, usize> =
        seen.folds.iter().enumerate().map(|(place, fold)| (fold.as_str(), place)).collect();
    let images = report.compared_images().map(|image| {
        let image = image?;
        Ok(in_script(serde_json::to_string(&one(report, &image, &folds, &places))?))
    });
    with_images(&in_script(serde_json::to_string(&gallery)?), images, &mut to)
}

/// No `</script>`, no `<!--`: neither can end the element that the JSON stands in. No control
/// characters, which HTML does not have.
fn in_script(json: String) -> String {
    let is_odd = |c: char| c == '<' || c.is_control();
    if !json.contains(is_odd) {
        return json;
    }
    let escaped = |c: char| match is_odd(c) {
        true => format!("\\u{:04x}", u32::from(c)),
        false => c.to_string(),
    };
    json.chars().map(escaped).collect()
}

/// Writes an object with one field more: the list of `images`.
pub(super) fn with_images(
    object: &str,
    images: impl Iterator<Item = Result<String, Error>>,
    to: &mut impl Write,
) -> Result<(), Error> {
    to.write_all(object.strip_suffix('}').unwrap_or(object).as_bytes())?;
    to.write_all(b",\"images\":[")?;
    for (place, image) in images.enumerate() {
        let comma = if place == 0 { "" } else { "," };
        write!(to, "{comma}{}", image?)?;
    }
    Ok(to.write_all(b"]}")?)
}

fn one<'a>(
    report: &'a Report<'_>,
    image: &'a ImageReport,
    folds: &BTreeMap<&str, usize>,
    classes: &BTreeMap<&str, usize>,
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
                let [spearman, overlap] = [pair.spearman, pair.overlap].map(|v| v.map(round));
                (pair.first, pair.second, spearman, overlap, pair.explanation)
            })
            .collect(),
        r: image.results.iter().flat_map(|result| entries(report, result, classes)).collect(),
    }
}

fn entries<'a>(
    report: &'a Report<'_>,
    result: &'a ResultReport,
    classes: &BTreeMap<&str, usize>,
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
        v: attribution.and_then(|one| one.overlay.as_deref()),
        h: attribution.and_then(|one| one.thumbnail.as_deref()),
        p: likeliest.clone(),
        e: result.error.as_deref(),
    };
    match result.attributions.as_slice() {
        [] => vec![one(None)],
        attributions => attributions.iter().map(Some).map(one).collect(),
    }
}
