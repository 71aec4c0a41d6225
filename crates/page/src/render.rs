//! The page and the file of numbers, as bytes.

use std::collections::BTreeMap;
use std::io::Write;

use minijinja::value::Serde;
use minijinja::{ErrorKind, Value, context};
use serde::Serialize;

use super::{
    first, fold_maps, gallery, interval_text, kinds, mean_maps, paired, regions, svg, swapped_text,
    title, trust,
};
use crate::document::{MOST_COMPARED, ModelReport, Report};
use crate::maps::OK;
use crate::mean_maps::named;
use crate::occurrences::Occurrences;
use crate::shards::{count_missing_parts, missing_parts, unfinished_runs};
use crate::standalone::Standalone;
use crate::template::{SCRIPT, environment, page_error};
use crate::text::Language;
use burncam_evaluation::MEASURES;
use burncam_record::{Error, Run};

/// Where the gallery stands in the page, until it is written. No name can hold this: `<` is escaped.
const GALLERY: &str = "<!--gallery-->";

/// Writes `report.json`: the report as JSON with a line end.
///
/// # Errors
///
/// What reading an image or writing to `to` gives.
pub fn report_json(report: &Report<'_>, mut to: impl Write) -> Result<(), Error> {
    let images = report.compared_images().map(|image| Ok(serde_json::to_string(&image?)?));
    gallery::with_images(&serde_json::to_string(report)?, images, &mut to)?;
    Ok(to.write_all(b"\n")?)
}

/// Writes `index.html`: the report as a page of its own. It loads nothing but pictures from the
/// runs' folders, and shows names as text whatever they hold.
///
/// # Errors
///
/// What reading an image or writing to `to` gives.
pub fn index_html(report: &Report<'_>, language: Language, to: impl Write) -> Result<(), Error> {
    write(report, None, language, to)
}

/// Writes the page with its pictures in it. It loads nothing.
///
/// # Errors
///
/// What reading an image or writing to `to` gives. A picture that cannot be read is left out.
pub fn standalone_html(
    report: &Report<'_>,
    pictures: &Standalone,
    language: Language,
    to: impl Write,
) -> Result<(), Error> {
    write(report, Some(pictures), language, to)
}

fn write(
    report: &Report<'_>,
    standalone: Option<&Standalone>,
    language: Language,
    mut to: impl Write,
) -> Result<(), Error> {
    let seen = Occurrences::collect(report)?;
    let page = page(report, &seen, standalone, language)?;
    let (before, after) = page.rsplit_once(GALLERY).ok_or_else(|| {
        page_error(minijinja::Error::new(
            ErrorKind::InvalidOperation,
            "the page has no place for images",
        ))
    })?;
    to.write_all(before.as_bytes())?;
    gallery::write(report, &seen, standalone, language, &mut to)?;
    Ok(to.write_all(after.as_bytes())?)
}

