//! file → pixels → tensor → logits and gradient → map → overlay, a batch at a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Result, anyhow, bail};
use burncam_cam::{CamError, Explanation, MapSummary, predicted};
use burncam_imaging::{Frame, Remarks, fit, preprocess, stacked};
use burncam_net::Classifier;
use burncam_report::page::Grid;
use burncam_report::{
    Entry, Explained, Failure, Journal, MapFacts, Outcome, Prediction, Stage, Written,
};

use super::model::{Model, Part};
use super::overlap::Stages;
use super::pictures::{self, Drawn, Shown};
use super::plan::Plan;
use super::results::Found;
use super::resume::discard;
use super::trouble::{Trouble, failure, unread};
use crate::console::{self, Message, Progress};
use crate::{device, interrupt};

/// What a checkpoint's images are explained by.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    /// The run.
    pub plan: &'a Plan,
    /// The model in it.
    pub model: &'a Model,
    /// The model's checkpoint.
    pub part: &'a Part,
    /// SHA-256 of the checkpoint.
    pub weights: &'a str,
    /// Images computed at a time.
    pub batch: usize,
    /// Whether the first batch is one image, so that a first result is there at once.
    pub hurry: bool,
}

/// Where results go.
pub(crate) struct Sink<'a> {
    /// What is recorded of them.
    pub journal: &'a mut Journal,
    /// Where it is recorded.
    pub found: &'a mut Found,
    /// What the user sees of it.
    pub progress: &'a mut Progress,
}

/// One image on its way: its index in the plan, and what is known of it so far or what failed.
type Item<T> = (usize, Result<T, Failure>);

/// A decoded image at the network's size, and the network's input that it makes.
struct Decoded {
    frame: Frame,
    input: Vec<f32>,
    remarks: Remarks,
    digest: String,
    milliseconds: f64,
}

/// What the network said of an image.
struct Said {
    logits: Vec<f32>,
    target: usize,
    map: Vec<f32>,
    map_size: (usize, usize),
}

/// An image and what the network said of it.
struct Seen {
    frame: Frame,
    said: Said,
    remarks: Remarks,
    digest: String,
    milliseconds: f64,
}

/// Explains images with a checkpoint, a batch at a time on each device's network, and records each
/// batch when its files are written. Ends early, with what is in hand, where the user asks for an
/// end, or where the plan is strict and an image fails.
///
/// # Errors
///
/// If a device fails, or nothing can be read or written any more. An image that fails is a row with
/// its error.
pub(crate) fn run(
    job: Job<'_>,
    images: &[usize],
    networks: &[Classifier],
    mut sink: Sink<'_>,
) -> Result<()> {
    let failed = AtomicBool::new(false);
    let goes_on = || !interrupt::asked() && !failed.load(Ordering::Relaxed);
    let (first, others) = images.split_at(if job.hurry { 1.min(images.len()) } else { 0 });
    let batches = first.chunks(1).chain(others.chunks(job.batch)).map(<[usize]>::to_vec);
    let batches = batches.take_while(|_| goes_on());
    let stages = Stages {
        read: |index| (index, read(job, index)),
        compute: |(network, at_once): &mut (&Classifier, usize), batch| {
            compute(job, network, batch, at_once)
        },
        write: |(index, item)| Ok((index, entry(job, index, item)?)),
    };
    let workers = networks.iter().flat_map(|network| {
        let at_once = device::at_once(job.batch, network);
        std::iter::repeat_n((network, at_once), device::workers(network))
    });
    stages.run(batches, workers, |batch| {
        let (indices, entries): (Vec<usize>, Vec<Entry>) = batch.into_iter().unzip();
        if job.plan.strict && entries.iter().any(|entry| entry.row.error.is_some()) {
            failed.store(true, Ordering::Relaxed);
        }
        sink.take(&indices, &entries)
    })
}

