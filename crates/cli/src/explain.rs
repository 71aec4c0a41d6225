//! `burncam explain`: from checkpoints and a folder of images to overlays and reports.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use burncam_attribution::{METHODS, Smoothing, Taps};
use burncam_page::Language;
use burncam_run::interrupt::INTERRUPTED;
use burncam_run::{ExplainOptions, FinishedRun, Message, counted, explain, images};

use crate::args::{Explain, Smooth};
use crate::console::{self, CONSOLE, Head};
use crate::demo;

/// Some images failed.
const SOME_FAILED: u8 = 1;

/// Explains every image of the data set with every model.
pub(crate) fn run(args: &Explain) -> Result<ExitCode> {
    console::speak(args.page.lang);
    start(args, options(args)?)
}

/// The same with every measure, unless some are named, and of the demo with its masks and landmarks.
pub(crate) fn evaluate(args: &Explain) -> Result<ExitCode> {
    console::speak(args.page.lang);
    let mut options = options(args)?;
    if options.measure.is_empty() {
        options.measure = vec!["all".to_owned()];
        // So that `explain --from` measures, too.
        options.recorded.insert("measure".to_owned(), options.measure.clone().into());
    }
    if options.demo {
        let (masks, landmarks) = demo::annotations(&options.out)?;
        if options.masks.is_none() {
            // Their grey values say which region of the face it is.
            (options.masks, options.mask_level) = (Some(masks), Some(1));
        }
        options.regions = options.regions.or(Some(landmarks));
        // The first method at a layer, which is what a run has that names none, and the first at the input.
        let at_input = METHODS.iter().find(|method| method.needs.taps == Taps::None);
        if args.method == [METHODS[0].name] {
            options.method.extend(at_input.map(|method| method.name.to_owned()));
        }
    }
    start(args, options)
}

fn start(args: &Explain, options: ExplainOptions) -> Result<ExitCode> {
    if let Some(file) = &args.settings.file {
        file.tell();
    }
    let run = explain(&options, &CONSOLE)?;
    tell(&run, args.page.lang);
    Ok(ended(&run, &options.arguments))
}

/// What the command line asks for; without weights and data, the demo.
fn options(args: &Explain) -> Result<ExplainOptions> {
    let file = args.settings.file.as_ref();
    let out = |default: &str| args.out.clone().unwrap_or_else(|| default.into());
    let (weights, data, out, demo) = match (args.weights.as_slice(), &args.data) {
        ([], None) => {
            let out = out(demo::OUT);
            let (weights, data) = demo::files(&out)?;
            (vec![weights], data, out, true)
        }
        ([], Some(_)) => bail!(
            "--data needs --weights\nhint: --weights is a checkpoint, such as NCNN.h5, VGG16.keras or resnet50.pth"
        ),
        (_, None) => bail!(
            "--weights needs --data\nhint: --data is the folder of images; its subfolders are the folds"
        ),
        (weights, Some(data)) => (weights.to_vec(), data.clone(), out("burncam-out"), false),
    };
    let (network, peer) = args.network.with_peer()?;
    Ok(ExplainOptions {
        weights,
        data,
        out,
        demo,
        network,
        classes: args.classes.clone(),
        labels: args.labels.clone(),
        label_columns: args.label_columns.clone(),
        follow_links: args.follow_links,
        shard: args.shard,
        // Those of the demo in its own place are replaced.
        overwrite: args.overwrite || (demo && args.out.is_none() && !args.resume),
        resume: args.resume,
        forget_missing: args.forget_missing,
        top: args.top,
        pictures: args.pictures.options(),
        no_report: args.no_report,
        page: args.page.options(),
        alpha: args.alpha,
        method: args.method.clone(),
        peer,
        fuse: args.fuse,
        smoothing: Smoothing {
            flips: args.smooth.contains(&Smooth::Flips),
            principal: args.smooth.contains(&Smooth::Principal),
        },
        score: args.score,
        measure: args.measures.measure.clone(),
        protocol: args.measures.protocol(),
        masks: args.measures.masks.clone(),
        mask_level: args.measures.mask_level,
        regions: args.measures.regions.clone(),
        sweep: args.measures.sweep,
        layer: args.layer.clone(),
        class: args.class.clone(),
        resize: args.resize,
        preprocess: args.preprocess,
        exif: args.exif,
        device: args.device.clone(),
        no_verify: args.no_verify,
        batch: args.batch,
        precision: args.precision,
        strict: args.strict,
        exact: args.exact,
        arguments: arguments(),
        recorded: args.settings.recorded.clone(),
        recorded_weights: file.map(|file| file.weights.clone()).unwrap_or_default(),
        recorded_in: file.map(|file| file.path.clone()),
    })
}

/// The command line, without the program's name.
fn arguments() -> Vec<String> {
    std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned()).collect()
}

/// Prints how it went.
fn tell(run: &FinishedRun, language: Language) {
    for model in &run.models {
        let head = Head {
            explained: model.summary.total.images - model.summary.total.failed,
            images: model.images,
            model: &model.name,
            classes: &model.classes,
            variant: &model.variant,
            explanations: &model.explanations,
            devices: &run.devices,
            seconds: model.seconds,
        };
        console::summary(language, &head, &model.summary, &model.failures, run.clean);
    }
    console::verdicts(language, &run.trust);
    let page: Option<&PathBuf> = run.page.as_ref();
    let more = (!run.trust.is_empty(), page.map(PathBuf::as_path));
    console::places(language, &run.out, &run.trees, run.has_failures(), more);
}

/// The exit code; says how to go on where images are missing.
fn ended(run: &FinishedRun, arguments: &[String]) -> ExitCode {
    let missing = run.missing;
    if missing > 0 {
        let why = match run.interrupted {
            true => Message::new("Stopped", "Interrompido"),
            false => Message::new(
                "Stopped at an image that failed",
                "Interrompido em uma imagem que falhou",
            ),
        };
        let command = console::command(arguments, "--resume");
        console::note(Message::new(
            format!("{}: {} not done. To go on:\n  {command}", why.english(), images(missing)),
            format!(
                "{}: {} por fazer. Para continuar:\n  {command}",
                why.text(Language::Portuguese),
                counted(missing, "imagem", "imagens")
            ),
        ));
    }
    match run.has_failures() {
        _ if missing > 0 && run.interrupted => ExitCode::from(INTERRUPTED),
        true => ExitCode::from(SOME_FAILED),
        false => ExitCode::SUCCESS,
    }
}
