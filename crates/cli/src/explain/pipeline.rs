//! file → pixels → tensor → logits and gradient → map → overlay, a batch at a time.
//!
//! One thread decodes, one for each device computes and one writes; each waits for the next, so
//! that no more than a few batches are in memory whatever the number of images.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::{Result, anyhow};
use burncam_cam::methods::grad_cam;
use burncam_cam::{CamError, MapSummary, Scene, predicted};
use burncam_imaging::{Frame, decode, fit, to_tensor};
use burncam_net::Classifier;
use burncam_report::page::Grid;
use burncam_report::{Explained, MapFacts, Outcome, Prediction};
use rayon::prelude::*;

use super::model::{Model, Part};
use super::pictures::{self, Shown};
use super::plan::Plan;
use crate::console::{self, Progress};

/// Batches that wait between two threads.
const WAITING: usize = 1;

/// What a checkpoint's images are explained by.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    /// The run.
    pub plan: &'a Plan,
    /// The model in it.
    pub model: &'a Model,
    /// The model's checkpoint.
    pub part: &'a Part,
}

/// One image on its way: its index in the plan, and what is known of it so far or what failed.
type Item<T> = (usize, Result<T, String>);

/// A decoded image at the network's size.
struct Decoded {
    frame: Frame,
    milliseconds: f64,
}

/// What the network said of an image.
struct Found {
    logits: Vec<f32>,
    target: usize,
    map: Vec<f32>,
    map_size: (usize, usize),
}

/// An image and what the network said of it.
struct Seen {
    frame: Frame,
    found: Found,
    milliseconds: f64,
}

