//! file → pixels → tensor → logits and gradient → map → overlay, a batch at a time.
//!
//! One thread decodes, one computes and one writes; each waits for the next, so that no more
//! than a few batches are in memory whatever the number of images.

use std::sync::mpsc::sync_channel;
use std::time::Instant;

use anyhow::{Result, anyhow};
use burncam_cam::methods::grad_cam;
use burncam_cam::{MapStatus, MapSummary, Scene, predicted};
use burncam_imaging::{Frame, decode, fit, to_tensor};
use burncam_net::Classifier;
use burncam_report::{
    Explained, Format, MapFacts, Outcome, Prediction, encode, levels, link_or_copy, overlay,
    write_atomic,
};
use rayon::prelude::*;

use super::plan::Plan;
use crate::console::Progress;

/// Batches that wait between two threads.
const WAITING: usize = 1;

/// One image on its way: its index in the plan, and what is known of it so far or what failed.
type Item<T> = (usize, Result<T, String>);

/// A decoded image at the network's size.
struct Decoded {
    frame: Frame,
    milliseconds: f64,
}

/// What the network said of an image.
struct Seen {
    frame: Frame,
    logits: Vec<f32>,
    target: usize,
    map: Vec<f32>,
    map_size: (usize, usize),
    milliseconds: f64,
}

/// Explains every image of the plan; one row an image, in the plan's order.
///
/// # Errors
///
/// If the device fails. An image that fails is a row with its error.
pub(crate) fn run(plan: &Plan, classifier: &Classifier) -> Result<Vec<Prediction>> {
    let (to_compute, decoded) = sync_channel::<Vec<Item<Decoded>>>(WAITING);
    let (to_write, seen) = sync_channel::<Vec<Item<Seen>>>(WAITING);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let indices: Vec<usize> = (0..plan.images.len()).collect();
            for batch in indices.chunks(plan.batch) {
                let batch = batch.par_iter().map(|&index| (index, read(plan, index))).collect();
                // The other end hangs up when the device fails.
                if to_compute.send(batch).is_err() {
                    return;
                }
            }
        });
        let writer = scope.spawn(move || {
            let mut rows = Vec::with_capacity(plan.images.len());
            let mut progress = Progress::new(plan.images.len());
            for batch in seen {
                let written: Vec<Prediction> =
                    batch.into_par_iter().map(|i| row(plan, i)).collect();
                progress.add(written.len());
                rows.extend(written);
            }
            progress.finish();
            rows
        });
        for batch in decoded {
            let batch = compute(plan, classifier, batch)?;
            if to_write.send(batch).is_err() {
                break;
            }
        }
        drop(to_write);
        writer.join().map_err(|_| anyhow!("the thread that writes results has failed"))
    })
}

/// file → pixels → the network's size.
fn read(plan: &Plan, index: usize) -> Result<Decoded, String> {
    let clock = Instant::now();
    let pixels = decode(&plan.images[index].file, plan.decode).map_err(whole)?;
    let frame = fit(&pixels, &plan.checkpoint.input, plan.resize);
    Ok(Decoded { frame, milliseconds: elapsed(clock) })
}

/// tensor → logits and gradient → map, for all images of a batch that could be decoded.
fn compute(
    plan: &Plan,
    classifier: &Classifier,
    batch: Vec<Item<Decoded>>,
) -> Result<Vec<Item<Seen>>> {
    let clock = Instant::now();
    let frames: Vec<&Frame> =
        batch.iter().filter_map(|(_, item)| item.as_ref().ok()).map(|d| &d.frame).collect();
    if frames.is_empty() {
        let failed = |(index, item): Item<Decoded>| (index, Err(item.err().unwrap_or_default()));
        return Ok(batch.into_iter().map(failed).collect());
    }
    let images = to_tensor(&frames, &plan.checkpoint.input, classifier.device());
    let scene = Scene::observe(classifier, images, &plan.layer, plan.target)?;
    let [_, _, height, width] = scene.activations.dims();
    let maps = grad_cam(&scene)?;
    let share = elapsed(clock) / frames.len() as f64;
    let mut results = scene.logits.into_iter().zip(scene.targets).zip(maps);
    let mut seen = |decoded: Decoded| {
        let ((logits, target), map) = results.next().ok_or("the device gave no result")?;
        Ok(Seen {
            frame: decoded.frame,
            logits,
            target,
            map,
            map_size: (height, width),
            milliseconds: decoded.milliseconds + share,
        })
    };
    Ok(batch.into_iter().map(|(index, item)| (index, item.and_then(&mut seen))).collect())
}

/// map → overlay → files, and the image's row.
fn row(plan: &Plan, (index, item): Item<Seen>) -> Prediction {
    let image = &plan.images[index];
    let label = plan.labels[index].map(|class| plan.classes[class].clone());
    let explained = item.and_then(|seen| write(plan, index, label.as_deref(), &seen));
    let (explained, error) = match explained {
        Ok(explained) => (Some(explained), None),
        Err(error) => (None, Some(error)),
    };
    Prediction {
        model: plan.checkpoint.arch.title.to_owned(),
        path: image.path.clone(),
        fold: image.fold.clone(),
        label,
        explained,
        error,
    }
}

fn write(plan: &Plan, index: usize, label: Option<&str>, seen: &Seen) -> Result<Explained, String> {
    let clock = Instant::now();
    if seen.logits.iter().any(|logit| !logit.is_finite()) {
        return Err("the network's output is not finite; are these the weights that were trained?"
            .to_owned());
    }
    let probabilities = plan.checkpoint.head.output().probabilities(&seen.logits);
    let class = predicted(&probabilities);
    let map = MapSummary::of(&seen.map);
    let path = place(plan, index, label, seen, (class, map.status))?;
    let width = seen.map_size.1;
    Ok(Explained {
        predicted: plan.classes[class].clone(),
        confidence: probabilities[class],
        logits: seen.logits.clone(),
        probabilities,
        target: plan.classes[seen.target].clone(),
        layer: plan.layer.clone(),
        map: MapFacts {
            height: seen.map_size.0,
            width,
            min: map.min,
            max: map.max,
            argmax: Some((map.argmax / width, map.argmax % width)),
            status: map.status.name().to_owned(),
        },
        overlay: Some(path),
        milliseconds: seen.milliseconds + elapsed(clock),
    })
}

/// Draws and writes the overlay, encoded once and placed twice; returns its path in the output
/// folder.
fn place(
    plan: &Plan,
    index: usize,
    label: Option<&str>,
    seen: &Seen,
    (class, status): (usize, MapStatus),
) -> Result<String, String> {
    // A map that cannot be read gets the notebook's plain blue wash: the lowest level throughout.
    let levels = match status {
        MapStatus::Ok => levels(&seen.map),
        _ => vec![0; seen.map.len()],
    };
    let frame = &seen.frame;
    let size = (frame.height, frame.width);
    let picture = overlay(&levels, seen.map_size, &frame.rgb, size, plan.alpha);
    let format = Format::of_name(&plan.images[index].name).map_err(whole)?;
    let outcome = Outcome::of(label, &plan.classes[class]);
    let [all, fold] = plan.tree.overlay_paths(&plan.places[index], outcome);
    write_atomic(&all, &encode(&picture, format).map_err(whole)?).map_err(whole)?;
    link_or_copy(&all, &fold).map_err(whole)?;
    let inside = fold.strip_prefix(&plan.out).unwrap_or(&fold);
    Ok(inside.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/"))
}

/// An error and its causes on one line.
fn whole(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}

fn elapsed(clock: Instant) -> f64 {
    clock.elapsed().as_secs_f64() * 1e3
}
