//! Mean maps as the page shows them.

use std::collections::BTreeMap;

use image::{RgbImage, Rgba, RgbaImage};
use serde::Serialize;

use crate::document::{ExplanationReport, MeanMap, ModelReport, Report};
use crate::kinds;
use crate::maps::{MOST_MEANS, OK};
use crate::on_face::{FACE, OnFace};
use crate::picture::{coloured, data_uri};
use crate::read::is_mean_face;
use crate::text::Language;
use burncam_evaluation::{GRID, Grid, Outcome, Values, resample};

/// The side of a mean map's picture in pixels.
pub(super) const MEAN: usize = 112;

/// Means of fewer maps are marked.
pub(super) const FEW: usize = 5;

/// The mean photograph, if it is nothing else.
pub(super) fn face<'a>(report: &'a Report<'_>) -> Option<&'a str> {
    report.mean_face.as_deref().filter(|face| is_mean_face(face))
}

/// The mean maps of an explanation of a model.
#[derive(Serialize)]
pub(super) struct MeanView {
    /// The model's place.
    pub model_at: usize,
    name: String,
    /// How many maps peak in a border cell, if that is known.
    peaks: Option<String>,
    many_at_border: bool,
    /// Why some are left out.
    note: Option<String>,
    pub groups: Vec<MeanGroup>,
    /// Whether some were brought together by eyes and mouth.
    on_face: bool,
}

#[derive(Serialize)]
pub(super) struct MeanGroup {
    pub title: String,
    pub outcome: Outcome,
    /// Whether so few maps were averaged that the mean says little.
    are_few: bool,
    pub all: MeanPicture,
    folds: Vec<MeanPicture>,
}

#[derive(Serialize)]
pub(super) struct MeanPicture {
    /// Whether maps were brought together by eyes and mouth.
    on_face: bool,
    fold: String,
    maps: usize,
    image: String,
    alt: String,
}

/// The mean map over all folds, and those of each.
type AllAndFolds<'a> = (Option<&'a MeanMap>, Vec<&'a MeanMap>);

/// The mean maps of all models.
pub(super) fn views(report: &Report<'_>, language: Language) -> Vec<MeanView> {
    let has_face = face(report).is_some();
    let of_model = |(place, model): (usize, &ModelReport)| -> Vec<MeanView> {
        let one = |maps: &ExplanationReport| {
            view((place, named(report, model, maps)), model, maps, has_face, language)
        };
        model.explanations.iter().map(one).collect()
    };
    report.models.iter().enumerate().flat_map(of_model).collect()
}

/// The name of a model, and of the explanation where the report has several.
pub(super) fn named(report: &Report<'_>, model: &ModelReport, maps: &ExplanationReport) -> String {
    match report.explanations.len() {
        1 => model.name.clone(),
        _ => format!("{}, {}", model.name, maps.spec.title),
    }
}

fn view(
    (model_at, name): (usize, String),
    model: &ModelReport,
    maps: &ExplanationReport,
    has_face: bool,
    language: Language,
) -> MeanView {
    let mut groups: BTreeMap<(&str, Outcome), AllAndFolds<'_>> = BTreeMap::new();
    for map in &maps.mean_maps {
        let group = groups.entry((&map.class, map.outcome)).or_default();
        match map.fold {
            None => group.0 = Some(map),
            Some(_) => group.1.push(map),
        }
    }
    let many = model.folds.len() > 1;
    let group = |((class, outcome), (all, folds)): (_, AllAndFolds<'_>)| {
        let word = language.say(Outcome::name(outcome), &[]).unwrap_or_default();
        let picture = |map: &MeanMap| plain(&name, map, maps.spec.values, &word, language);
        let all = all?;
        let together = (all.on_face.as_ref())
            .map(|face| on_face(&name, all, face, maps.spec.values, has_face, &word, language));
        Some(MeanGroup {
            title: format!("{class}, {word}"),
            outcome,
            are_few: all.maps < FEW,
            all: together.unwrap_or_else(|| picture(all)),
            folds: folds.into_iter().filter(|_| many).map(picture).collect(),
        })
    };
    let groups: Vec<MeanGroup> = groups.into_iter().filter_map(group).collect();
    let readable = maps.by_status.get(OK).is_some_and(|&count| count > 0);
    let all_there =
        !groups.is_empty() && groups.iter().all(|group| !many || !group.folds.is_empty());
    let note = (readable && !all_there)
        .then(|| language.say("few_mean_maps", &[("most", &MOST_MEANS.to_string())]));
    MeanView {
        peaks: peaks(maps, language),
        many_at_border: maps.peaks.are_notable(),
        note: note.flatten(),
        on_face: groups.iter().any(|group| group.all.on_face),
        groups,
        model_at,
        name,
    }
}

