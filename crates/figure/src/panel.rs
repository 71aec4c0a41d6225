//! The panel of a paper: rows are images, columns the original and maps.

use std::collections::BTreeSet;

use burncam_evaluation::{Outcome, Values};
use burncam_page::{ImageReport, Report, ResultReport};
use image::RgbImage;

use crate::bars::bars;
use crate::cell::{Cell, cell};
use crate::columns::{Column, Maps};
use crate::error::Error;
use crate::font::Face;
use crate::images::Row;
use crate::look::{Look, WIDEST};
use crate::scene::{Anchor, BLACK, Colour, GREY, Item, PALE, POINT, Place, RULE, Scene, Text};

/// Finds the photograph of an image.
pub type Photographs<'a> = dyn FnMut(&ImageReport) -> Option<RgbImage> + 'a;

/// Sizes of text in points: the figure's title, columns, rows, and what is under pictures.
const TITLE: f32 = 9.0;
const HEADING: f32 = 8.0;
const BODY: f32 = 7.0;
const SMALL: f32 = 6.5;

/// From line to line, in points.
const LEADING: f32 = 8.2;
const HEADING_LEADING: f32 = 9.4;

/// The space around everything, between columns, between those of two networks, and between rows, in millimetres.
pub(crate) const MARGIN: f32 = 1.5;
const GAP: f32 = 2.0;
const BETWEEN_NETWORKS: f32 = 4.0;
const BETWEEN_ROWS: f32 = 3.0;

/// Pictures are as wide, unless a width is asked for, and never smaller.
const CELL: f32 = 36.0;
const LEAST: f32 = 10.0;

/// The most that a picture is higher than wide.
const TALLEST: f32 = 1.3;

/// Colours of what is right and wrong, which differ for people who do not tell red from green.
const RIGHT: Colour = [0, 90, 140];
const WRONG: Colour = [176, 58, 0];

/// Where columns are.
struct Grid {
    /// The width of the names of rows.
    names: f32,
    /// The left edge of each column.
    left: Vec<f32>,
    /// The width of a picture.
    cell: f32,
    /// The width of the figure.
    width: f32,
}

/// The panel.
///
/// # Errors
///
/// [`Error::Asked`] if the columns do not fit into the figure's width.
pub fn panel(
    report: &Report<'_>,
    rows: &[Row],
    columns: &[Column],
    look: &Look,
    photographs: &mut Photographs<'_>,
) -> Result<Scene, Error> {
    let grid = grid(columns, look)?;
    let title = look
        .title
        .clone()
        .unwrap_or_else(|| look.say("figure_images", &[("n", &rows.len().to_string())]));
    let mut scene = Scene::new(title, look);
    scene.width = grid.width;
    let mut top = MARGIN + heading(&mut scene, look);
    top = headings(&mut scene, report, columns, &grid, top, look);
    let is_short = fit_one_line(rows, columns, &grid, look);
    let mut is_crossed = false;
    for row in rows {
        let photograph = photographs(&row.image);
        let height = height(photograph.as_ref(), grid.cell);
        name(&mut scene, row, columns, &grid, top, look);
        let mut bottom = top + height;
        for (column, &left) in columns.iter().zip(&grid.left) {
            let drawn = cell(report, &row.image, *column, photograph.as_ref(), look);
            is_crossed |= matches!(drawn, Cell::Crossed(_));
            place(&mut scene, drawn, Place { left, top, width: grid.cell, height }, look);
            let lines = under(&row.image, *column, grid.cell, is_short, look);
            let mut baseline = top + height + (SMALL + 1.0) * POINT;
            for (text, colour) in lines {
                let text = look.typeface.cut(Face::Regular, &text, SMALL, grid.cell + GAP * 0.8);
                let at = [left + grid.cell / 2.0, baseline];
                scene.text(Text::new(text, at, SMALL).coloured(colour).anchored(Anchor::Middle));
                baseline += LEADING * POINT;
            }
            bottom = bottom.max(baseline - (SMALL - 1.5) * POINT);
        }
        top = bottom + BETWEEN_ROWS;
    }
    let kinds: BTreeSet<Values> = columns
        .iter()
        .filter_map(|column| match column {
            Column::Original => None,
            Column::Maps(Maps { model, explanation }) => {
                Some(report.models[*model].explanations[*explanation].spec.values)
            }
        })
        .collect();
    if !kinds.is_empty() {
        let crossed = is_crossed.then(|| look.say("figure_crossed", &[]));
        let notes: Vec<String> =
            std::iter::once(look.say("figure_line", &[])).chain(crossed).collect();
        let first = grid.left.first().copied().unwrap_or(MARGIN);
        let sides = (first, grid.width - MARGIN);
        top = bars(&mut scene, &kinds, "figure_scale", &notes, sides, top, look);
    }
    scene.height = top + MARGIN;
    scene.legible()
}