/// The page around the gallery.
fn page(
    report: &Report<'_>,
    occurs: &Occurrences,
    standalone: Option<&Standalone>,
    language: Language,
) -> Result<String, Error> {
    let environment = environment(language)?;
    let charts: Vec<_> = (report.models.iter().enumerate())
        .map(|(place, model)| charts(place, model, language))
        .collect();
    let kinds = kinds::kinds(report, language);
    let means = mean_maps::views(report, language);
    let lead = if kinds::are_all_positive(report) { "lead" } else { "lead_all_kinds" };
    let classes = gallery::class_places(report);
    let intervals: Vec<_> =
        report.models.iter().map(|model| interval_text::intervals(model, language)).collect();
    let interval_notes: Vec<_> = (report.models.iter())
        .map(|model| interval_text::notes(model, &report.settings, language))
        .collect();
    let level = language.number(report.settings.resampling.level * 100.0, 0);
    // The curves are drawn already, and may have a corner for every image; trust has views of its own.
    let mut models = report.models.clone();
    models.iter_mut().for_each(|model| (model.roc, model.trust) = ([].into(), None));
    let template = environment.get_template("page.html").map_err(page_error)?;
    let page = template.render(context! {
        language => language.tag(),
        style => Value::from_safe_string(include_str!("style.css").to_owned()),
        script => Value::from_safe_string(SCRIPT.to_owned()),
        gallery => Value::from_safe_string(GALLERY.to_owned()),
        title => title::title(report, language),
        true_classes => serialized(&true_classes(report, language)),
        runs => serialized(&report.runs),
        options => serialized(&report.runs.iter().map(|source| Options::new(&source.run)).collect::<Vec<_>>()),
        models => serialized(&models),
        agreement => serialized(&report.agreement),
        measures => MEASURES,
        most_compared => MOST_COMPARED,
        level,
        intervals => serialized(&intervals),
        interval_notes => serialized(&interval_notes),
        notes => notes(report, language),
        is_standalone => standalone.is_some(),
        part => standalone.and_then(|page| part(page, language)),
        charts => serialized(&charts),
        lead => first::lead(report, occurs.folds.len(), lead, language),
        first => serialized(&first::rows(report, &means, language)),
        first_measures => first::MEASURES,
        positive => positive(report),
        paired => serialized(&paired::view(report, language)),
        fold_maps => serialized(&fold_maps::views(report, language)),
        confused => serialized(&confused(report, &classes)),
        few => mean_maps::FEW,
        kinds => serialized(&kinds),
        mean_maps => serialized(&means),
        mean_face => mean_maps::face(report).map(|face| Value::from_safe_string(face.to_owned())),
        trust => serialized(&trust::views(report, language)),
        regions => serialized(&regions::views(report, language)),
        explanations => serialized(&report.explanations),
        papers => papers(report),
        unreadable => serialized(&unreadable(report, language)),
        peak_regions => !occurs.regions.is_empty(),
        ordered_by => ordered_by(occurs, language),
        failures => serialized(&occurs.failures),
        failure_count => occurs.failure_count,
    }).map_err(page_error)?;
    Ok(page)
}

/// The measures that images can be put in order by: name and title.
fn ordered_by(occurs: &Occurrences, language: Language) -> Vec<(&'static str, String)> {
    let titled = |name: &'static str| (name, trust::measure(name, language));
    occurs.measures.iter().map(|measure| titled(measure.name)).collect()
}

fn serialized<T: Serialize>(value: &T) -> Value {
    Value::from(Serde(value))
}

/// What a run was asked for.
#[derive(Serialize)]
struct Options {
    run: BTreeMap<String, String>,
    models: BTreeMap<String, BTreeMap<String, String>>,
}

impl Options {
    fn new(run: &Run) -> Self {
        let models = run.options.models.iter();
        let models = models.map(|(name, model)| (name.clone(), model.options())).collect();
        Self { run: run.options.options(), models }
    }
}

/// How many true classes are listed with their images.
const CLASSES: usize = 12;

/// The images of each true class, in words.
fn true_classes(report: &Report<'_>, language: Language) -> Vec<(String, String)> {
    let counts = &report.true_classes;
    let number = |count: usize| language.number(count as f64, 0);
    let listed = counts.images.iter().take(CLASSES);
    let mut all: Vec<_> = listed.map(|(class, &n)| (class.clone(), number(n))).collect();
    if counts.images.len() > CLASSES {
        let more = number(counts.images.len() - CLASSES);
        all.extend(language.say("more_classes", &[("n", &more)]).map(|text| (text, String::new())));
    }
    if counts.unknown > 0 {
        let unknown = language.say("no_true_class", &[]);
        all.extend(unknown.map(|text| (text, number(counts.unknown))));
    }
    all
}

/// The positive class, if all models have the same.
fn positive<'a>(report: &'a Report<'_>) -> Option<&'a str> {
    let (first, others) = report.models.split_first()?;
    let are_same = others.iter().all(|model| model.positive == first.positive);
    first.positive.as_deref().filter(|_| are_same)
}

