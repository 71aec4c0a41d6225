//! file → pixels → tensor → logits and gradient → map → overlay, a batch at a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Result, anyhow, bail};
use burn::tensor::Device;
use burncam_attribution::{
    AttributionError, Attributions, Explanation, MapStatus, MapSummary, Question, explain,
    predicted,
};
use burncam_evaluation::Grid;
use burncam_evaluation::Outcome;
use burncam_imaging::{Frame, Remarks, fit, preprocess, stacked};
use burncam_net::Classifier;
use burncam_record::{
    Attribution, Classification, Entry, Failure, Journal, MapMeasures, Measurement, Prediction,
    Stage, Written,
};

use rayon::prelude::*;

use super::compressed::compressed;
use super::error::{ExplainError, failure, unread};
use super::masks::Mask;
use super::measuring::Subject;
use super::model::{FoldCheckpoint, Model, ModelExplanation};
use super::overlap::Stages;
use super::pictures::{self, RenderInput, RenderedFiles};
use super::plan::Plan;
use super::regions::Face;
use super::results::ModelResults;
use super::resume::discard;
use super::untrained::UntrainedNetworks;
use crate::message::Message;
use crate::{Observer, device, interrupt};

/// What a checkpoint's images are explained by.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    /// The run.
    pub plan: &'a Plan,
    /// The model in it.
    pub model: &'a Model,
    /// The model's checkpoint.
    pub part: &'a FoldCheckpoint,
    /// The model's methods and layers.
    pub explanations: &'a [Explanation],
    /// SHA-256 of the checkpoint.
    pub weights: &'a str,
    /// Images computed at a time.
    pub batch: usize,
    /// Whether the first batch is one image, so that a first result is there at once.
    pub hurry: bool,
}

/// The networks of a device.
pub(crate) struct Networks {
    /// The network.
    pub trained: Classifier,
    /// The same that has learned nothing, where maps are measured.
    pub untrained: Option<UntrainedNetworks>,
}

/// Where results go.
pub(crate) struct Sink<'a> {
    /// What is recorded of them.
    pub journal: &'a mut Journal,
    /// Where it is recorded.
    pub found: &'a mut ModelResults,
    /// Who is told of it.
    pub observer: &'a dyn Observer,
}

/// One image on its way: its index in the plan, and what is known of it so far or what failed.
type Item<T> = (usize, Result<T, Failure>);

/// A decoded image at the network's size, and the network's input that it makes.
struct Decoded {
    frame: Frame,
    input: Vec<f32>,
    /// The input of the frame stored as JPEG, where that is measured.
    compressed: Vec<f32>,
    /// Where evidence should lie, if that is known.
    mask: Option<Mask>,
    /// The regions of the face, if they are known.
    face: Option<Face>,
    remarks: Remarks,
    digest: String,
    milliseconds: f64,
}

/// What the network gives for an image.
pub(crate) struct NetworkOutput {
    pub logits: Vec<f32>,
    /// The class that the maps explain.
    pub target: usize,
    /// For each explanation a raw map, and its height and width.
    pub maps: Vec<(Vec<f32>, (usize, usize))>,
    /// For each explanation, why its method is not defined for the image, if it is not.
    pub undefined: Vec<Option<MapStatus>>,
}