impl Sink<'_> {
    /// The same, for one more use.
    pub(crate) fn again(&mut self) -> Sink<'_> {
        Sink { journal: self.journal, found: self.found, progress: self.progress }
    }

    fn take(&mut self, indices: &[usize], entries: &[Entry]) -> Result<()> {
        for (&index, line) in indices.iter().zip(self.journal.append(entries)?) {
            self.found.lines[index] = Some(line);
        }
        for (&index, entry) in indices.iter().zip(entries) {
            self.found.add(index, entry);
        }
        self.progress.add(entries.len());
        if !self.journal.is_in_place() {
            bail!(
                "{} is not there any more, or another program has changed it; nothing more is \
                 explained\nhint: bring the folder back and go on with --resume",
                self.journal.path().display()
            );
        }
        Ok(())
    }
}

/// file → pixels → the network's size → its input.
fn read(job: Job<'_>, index: usize) -> Result<Decoded, Failure> {
    let (clock, plan) = (Instant::now(), job.plan);
    let (decoded, digest) =
        pictures::read(plan, index).map_err(|error| failure(Stage::Read, error))?;
    let frame = fit(&decoded.pixels, &job.part.checkpoint.input, plan.resize);
    let input = preprocess(&frame, &job.part.checkpoint.input);
    let remarks = decoded.remarks;
    Ok(Decoded { frame, input, remarks, digest, milliseconds: elapsed(clock) })
}

/// tensor → logits and gradient → map, for all images of a batch that could be decoded.
fn compute(
    job: Job<'_>,
    network: &Classifier,
    batch: Vec<Item<Decoded>>,
    at_once: &mut usize,
) -> Result<Vec<Item<Seen>>> {
    let clock = Instant::now();
    let inputs: Vec<&[f32]> =
        batch.iter().filter_map(|(_, item)| item.as_ref().ok()).map(|d| &*d.input).collect();
    let count = inputs.len();
    let mut found = in_parts(job, network, &inputs, at_once)?.into_iter();
    let share = elapsed(clock) / count.max(1) as f64;
    let mut seen = |decoded: Decoded| {
        let nothing = || failure(Stage::Compute, anyhow!("the device gave no result"));
        let said = found.next().ok_or_else(nothing)?;
        let Decoded { frame, remarks, digest, milliseconds, .. } = decoded;
        Ok(Seen { frame, said, remarks, digest, milliseconds: milliseconds + share })
    };
    Ok(batch.into_iter().map(|(index, item)| (index, item.and_then(&mut seen))).collect())
}

