//! What the page's script needs of every image, as short as it can be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write;

use serde::Serialize;

use crate::document::{AttributionReport, ImageReport, ModelReport, Report, ResultReport};
use crate::examples::{Example, is_largest_at_border};
use crate::occurrences::Occurrences;
use crate::picture::base64;
use crate::text::Language;
use burncam_evaluation::{Outcome, Values};
use burncam_record::Error;
use burncam_render::{Colormap, diverging};

/// How many of the likeliest classes the large view lists.
const LIKELIEST: usize = 5;

#[derive(Serialize)]
struct Gallery<'a> {
    language: &'static str,
    text: BTreeMap<&'a str, &'a str>,
    folders: Vec<&'a str>,
    models: Vec<ModelView<'a>>,
    /// Titles of explanations.
    explanations: &'a [String],
    /// Their methods, as the command line has them.
    methods: Vec<&'a str>,
    folds: &'a BTreeSet<String>,
    classes: Vec<&'a str>,
    outcomes: Vec<&'static str>,
    statuses: &'a BTreeSet<String>,
    colours: BTreeMap<&'static str, String>,
    /// The images that should be seen first.
    examples: Vec<ExampleView<'a>>,
}

#[derive(Serialize)]
struct ModelView<'a> {
    name: &'a str,
    /// The places of its explanations.
    explained: Vec<usize>,
    /// Those of them whose values are signed.
    signed: Vec<usize>,
}

impl<'a> ModelView<'a> {
    fn new(model: &'a ModelReport) -> Self {
        let all = &model.explanations;
        let signed = all.iter().filter(|one| one.spec.values == Values::Signed);
        Self {
            name: &model.name,
            explained: all.iter().map(|one| one.explanation).collect(),
            signed: signed.map(|one| one.explanation).collect(),
        }
    }
}

#[derive(Serialize)]
struct ExampleView<'a> {
    image: usize,
    kind: &'static str,
    models: &'a [usize],
    explanation: usize,
}

/// The method of an explanation, as the command line has it.
fn method<'a>(report: &'a Report<'_>, place: usize) -> &'a str {
    let mut all = report.models.iter().flat_map(|model| &model.explanations);
    all.find(|one| one.explanation == place).map_or("", |one| &one.spec.method)
}

/// The colours of maps by the name of their table: 256 times six hexadecimal digits.
fn colours() -> BTreeMap<&'static str, String> {
    let text = |table: &[[u8; 3]; 256]| {
        let mut text = String::with_capacity(6 * table.len());
        table.as_flattened().iter().for_each(|level| _ = write!(text, "{level:02x}"));
        text
    };
    let maps = [Colormap::Viridis, Colormap::Magma, Colormap::Jet];
    let named = maps.into_iter().map(|map| (map.name(), text(map.colours())));
    named.chain([("diverging", text(diverging()))]).collect()
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
    h: Option<&'a str>,
    p: Vec<(usize, f32)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<&'a str>,
}

/// What the keys of words begin with of which the script says each.
const WORDS_OF: [&str; 4] = ["status_", "state_", "scale_", "example_"];

/// The keys of the other words that the script says.
const WORDS: [&str; 38] = [
    "Right",
    "Wrong",
    "Unknown",
    "badge_title",
    "choose_image",
    "chosen_n",
    "chosen_one",
    "class",
    "failed",
    "failed_line",
    "fold_is",
    "from_to",
    "map_alt",
    "map_max",
    "maps_after",
    "maps_before",
    "maps_of",
    "no_notes",
    "not_kept",
    "note",
    "notes_read_n",
    "numbers",
    "original",
    "overlay_alt",
    "overlay_file",
    "page",
    "pair_line",
    "photo_alt",
    "predicted",
    "probabilities",
    "scale_signed",
    "shown",
    "status",
    "subject_is",
    "tags",
    "unknown_class",
    "unreadable_line",
    "value_title",
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

fn is_said(key: &str) -> bool {
    WORDS.contains(&key) || WORDS_OF.iter().any(|start| key.starts_with(start))
}

/// Writes the gallery as JSON that may stand in a `script` element, image by image.
pub(super) fn write<'a>(
    report: &'a Report<'_>,
    seen: &'a Occurrences,
    language: Language,
    mut to: impl Write,
) -> Result<(), Error> {
    let places = class_places(report);
    let mut classes: Vec<&str> = places.keys().copied().collect();
    classes.sort_by_key(|class| places[class]);
    let example = |one: &'a Example| ExampleView {
        image: one.image,
        kind: one.reason.name(),
        models: &one.models,
        explanation: one.explanation,
    };
    let words = language.words();
    let outcomes = Outcome::ALL.map(Outcome::name).into_iter();
    let gallery = Gallery {
        language: language.tag(),
        text: words
            .iter()
            .filter(|(key, _)| is_said(key))
            .map(|(key, text)| (key.as_str(), text.as_str()))
            .collect(),
        folders: report.runs.iter().map(|source| source.folder.as_str()).collect(),
        models: report.models.iter().map(ModelView::new).collect(),
        explanations: &report.explanations,
        methods: (0..report.explanations.len()).map(|place| method(report, place)).collect(),
        folds: &seen.folds,
        classes,
        outcomes: outcomes.filter(|name| seen.outcomes.contains(name)).collect(),
        statuses: &seen.statuses,
        colours: colours(),
        examples: seen.examples.iter().map(example).collect(),
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
                let alike = [pair.spearman, pair.overlap, pair.ssim];
                let [spearman, overlap, ssim] = alike.map(|value| value.map(round));
                (pair.first, pair.second, spearman, overlap, pair.explanation, ssim)
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
        b: attribution.and_then(|one| Some(base64(one.map.as_ref()?.levels()))),
        i: attribution.filter(|one| is_largest_at_border(one)).map(|_| 1),
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
