//! Pictures whose scale depends on other images: drawn once every map is known.

use std::collections::HashMap;

use anyhow::{Context as _, anyhow};
use burncam_cam::MapStatus;
use burncam_imaging::fit;
use burncam_report::{Entry, Journal, Line, Prediction, Stage, Summary};
use rayon::prelude::*;

use super::model::Model;
use super::pictures::{Norm, Shown, place, read, read_map};
use super::plan::Plan;
use super::results::Found;
use super::resume::discard;
use super::trouble::{Trouble, failure, unread};
use crate::interrupt;

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
    found: &mut Found,
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
    found: &mut Found,
    (some, tops): (&[(usize, Line)], &HashMap<String, f32>),
) -> anyhow::Result<bool> {
    let draw = |&(index, line): &(usize, Line)| {
        let entry = journal.entry(line)?;
        let top = top(plan, &entry.row, tops);
        drawn(plan, model, index, entry, top)
    };
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
    found: &Found,
    tops: &HashMap<String, f32>,
) -> anyhow::Result<Images> {
    let mut open = Images::new();
    for (index, line) in found.lines.iter().enumerate() {
        let Some(line) = *line else { continue };
        let entry = journal.entry(line)?;
        if entry.row.explained.is_some() && entry.top != Some(top(plan, &entry.row, tops)) {
            open.push((index, line));
        }
    }
    Ok(open)
}

fn top(plan: &Plan, row: &Prediction, tops: &HashMap<String, f32>) -> f32 {
    tops.get(group(plan, row)).copied().unwrap_or_default()
}

/// The images that share a scale.
fn group<'a>(plan: &Plan, row: &'a Prediction) -> &'a str {
    if plan.pictures.norm == Norm::Run { "" } else { &row.fold }
}

/// The largest value of the readable maps of each group.
fn tops(plan: &Plan, journal: &Journal, found: &Found) -> anyhow::Result<HashMap<String, f32>> {
    let mut tops: HashMap<String, f32> = HashMap::new();
    for row in found.rows(journal).iter() {
        let row = row?;
        let Some(map) = row.explained.as_ref().map(|explained| &explained.map) else { continue };
        if map.status == MapStatus::Ok.name() {
            let top = tops.entry(group(plan, &row).to_owned()).or_default();
            *top = top.max(map.max);
        }
    }
    Ok(tops)
}

/// The entry with its pictures, or with what went wrong.
fn drawn(
    plan: &Plan,
    model: &Model,
    index: usize,
    mut entry: Entry,
    top: f32,
) -> anyhow::Result<Entry> {
    match draw_one(plan, model, index, &mut entry, top) {
        Ok(()) => {}
        Err(Trouble::Run(error)) => return Err(error),
        Err(Trouble::Image(failure)) => {
            discard(plan, model, index)?;
            (entry.top, entry.files) = (None, Vec::new());
            entry.row.explained = None;
            entry.row.error = Some(failure);
        }
    }
    Ok(entry)
}

fn draw_one(
    plan: &Plan,
    model: &Model,
    index: usize,
    entry: &mut Entry,
    top: f32,
) -> Result<(), Trouble> {
    let (Some(outcome), Some(explained)) = (entry.row.outcome(), &mut entry.row.explained) else {
        return Ok(());
    };
    let status = MapStatus::named(&explained.map.status).unwrap_or(MapStatus::NonFinite);
    let map_size = (explained.map.height, explained.map.width);
    let map_path = model.tree.map_path(&plan.places[index]);
    if map_size.0 == 0 || map_size.1 == 0 {
        return Err(anyhow!("the journal has a map without a size").into());
    }
    let map = read_map(&map_path, map_size)?;
    let part = model.parts.iter().find(|part| plan.is_of(part, index));
    let part = part.context("the image's fold has no network")?;
    let (decoded, digest) =
        read(plan, index).map_err(|error| unread(plan, failure(Stage::Read, error)))?;
    if entry.image.as_ref() != Some(&digest) {
        let changed = anyhow!("the image changed after it was explained");
        return Err(Trouble::Image(failure(Stage::Read, changed)));
    }
    let frame = fit(&decoded.pixels, &part.checkpoint.input, plan.resize);
    // The photograph is read again to be drawn over, and waits for memory that this one holds.
    drop(decoded);
    let shown = Shown {
        plan,
        model,
        index,
        outcome,
        status,
        map: &map,
        map_size,
        frame: &frame,
        digest: &digest,
    };
    let drawn = place(&shown, top)?;
    entry.top = Some(top);
    explained.overlay = drawn.overlay;
    explained.thumbnail = drawn.thumbnail;
    let map_file = plan.inside(&map_path);
    entry.files.retain(|file| file.path == map_file);
    entry.files.extend(drawn.files);
    Ok(())
}
