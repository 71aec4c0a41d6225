//! `burncam explain`: from a checkpoint and a folder of images to overlays and reports.

mod output;
mod pipeline;
mod plan;
mod record;

use std::process::ExitCode;
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result};
use burncam_report::{
    NotebookRow, RunStatus, Summary, notebook_csv, predictions_csv, write_atomic,
};

use crate::args::Explain;
use crate::{console, device};
use plan::Plan;

pub(crate) use plan::wanted;

/// Some images failed.
const SOME_FAILED: u8 = 1;

/// Explains every image of the data set.
pub(crate) fn run(args: &Explain) -> Result<ExitCode> {
    let started = SystemTime::now();
    let plan = Plan::new(args)?;
    plan.tell();
    let choice = device::choose(args.device)?;
    console::note(&format!(
        "Computing on the {} ({}, {}): {}.",
        choice.kind, choice.name, choice.backend, choice.reason
    ));
    let classifier = plan.checkpoint.build(&choice.device)?;
    output::prepare(&plan)?;
    let record = record::Recorder::new(args, &plan, &choice, &classifier, started)?;
    record.write(RunStatus::Partial, &[])?;

    let clock = Instant::now();
    let rows = pipeline::run(&plan, &classifier)?;
    let seconds = clock.elapsed().as_secs_f64();

    let notebook: Vec<NotebookRow> = rows.iter().filter_map(NotebookRow::of).collect();
    write_atomic(&plan.tree.csv_path(), &notebook_csv(&notebook)?)?;
    let predictions = predictions_csv(&rows, &plan.classes)?;
    write_atomic(&plan.out.join("predictions.csv"), &predictions)?;
    record
        .write(RunStatus::Complete, &rows)
        .context("the results are written, their record is not")?;

    let summary = Summary::of(&rows);
    let explained = summary.total.images - summary.total.failed;
    let head = format!(
        "Explained {} of {} with {} ({}) at layer {} on the {} in {seconds:.1} s, {:.1} images/s.",
        explained,
        console::images(rows.len()),
        classifier.arch.title,
        classifier.variant.name,
        plan.layer,
        choice.kind,
        explained as f64 / seconds.max(1e-9),
    );
    console::summary(&head, &summary, &rows, &plan.out, classifier.arch.title);
    Ok(if summary.total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(SOME_FAILED) })
}
