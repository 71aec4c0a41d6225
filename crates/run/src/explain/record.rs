//! The record of a run, `run.json`.

use std::time::SystemTime;

use anyhow::{Context, Result};
use burncam_attribution::Target;
use burncam_record as report;
use burncam_record::{Counts, Run, RunSpec, RunStatus, rfc3339, run_json, write_atomic};

use super::digests::{Digest, Digests};
use super::model::{FoldCheckpoint, Model};
use super::plan::{Plan, resolved};
use super::results::{self, ModelResults};
use crate::ExplainOptions;
use crate::device::Choice;
use crate::message::Message;
use crate::relative_path::relative;
use crate::version;

/// Writes the record at the start of a run, after each model and at the end.
pub(crate) struct Recorder<'a> {
    plan: &'a Plan,
    started: SystemTime,
    run: Run,
}

impl<'a> Recorder<'a> {
    /// Gathers what is known before the first image; of a run that goes on, what it recorded.
    pub(crate) fn new(
        args: &ExplainOptions,
        plan: &'a Plan,
        digests: &Digests,
        (devices, batch): (&[Choice], usize),
        spec: &RunSpec,
        started: SystemTime,
    ) -> Result<Self> {
        let models = plan.models.iter().enumerate();
        let run = Run {
            burncam: env!("CARGO_PKG_VERSION").to_owned(),
            commit: version::COMMIT.map(str::to_owned),
            status: RunStatus::Partial,
            arguments: args.arguments.clone(),
            settings: args.recorded.clone(),
            working_folder: working_folder(plan)?,
            started: rfc3339(started),
            finished: rfc3339(started),
            models: models
                .map(|(at, one)| model(plan, one, digests.of_model(at)))
                .collect::<Result<_>>()?,
            devices: devices.iter().map(|choice| device(args, choice)).collect(),
            options: spec.clone(),
            batch,
            batch_requested: plan.batch.map_or("auto".to_owned(), |batch| batch.to_string()),
            data: report::Data {
                path: plan.data.display().to_string(),
                images: plan.chosen().count(),
                shard: plan.shard.map(|shard| shard.to_string()),
                folds: plan.folds.clone(),
            },
            labels: Some(plan.labelling.clone()),
            warnings: plan.warnings.iter().map(warning).collect(),
            counts: Counts::default(),
            seconds: 0.0,
            platform: report::Platform::current(),
        };
        Ok(Self { plan, started, run })
    }

    /// Counts what an earlier run, which this one goes on with, has recorded: when it began, how
    /// long it took, and on what.
    pub(crate) fn merge_previous(&mut self, earlier: Run) {
        let run = &mut self.run;
        run.started = earlier.started;
        run.seconds = earlier.seconds;
        for device in earlier.devices {
            if !run.devices.contains(&device) {
                run.devices.push(device);
            }
        }
    }

    /// Writes the record as of now, with what the first models found, and gives it.
    pub(crate) fn write(&self, status: RunStatus, found: &[ModelResults]) -> Result<Run> {
        let now = SystemTime::now();
        let mut run = self.run.clone();
        for (model, found) in run.models.iter_mut().zip(found) {
            model.counts = Counts::from(&found.summary);
            model.accuracy.clone_from(&found.summary.folds);
            model.seconds = found.seconds;
            run.counts.add(&model.counts);
        }
        run.warnings.extend(results::warnings(self.plan, found).iter().map(warning));
        run.status = status;
        run.finished = rfc3339(now);
        run.seconds += now.duration_since(self.started).unwrap_or_default().as_secs_f64();
        write_atomic(&self.plan.out.join("run.json"), &run_json(&run)?)?;
        Ok(run)
    }
}

fn model(plan: &Plan, model: &Model, digests: &[Digest]) -> Result<report::Model> {
    let checkpoint = model.checkpoint();
    let parts = model.parts.iter().zip(digests);
    let (images_per_class, images_unlabelled) = plan.per_class(model);
    Ok(report::Model {
        name: model.name.clone(),
        architecture: checkpoint.arch.name.to_owned(),
        variant: checkpoint.variant.name.to_owned(),
        weights: parts.map(weights).collect(),
        input: serde_json::to_value(&checkpoint.input)?,
        explanations: model.explanations.iter().map(|one| one.spec.clone()).collect(),
        target: match model.target {
            Target::Predicted => "predicted".to_owned(),
            target => model.target_name(target.class().unwrap_or_default()),
        },
        classes: model.classes.clone(),
        classes_from: model.class_source.describe(),
        labels: model.rule.describe(),
        images_per_class,
        images_unlabelled,
        head: checkpoint.head.describe(),
        parameters: checkpoint.layers().iter().map(|layer| layer.parameters).sum(),
        counts: Counts::default(),
        accuracy: Vec::new(),
        seconds: 0.0,
    })
}

fn weights((part, digest): (&FoldCheckpoint, &Digest)) -> report::Weights {
    report::Weights {
        fold: part.fold.clone(),
        path: part.checkpoint.path().display().to_string(),
        sha256: digest.sha256.clone(),
        bytes: digest.bytes,
        format: part.checkpoint.format().to_string(),
    }
}

fn device(args: &ExplainOptions, choice: &Choice) -> report::Device {
    report::Device {
        requested: args.device.to_string(),
        used: choice.kind().to_owned(),
        name: choice.name.clone(),
        backend: choice.backend.clone(),
        precision: choice.precision.to_string(),
        reason: choice.reason.english().to_owned(),
        verified: choice.verified.clone(),
    }
}

fn warning((text, items): &(Message, Vec<String>)) -> report::Warning {
    report::Warning { text: text.english().to_owned(), items: items.clone() }
}

/// The folder that relative paths start from, as seen from the output folder.
fn working_folder(plan: &Plan) -> Result<String> {
    let here = std::env::current_dir().context("cannot tell the working folder")?;
    Ok(relative(&resolved(&plan.out)?, &resolved(&here)?))
}
