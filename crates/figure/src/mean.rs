//! Mean maps: rows are explanations of networks, columns classes and outcomes.

use std::collections::BTreeSet;

use burncam_evaluation::{GRID, Outcome, Values, resample};
use burncam_page::{ExplanationReport, MeanMap, OnFace, Report, mean_face};
use burncam_render::resize_bicubic;
use image::{Rgb, RgbImage};

use crate::bars::bars;
use crate::columns::{Column, Maps, usual};
use crate::error::Error;
use crate::font::Face;
use crate::look::{Look, WIDEST};
use crate::panel::{MARGIN, heading};
use crate::scene::{Anchor, Item, PALE, POINT, Place, Scene, Text};

/// The side of a mean map's picture in pixels.
const SIDE: usize = 448;

/// Sizes of text in points, and from line to line.
const BODY: f32 = 7.0;
const SMALL: f32 = 6.5;
const LEADING: f32 = 8.2;

/// The space between pictures, and pictures' sides, in millimetres.
const GAP: f32 = 3.0;
const CELL: f32 = 36.0;
const LEAST: f32 = 10.0;

/// The mean maps over all folds of the explanations in `columns`; without, of those that figures show.
///
/// # Errors
///
/// [`Error::Asked`] if there are none, or they do not fit into the figure's width.
pub fn mean_maps(
    report: &Report<'_>,
    columns: Option<&[Column]>,
    look: &Look,
) -> Result<Scene, Error> {
    let of_column = |column: &Column| match column {
        Column::Original => None,
        Column::Maps(maps) => Some(*maps),
    };
    let asked = columns.map(|columns| columns.iter().filter_map(of_column).collect());
    let rows: Vec<Maps> = asked.unwrap_or_else(|| usual(report));
    let groups = groups(report, &rows);
    if groups.is_empty() {
        return Err(Error::Asked(
            "the report has no mean maps of these\nhint: a network has one for each class and outcome with a map that \
             can be read"
                .to_owned(),
        ));
    }
    let most = look.width.unwrap_or(WIDEST);
    let names = (most * 0.15).clamp(15.0, 26.0);
    let count = groups.len() as f32;
    let beside = 2.0 * MARGIN + names + count * GAP;
    let fitting = (most - beside) / count;
    let cell = if look.width.is_some() { fitting } else { fitting.min(CELL) };
    if cell < LEAST {
        return Err(Error::Asked(format!(
            "{count} groups do not fit into {most} mm: pictures would be less than {LEAST} mm wide\n\
             hint: a larger --width"
        )));
    }
    let title = look.title.clone().unwrap_or_else(|| look.say("figure_mean", &[]));
    let mut scene = Scene::new(title, look);
    scene.width = beside + cell * count;
    let left = |place: usize| MARGIN + names + GAP + place as f32 * (cell + GAP);
    let top = MARGIN + heading(&mut scene, look);
    let titles: Vec<Vec<String>> = groups
        .iter()
        .map(|group| {
            look.typeface.wrapped(Face::SemiBold, &group_title(group, look), BODY, cell, 3)
        })
        .collect();
    let lines = titles.iter().map(Vec::len).max().unwrap_or_default();
    let first = top + BODY * POINT * 0.8;
    for (place, title) in titles.iter().enumerate() {
        let baseline = first + (lines - title.len()) as f32 * LEADING * POINT;
        let text = Text::new("", [left(place) + cell / 2.0, baseline], BODY).bold();
        scene.lines(title, &text.anchored(Anchor::Middle), LEADING);
    }
    let mut top = first + lines.saturating_sub(1) as f32 * LEADING * POINT + 1.5;
    let face = mean_face(report);
    let (mut kinds, mut on_face) = (BTreeSet::new(), false);
    for maps in &rows {
        let model = &report.models[maps.model];
        let explanation = &model.explanations[maps.explanation];
        kinds.insert(explanation.spec.values);
        let baseline = top + BODY * POINT * 0.8;
        let text = Text::new("", [MARGIN, baseline], BODY).bold();
        let name = look.typeface.wrapped(Face::SemiBold, &model.name, BODY, names, 2);
        let next = scene.lines(&name, &text, LEADING);
        let title = look.typeface.wrapped(Face::Regular, &explanation.spec.title, BODY, names, 3);
        scene.lines(&title, &Text::new("", [MARGIN, next], BODY), LEADING);
        for (place, group) in groups.iter().enumerate() {
            let place = Place { left: left(place), top, width: cell, height: cell };
            let count = match mean(explanation, group) {
                Some(mean) => {
                    on_face |= mean.on_face.is_some();
                    let picture = picture(mean, explanation.spec.values, face.as_ref(), look);
                    scene.add(Item::Picture { place, picture });
                    mean.on_face.as_ref().map_or(mean.maps, |face| face.maps)
                }
                None => {
                    scene.add(Item::Rectangle { place, fill: PALE });
                    0
                }
            };
            let text = look.say("figure_maps", &[("n", &count.to_string())]);
            let at = [place.left + cell / 2.0, top + cell + (SMALL + 1.0) * POINT];
            scene.text(Text::new(text, at, SMALL).anchored(Anchor::Middle));
        }
        top += cell + (SMALL + 2.0) * POINT + GAP;
    }
    let key = match (on_face, face.is_some()) {
        (false, _) => None,
        (true, true) => Some("figure_on_face"),
        (true, false) => Some("figure_on_face_plain"),
    };
    let notes: Vec<String> = key.map(|key| look.say(key, &[])).into_iter().collect();
    let sides = (left(0), scene.width - MARGIN);
    scene.height = bars(&mut scene, &kinds, "figure_mean_scale", &notes, sides, top, look) + MARGIN;
    scene.legible()
}

