//! PictureSettings whose scale depends on other images: drawn once every map is known.

use std::collections::HashMap;

use anyhow::{Context as _, anyhow};
use burncam_attribution::MapStatus;
use burncam_imaging::fit;
use burncam_record::{Attribution, Entry, Journal, Line, Prediction, Stage, Summary};
use rayon::prelude::*;

use super::error::{ExplainError, failure, unread};
use super::model::Model;
use super::pictures::{RenderInput, photograph, read, read_map, render};
use super::plan::Plan;
use super::results::ModelResults;
use super::resume::discard;
use crate::{Norm, interrupt};

/// Images that are drawn side by side, and whose rows are held in memory.
const AT_ONCE: usize = 64;

/// Draws the images of a model that have no pictures of its scale yet, and adds their rows, now with
/// pictures, to the journal. Ends early where the user asks for an end.
///
/// # Errors
///
/// If the journal cannot be read, or nothing can be written any more.
pub(crate) fn draw(
    plan: &Plan,
    model: &Model,
    journal: &mut Journal,
    found: &mut ModelResults,
) -> anyhow::Result<()> {
    loop {
        let tops = tops(plan, journal, found)?;
        let open = undrawn(plan, journal, found, &tops)?;
        found.undrawn = open.len();
        if interrupt::asked() {
            return Ok(());
        }
        let mut failed = false;
        for some in open.chunks(AT_ONCE) {
            if interrupt::asked() {
                break;
            }
            failed |= draw_some(plan, model, journal, found, (some, &tops))?;
        }
        if !failed {
            return Ok(());
        }
        // An image that failed may have been the one that the scale was made for.
        found.summary = Summary::default();
        for row in found.rows(journal).iter() {
            found.summary.add(&row?);
        }
    }
}

/// Images and their places in the journal.
type Images = Vec<(usize, Line)>;

/// Draws images side by side. Whether one has failed.
fn draw_some(
    plan: &Plan,
    model: &Model,
    journal: &mut Journal,
    found: &mut ModelResults,
    (some, tops): (&[(usize, Line)], &Tops),
) -> anyhow::Result<bool> {
    let draw =
        |&(index, line): &(usize, Line)| rendered(plan, model, index, journal.entry(line)?, tops);
    let entries: Vec<Entry> = some.par_iter().map(draw).collect::<anyhow::Result<_>>()?;
    for (&(index, _), line) in some.iter().zip(journal.append(&entries)?) {
        found.lines[index] = Some(line);
    }
    found.undrawn -= some.len();
    Ok(entries.iter().any(|entry| entry.row.error.is_some()))
}

/// The explained images that have no pictures of their scale.
fn undrawn(
    plan: &Plan,
    journal: &Journal,
    found: &ModelResults,
    tops: &Tops,
) -> anyhow::Result<Images> {
    let mut open = Images::new();
    for (index, line) in found.lines.iter().enumerate() {
        let Some(line) = *line else { continue };
        let entry = journal.entry(line)?;
        let row = &entry.row;
        let is_open = |one: &Attribution| one.top != Some(top(plan, row, one, tops));
        if row.attributions.iter().any(is_open) {
            open.push((index, line));
        }
    }
    Ok(open)
}

/// The tops of all scales.
type Tops = HashMap<(String, String), f32>;

fn top(plan: &Plan, row: &Prediction, attribution: &Attribution, tops: &Tops) -> f32 {
    tops.get(&group(plan, row, attribution)).copied().unwrap_or_default()
}

/// The maps that share a scale: those of an explanation, in a fold or in all.
fn group(plan: &Plan, row: &Prediction, attribution: &Attribution) -> (String, String) {
    let fold = if plan.pictures.norm == Norm::Run { "" } else { &row.fold };
    (attribution.explanation.clone(), fold.to_owned())
}

/// The largest top of the readable maps of each group.
fn tops(plan: &Plan, journal: &Journal, found: &ModelResults) -> anyhow::Result<Tops> {
    let mut tops = Tops::new();
    for row in found.rows(journal).iter() {
        let row = row?;
        for attribution in &row.attributions {
            if attribution.map.status == MapStatus::Ok.name() {
                let top = tops.entry(group(plan, &row, attribution)).or_default();
                *top = top.max(attribution.map.own_top.unwrap_or(attribution.map.max));
            }
        }
    }
    Ok(tops)
}

/// The entry with its pictures, or with what went wrong.
fn rendered(
    plan: &Plan,
    model: &Model,
    index: usize,
    mut entry: Entry,
    tops: &Tops,
) -> anyhow::Result<Entry> {
    match render_all(plan, model, index, &mut entry, tops) {
        Ok(()) => {}
        Err(ExplainError::Run(error)) => return Err(error),
        Err(ExplainError::Image(failure)) => {
            discard(plan, model, index)?;
            entry.files = Vec::new();
            (entry.row.classification, entry.row.attributions) = (None, Vec::new());
            entry.row.error = Some(failure);
        }
    }
    Ok(entry)
}

/// Renders the maps of an image that have no pictures of their scale.
fn render_all(
    plan: &Plan,
    model: &Model,
    index: usize,
    entry: &mut Entry,
    tops: &Tops,
) -> Result<(), ExplainError> {
    let Some(outcome) = entry.row.outcome() else { return Ok(()) };
    let place = &plan.places[index];
    let part = model.parts.iter().find(|part| plan.is_of(part, index));
    let part = part.context("the image's fold has no network")?;
    let (decoded, digest) =
        read(plan, index).map_err(|error| unread(&plan.data, failure(Stage::Read, error)))?;
    if entry.image.as_ref() != Some(&digest) {
        let changed = anyhow!("the image changed after it was explained");
        return Err(ExplainError::Image(failure(Stage::Read, changed)));
    }
    let frame = fit(&decoded.pixels, &part.checkpoint.input, plan.resize);
    // The photograph is read again to be drawn over, and waits for memory that this one holds.
    drop(decoded);
    let photograph = photograph(plan, index, &digest)?;
    let mut attributions = std::mem::take(&mut entry.row.attributions);
    for attribution in &mut attributions {
        let top = top(plan, &entry.row, attribution, tops);
        if attribution.top == Some(top) {
            continue;
        }
        let own = model.explanations.iter().find(|one| one.spec.name == attribution.explanation);
        let own = own.context("the journal has an explanation that the run has not")?;
        let tree = &own.tree;
        let map_size = (attribution.map.height, attribution.map.width);
        if map_size.0 == 0 || map_size.1 == 0 {
            return Err(anyhow!("the journal has a map without a size").into());
        }
        let map = read_map(&tree.map_path(place), map_size)?;
        let input = RenderInput {
            plan,
            tree,
            index,
            outcome,
            status: MapStatus::from_name(&attribution.map.status).unwrap_or(MapStatus::NonFinite),
            values: own.spec.values,
            map: &map,
            map_size,
            frame: &frame,
            photograph: photograph.as_deref(),
        };
        let rendered = render(&input, top)?;
        let own =
            tree.overlay_paths(place, outcome).into_iter().chain([tree.thumbnail_path(place)]);
        let own: Vec<String> = own.map(|path| plan.inside(&path)).collect();
        entry.files.retain(|file| !own.contains(&file.path));
        entry.files.extend(rendered.files);
        attribution.top = Some(top);
        attribution.overlay = rendered.overlay;
        attribution.thumbnail = rendered.thumbnail;
    }
    entry.row.attributions = attributions;
    Ok(())
}
