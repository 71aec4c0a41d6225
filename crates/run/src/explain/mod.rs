//! From checkpoints and a folder of images to overlays and reports.

mod assessments;
mod compressed;
mod copies;
mod digests;
mod error;
mod explanations;
mod labelling;
mod masks;
mod mean_face;
mod measuring;
mod model;
mod output;
mod overlap;
mod passed_over;
mod picture_settings;
mod pictures;
mod pipeline;
mod plan;
mod record;
mod regions;
mod results;
mod resume;
mod scale;
mod shard;
mod spec;
mod untrained;
mod weights;
mod weights_file;

use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result, anyhow, bail};
use burncam_net::{Build, SharedLayers};
use burncam_record::{ExplanationSpec, Journal, RunSpec, RunStatus, Summary, Tree};

pub use assessments::ModelTrust;
pub(crate) use assessments::{assess, write as write_assessments};
pub use output::read_record;
pub use shard::Shard;

use crate::device::{CPU_BATCH, Choice, Needs, Precision};
use crate::message::{Message, counted, images};
use crate::{ExplainOptions, Observer, Overlay, device, interrupt, page, self_test, version};
use digests::Digests;
use model::{FoldCheckpoint, Model};
use output::ExistingOutput;
use pipeline::{Job, Networks, Sink};
use plan::Plan;
use record::Recorder;
use results::{ModelResults, done, tables, write_tables};

/// Explains every image of the data set with every model.
///
/// # Errors
///
/// If what is asked for cannot be, or nothing can be read, computed or written any more. An image that fails is a
/// row with its error.
pub fn explain(args: &ExplainOptions, observer: &'static dyn Observer) -> Result<FinishedRun> {
    let started = SystemTime::now();
    let plan = Plan::new(args, observer)?;
    let way = output::decide(&plan)?;
    let reading = digests::Reading::start(&plan)?;
    plan.tell();
    let mut devices = device::choose(&args.device, args.precision, observer)?;
    device::tell(&devices, observer);
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
    check_weights(args, &plan, &digests)?;
    let spec = spec::spec(&plan, &devices);
    let mut recorder = Recorder::new(args, &plan, &digests, (&devices, batch), &spec, started)?;
    interrupt::listen()?;
    let (journal, found) = begin(&plan, way, &spec, &digests, &mut recorder)?;
    let run = Run { plan: &plan, digests: &digests, devices: &devices, batch };
    run.explain(args, recorder, journal, found, first)
}