/// Writes the figure's title, if it has one; the height that it takes.
pub(crate) fn heading(scene: &mut Scene, look: &Look) -> f32 {
    let Some(title) = look.title.as_deref().filter(|title| !title.trim().is_empty()) else {
        return 0.0;
    };
    let lines = look.typeface.wrapped(Face::SemiBold, title, TITLE, scene.width - 2.0 * MARGIN, 3);
    let first = Text::new("", [MARGIN, MARGIN + TITLE * POINT * 0.8], TITLE).bold();
    scene.lines(&lines, &first, TITLE * 1.25) - MARGIN - TITLE * POINT * 0.8 + 1.5
}

fn network(column: Column) -> Option<usize> {
    match column {
        Column::Original => None,
        Column::Maps(maps) => Some(maps.model),
    }
}

fn grid(columns: &[Column], look: &Look) -> Result<Grid, Error> {
    let pairs = columns.windows(2);
    let gaps: f32 = pairs
        .map(|pair| if network(pair[0]) == network(pair[1]) { GAP } else { BETWEEN_NETWORKS })
        .sum();
    let count = columns.len() as f32;
    let most = look.width.unwrap_or(WIDEST);
    let names = (most * 0.15).clamp(15.0, 26.0);
    let beside = 2.0 * MARGIN + names + GAP + gaps;
    let fitting = (most - beside) / count;
    let cell = if look.width.is_some() { fitting } else { fitting.min(CELL) };
    if cell.is_nan() || cell < LEAST {
        return Err(Error::Asked(format!(
            "{} columns do not fit into {most} mm: pictures would be less than {LEAST} mm wide\n\
             hint: name fewer --columns, or a larger --width",
            columns.len()
        )));
    }
    let mut left = Vec::with_capacity(columns.len());
    let mut x = MARGIN + names + GAP;
    for (place, column) in columns.iter().enumerate() {
        if place > 0 {
            let same = network(columns[place - 1]) == network(*column);
            x += cell + if same { GAP } else { BETWEEN_NETWORKS };
        }
        left.push(x);
    }
    Ok(Grid { names, left, cell, width: beside + cell * count })
}

/// Writes the titles of networks and methods; where they end.
fn headings(
    scene: &mut Scene,
    report: &Report<'_>,
    columns: &[Column],
    grid: &Grid,
    top: f32,
    look: &Look,
) -> f32 {
    let titles: Vec<Vec<String>> = columns
        .iter()
        .map(|column| {
            let title = match column {
                Column::Original => look.say("figure_original", &[]),
                Column::Maps(Maps { model, explanation }) => {
                    report.models[*model].explanations[*explanation].spec.title.clone()
                }
            };
            look.typeface.wrapped(Face::Regular, &title, BODY, grid.cell, 3)
        })
        .collect();
    let mut networks = Vec::new();
    for run in columns.chunk_by(|one, next| network(*one) == network(*next)) {
        let place = networks.last().map_or(0, |(_, _, end)| *end);
        let end = place + run.len();
        let width = grid.left[end - 1] + grid.cell - grid.left[place];
        let name = network(run[0]).map_or("", |model| report.models[model].name.as_str());
        networks.push((look.typeface.wrapped(Face::SemiBold, name, HEADING, width, 2), place, end));
    }
    let most = networks.iter().map(|(name, _, _)| name.len()).max().unwrap_or_default();
    let first = top + HEADING * POINT * 0.8;
    let baseline = first + most.saturating_sub(1) as f32 * HEADING_LEADING * POINT;
    for (name, place, end) in networks {
        if network(columns[place]).is_none() {
            continue;
        }
        let (left, right) = (grid.left[place], grid.left[end - 1] + grid.cell);
        let up = name.len().saturating_sub(1) as f32 * HEADING_LEADING * POINT;
        let text = Text::new("", [(left + right) / 2.0, baseline - up], HEADING);
        scene.lines(&name, &text.bold().anchored(Anchor::Middle), HEADING_LEADING);
        if end - place > 1 {
            scene.rule([left, baseline + 1.2], [right, baseline + 1.2], 0.2, RULE);
        }
    }
    let most = titles.iter().map(Vec::len).max().unwrap_or_default();
    let first = baseline + 1.2 + (BODY + 0.5) * POINT;
    for (title, &left) in titles.iter().zip(&grid.left) {
        // Titles stand on the pictures, so the last lines are level.
        let skipped = (most - title.len()) as f32;
        let at = [left + grid.cell / 2.0, first + skipped * LEADING * POINT];
        scene.lines(title, &Text::new("", at, BODY).anchored(Anchor::Middle), LEADING);
    }
    first + (most.max(1) - 1) as f32 * LEADING * POINT + 1.5
}