/// Explains every image of the checkpoint, a batch at a time on each device's network; one row an
/// image, in the plan's order.
///
/// # Errors
///
/// If a device fails. An image that fails is a row with its error.
pub(crate) fn run(
    job: Job<'_>,
    networks: &mut [Classifier],
    progress: &mut Progress,
) -> Result<Vec<Prediction>> {
    let plan = job.plan;
    let images = plan.images_of(job.part);
    let images = images.as_slice();
    let (to_compute, decoded) = sync_channel::<Vec<Item<Decoded>>>(WAITING);
    let (to_write, seen) = sync_channel::<Vec<Item<Seen>>>(WAITING);
    // Whoever is free takes the next batch; when all have failed, nobody holds the channel.
    let decoded = Arc::new(Mutex::new(decoded));
    let mut rows = std::thread::scope(|scope| {
        scope.spawn(move || {
            for batch in images.chunks(plan.batch) {
                let batch = batch.par_iter().map(|&index| (index, read(job, index))).collect();
                // The other end hangs up when the device fails.
                if to_compute.send(batch).is_err() {
                    return;
                }
            }
        });
        let writer = scope.spawn(move || {
            let mut rows = Vec::with_capacity(images.len());
            for batch in seen {
                let written: Vec<_> = batch.into_par_iter().map(|i| (i.0, row(job, i))).collect();
                progress.add(written.len());
                rows.extend(written);
            }
            rows
        });
        let workers: Vec<_> = networks
            .iter_mut()
            .map(|network| {
                let (decoded, to_write) = (Arc::clone(&decoded), to_write.clone());
                scope.spawn(move || work(job, network, &decoded, &to_write))
            })
            .collect();
        drop((decoded, to_write));
        for worker in workers {
            worker.join().map_err(|_| anyhow!("the thread that computes has failed"))??;
        }
        writer.join().map_err(|_| anyhow!("the thread that writes results has failed"))
    })?;
    rows.sort_by_key(|(index, _)| *index);
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// Computes batches until there are none.
fn work(
    job: Job<'_>,
    network: &Classifier,
    decoded: &Mutex<Receiver<Vec<Item<Decoded>>>>,
    to_write: &SyncSender<Vec<Item<Seen>>>,
) -> Result<()> {
    let next = || decoded.lock().ok()?.recv().ok();
    let mut at_once = job.plan.batch;
    while let Some(batch) = next() {
        if to_write.send(compute(job, network, batch, &mut at_once)?).is_err() {
            break;
        }
    }
    Ok(())
}

/// file → pixels → the network's size.
fn read(job: Job<'_>, index: usize) -> Result<Decoded, String> {
    let (clock, plan) = (Instant::now(), job.plan);
    let pixels = decode(&plan.images[index].file, plan.decode).map_err(whole)?;
    let frame = fit(&pixels, &job.part.checkpoint.input, plan.resize);
    Ok(Decoded { frame, milliseconds: elapsed(clock) })
}

/// tensor → logits and gradient → map, for all images of a batch that could be decoded.
fn compute(
    job: Job<'_>,
    network: &Classifier,
    batch: Vec<Item<Decoded>>,
    at_once: &mut usize,
) -> Result<Vec<Item<Seen>>> {
    let clock = Instant::now();
    let frames: Vec<&Frame> =
        batch.iter().filter_map(|(_, item)| item.as_ref().ok()).map(|d| &d.frame).collect();
    let count = frames.len();
    let mut found = in_parts(job, network, &frames, at_once)?.into_iter();
    let share = elapsed(clock) / count.max(1) as f64;
    let mut seen = |decoded: Decoded| {
        let found = found.next().ok_or("the device gave no result")?;
        Ok(Seen { milliseconds: decoded.milliseconds + share, frame: decoded.frame, found })
    };
    Ok(batch.into_iter().map(|(index, item)| (index, item.and_then(&mut seen))).collect())
}

/// Explains frames, as many at a time as the device takes: where it fails, most likely for want
/// of memory, it gets half as many from then on.
fn in_parts(
    job: Job<'_>,
    network: &Classifier,
    frames: &[&Frame],
    at_once: &mut usize,
) -> Result<Vec<Found>> {
    let mut found = Vec::with_capacity(frames.len());
    while let Some(left) = frames.get(found.len()..).filter(|left| !left.is_empty()) {
        let part = &left[..left.len().min(*at_once)];
        match explain(job, network, part) {
            Ok(more) => found.extend(more),
            Err(CamError::ReadBack { .. }) if part.len() > 1 => {
                *at_once = part.len() / 2;
                console::note(&format!(
                    "The device fails with {} at a time; going on with {at_once}.",
                    console::images(part.len())
                ));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

fn explain(job: Job<'_>, network: &Classifier, frames: &[&Frame]) -> Result<Vec<Found>, CamError> {
    let images = to_tensor(frames, &job.part.checkpoint.input, network.device());
    let scene = Scene::observe(network, images, &job.model.layer, job.model.target)?;
    let [_, _, height, width] = scene.activations.dims();
    let maps = grad_cam(&scene)?;
    let all = scene.logits.into_iter().zip(scene.targets).zip(maps);
    let one = |((logits, target), map)| Found { logits, target, map, map_size: (height, width) };
    Ok(all.map(one).collect())
}

/// map → overlay → files, and the image's row.
fn row(job: Job<'_>, (index, item): Item<Seen>) -> Prediction {
    let (image, model) = (&job.plan.images[index], job.model);
    let label = model.labels[index].map(|class| model.classes[class].clone());
    let explained = item.and_then(|seen| write(job, index, label.as_deref(), &seen));
    let (explained, error) = match explained {
        Ok(explained) => (Some(explained), None),
        Err(error) => (None, Some(error)),
    };
    Prediction {
        model: model.name.clone(),
        path: image.path.clone(),
        fold: image.fold.clone(),
        label,
        explained,
        error,
    }
}

fn write(
    job: Job<'_>,
    index: usize,
    label: Option<&str>,
    seen: &Seen,
) -> Result<Explained, String> {
    let (clock, model) = (Instant::now(), job.model);
    if seen.found.logits.iter().any(|logit| !logit.is_finite()) {
        return Err("the network's output is not finite; are these the weights that were trained?"
            .to_owned());
    }
    let probabilities = job.part.checkpoint.head.output().probabilities(&seen.found.logits);
    let class = predicted(&probabilities);
    let map = MapSummary::of(&seen.found.map);
    let shown = Shown {
        plan: job.plan,
        model,
        index,
        outcome: Outcome::of(label, &model.classes[class]),
        status: map.status,
        map: &seen.found.map,
        map_size: seen.found.map_size,
        frame: &seen.frame,
    };
    let [overlay, thumbnail] = draw(&shown, map.max).map_err(whole)?;
    let width = seen.found.map_size.1;
    Ok(Explained {
        predicted: model.classes[class].clone(),
        confidence: probabilities[class],
        logits: seen.found.logits.clone(),
        probabilities,
        target: model.classes[seen.found.target].clone(),
        layer: model.layer.clone(),
        map: MapFacts {
            height: seen.found.map_size.0,
            width,
            min: map.min,
            max: map.max,
            argmax: Some((map.argmax / width, map.argmax % width)),
            status: map.status.name().to_owned(),
        },
        overlay,
        grid: Grid::of(&seen.found.map, seen.found.map_size),
        thumbnail,
        milliseconds: seen.milliseconds + elapsed(clock),
    })
}

/// Writes what can be written of an image now: its map, if that is asked for, and its pictures,
/// unless their scale depends on other images; gives the pictures' paths in the output folder.
fn draw(shown: &Shown<'_>, max: f32) -> Result<[Option<String>; 2]> {
    let pictures = &shown.plan.pictures;
    if pictures.maps {
        pictures::write_map(shown.plan, shown.model, shown.index, shown.map, shown.map_size)?;
    }
    match pictures.later() {
        true => Ok([None, None]),
        false => pictures::place(shown, pictures::own_top(pictures, max)),
    }
}

/// An error and its causes on one line.
fn whole(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}

fn elapsed(clock: Instant) -> f64 {
    clock.elapsed().as_secs_f64() * 1e3
}
