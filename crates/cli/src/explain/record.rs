//! The record of a run, `run.json`.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result};
use burncam_cam::Target;
use burncam_net::Classifier;
use burncam_report as report;
use burncam_report::{Prediction, Run, RunStatus, Summary, rfc3339, run_json, write_atomic};
use sha2::{Digest, Sha256};

use super::plan::Plan;
use crate::args::Explain;
use crate::device::Choice;

/// Writes the record at the start of a run and at its end.
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
        choice: &Choice,
        classifier: &Classifier,
        started: SystemTime,
    ) -> Result<Self> {
        let run = Run {
            burncam: env!("CARGO_PKG_VERSION").to_owned(),
            status: RunStatus::Partial,
            arguments: std::env::args_os()
                .skip(1)
                .map(|a| a.to_string_lossy().into_owned())
                .collect(),
            started: rfc3339(started),
            finished: rfc3339(started),
            weights: weights(plan)?,
            model: model(plan, classifier),
            input: serde_json::to_value(&plan.checkpoint.input)?,
            device: report::Device {
                requested: args.device.name().to_owned(),
                used: choice.kind.to_owned(),
                name: choice.name.clone(),
                backend: choice.backend.clone(),
                reason: choice.reason.clone(),
            },
            options: options(plan),
            data: report::Data {
                path: plan.data.display().to_string(),
                images: plan.images.len(),
                folds: folds(plan),
            },
            warnings: plan.warnings.iter().map(warning).collect(),
            counts: report::Counts::default(),
            accuracy: Vec::new(),
            seconds: 0.0,
            images_per_second: 0.0,
            platform: report::Platform::current(),
        };
        Ok(Self { plan, started, run })
    }

    /// Writes the record as of now, with the images done so far.
    pub(crate) fn write(&self, status: RunStatus, rows: &[Prediction]) -> Result<()> {
        let summary = Summary::of(rows);
        let now = SystemTime::now();
        let seconds = now.duration_since(self.started).unwrap_or_default().as_secs_f64();
        let counts = report::Counts::from(&summary);
        let run = Run {
            status,
            finished: rfc3339(now),
            images_per_second: counts.explained as f64 / seconds.max(1e-9),
            counts,
            accuracy: summary.folds,
            seconds,
            ..self.run.clone()
        };
        write_atomic(&self.plan.out.join("run.json"), &run_json(&run)?)?;
        Ok(())
    }
}

fn weights(plan: &Plan) -> Result<report::Weights> {
    let path = plan.checkpoint.path();
    let cannot = || format!("cannot read {}", path.display());
    let (sha256, bytes) = digest(path).with_context(cannot)?;
    Ok(report::Weights {
        path: path.display().to_string(),
        sha256,
        bytes,
        format: plan.checkpoint.format().to_string(),
    })
}

fn digest(path: &Path) -> std::io::Result<(String, u64)> {
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

fn model(plan: &Plan, classifier: &Classifier) -> report::Model {
    report::Model {
        architecture: classifier.arch.name.to_owned(),
        variant: classifier.variant.name.to_owned(),
        name: classifier.arch.title.to_owned(),
        layer: plan.layer.clone(),
        classes: plan.classes.clone(),
        head: plan.checkpoint.head.describe(),
        parameters: classifier.parameters as u64,
    }
}

fn options(plan: &Plan) -> report::Options {
    report::Options {
        resize: plan.resize.to_string(),
        labels: plan.rule.describe(),
        alpha: plan.alpha,
        exif: plan.decode.exif.name().to_owned(),
        batch: plan.batch,
        target: match plan.target {
            Target::Predicted => "predicted".to_owned(),
            Target::Class(class) => plan.classes[class].clone(),
        },
    }
}

fn folds(plan: &Plan) -> Vec<String> {
    let mut folds: Vec<String> = plan.images.iter().map(|image| image.fold.clone()).collect();
    folds.dedup();
    folds
}

fn warning((text, items): &(String, Vec<String>)) -> report::Warning {
    report::Warning { text: text.clone(), items: items.clone() }
}
