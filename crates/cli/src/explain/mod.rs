//! `burncam explain`: from checkpoints and a folder of images to overlays and reports.

mod copies;
mod digests;
mod identity;
mod labelling;
mod model;
mod output;
mod overlap;
mod passed_over;
mod pictures;
mod pipeline;
mod plan;
mod record;
mod results;
mod resume;
mod scale;
mod shard;
mod trouble;
mod weights;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result, anyhow};
use burncam_net::{Build, Classifier};
use burncam_report::page::Language;
use burncam_report::{Journal, RunStatus};

pub(crate) use output::read_record;
pub(crate) use pictures::PictureOptions;
pub(crate) use shard::Shard;

use crate::args::Explain;
use crate::console::{Head, Message, Progress, counted};
use crate::device::{CPU_BATCH, Choice, Needs, Precision};
use crate::interrupt::INTERRUPTED;
use crate::{console, device, interrupt, page, program, verify, version};
use digests::Digests;
use model::{Model, Part};
use output::Way;
use pictures::Overlay;
use pipeline::{Job, Sink};
use plan::Plan;
use record::Recorder;
use results::{Found, done, tables, write_tables};

/// Some images failed.
const SOME_FAILED: u8 = 1;

/// Explains every image of the data set with every model.
pub(crate) fn run(args: &Explain) -> Result<ExitCode> {
    let started = SystemTime::now();
    console::speak(args.page.lang);
    let plan = Plan::new(args)?;
    let way = output::decide(&plan)?;
    let reading = digests::Reading::start(&plan)?;
    if let Some(file) = &args.settings.file {
        file.tell();
    }
    plan.tell();
    let mut devices = device::choose(&args.device, args.precision)?;
    device::tell(&devices);
    let planned = batch(&plan, &devices);
    if !args.no_verify {
        devices = verified(&plan, devices, planned);
    }
    let batch = match devices.iter().any(|choice| choice.adapter.is_some()) {
        // What remains of the devices could do with more, which was not compared.
        true => batch(&plan, &devices).min(planned),
        false => batch(&plan, &devices),
    };
    // The first network is built before anything is written: most mistakes show here.
    let first = build(&plan, &plan.models[0], &plan.models[0].parts[0], &devices)?;
    let digests = reading.finish()?;
    if let Some(file) = &args.settings.file {
        file.check(digests.by_path(&plan))?;
    }
    let mut recorder = Recorder::new(args, &plan, &digests, (&devices, batch), started)?;
    interrupt::listen()?;
    let (journal, found) = begin(&plan, way, &devices, &digests, &mut recorder)?;
    let run = Run { plan: &plan, digests: &digests, devices: &devices, batch };
    run.explain(args, recorder, journal, found, first)
}

/// The journal, empty or that of the run that goes on, and what is found already.
fn begin(
    plan: &Plan,
    way: Way,
    devices: &[Choice],
    digests: &Digests,
    recorder: &mut Recorder<'_>,
) -> Result<(Journal, Vec<Found>)> {
    let identity = identity::identity(plan, devices);
    if way == Way::Anew {
        let none = || Found::none(plan.images.len());
        let found = plan.models.iter().map(|_| none()).collect();
        return Ok((output::begin(plan, &identity)?, found));
    }
    let earlier = output::record(&plan.out);
    let journal = output::reopen(plan, &identity)?;
    let (journal, mut found) = resume::resume(plan, journal, &identity, digests)?;
    if let Some(earlier) = earlier {
        let other = version::other(&earlier);
        let other = other.map(|other| format!("{}: {other}", plan.out.display()));
        version::warn_of_others(&other.into_iter().collect::<Vec<_>>());
        let seconds = earlier.models.iter().map(|model| model.seconds);
        found.iter_mut().zip(seconds).for_each(|(found, seconds)| found.seconds = seconds);
        recorder.go_on(earlier);
    }
    let (out, done, all) = (plan.out.display(), done(&found), plan.results());
    console::note(Message::new(
        format!("Going on with the run in {out}: {done} of {} are done.", console::images(all)),
        format!(
            "Continuando a execução em {out}: {done} de {} já prontas.",
            counted(all, "imagem", "imagens")
        ),
    ));
    Ok((journal, found))
}