/// Class and outcome.
type Group = (String, Outcome);

/// The groups that one of the rows has, by class and outcome.
fn groups(report: &Report<'_>, rows: &[Maps]) -> Vec<Group> {
    let all = rows
        .iter()
        .flat_map(|maps| &report.models[maps.model].explanations[maps.explanation].mean_maps);
    let over_folds = all.filter(|mean| mean.fold.is_none());
    let groups: BTreeSet<Group> =
        over_folds.map(|mean| (mean.class.clone(), mean.outcome)).collect();
    groups.into_iter().collect()
}

fn group_title((class, outcome): &Group, look: &Look) -> String {
    let outcome = look.say(outcome.name(), &[]);
    look.say("figure_group", &[("class", class), ("outcome", &outcome)])
}

fn mean<'a>(explanation: &'a ExplanationReport, (class, outcome): &Group) -> Option<&'a MeanMap> {
    let mut all = explanation.mean_maps.iter().filter(|mean| mean.fold.is_none());
    all.find(|mean| mean.class == *class && mean.outcome == *outcome)
}

/// A mean map in colours, over the mean photograph where maps were brought together on it.
fn picture(mean: &MeanMap, values: Values, face: Option<&RgbImage>, look: &Look) -> RgbImage {
    let scale = look.scale(values);
    let Some(OnFace { map, .. }) = &mean.on_face else {
        let shares = resample(&mean.map.shares(), (GRID, GRID), (SIDE, SIDE));
        return RgbImage::from_fn(SIDE as u32, SIDE as u32, |x, y| {
            Rgb(scale.colour(shares[y as usize * SIDE + x as usize]))
        });
    };
    let cells = map.shares();
    let side = cells.len().isqrt();
    let plain: Vec<f32> = cells.iter().map(|share| share.unwrap_or_default()).collect();
    let shares = resample(&plain, (side, side), (SIDE, SIDE));
    let ground = face.map(|face| resize_bicubic(face, SIDE as u32, SIDE as u32));
    RgbImage::from_fn(SIDE as u32, SIDE as u32, |x, y| {
        let share = shares[y as usize * SIDE + x as usize];
        let is_known = cells[y as usize * side / SIDE * side + x as usize * side / SIDE].is_some();
        let colour = scale.colour(share);
        match &ground {
            // As the page draws it: the stronger, the further from 0.
            Some(ground) => {
                let weight = if is_known { share.abs().min(1.0) } else { 0.0 };
                let below = ground.get_pixel(x, y).0;
                let mixed = std::array::from_fn(|channel| {
                    let [below, above] = [below[channel], colour[channel]].map(f32::from);
                    (below * (1.0 - weight) + above * weight).round() as u8
                });
                Rgb(mixed)
            }
            None if is_known => Rgb(colour),
            None => Rgb([255; 3]),
        }
    })
}
