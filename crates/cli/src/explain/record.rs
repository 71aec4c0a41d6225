//! The record of a run, `run.json`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use anyhow::{Context, Result, anyhow};
use burncam_cam::Target;
use burncam_net::Arithmetic;
use burncam_report as report;
use burncam_report::{
    Counts, Prediction, Run, RunStatus, Summary, rfc3339, run_json, write_atomic,
};
use sha2::{Digest as _, Sha256};

use super::model::{Model, Part};
use super::pictures::Pictures;
use super::plan::Plan;
use crate::args::Explain;
use crate::device::Choice;

/// What a model found.
pub(crate) struct Found {
    /// One row an image, in the plan's order.
    pub rows: Vec<Prediction>,
    /// The time spent on its images, in seconds.
    pub seconds: f64,
}

/// Length and SHA-256 of every checkpoint of a run, found while its first network is built.
pub(crate) struct Digests {
    found: JoinHandle<Vec<io::Result<Digest>>>,
}

/// SHA-256 in hexadecimal, and length in bytes.
type Digest = (String, u64);

impl Digests {
    /// Starts to read the files.
    pub(crate) fn start(plan: &Plan) -> Self {
        let parts = plan.models.iter().flat_map(|model| &model.parts);
        let paths: Vec<PathBuf> = parts.map(|part| part.checkpoint.path().to_owned()).collect();
        Self { found: thread::spawn(move || paths.iter().map(|path| digest(path)).collect()) }
    }

    /// In the order of the plan's models and their parts.
    fn finish(self) -> Result<impl Iterator<Item = io::Result<Digest>>> {
        let found = self.found.join();
        Ok(found
            .map_err(|_| anyhow!("the thread that reads the weights' bytes has failed"))?
            .into_iter())
    }
}

/// Writes the record at the start of a run, after each model and at the end.
pub(crate) struct Recorder<'a> {
    plan: &'a Plan,
    started: SystemTime,
    run: Run,
}

impl<'a> Recorder<'a> {
    /// Gathers what is known before the first image.
    pub(crate) fn new(
        args: &Explain,
        plan: &'a Plan,
        digests: Digests,
        devices: &[Choice],
        batch: usize,
        started: SystemTime,
    ) -> Result<Self> {
        let mut digests = digests.finish()?;
        let run = Run {
            burncam: env!("CARGO_PKG_VERSION").to_owned(),
            status: RunStatus::Partial,
            arguments: std::env::args_os()
                .skip(1)
                .map(|a| a.to_string_lossy().into_owned())
                .collect(),
            started: rfc3339(started),
            finished: rfc3339(started),
            models: plan.models.iter().map(|m| model(m, &mut digests)).collect::<Result<_>>()?,
            devices: devices.iter().map(|choice| device(args, choice)).collect(),
            options: options(plan, batch),
            data: report::Data {
                path: plan.data.display().to_string(),
                images: plan.images.len(),
                folds: plan.folds.clone(),
            },
            warnings: plan.warnings.iter().map(warning).collect(),
            counts: Counts::default(),
            seconds: 0.0,
            platform: report::Platform::current(),
        };
        Ok(Self { plan, started, run })
    }

    /// Writes the record as of now, with what the first models found, and gives it.
    pub(crate) fn write(&self, status: RunStatus, found: &[Found]) -> Result<Run> {
        let now = SystemTime::now();
        let mut run = self.run.clone();
        for (model, found) in run.models.iter_mut().zip(found) {
            let summary = Summary::of(&found.rows);
            model.counts = Counts::from(&summary);
            model.accuracy = summary.folds;
            model.seconds = found.seconds;
            run.counts.add(&model.counts);
        }
        run.status = status;
        run.finished = rfc3339(now);
        run.seconds = now.duration_since(self.started).unwrap_or_default().as_secs_f64();
        write_atomic(&self.plan.out.join("run.json"), &run_json(&run)?)?;
        Ok(run)
    }
}

fn model(
    model: &Model,
    digests: &mut impl Iterator<Item = io::Result<Digest>>,
) -> Result<report::Model> {
    let checkpoint = model.checkpoint();
    let parts = model.parts.iter().zip(digests);
    Ok(report::Model {
        name: model.name.clone(),
        architecture: checkpoint.arch.name.to_owned(),
        variant: checkpoint.variant.name.to_owned(),
        weights: parts.map(weights).collect::<Result<_>>()?,
        input: serde_json::to_value(&checkpoint.input)?,
        layer: model.layer.clone(),
        target: match model.target {
            Target::Predicted => "predicted".to_owned(),
            Target::Class(class) => model.classes[class].clone(),
        },
        classes: model.classes.clone(),
        labels: model.rule.describe(),
        head: checkpoint.head.describe(),
        parameters: checkpoint.layers().iter().map(|layer| layer.parameters).sum(),
        counts: Counts::default(),
        accuracy: Vec::new(),
        seconds: 0.0,
    })
}

fn weights((part, digest): (&Part, io::Result<Digest>)) -> Result<report::Weights> {
    let path = part.checkpoint.path();
    let (sha256, bytes) = digest.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(report::Weights {
        fold: part.fold.clone(),
        path: path.display().to_string(),
        sha256,
        bytes,
        format: part.checkpoint.format().to_string(),
    })
}

fn digest(path: &Path) -> io::Result<Digest> {
    let (mut file, mut hash) = (File::open(path)?, Sha256::new());
    let (mut buffer, mut bytes) = (vec![0; 1 << 20], 0);
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => {
                hash.update(&buffer[..read]);
                bytes += read as u64;
            }
        }
    }
    let hex = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((hex, bytes))
}

fn device(args: &Explain, choice: &Choice) -> report::Device {
    report::Device {
        requested: args.device.to_string(),
        used: choice.kind().to_owned(),
        name: choice.name.clone(),
        backend: choice.backend.clone(),
        precision: choice.precision.to_string(),
        reason: choice.reason.clone(),
        verified: choice.verified.clone(),
    }
}

fn options(plan: &Plan, batch: usize) -> report::Options {
    report::Options {
        resize: plan.resize.to_string(),
        alpha: plan.pictures.alpha,
        overlay: Pictures::name(plan.pictures.overlay),
        colormap: plan.pictures.colormap.to_string(),
        norm: Pictures::name(plan.pictures.norm),
        maps: plan.pictures.maps.then(|| "npy".to_owned()),
        exif: plan.decode.exif.name().to_owned(),
        batch,
        batch_requested: plan.batch.map_or("auto".to_owned(), |batch| batch.to_string()),
        exact: plan.arithmetic == Arithmetic::Exact,
    }
}

fn warning((text, items): &(String, Vec<String>)) -> report::Warning {
    report::Warning { text: text.clone(), items: items.clone() }
}