/// Explains images, as many at a time as the device takes: where it fails, most likely for want
/// of memory, it gets half as many from then on.
fn in_parts(
    job: Job<'_>,
    network: &Classifier,
    inputs: &[&[f32]],
    at_once: &mut usize,
) -> Result<Vec<Said>> {
    let mut found = Vec::with_capacity(inputs.len());
    while let Some(left) = inputs.get(found.len()..).filter(|left| !left.is_empty()) {
        let part = &left[..left.len().min(*at_once)];
        match explain(job, network, part) {
            Ok(more) => found.extend(more),
            Err(CamError::ReadBack { .. }) if part.len() > 1 => {
                *at_once = part.len() / 2;
                let count = part.len();
                console::note(Message::new(
                    format!(
                        "The device fails with {count} images at a time; going on with {at_once}."
                    ),
                    format!(
                        "O dispositivo falha com {count} imagens de cada vez; continuando com {at_once}."
                    ),
                ));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

fn explain(job: Job<'_>, network: &Classifier, inputs: &[&[f32]]) -> Result<Vec<Said>, CamError> {
    let images = stacked(inputs, &job.part.checkpoint.input, network.device());
    let Explanation { logits, targets, maps, size: [height, width] } =
        Explanation::of(network, images, &job.model.layer, job.model.target)?;
    let all = logits.into_iter().zip(targets).zip(maps);
    let one = |((logits, target), map)| Said { logits, target, map, map_size: (height, width) };
    Ok(all.map(one).collect())
}

/// map → overlay → files, and what is recorded of the image.
fn entry(job: Job<'_>, index: usize, item: Result<Seen, Failure>) -> Result<Entry> {
    let (image, model) = (&job.plan.images[index], job.model);
    let label = model.label(index).map(str::to_owned);
    let digest = item.as_ref().ok().map(|seen| seen.digest.clone());
    let remarks = item.as_ref().map_or(Remarks::default(), |seen| seen.remarks);
    let written = match item {
        Ok(seen) => write(job, index, label.as_deref(), &seen),
        Err(failure) => Err(unread(job.plan, failure)),
    };
    let (explained, files, error) = match written {
        Ok((explained, files)) => (Some(explained), files, None),
        Err(Trouble::Image(failure)) => {
            // The overlay may be there, and only the map not.
            discard(job.plan, model, index)?;
            (None, Vec::new(), Some(failure))
        }
        Err(Trouble::Run(error)) => return Err(error),
    };
    let (model, path, fold) = (model.name.clone(), image.path.clone(), image.fold.clone());
    let row = Prediction { model, path, fold, label, explained, error };
    Ok(Entry {
        image: digest,
        weights: job.weights.to_owned(),
        top: None,
        saturated: remarks.saturated,
        not_upright: remarks.not_upright,
        files,
        row,
    })
}

fn write(
    job: Job<'_>,
    index: usize,
    label: Option<&str>,
    seen: &Seen,
) -> Result<(Explained, Vec<Written>), Trouble> {
    let (clock, model) = (Instant::now(), job.model);
    if seen.said.logits.iter().any(|logit| !logit.is_finite()) {
        let error = "the network's output is not finite; are these the weights that were trained?";
        return Err(Trouble::Image(failure(Stage::Compute, anyhow!(error))));
    }
    let probabilities = job.part.checkpoint.head.output().probabilities(&seen.said.logits);
    let class = predicted(&probabilities);
    let map = MapSummary::of(&seen.said.map);
    let shown = Shown {
        plan: job.plan,
        model,
        index,
        outcome: Outcome::of(label, &model.classes[class]),
        status: map.status,
        map: &seen.said.map,
        map_size: seen.said.map_size,
        frame: &seen.frame,
        digest: &seen.digest,
    };
    let Drawn { overlay, thumbnail, files } = draw(&shown, map.max)?;
    let width = seen.said.map_size.1;
    let explained = Explained {
        predicted: model.classes[class].clone(),
        confidence: probabilities[class],
        logits: seen.said.logits.clone(),
        probabilities,
        target: model.classes[seen.said.target].clone(),
        layer: model.layer.clone(),
        map: MapFacts {
            height: seen.said.map_size.0,
            width,
            min: map.min,
            max: map.max,
            argmax: Some((map.argmax / width, map.argmax % width)),
            status: map.status.name().to_owned(),
        },
        overlay,
        grid: Grid::of(&seen.said.map, seen.said.map_size),
        thumbnail,
        milliseconds: seen.milliseconds + elapsed(clock),
    };
    Ok((explained, files))
}

/// Writes what can be written of an image now: its map, if that is asked for, and its pictures,
/// unless their scale depends on other images.
fn draw(shown: &Shown<'_>, max: f32) -> Result<Drawn, Trouble> {
    let pictures = &shown.plan.pictures;
    let mut drawn = match pictures.later() {
        true => Drawn::default(),
        false => pictures::place(shown, pictures::own_top(pictures, max))?,
    };
    if pictures.maps {
        let (index, size) = (shown.index, shown.map_size);
        drawn.files.push(pictures::write_map(shown.plan, shown.model, index, shown.map, size)?);
    }
    Ok(drawn)
}

fn elapsed(clock: Instant) -> f64 {
    clock.elapsed().as_secs_f64() * 1e3
}