/// How many maps peak in a border cell, in a sentence.
fn peaks(maps: &ExplanationReport, language: Language) -> Option<String> {
    let peaks = maps.peaks;
    let [border, maps] = [peaks.border, peaks.maps].map(|count| language.number(count as f64, 0));
    let share = format!("{}\u{a0}%", language.number(peaks.border_cells * 100.0, 0));
    let values = [("border", border.as_str()), ("maps", maps.as_str()), ("share", share.as_str())];
    (peaks.maps > 0).then(|| language.say("peaks", &values)).flatten()
}

/// A mean map over the whole picture.
fn plain(
    model: &str,
    map: &MeanMap,
    values: Values,
    outcome: &str,
    language: Language,
) -> MeanPicture {
    let shares: Vec<Option<f32>> = map.map.shares().into_iter().map(Some).collect();
    let words =
        Words { model, class: &map.class, outcome, fold: map.fold.as_deref(), maps: map.maps };
    let image = data_uri(picture(&map.map, values));
    words.picture(&shares, values, false, image, language)
}

/// A mean map on one face, over its mean photograph where there is one.
fn on_face(
    model: &str,
    map: &MeanMap,
    face: &OnFace,
    values: Values,
    has_face: bool,
    outcome: &str,
    language: Language,
) -> MeanPicture {
    let shares = face.map.shares();
    let words = Words { model, class: &map.class, outcome, fold: None, maps: face.maps };
    let scale = kinds::scale(values);
    let image = RgbaImage::from_fn(FACE as u32, FACE as u32, |x, y| {
        let share = shares[y as usize * FACE + x as usize];
        let [r, g, b] = scale.colour(share.unwrap_or_default());
        let weight = match (share, has_face) {
            (None, _) => 0.0,
            (Some(_), false) => 1.0,
            (Some(share), true) => share.abs(),
        };
        Rgba([r, g, b, (weight * 255.0).round() as u8])
    });
    words.picture(&shares, values, true, data_uri(image), language)
}

/// What the text that stands for a picture says.
struct Words<'a> {
    model: &'a str,
    class: &'a str,
    outcome: &'a str,
    fold: Option<&'a str>,
    maps: usize,
}

impl Words<'_> {
    /// The picture of a square map.
    fn picture(
        &self,
        shares: &[Option<f32>],
        values: Values,
        on_face: bool,
        image: String,
        language: Language,
    ) -> MeanPicture {
        let all_folds = language.say("all_folds", &[]).unwrap_or_default();
        let fold = self.fold.map_or(all_folds, str::to_owned);
        let side = shares.len().isqrt();
        let cells =
            || shares.iter().enumerate().filter_map(|(cell, share)| Some((cell, (*share)?)));
        let order = |a: &(usize, f32), b: &(usize, f32)| a.1.total_cmp(&b.1);
        let strongest = cells().rev().max_by(order).map(|(cell, _)| cell);
        let weakest = cells().min_by(order).map(|(cell, _)| cell);
        let percent = |cell: usize| language.number((cell as f64 + 0.5) * 100.0 / side as f64, 0);
        let place = |cell: Option<usize>| {
            let cell = cell.unwrap_or_default();
            let (down, across) = (percent(cell / side), percent(cell % side));
            language.say("place", &[("down", &down), ("across", &across)]).unwrap_or_default()
        };
        let signed = values == Values::Signed;
        let key = if signed { "mean_map_alt_signed" } else { "mean_map_alt" };
        let values = [
            ("model", self.model),
            ("class", self.class),
            ("outcome", self.outcome),
            ("fold", &fold),
            ("n", &self.maps.to_string()),
            ("place", &place(strongest)),
            ("against", &place(weakest)),
        ];
        let mut alt = language.say(key, &values).unwrap_or_default();
        if on_face {
            alt.push_str(&language.say("mean_map_alt_on_face", &[]).unwrap_or_default());
        }
        MeanPicture { on_face, maps: self.maps, image, alt, fold }
    }
}

/// A map as a picture: interpolated as numbers, then coloured.
fn picture(map: &Grid, values: Values) -> RgbImage {
    let shares = resample(&map.shares(), (GRID, GRID), (MEAN, MEAN));
    coloured(&shares, MEAN, &kinds::scale(values))
}
