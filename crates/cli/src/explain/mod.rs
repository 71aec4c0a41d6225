//! `burncam explain`: from checkpoints and a folder of images to overlays and reports.

mod model;
mod output;
mod overlap;
mod pictures;
mod pipeline;
mod plan;
mod record;
mod weights;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result};
use burncam_net::{Build, Classifier};
use burncam_report::{
    Predictions, Rows, RunStatus, Summary, failures_csv, notebook_csv, predictions_csv,
    write_atomic_with,
};

pub(crate) use pictures::PictureOptions;

use crate::args::Explain;
use crate::console::{Head, Progress};
use crate::device::{CPU_BATCH, Choice, Needs, Precision};
use crate::{console, device, page, verify};
use model::{Model, Part};
use pictures::Overlay;
use pipeline::Job;
use plan::Plan;
use record::{Digests, Found};

/// Some images failed.
const SOME_FAILED: u8 = 1;

/// Explains every image of the data set with every model.
pub(crate) fn run(args: &Explain) -> Result<ExitCode> {
    let started = SystemTime::now();
    let plan = Plan::new(args)?;
    let digests = Digests::start(&plan);
    plan.tell();
    let mut devices = device::choose(&args.device, args.precision)?;
    device::tell(&devices);
    if !args.no_verify {
        devices = verified(&plan, devices);
    }
    let batch = batch(&plan, &devices);
    // The first network is built before anything is written: most mistakes show here.
    let mut first = Some(build(&plan, &plan.models[0], &plan.models[0].parts[0], &devices)?);
    output::prepare(&plan)?;
    let record = record::Recorder::new(args, &plan, digests, &devices, batch, started)?;
    let mut run = record.write(RunStatus::Partial, &[])?;

    let mut progress = Progress::new(plan.images.len() * plan.models.len());
    let mut found: Vec<Found> = Vec::new();
    for model in &plan.models {
        found.push(explain((&plan, batch), model, &devices, &mut first, &mut progress)?);
        let last = found.len() == plan.models.len();
        write_tables(&plan, &found)?;
        run = record
            .write(if last { RunStatus::Complete } else { RunStatus::Partial }, &found)
            .context("the results are written, their record is not")?;
    }
    progress.finish();
    let page = (!args.no_report).then(|| {
        page::write(&plan.out, &args.page, run, &tables(&plan, &found), &plan.subjects)
            .context("the results are written, their page is not")
    });
    Ok(tell(args, &plan, &devices, &found, page.transpose()?.as_deref()))
}

/// The devices that give the CPU's results with every network of the run; the CPU if none does.
fn verified(plan: &Plan, devices: Vec<Choice>) -> Vec<Choice> {
    let mut kept = Vec::new();
    for mut choice in devices {
        // How half precision comes out depends on the weights, so each fold's are tried.
        let parts = plan.models.iter().flat_map(|model| match choice.precision {
            Precision::Single => &model.parts[..1],
            Precision::Half => &model.parts,
        });
        let findings = parts.map(|part| verify::passes(&choice, &part.checkpoint));
        match findings.collect::<Result<Vec<_>, _>>() {
            Ok(mut findings) => {
                choice.verified = findings.pop();
                kept.push(choice);
            }
            Err(finding) => {
                let text = format!(
                    "{} does not give the CPU's results in {} ({finding}) and is not used; `cargo \
                     xtask verify` shows where it differs, --no-verify uses it nevertheless",
                    choice.name, choice.precision
                );
                console::warning(&text, &[]);
            }
        }
    }
    if kept.is_empty() {
        kept.push(device::cpu("no other device gives its results".to_owned()));
        device::tell(&kept);
    }
    kept
}

/// The network of a checkpoint, on each device.
fn build(plan: &Plan, model: &Model, part: &Part, devices: &[Choice]) -> Result<Vec<Classifier>> {
    let how = Build { arithmetic: plan.arithmetic, layer: Some(&model.layer) };
    let on = |choice: &Choice| Ok(part.checkpoint.build_with(&choice.device, how)?);
    devices.iter().map(on).collect()
}