/// The journal, empty or that of the run that goes on, and what is found already.
fn begin(
    plan: &Plan,
    way: ExistingOutput,
    spec: &RunSpec,
    digests: &Digests,
    recorder: &mut Recorder<'_>,
) -> Result<(Journal, Vec<ModelResults>)> {
    if way == ExistingOutput::Discard {
        let none = || ModelResults::none(plan.images.len());
        let found = plan.models.iter().map(|_| none()).collect();
        return Ok((output::begin(plan, spec)?, found));
    }
    let earlier = output::record(&plan.out);
    let journal = output::reopen(plan, spec)?;
    let (journal, mut found) = resume::resume(plan, journal, spec, digests)?;
    if let Some(earlier) = earlier {
        let other = version::other(&earlier);
        let other = other.map(|other| format!("{}: {other}", plan.out.display()));
        version::warn_of_others(&other.into_iter().collect::<Vec<_>>(), plan.observer);
        let seconds = earlier.models.iter().map(|model| model.seconds);
        found.iter_mut().zip(seconds).for_each(|(found, seconds)| found.seconds = seconds);
        recorder.merge_previous(earlier);
    }
    let (out, done, all) = (plan.out.display(), done(&found), plan.results());
    plan.observer.note(Message::new(
        format!("Going on with the run in {out}: {done} of {} are done.", images(all)),
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
        args: &ExplainOptions,
        recorder: Recorder<'_>,
        mut journal: Journal,
        mut found: Vec<ModelResults>,
        first: Vec<Networks>,
    ) -> Result<FinishedRun> {
        let plan = self.plan;
        recorder.write(RunStatus::Partial, &found)?;
        let all = plan.results();
        let there: usize = found.iter().map(|found| found.summary.total.images).sum();
        let open = |(model, found): (&Model, &ModelResults)| {
            let there = found.summary.total.images;
            model.passes() * plan.chosen().count().saturating_sub(there)
        };
        let passes = plan.models.iter().zip(&found).map(open).sum();
        plan.observer.begin(all - there, passes);
        let mut built = Some(first);
        for at in 0..plan.models.len() {
            let one = &mut found[at];
            let sink = Sink { journal: &mut journal, found: one, observer: plan.observer };
            self.explain_with(at, sink, &mut built)
                .inspect_err(|_| plan.observer.end())
                .map_err(resumable)?;
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
        plan.observer.end();
        results::verify_outputs(plan, &journal, &found)?;
        let status = if done(&found) == all { RunStatus::Complete } else { RunStatus::Partial };
        write_tables(plan, &journal, &found)?;
        let record = recorder
            .write(status, &found)
            .context("the results are written, their record is not")?;
        let tables = tables(plan, &journal, &found);
        let mut trust = Vec::new();
        if !plan.measures.is_empty() {
            let names = plan.models.iter().map(|model| model.name.as_str());
            trust = assess(names.zip(tables.iter().map(|table| &table.rows)), &plan.subjects)?;
            write_assessments(&plan.out, &record.options, &trust)?;
        }
        let page = (!args.no_report).then(|| {
            page::write(
                &plan.out,
                &args.page,
                record,
                &tables,
                &plan.subjects,
                (&trust, mean_face::mean_face(plan)),
                plan.observer,
            )
            .context("the results are written, their page is not")
        });
        let page = page.transpose()?;
        self.finished(&journal, found, page, trust)
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
            let explanations = model.explanations.iter().map(|one| &one.explanation);
            explanations.flat_map(move |explanation| {
                let network = parts.iter().map(|part| &part.checkpoint);
                network.map(move |network| self_test::Use { network, explanation, batch })
            })
        });
        let findings = uses.map(|wanted| self_test::passes(&choice, wanted, plan.observer));
        match findings.collect::<Result<Vec<_>, _>>() {
            Ok(mut findings) => {
                choice.verified = findings.pop();
                kept.push(choice);
            }
            Err(finding) => {
                let (name, precision) = (&choice.name, choice.precision);
                let program = plan.observer.program();
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
                plan.observer.warning(text, &[]);
            }
        }
    }
    if kept.is_empty() {
        kept.push(device::cpu(Message::new(
            "no other device gives its results",
            "nenhum outro dispositivo dá os seus resultados",
        )));
        device::tell(&kept, plan.observer);
    }
    kept
}

/// The network of a checkpoint, on each device; where maps are measured, also untrained.
fn build(
    plan: &Plan,
    model: &Model,
    part: &FoldCheckpoint,
    devices: &[Choice],
) -> Result<Vec<Networks>> {
    let (taps, checkpoint) = (model.taps(), &part.checkpoint);
    let on = |choice: &Choice| {
        let shared = SharedLayers::new();
        let how = Build { arithmetic: plan.arithmetic, taps: Some(&taps), ..Build::default() };
        if plan.measures.is_empty() {
            return Ok(Networks {
                trained: checkpoint.build_with(&choice.device, how)?,
                untrained: None,
            });
        }
        let how = Build { shared: Some(&shared), ..how };
        let trained = checkpoint.build_with(&choice.device, how)?;
        let measures = &plan.measures.all;
        let untrained = untrained::untrained(checkpoint, choice, how, plan.seed, measures)?;
        Ok(Networks { trained, untrained: Some(untrained) })
    };
    devices.iter().map(on).collect()
}