/// What does not change while a run goes on.
#[derive(Clone, Copy)]
struct Run<'a> {
    plan: &'a Plan,
    digests: &'a Digests,
    devices: &'a [Choice],
    batch: usize,
}

impl Run<'_> {
    fn explain(
        self,
        args: &Explain,
        recorder: Recorder<'_>,
        mut journal: Journal,
        mut found: Vec<Found>,
        first: Vec<Classifier>,
    ) -> Result<ExitCode> {
        let plan = self.plan;
        recorder.write(RunStatus::Partial, &found)?;
        let all = plan.results();
        let there: usize = found.iter().map(|found| found.summary.total.images).sum();
        let mut progress = Progress::new(all - there);
        let mut built = Some(first);
        for at in 0..plan.models.len() {
            let one = &mut found[at];
            let sink = Sink { journal: &mut journal, found: one, progress: &mut progress };
            self.explain_with(at, sink, &mut built).map_err(resumable)?;
            let ends = interrupt::asked() || (plan.strict && found[at].summary.total.failed > 0);
            if ends && plan.pictures.later() {
                // Nobody has looked whether their scale is still the same.
                for left in &mut found[at + 1..] {
                    left.undrawn = left.summary.total.images - left.summary.total.failed;
                }
            }
            if ends {
                break;
            }
            if at + 1 < plan.models.len() {
                write_tables(plan, &journal, &found)?;
                recorder.write(RunStatus::Partial, &found)?;
            }
        }
        progress.finish();
        results::still_there(plan, &journal, &found)?;
        let status = if done(&found) == all { RunStatus::Complete } else { RunStatus::Partial };
        write_tables(plan, &journal, &found)?;
        let record = recorder
            .write(status, &found)
            .context("the results are written, their record is not")?;
        let page = (!args.no_report).then(|| {
            page::write(
                &plan.out,
                &args.page,
                record,
                &tables(plan, &journal, &found),
                &plan.subjects,
            )
            .context("the results are written, their page is not")
        });
        let page = page.transpose()?;
        tell(self, args, &journal, &found, page.as_deref())?;
        Ok(ended(&found, all - done(&found)))
    }
}