/// An image and what the network gives for it.
struct ExplainedImage {
    frame: Frame,
    output: NetworkOutput,
    measurements: Vec<Measurement>,
    eyes_and_mouth: Option<[[f64; 2]; 3]>,
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
    networks: &[Networks],
    mut sink: Sink<'_>,
) -> Result<()> {
    let failed = AtomicBool::new(false);
    let goes_on = || !interrupt::asked() && !failed.load(Ordering::Relaxed);
    let (first, others) = images.split_at(if job.hurry { 1.min(images.len()) } else { 0 });
    let batches = first.chunks(1).chain(others.chunks(job.batch)).map(<[usize]>::to_vec);
    let batches = batches.take_while(|_| goes_on());
    let stages = Stages {
        read: |index| (index, read(job, index)),
        compute: |(networks, at_once): &mut (&Networks, usize), batch| {
            compute(job, networks, batch, at_once)
        },
        write: |(index, item)| Ok((index, entry(job, index, item)?)),
    };
    let workers = networks.iter().flat_map(|networks| {
        let at_once = device::at_once(job.batch, &networks.trained);
        std::iter::repeat_n((networks, at_once), device::workers(&networks.trained))
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
    pub(crate) fn reborrow(&mut self) -> Sink<'_> {
        Sink { journal: self.journal, found: self.found, observer: self.observer }
    }

    fn take(&mut self, indices: &[usize], entries: &[Entry]) -> Result<()> {
        for (&index, line) in indices.iter().zip(self.journal.append(entries)?) {
            self.found.lines[index] = Some(line);
        }
        for (&index, entry) in indices.iter().zip(entries) {
            self.found.add(index, entry);
        }
        self.observer.advance(entries.len());
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
    let mask = plan.masks.as_ref().map(|masks| masks.read(&plan.images[index])).transpose();
    let mask = mask.map_err(|error| failure(Stage::Read, error))?.flatten();
    let (image, dimensions) = (&plan.images[index], decoded.pixels.dimensions());
    let regions = plan.regions.as_ref();
    let face = regions.map(|regions| regions.read(image, dimensions, [frame.height, frame.width]));
    let face = face.transpose().map_err(|error| failure(Stage::Read, error))?.flatten();
    let compressed = match plan.measures.need_compressed() {
        true => compressed(&frame).map(|frame| preprocess(&frame, &job.part.checkpoint.input)),
        false => Ok(Vec::new()),
    };
    let compressed = compressed.map_err(|error| failure(Stage::Read, error))?;
    let (remarks, milliseconds) = (decoded.remarks, elapsed(clock));
    Ok(Decoded { frame, input, compressed, mask, face, remarks, digest, milliseconds })
}

/// tensor → logits and gradient → map, for all images of a batch that could be decoded.
fn compute(
    job: Job<'_>,
    networks: &Networks,
    batch: Vec<Item<Decoded>>,
    at_once: &mut usize,
) -> Result<Vec<Item<ExplainedImage>>> {
    let (clock, network) = (Instant::now(), &networks.trained);
    let inputs: Vec<NetworkInput<'_>> = (batch.iter())
        .filter_map(|(_, item)| item.as_ref().ok())
        .map(|decoded| NetworkInput { values: &decoded.input, digest: &decoded.digest })
        .collect();
    let count = inputs.len();
    let outputs = in_batches(job, network, &inputs, at_once)?;
    let decoded = batch.iter().filter_map(|(_, item)| item.as_ref().ok());
    let images: Vec<_> = outputs.iter().zip(decoded).collect();
    let measurements = measured(job, networks, &images, *at_once)?;
    let mut outputs = outputs.into_iter().zip(measurements);
    let share = elapsed(clock) / count.max(1) as f64;
    let mut explained = |decoded: Decoded| {
        let nothing = || failure(Stage::Compute, anyhow!("the device gave no result"));
        let (output, measurements) = outputs.next().ok_or_else(nothing)?;
        let Decoded { frame, face, remarks, digest, milliseconds, .. } = decoded;
        let eyes_and_mouth = face.and_then(|face| face.eyes_and_mouth);
        let milliseconds = milliseconds + share;
        Ok(ExplainedImage {
            frame,
            output,
            measurements,
            eyes_and_mouth,
            remarks,
            digest,
            milliseconds,
        })
    };
    Ok(batch.into_iter().map(|(index, item)| (index, item.and_then(&mut explained))).collect())
}

/// What measures say of images, if any are asked for. On the CPU, where parts of it use one core only, several images
/// are measured at a time.
fn measured(
    job: Job<'_>,
    networks: &Networks,
    images: &[(&NetworkOutput, &Decoded)],
    at_once: usize,
) -> Result<Vec<Vec<Measurement>>> {
    if job.plan.measures.is_empty() {
        return Ok(images.iter().map(|_| Vec::new()).collect());
    }
    let of_image = |&(output, decoded): &(&NetworkOutput, &Decoded)| {
        let subject = Subject {
            job,
            networks: (&networks.trained, networks.untrained.as_ref()),
            at_once,
            input: &decoded.input,
            seed: seed(job.plan.seed, &decoded.digest),
            compressed: &decoded.compressed,
            mask: decoded.mask.as_ref(),
            regions: decoded.face.as_ref().map(|face| &face.regions),
        };
        subject.measure(output)
    };
    match *networks.trained.device() == Device::flex() {
        true => images.par_iter().map(of_image).collect(),
        false => images.iter().map(of_image).collect(),
    }
}

/// What a network reads of an image, and what tells it from others.
#[derive(Clone, Copy)]
struct NetworkInput<'a> {
    values: &'a [f32],
    digest: &'a str,
}

/// Explains images, as many at a time as the device takes: where it fails, most likely for want
/// of memory, it gets half as many from then on.
fn in_batches(
    job: Job<'_>,
    network: &Classifier,
    inputs: &[NetworkInput<'_>],
    at_once: &mut usize,
) -> Result<Vec<NetworkOutput>> {
    let mut outputs = Vec::with_capacity(inputs.len());
    while let Some(left) = inputs.get(outputs.len()..).filter(|left| !left.is_empty()) {
        let part = &left[..left.len().min(*at_once)];
        match run_network(job, network, part) {
            Ok(more) => outputs.extend(more),
            Err(AttributionError::ReadBack { .. }) if part.len() > 1 => {
                *at_once = part.len() / 2;
                let count = part.len();
                job.plan.observer.note(Message::new(
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
    Ok(outputs)
}

fn run_network(
    job: Job<'_>,
    network: &Classifier,
    inputs: &[NetworkInput<'_>],
) -> Result<Vec<NetworkOutput>, AttributionError> {
    let values: Vec<&[f32]> = inputs.iter().map(|input| input.values).collect();
    let images = stacked(&values, &job.part.checkpoint.input, network.device());
    let seeds: Vec<u64> = inputs.iter().map(|input| seed(job.plan.seed, input.digest)).collect();
    let question = Question {
        explanations: job.explanations,
        target: job.model.target,
        score: job.model.score,
        seeds: &seeds,
        interrupted: &interrupt::asked,
        passed: &|images| job.plan.observer.passed(images),
    };
    let Attributions { logits, targets, maps, undefined, sizes } =
        explain(network, images, &question)?;
    let sizes = || sizes.iter().map(|&[height, width]| (height, width));
    let mut maps: Vec<_> = maps.into_iter().map(Vec::into_iter).collect();
    let mut undefined: Vec<_> = undefined.into_iter().map(Vec::into_iter).collect();
    let one = |(logits, target)| NetworkOutput {
        logits,
        target,
        maps: maps.iter_mut().filter_map(Iterator::next).zip(sizes()).collect(),
        undefined: undefined.iter_mut().filter_map(Iterator::next).collect(),
    };
    Ok(logits.into_iter().zip(targets).map(one).collect())
}

/// The seed of an image: that of the run, and the first digits of the image's SHA-256, so that it depends neither
/// on other images nor on the image's name.
fn seed(run: u64, digest: &str) -> u64 {
    let digits = digest.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok());
    run.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ digits.unwrap_or_default()
}

/// map → overlay → files, and what is recorded of the image.
fn entry(job: Job<'_>, index: usize, item: Result<ExplainedImage, Failure>) -> Result<Entry> {
    let (image, model) = (&job.plan.images[index], job.model);
    let label = model.label(index).map(str::to_owned);
    let digest = item.as_ref().ok().map(|image| image.digest.clone());
    let remarks = item.as_ref().map_or(Remarks::default(), |image| image.remarks);
    let (mut measurements, mut eyes_and_mouth) = (Vec::new(), None);
    let written = match item {
        Ok(mut explained) => {
            eyes_and_mouth = explained.eyes_and_mouth;
            measurements = std::mem::take(&mut explained.measurements);
            write(job, index, label.as_deref(), &explained)
        }
        Err(failure) => Err(unread(&job.plan.data, failure)),
    };
    let (result, files, error) = match written {
        Ok((classification, attributions, files)) => {
            ((Some(classification), attributions), files, None)
        }
        Err(ExplainError::Image(failure)) => {
            // The overlay may be there, and only the map not.
            discard(job.plan, model, index)?;
            measurements.clear();
            eyes_and_mouth = None;
            ((None, Vec::new()), Vec::new(), Some(failure))
        }
        Err(ExplainError::Run(error)) => return Err(error),
    };
    let (model, path, fold) = (model.name.clone(), image.path.clone(), image.fold.clone());
    let (classification, attributions) = result;
    let row = Prediction {
        model,
        path,
        fold,
        label,
        classification,
        attributions,
        measurements,
        eyes_and_mouth,
        error,
    };
    Ok(Entry {
        image: digest,
        weights: job.weights.to_owned(),
        saturated: remarks.saturated,
        not_upright: remarks.not_upright,
        files,
        row,
    })
}

/// What is recorded of an explained image, and its files.
type ImageRecord = (Classification, Vec<Attribution>, Vec<Written>);

fn write(
    job: Job<'_>,
    index: usize,
    label: Option<&str>,
    image: &ExplainedImage,
) -> Result<ImageRecord, ExplainError> {
    let (clock, plan, model) = (Instant::now(), job.plan, job.model);
    let output = &image.output;
    if output.logits.iter().any(|logit| !logit.is_finite()) {
        let error = "the network's output is not finite; are these the weights that were trained?";
        return Err(ExplainError::Image(failure(Stage::Compute, anyhow!(error))));
    }
    let probabilities = job.part.checkpoint.head.output().probabilities(&output.logits);
    let class = predicted(&probabilities);
    let photograph = match plan.pictures.later() {
        true => None,
        false => pictures::photograph(plan, index, &image.digest)?,
    };
    let (mut attributions, mut files) = (Vec::new(), Vec::new());
    let maps = output.maps.iter().zip(&output.undefined);
    for (one, ((map, map_size), undefined)) in model.explanations.iter().zip(maps) {
        let summary = MapSummary::compute(map, one.explanation.method.sign);
        let summary = summary.with_undefined(*undefined);
        let input = RenderInput {
            plan,
            tree: &one.tree,
            index,
            outcome: Outcome::compare(label, &model.classes[class]),
            status: summary.status,
            values: one.spec.values,
            map,
            map_size: *map_size,
            frame: &image.frame,
            photograph: photograph.as_deref(),
        };
        let target = model.target_name(output.target);
        attributions.push(attribution(one, target, &input, summary, &mut files)?);
    }
    let classification = Classification {
        predicted: model.classes[class].clone(),
        confidence: probabilities[class],
        logits: output.logits.clone(),
        probabilities,
        milliseconds: image.milliseconds + elapsed(clock),
    };
    Ok((classification, attributions, files))
}

/// Writes what can be written of a map now: the map itself, if that is asked for, and its pictures,
/// unless their scale depends on other images.
fn attribution(
    one: &ModelExplanation,
    target: String,
    input: &RenderInput<'_>,
    map: MapSummary,
    files: &mut Vec<Written>,
) -> Result<Attribution, ExplainError> {
    let (pictures, own_top) = (&input.plan.pictures, pictures::own_top(input));
    let rendered = match pictures.later() {
        true => RenderedFiles::default(),
        false => pictures::render(input, own_top.unwrap_or(map.max))?,
    };
    files.extend(rendered.files);
    let mut file = None;
    if pictures.maps {
        let written = pictures::write_map(input)?;
        file = Some(written.path.clone());
        files.push(written);
    }
    let (height, width) = input.map_size;
    Ok(Attribution {
        explanation: one.spec.name.clone(),
        method: one.spec.method.clone(),
        layers: one.spec.layers.clone(),
        target,
        map: MapMeasures {
            height,
            width,
            min: map.min,
            max: map.max,
            argmax: Some((map.argmax / width, map.argmax % width)),
            own_top,
            status: map.status.name().to_owned(),
        },
        grid: Grid::from_map(input.map, input.map_size, input.values),
        cell_max: Grid::largest_cell(input.map, input.map_size, input.values),
        top: None,
        overlay: rendered.overlay,
        thumbnail: rendered.thumbnail,
        file,
    })
}

fn elapsed(clock: Instant) -> f64 {
    clock.elapsed().as_secs_f64() * 1e3
}
