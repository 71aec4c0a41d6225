//! file → pixels → tensor → logits and gradient → map → overlay, a batch at a time.

use std::io::ErrorKind;
use std::time::Instant;

use anyhow::{Result, anyhow};
use burncam_cam::{CamError, Explanation, MapSummary, predicted};
use burncam_imaging::{Frame, decode, fit, preprocess, stacked};
use burncam_net::Classifier;
use burncam_report as report;
use burncam_report::page::Grid;
use burncam_report::{Explained, MapFacts, Outcome, Prediction, Stage};

use super::model::{Model, Part};
use super::overlap::Stages;
use super::pictures::{self, Shown};
use super::plan::Plan;
use crate::console::{self, Progress};
use crate::device;

/// What a checkpoint's images are explained by.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    /// The run.
    pub plan: &'a Plan,
    /// The model in it.
    pub model: &'a Model,
    /// The model's checkpoint.
    pub part: &'a Part,
    /// Images computed at a time.
    pub batch: usize,
    /// Whether the first batch is one image, so that a first result is there at once.
    pub hurry: bool,
}

/// One image on its way: its index in the plan, and what is known of it so far or what failed.
type Item<T> = (usize, Result<T, report::Failure>);

/// A decoded image at the network's size, and the network's input that it makes.
struct Decoded {
    frame: Frame,
    input: Vec<f32>,
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
/// If a device fails, or nothing can be written any more. An image that fails is a row with its
/// error.
pub(crate) fn run(
    job: Job<'_>,
    networks: &mut [Classifier],
    progress: &mut Progress,
) -> Result<Vec<Prediction>> {
    let images = job.plan.images_of(job.part);
    let (first, others) = images.split_at(if job.hurry { 1.min(images.len()) } else { 0 });
    let batches = first.chunks(1).chain(others.chunks(job.batch)).map(<[usize]>::to_vec);
    let stages = Stages {
        read: |index| (index, read(job, index)),
        compute: |(network, at_once): &mut (&mut Classifier, usize), batch| {
            compute(job, network, batch, at_once)
        },
        write: |(index, item)| Ok((index, row(job, index, item)?)),
    };
    let workers = networks.iter_mut().map(|network| {
        let at_once = device::at_once(job.batch, network);
        (network, at_once)
    });
    let mut rows = stages.run(batches, workers, |images| progress.add(images))?;
    rows.sort_by_key(|(index, _)| *index);
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// file → pixels → the network's size → its input.
fn read(job: Job<'_>, index: usize) -> Result<Decoded, report::Failure> {
    let (clock, plan) = (Instant::now(), job.plan);
    let pixels = decode(&plan.images[index].file, plan.decode)
        .map_err(|error| failed(Stage::Read, error))?;
    let frame = fit(&pixels, &job.part.checkpoint.input, plan.resize);
    let input = preprocess(&frame, &job.part.checkpoint.input);
    Ok(Decoded { frame, input, milliseconds: elapsed(clock) })
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
        let nothing = || failed(Stage::Compute, anyhow!("the device gave no result"));
        let found = found.next().ok_or_else(nothing)?;
        Ok(Seen { milliseconds: decoded.milliseconds + share, frame: decoded.frame, found })
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
) -> Result<Vec<Found>> {
    let mut found = Vec::with_capacity(inputs.len());
    while let Some(left) = inputs.get(found.len()..).filter(|left| !left.is_empty()) {
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

fn explain(job: Job<'_>, network: &Classifier, inputs: &[&[f32]]) -> Result<Vec<Found>, CamError> {
    let images = stacked(inputs, &job.part.checkpoint.input, network.device());
    let Explanation { logits, targets, maps, size: [height, width] } =
        Explanation::of(network, images, &job.model.layer, job.model.target)?;
    let all = logits.into_iter().zip(targets).zip(maps);
    let one = |((logits, target), map)| Found { logits, target, map, map_size: (height, width) };
    Ok(all.map(one).collect())
}

/// map → overlay → files, and the image's row.
fn row(job: Job<'_>, index: usize, item: Result<Seen, report::Failure>) -> Result<Prediction> {
    let (image, model) = (&job.plan.images[index], job.model);
    let label = model.labels[index].map(|class| model.classes[class].clone());
    let (explained, error) = match item.map(|seen| write(job, index, label.as_deref(), &seen)) {
        Ok(Ok(explained)) => (Some(explained), None),
        Ok(Err(Failure::Image(error))) | Err(error) => (None, Some(error)),
        Ok(Err(Failure::Run(error))) => return Err(error),
    };
    Ok(Prediction {
        model: model.name.clone(),
        path: image.path.clone(),
        fold: image.fold.clone(),
        label,
        explained,
        error,
    })
}

/// Why an image has no overlay.
enum Failure {
    /// It has to do with this image.
    Image(report::Failure),
    /// No image could be written any more.
    Run(anyhow::Error),
}

impl From<report::Error> for Failure {
    fn from(error: report::Error) -> Self {
        match &error {
            report::Error::Write { source, .. } if is_for_all(source.kind()) => {
                let whole = whole(error);
                Self::Run(anyhow!(
                    "{whole}; nothing more is explained\nhint: make room there, or choose another --out"
                ))
            }
            _ => Self::Image(failed(Stage::Write, error)),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<report::Error>() {
            Ok(error) => error.into(),
            Err(error) => Self::Image(failed(Stage::Write, error)),
        }
    }
}

/// Whether what keeps one file from being written will keep all others too.
fn is_for_all(kind: ErrorKind) -> bool {
    use ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(kind, PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull)
}

fn write(
    job: Job<'_>,
    index: usize,
    label: Option<&str>,
    seen: &Seen,
) -> Result<Explained, Failure> {
    let (clock, model) = (Instant::now(), job.model);
    if seen.found.logits.iter().any(|logit| !logit.is_finite()) {
        let error = "the network's output is not finite; are these the weights that were trained?";
        return Err(Failure::Image(failed(Stage::Compute, anyhow!(error))));
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
    let [overlay, thumbnail] = draw(&shown, map.max)?;
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

fn failed(stage: Stage, error: impl Into<anyhow::Error>) -> report::Failure {
    report::Failure { stage, reason: whole(error) }
}

/// An error and its causes on one line.
fn whole(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}

fn elapsed(clock: Instant) -> f64 {
    clock.elapsed().as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(kind: ErrorKind) -> Failure {
        report::Error::Write { path: "out/x.png".into(), source: kind.into() }.into()
    }

    #[test]
    fn a_full_disk_ends_the_run_and_an_odd_name_does_not() {
        for kind in [ErrorKind::StorageFull, ErrorKind::ReadOnlyFilesystem] {
            match failure(kind) {
                Failure::Run(error) => assert!(error.to_string().contains("out/x.png"), "{error}"),
                Failure::Image(failure) => panic!("{kind:?} is of one image: {failure:?}"),
            }
        }
        assert!(matches!(failure(ErrorKind::InvalidFilename), Failure::Image(_)));
    }
}
