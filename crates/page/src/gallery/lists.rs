//! What the page's script needs besides the images.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use crate::document::{ModelReport, Report};
use crate::examples::Example;
use crate::occurrences::Occurrences;
use crate::standalone::Standalone;
use crate::text::Language;
use crate::trust;
use burncam_evaluation::{Outcome, Values};
use burncam_render::{Colormap, diverging};
use burncam_trust::{Better, Measure};

/// Lists, words and colours.
#[derive(Serialize)]
pub(super) struct Lists<'a> {
    language: &'static str,
    text: BTreeMap<&'a str, &'a str>,
    folders: Vec<&'a str>,
    models: Vec<ModelView<'a>>,
    /// Titles of explanations.
    explanations: &'a [String],
    folds: &'a BTreeSet<String>,
    classes: Vec<&'a str>,
    outcomes: Vec<&'static str>,
    statuses: &'a BTreeSet<String>,
    /// Titles of regions of faces.
    regions: Vec<String>,
    measures: Vec<MeasureView>,
    colours: BTreeMap<&'static str, String>,
    /// The images that should be seen first.
    examples: Vec<ExampleView<'a>>,
}

#[derive(Serialize)]
struct ModelView<'a> {
    name: &'a str,
    /// The places of its explanations.
    explained: Vec<usize>,
    /// Their names, by which `figure` tells them apart.
    names: Vec<&'a str>,
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
            names: all.iter().map(|one| one.spec.name.as_str()).collect(),
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

/// A measure that maps can be put in order by.
#[derive(Serialize)]
struct MeasureView {
    name: &'static str,
    title: String,
    /// Whether large values speak for a map.
    up: bool,
}

impl MeasureView {
    fn new(measure: &Measure, language: Language) -> Self {
        Self {
            name: measure.name,
            title: trust::measure(measure.name, language),
            up: measure.better == Some(Better::Higher),
        }
    }
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

/// What the keys of words begin with of which the script says each.
const WORDS_OF: [&str; 4] = ["status_", "state_", "scale_", "example_"];

/// The keys of the other words that the script says.
const WORDS: [&str; 44] = [
    "Right",
    "Unknown",
    "Wrong",
    "badge_title",
    "choose_image",
    "chosen_n",
    "chosen_one",
    "class",
    "failed",
    "failed_line",
    "fold_is",
    "from_to",
    "higher_is_better",
    "lower_is_better",
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
    "other_regions",
    "overlay_alt",
    "overlay_file",
    "page",
    "pair_line",
    "peak_here",
    "photo_alt",
    "predicted",
    "probabilities",
    "region",
    "region_area",
    "share_by_region",
    "shown",
    "status",
    "subject_is",
    "tags",
    "unknown_class",
    "unreadable_line",
    "value_title",
];

/// The place of each class among those of all models.
pub(crate) fn class_places<'a>(report: &'a Report<'_>) -> BTreeMap<&'a str, usize> {
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

/// What the script needs of a report. Images to be seen first have their places in the gallery.
pub(super) fn view<'a>(
    report: &'a Report<'_>,
    seen: &'a Occurrences,
    standalone: Option<&Standalone>,
    language: Language,
) -> Lists<'a> {
    let places = class_places(report);
    let mut classes: Vec<&str> = places.keys().copied().collect();
    classes.sort_by_key(|class| places[class]);
    let example = |one: &'a Example| {
        let image = standalone.map_or(Some(one.image), |page| page.place(one.image))?;
        let (models, explanation) = (one.models.as_slice(), one.explanation);
        Some(ExampleView { image, kind: one.reason.name(), models, explanation })
    };
    let words = language.words().iter().filter(|(key, _)| is_said(key));
    let outcomes = Outcome::ALL.map(Outcome::name).into_iter();
    Lists {
        language: language.tag(),
        text: words.map(|(key, text)| (key.as_str(), text.as_str())).collect(),
        folders: report.runs.iter().map(|source| source.folder.as_str()).collect(),
        models: report.models.iter().map(ModelView::new).collect(),
        explanations: &report.explanations,
        folds: &seen.folds,
        classes,
        outcomes: outcomes.filter(|name| seen.outcomes.contains(name)).collect(),
        statuses: &seen.statuses,
        regions: seen.regions.iter().map(|name| trust::region(name, language)).collect(),
        measures: seen.measures.iter().map(|one| MeasureView::new(one, language)).collect(),
        colours: colours(),
        examples: seen.examples.iter().filter_map(example).collect(),
    }
}