/// The images at a time that suit every device and every model of the run.
fn batch(plan: &Plan, devices: &[Choice]) -> usize {
    let of = |choice: &Choice, model: &Model| {
        let checkpoint = model.checkpoint();
        let layers = &checkpoint.layers;
        let weights = checkpoint.layers().iter().map(|layer| layer.parameters).sum();
        device::batch(choice, Needs::new(layers, weights, &model.gradient_taps()))
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
        built: &mut Option<Vec<Networks>>,
    ) -> Result<()> {
        let (plan, model) = (self.plan, &self.plan.models[at]);
        let methods = model.methods();
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
            let batch = self.batch;
            let job = Job { plan, model, part, explanations: &methods, weights, batch, hurry };
            let clock = Instant::now();
            let done = pipeline::run(job, &images, &networks, sink.reborrow());
            // Each thread that a GPU worked for has left memory there.
            networks.iter().for_each(|networks| networks.trained.device().memory_cleanup());
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

/// Refuses weights that are not those of the run that is done again.
fn check_weights(args: &ExplainOptions, plan: &Plan, digests: &Digests) -> Result<()> {
    let Some(record) = args.recorded_in.as_ref().filter(|_| !args.recorded_weights.is_empty())
    else {
        return Ok(());
    };
    let known = |sha256: &str| args.recorded_weights.iter().any(|one| one == sha256);
    match digests.by_path(plan).find(|(_, sha256)| !known(sha256)) {
        None => Ok(()),
        Some((path, sha256)) => bail!(
            "{} holds other weights than in the run that {} records (its SHA-256 is now {sha256})\n\
             hint: bring the earlier file back, or name it with --weights to explain with what it holds \
             now",
            path.display(),
            record.display()
        ),
    }
}

/// A run that has ended, whole or not.
pub struct FinishedRun {
    /// The models, in their order.
    pub models: Vec<FinishedModel>,
    /// The output folder.
    pub out: PathBuf,
    /// The folders of all explanations.
    pub trees: Vec<Tree>,
    /// The page, if there is one.
    pub page: Option<PathBuf>,
    /// Whether maps are better than their controls, where that was measured.
    pub trust: Vec<ModelTrust>,
    /// What computed: `cpu`, `gpu`.
    pub devices: Vec<&'static str>,
    /// Whether overlays are clean ones.
    pub clean: bool,
    /// How many results are missing, since the run was stopped.
    pub missing: usize,
    /// Whether the user stopped it.
    pub interrupted: bool,
}

/// What a run found with one model.
pub struct FinishedModel {
    /// Its name.
    pub name: String,
    /// Its variant, after the architecture where the name is another.
    pub variant: String,
    /// Its classes, in the order of the network's outputs.
    pub classes: Vec<String>,
    /// How its images were explained.
    pub explanations: Vec<ExplanationSpec>,
    /// The images that it was asked for.
    pub images: usize,
    /// The time spent on them, in seconds.
    pub seconds: f64,
    /// How it went.
    pub summary: Summary,
    /// The first images that failed, by path and reason.
    pub failures: Vec<(String, String)>,
}

impl FinishedRun {
    /// Whether an image failed.
    #[must_use]
    pub fn has_failures(&self) -> bool {
        self.models.iter().any(|model| model.summary.total.failed > 0)
    }
}

impl Run<'_> {
    /// What is left to be told.
    fn finished(
        self,
        journal: &Journal,
        found: Vec<ModelResults>,
        page: Option<PathBuf>,
        trust: Vec<ModelTrust>,
    ) -> Result<FinishedRun> {
        let plan = self.plan;
        for (text, items) in results::warnings(plan, &found) {
            plan.observer.warning(text, &items);
        }
        let missing = plan.results() - done(&found);
        let mut models = Vec::new();
        for (model, found) in plan.models.iter().zip(found) {
            let (title, variant) = (model.checkpoint().arch.title, model.checkpoint().variant.name);
            let arch = if model.name == title { String::new() } else { format!("{title}, ") };
            models.push(FinishedModel {
                name: model.name.clone(),
                variant: format!("{arch}{variant}"),
                classes: model.classes.clone(),
                explanations: model.explanations.iter().map(|one| one.spec.clone()).collect(),
                images: plan.chosen().count(),
                seconds: found.seconds,
                failures: found.failures(journal)?,
                summary: found.summary,
            });
        }
        let mut devices: Vec<&'static str> = self.devices.iter().map(Choice::kind).collect();
        devices.dedup();
        Ok(FinishedRun {
            models,
            out: plan.out.clone(),
            trees: plan.trees().cloned().collect(),
            page,
            trust,
            devices,
            clean: plan.pictures.overlay == Overlay::Clean,
            missing,
            interrupted: interrupt::asked(),
        })
    }
}