/// The devices that give the CPU's results with every network of the run; the CPU if none does.
fn verified(plan: &Plan, devices: Vec<Choice>, batch: usize) -> Vec<Choice> {
    let mut kept = Vec::new();
    for mut choice in devices {
        // How half precision comes out depends on the weights, so each fold's are tried.
        let uses = plan.models.iter().flat_map(|model| {
            let parts = match choice.precision {
                Precision::Single => &model.parts[..1],
                Precision::Half => &model.parts,
            };
            parts.iter().map(move |part| verify::Use {
                network: &part.checkpoint,
                layer: &model.layer,
                batch,
            })
        });
        let findings = uses.map(|wanted| verify::passes(&choice, wanted));
        match findings.collect::<Result<Vec<_>, _>>() {
            Ok(mut findings) => {
                choice.verified = findings.pop();
                kept.push(choice);
            }
            Err(finding) => {
                let (name, precision) = (&choice.name, choice.precision);
                let program = program::name();
                let text = Message::new(
                    format!(
                        "{name} does not give the CPU's results in {precision} ({finding}) and is not \
                         used; `{program} verify` shows where it differs, --no-verify uses it \
                         nevertheless"
                    ),
                    format!(
                        "{name} não dá os resultados da CPU em {precision} ({finding}) e não é usada; \
                         `{program} verify` mostra onde difere, --no-verify a usa assim mesmo"
                    ),
                );
                console::warning(text, &[]);
            }
        }
    }
    if kept.is_empty() {
        kept.push(device::cpu(Message::new(
            "no other device gives its results",
            "nenhum outro dispositivo dá os seus resultados",
        )));
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

impl Run<'_> {
    /// Explains the images that are not done yet with one model. `built` is what the first
    /// checkpoint of the run makes, if that is there already.
    fn explain_with(
        self,
        at: usize,
        mut sink: Sink<'_>,
        built: &mut Option<Vec<Classifier>>,
    ) -> Result<()> {
        let (plan, model) = (self.plan, &self.plan.models[at]);
        for (part, digest) in model.parts.iter().zip(self.digests.of_model(at)) {
            let first = built.take();
            let open =
                |index: &usize| plan.is_of(part, *index) && sink.found.lines[*index].is_none();
            let images: Vec<usize> = plan.chosen().filter(open).collect();
            if images.is_empty() || interrupt::asked() {
                continue;
            }
            // A GPU would prepare its programs for a batch of another size.
            let hurry = first.is_some() && self.devices.iter().all(|one| one.adapter.is_none());
            let networks = match first {
                Some(networks) => networks,
                None => build(plan, model, part, self.devices)?,
            };
            digest.check()?;
            let weights = &*digest.sha256;
            let job = Job { plan, model, part, weights, batch: self.batch, hurry };
            let clock = Instant::now();
            let done = pipeline::run(job, &images, &networks, sink.again());
            // Each thread that a GPU worked for has left memory there.
            networks.iter().for_each(|network| network.device().memory_cleanup());
            sink.found.seconds += clock.elapsed().as_secs_f64();
            done?;
        }
        let all = plan.chosen().all(|index| sink.found.lines[index].is_some());
        if all && plan.pictures.later() {
            scale::draw(plan, model, sink.journal, sink.found)?;
        }
        Ok(())
    }
}

/// The error that ended a run, with what can be done about it.
fn resumable(error: anyhow::Error) -> anyhow::Error {
    if format!("{error:#}").contains("hint:") {
        return error;
    }
    anyhow!("{error:#}\nhint: what is done stays; the same command with --resume goes on")
}

/// Prints how it went.
fn tell(
    run: Run<'_>,
    args: &Explain,
    journal: &Journal,
    found: &[Found],
    page: Option<&Path>,
) -> Result<()> {
    let (plan, language) = (run.plan, args.page.lang);
    for (text, items) in results::warnings(plan, found) {
        console::warning(text, &items);
    }
    let mut kinds: Vec<&str> = run.devices.iter().map(Choice::kind).collect();
    kinds.dedup();
    for (model, found) in plan.models.iter().zip(found) {
        let summary = &found.summary;
        let (title, variant) = (model.checkpoint().arch.title, model.checkpoint().variant.name);
        let of = if model.name == title { String::new() } else { format!("{title}, ") };
        let head = Head {
            explained: summary.total.images - summary.total.failed,
            images: plan.chosen().count(),
            model: &model.name,
            classes: &model.classes,
            variant: &format!("{of}{variant}"),
            layer: &model.layer,
            devices: &kinds,
            seconds: found.seconds,
        };
        let clean = plan.pictures.overlay == Overlay::Clean;
        console::summary(language, &head, summary, &found.failures(journal)?, clean);
    }
    let trees: Vec<_> = plan.models.iter().map(|model| &model.tree).collect();
    let failed = found.iter().any(|found| found.summary.total.failed > 0);
    console::places(language, &plan.out, &trees, failed, page);
    Ok(())
}

/// The exit code; says how to go on where images are missing.
fn ended(found: &[Found], missing: usize) -> ExitCode {
    if missing > 0 {
        let why = match interrupt::asked() {
            true => Message::new("Stopped", "Interrompido"),
            false => Message::new(
                "Stopped at an image that failed",
                "Interrompido em uma imagem que falhou",
            ),
        };
        let command = console::command(&record::arguments(), "--resume");
        console::note(Message::new(
            format!(
                "{}: {} not done. To go on:\n  {command}",
                why.english(),
                console::images(missing)
            ),
            format!(
                "{}: {} por fazer. Para continuar:\n  {command}",
                why.text(Language::Portuguese),
                counted(missing, "imagem", "imagens")
            ),
        ));
    }
    match found.iter().any(|found| found.summary.total.failed > 0) {
        _ if missing > 0 && interrupt::asked() => ExitCode::from(INTERRUPTED),
        true => ExitCode::from(SOME_FAILED),
        false => ExitCode::SUCCESS,
    }
}