/// By model: the places, among all classes, of those in its table of confusions.
fn confused(report: &Report<'_>, places: &BTreeMap<&str, usize>) -> Vec<Vec<Option<usize>>> {
    let place = |class: &String| places.get(class.as_str()).copied();
    let of = |model: &ModelReport| model.confusion.classes.iter().map(place).collect();
    report.models.iter().map(of).collect()
}

/// What a reader has to know first.
fn notes(report: &Report<'_>, language: Language) -> Vec<String> {
    let mut notes = Vec::new();
    for (folder, done, all) in unfinished_runs(report) {
        let (done, all) = (done.to_string(), all.to_string());
        let values = [("folder", folder), ("done", &*done), ("all", &*all)];
        let which = match (folder == ".", done == all) {
            (true, false) => "unfinished_here",
            (false, false) => "unfinished",
            (true, true) => "undrawn_here",
            (false, true) => "undrawn",
        };
        notes.extend(language.say(which, &values));
    }
    let missing = missing_parts(report);
    if !missing.is_empty() {
        let more = if count_missing_parts(report) > missing.len() { ", …" } else { "" };
        let parts = missing.join(", ") + more;
        notes.extend(language.say("missing_parts", &[("parts", &parts)]));
    }
    if let Some(name) = report.true_classes.only_class() {
        notes.extend(language.say("one_class", &[("name", name)]));
    }
    notes.extend(report.models.iter().filter_map(|model| swapped_text::of_model(model, language)));
    let without = report.models.iter().filter(|model| model.positive.is_none());
    if let Some(asked) = &report.settings.positive {
        notes.extend(without.filter_map(|model| {
            language.say("unknown_positive", &[("name", &model.name), ("positive", asked)])
        }));
    }
    notes
}

/// That the gallery has a part of the images only.
fn part(page: &Standalone, language: Language) -> Option<String> {
    let (shown, all) = page.images();
    let [n, of] = [shown, all].map(|count| language.number(count as f64, 0));
    let values = [("n", n.as_str()), ("all", of.as_str())];
    (shown < all).then(|| language.say("part_of_images", &values))?
}

#[derive(Serialize)]
struct ChartView {
    svg: Value,
    caption: String,
    how: &'static str,
}

fn charts(place: usize, model: &ModelReport, language: Language) -> Vec<ChartView> {
    let all = [
        ("roc", svg::roc(model, language)),
        ("reliability", svg::reliability(model, language)),
        ("histogram", svg::histogram(place, model, language)),
    ];
    let view = |(how, svg): (&'static str, Option<String>)| {
        let caption = language.say(how, &[])?;
        Some(ChartView { svg: Value::from_safe_string(svg?), caption, how })
    };
    all.into_iter().filter_map(view).collect()
}

/// Where the methods of a report were published.
fn papers(report: &Report<'_>) -> String {
    let specs = report.models.iter().flat_map(|model| &model.explanations);
    let mut papers: Vec<&str> = Vec::new();
    for paper in specs.map(|one| one.spec.paper.as_str()) {
        if !papers.contains(&paper) {
            papers.push(paper);
        }
    }
    papers.join("; ")
}

#[derive(Serialize)]
struct UnreadableView<'a> {
    model: String,
    model_at: usize,
    explanation_at: usize,
    status: &'a str,
    /// The status in words.
    state: String,
    count: usize,
    all: usize,
}

fn unreadable<'a>(report: &'a Report<'_>, language: Language) -> Vec<UnreadableView<'a>> {
    let mut views = Vec::new();
    for (model_at, model) in report.models.iter().enumerate() {
        for maps in &model.explanations {
            let all = maps.by_status.values().sum();
            let bad = maps.by_status.iter().filter(|(status, _)| *status != OK);
            views.extend(bad.map(|(status, &count)| {
                UnreadableView {
                    model: named(report, model, maps),
                    model_at,
                    explanation_at: maps.explanation,
                    status,
                    state: (language.say(&format!("state_{status}"), &[]))
                        .unwrap_or_else(|| status.clone()),
                    count,
                    all,
                }
            }));
        }
    }
    views
}