/// The images at a time that suit every device and every model of the run.
fn batch(plan: &Plan, devices: &[Choice]) -> usize {
    let of = |choice: &Choice, model: &Model| {
        let checkpoint = model.checkpoint();
        let layers = (checkpoint.variant.layers)();
        let weights = checkpoint.layers().iter().map(|layer| layer.parameters).sum();
        device::batch(choice, Needs::of(&layers, weights))
    };
    let all =
        devices.iter().flat_map(|choice| plan.models.iter().map(move |model| of(choice, model)));
    plan.batch.or(all.min()).unwrap_or(CPU_BATCH)
}

/// Explains every image with one model. `built` is what its first checkpoint makes, if that is
/// there already.
fn explain(
    (plan, batch): (&Plan, usize),
    model: &Model,
    devices: &[Choice],
    built: &mut Option<Vec<Classifier>>,
    progress: &mut Progress,
) -> Result<Found> {
    let mut found = Found { rows: Vec::with_capacity(plan.images.len()), seconds: 0.0 };
    for part in &model.parts {
        // A GPU would prepare its programs for a batch of another size.
        let hurry = built.is_some() && devices.iter().all(|choice| choice.adapter.is_none());
        let mut networks = match built.take() {
            Some(networks) => networks,
            None => build(plan, model, part, devices)?,
        };
        let (clock, job) = (Instant::now(), Job { plan, model, part, batch, hurry });
        found.rows.extend(pipeline::run(job, &mut networks, progress)?);
        found.seconds += clock.elapsed().as_secs_f64();
    }
    if plan.pictures.later() {
        pictures::draw_later(plan, model, &mut found.rows);
    }
    Ok(found)
}

/// Writes the notebook's table of the last model, and everybody's predictions so far.
fn write_tables(plan: &Plan, found: &[Found]) -> Result<()> {
    if let (Some(model), Some(last)) = (plan.models.get(found.len() - 1), found.last()) {
        let rows = Rows::held(&last.rows);
        write_atomic_with(&model.tree.csv_path(), |to| notebook_csv(&rows, to))?;
    }
    let tables = tables(plan, found);
    let predictions = plan.out.join("predictions.csv");
    write_atomic_with(&predictions, |to| predictions_csv(&tables, plan.top, to))?;
    write_atomic_with(&plan.out.join("failures.csv"), |to| failures_csv(&tables, to))?;
    Ok(())
}

/// What the models found so far.
fn tables<'a>(plan: &'a Plan, found: &'a [Found]) -> Vec<Predictions<'a>> {
    let both = plan.models.iter().zip(found);
    let table = |(model, found): (&'a Model, &'a Found)| Predictions {
        classes: &model.classes,
        rows: Rows::held(&found.rows),
    };
    both.map(table).collect()
}

/// Prints how it went, and gives the exit code.
fn tell(
    args: &Explain,
    plan: &Plan,
    devices: &[Choice],
    found: &[Found],
    page: Option<&Path>,
) -> ExitCode {
    let language = args.page.lang;
    let mut failed = 0;
    let mut kinds: Vec<&str> = devices.iter().map(Choice::kind).collect();
    kinds.dedup();
    for (model, Found { rows, seconds }) in plan.models.iter().zip(found) {
        let summary = Summary::of(rows);
        failed += summary.total.failed;
        let (title, variant) = (model.checkpoint().arch.title, model.checkpoint().variant.name);
        let of = if model.name == title { String::new() } else { format!("{title}, ") };
        let head = Head {
            explained: summary.total.images - summary.total.failed,
            images: rows.len(),
            model: &model.name,
            variant: &format!("{of}{variant}"),
            layer: &model.layer,
            devices: &kinds,
            seconds: *seconds,
        };
        let clean = plan.pictures.overlay == Overlay::Clean;
        console::summary(language, &head, &summary, rows, clean);
    }
    let trees: Vec<_> = plan.models.iter().map(|model| &model.tree).collect();
    console::places(language, &plan.out, &trees, page);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(SOME_FAILED) }
}