/// The height of pictures of a row.
fn height(photograph: Option<&RgbImage>, width: f32) -> f32 {
    let shape = photograph.map_or(1.0, |one| one.height() as f32 / one.width().max(1) as f32);
    width * shape.clamp(0.4, TALLEST)
}

/// Draws a picture in its cell, in its own shape, or a pale rectangle with words.
fn place(scene: &mut Scene, drawn: Cell, room: Place, look: &Look) {
    match drawn {
        Cell::Picture(picture) | Cell::Crossed(picture) => {
            let shape = picture.height() as f32 / picture.width().max(1) as f32;
            let width = room.width.min(room.height / shape);
            let height = width * shape;
            let left = room.left + (room.width - width) / 2.0;
            let top = room.top + (room.height - height) / 2.0;
            scene.add(Item::Picture { place: Place { left, top, width, height }, picture });
        }
        Cell::Nothing(key) => {
            scene.add(Item::Rectangle { place: room, fill: PALE });
            let at = [room.left + room.width / 2.0, room.top + room.height / 2.0];
            let text =
                look.typeface.cut(Face::Regular, &look.say(key, &[]), SMALL, room.width - 1.0);
            scene.text(Text::new(text, at, SMALL).coloured(GREY).anchored(Anchor::Middle));
        }
    }
}

/// Writes what a row is: the image's name, whom it shows, why it was chosen.
fn name(scene: &mut Scene, row: &Row, columns: &[Column], grid: &Grid, top: f32, look: &Look) {
    let image = &row.image;
    let file = image.path.rsplit('/').next().unwrap_or(&image.path);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let room = grid.names;
    let mut baseline = top + BODY * POINT * 0.8;
    let first = Text::new("", [MARGIN, baseline], BODY).bold();
    baseline =
        scene.lines(&look.typeface.wrapped(Face::SemiBold, stem, BODY, room, 3), &first, LEADING);
    let mut more: Vec<String> = image.subject.iter().cloned().collect();
    if !columns.contains(&Column::Original) {
        more.push(true_class(image, look));
    }
    more.extend(row.reason.as_ref().map(|reason| reason.say(look.language)));
    for text in more {
        let lines = look.typeface.wrapped(Face::Regular, &text, SMALL, room, 6);
        let first = Text::new("", [MARGIN, baseline + 0.4], SMALL).coloured(GREY);
        baseline = scene.lines(&lines, &first, LEADING);
    }
}

fn true_class(image: &ImageReport, look: &Look) -> String {
    let class = image.results.iter().find_map(|result| result.label.as_deref());
    match class {
        Some(class) => look.say("figure_class", &[("class", class)]),
        None => look.say("figure_no_class", &[]),
    }
}

/// Whether what is under every map fits into one line.
fn fit_one_line(rows: &[Row], columns: &[Column], grid: &Grid, look: &Look) -> bool {
    let all = rows.iter().flat_map(|row| columns.iter().map(|column| (&row.image, *column)));
    all.filter(|(_, column)| network(*column).is_some()).all(|(image, column)| {
        let lines = under(image, column, grid.cell, true, look);
        lines.iter().all(|(text, _)| look.typeface.width(Face::Regular, text, SMALL) <= grid.cell)
    })
}

/// What is under a picture, line by line.
fn under(
    image: &ImageReport,
    column: Column,
    room: f32,
    is_short: bool,
    look: &Look,
) -> Vec<(String, Colour)> {
    let Some(model) = network(column) else {
        let lines = look.typeface.wrapped(Face::Regular, &true_class(image, look), SMALL, room, 2);
        return lines.into_iter().map(|line| (line, BLACK)).collect();
    };
    let Some(result) = image.results.iter().find(|result| result.model == model) else {
        return Vec::new();
    };
    let Some(said) = prediction(result, look) else { return Vec::new() };
    let (key, colour) = match result.outcome {
        Some(Outcome::Right) => ("figure_right", RIGHT),
        Some(Outcome::Wrong) => ("figure_wrong", WRONG),
        _ => ("figure_unknown", GREY),
    };
    let outcome = look.say(key, &[]);
    match is_short {
        true => vec![(format!("{outcome}: {said}"), colour)],
        false => vec![(said, BLACK), (outcome, colour)],
    }
}

fn prediction(result: &ResultReport, look: &Look) -> Option<String> {
    let confidence = look.percent(result.confidence?);
    let values = [("class", result.predicted.as_deref()?), ("confidence", confidence.as_str())];
    Some(look.say("figure_prediction", &values))
}
