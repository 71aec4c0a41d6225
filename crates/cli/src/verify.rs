//! `burncam verify`: whether a device computes what the CPU computes.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use burn::tensor::Device;
use burncam_attribution::{Agreement, Explanation, Method, layer_errors};
use burncam_models::ARCHS;
use burncam_net::{Arch, Build, Classifier, InputSpec, Variant};
use burncam_weights::Resolved;

use crate::args::Verify;
use burncam_run::MethodRequest;
use burncam_run::device::{self, Choice, Needs};
use burncam_run::self_test::{Tolerance, agreement, generated_head, pattern};

use crate::console::{self, CONSOLE};
use crate::program;
use crate::text::{self, Column};

/// Something was past tolerance.
const FAILED: u8 = 1;

/// A network to verify with, and where its weights come from.
enum Subject {
    /// A supported network with weights that need no file.
    Generated(&'static Arch, &'static Variant),
    /// A checkpoint.
    Own(Box<Resolved>),
}

/// What was found with one network.
struct Finding {
    name: String,
    method: &'static Method,
    agreement: Agreement,
    /// The first layer past tolerance.
    first: Option<(String, f32)>,
}

impl Finding {
    fn passed(&self, tolerance: Tolerance) -> bool {
        tolerance.for_method(self.method).holds(&self.agreement) && self.first.is_none()
    }
}

/// Compares each network on the device with the CPU.
pub(crate) fn run(args: &Verify) -> Result<ExitCode> {
    let requests = MethodRequest::all(&args.method, None, None)?;
    let choice = device::one(&args.device, args.precision, &CONSOLE)?;
    device::tell(std::slice::from_ref(&choice), &CONSOLE);
    if choice.adapter.is_none() {
        bail!(
            "there is nothing to verify: the CPU is what other devices are compared with\nhint: name \
             a GPU with --device; `{} devices` lists them",
            program::name()
        );
    }
    let mut findings = Vec::new();
    for subject in subjects(args)? {
        console::note(format!("Comparing {} with the CPU.", subject.name()));
        findings.extend(subject.compare(&choice, &requests)?);
    }
    let tolerance = Tolerance::for_precision(choice.precision);
    console::result(&report(&findings, tolerance))?;
    let passed = findings.iter().all(|finding| finding.passed(tolerance));
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn subjects(args: &Verify) -> Result<Vec<Subject>> {
    let wanted = args.network.wanted()?;
    if !args.checkpoints().is_empty() {
        let own = |path: &PathBuf| Ok(Subject::Own(Box::new(args.network.open(path)?)));
        return args.checkpoints().iter().map(own).collect();
    }
    let archs = ARCHS.iter().filter(|arch| wanted.is_none_or(|w| w.arch.name == arch.name));
    let subject = |arch: &&'static Arch| {
        let asked = wanted.and_then(|wanted| wanted.variant);
        Subject::Generated(arch, asked.unwrap_or(&arch.variants[0]))
    };
    Ok(archs.map(subject).collect())
}

impl Subject {
    fn name(&self) -> String {
        match self {
            Self::Generated(arch, variant) => format!("{} ({})", arch.title, variant.name),
            Self::Own(own) => own.path().display().to_string(),
        }
    }

    fn build(&self, device: &Device) -> Result<Classifier> {
        match self {
            Self::Generated(arch, variant) => {
                let head = generated_head()?;
                Ok(Classifier::build(
                    arch,
                    variant,
                    head,
                    &mut pattern::Generated,
                    device,
                    Build::default(),
                )?)
            }
            Self::Own(own) => Ok(own.build(device)?),
        }
    }

    fn input(&self) -> &InputSpec {
        match self {
            Self::Generated(_, variant) => &variant.input,
            Self::Own(own) => &own.input,
        }
    }

    fn cam_layer(&self) -> &str {
        match self {
            Self::Generated(_, variant) => variant.cam_layer,
            Self::Own(own) => &own.cam_layer,
        }
    }

    /// Layer by layer, so that a difference is found where it begins, and by each method.
    fn compare(&self, choice: &Choice, requests: &[MethodRequest]) -> Result<Vec<Finding>> {
        let reference = self.build(&Device::flex())?;
        let other = self.build(&choice.device)?;
        let mut images = pattern::images(self.input());
        if matches!(self, Self::Generated(..)) {
            // Values far from 1 would drive SENet's sigmoids to their ends.
            let largest = images.clone().abs().max().reshape([1, 1, 1, 1]);
            images = images / largest;
        }
        let layers = layer_errors(&reference, &other, &images)?;
        let tolerance = Tolerance::for_precision(choice.precision);
        let first = layers.into_iter().find(|(_, apart)| *apart > tolerance.logits);
        let compare = |request: &MethodRequest| {
            let explanation = Explanation {
                settings: request.settings.clone(),
                ..Explanation::at(request.method, self.cam_layer(), &reference.layers)
            };
            let taps = explanation.all_gradient_taps();
            let needs = Needs::new(&other.layers, other.parameters as u64, &taps);
            let batch = device::batch(choice, needs);
            let agreement = agreement(choice, [&reference, &other], &images, &explanation, batch)?;
            let (name, first) = (self.name(), first.clone());
            Ok(Finding { name, method: request.method, agreement, first })
        };
        requests.iter().map(compare).collect()
    }
}

fn report(findings: &[Finding], tolerance: Tolerance) -> String {
    let head = [
        "network",
        "method",
        "logits",
        "channels",
        "map",
        "classes",
        "first s",
        "next s",
        "first layer past tolerance",
        "",
    ];
    let rows: Vec<[String; 10]> = findings
        .iter()
        .map(|finding| {
            let Finding { name, method, agreement, first } = finding;
            let number = |value: f32| format!("{value:.1e}");
            let passed = finding.passed(tolerance);
            let [first_seconds, next_seconds] = agreement.seconds.map(|s| format!("{s:.1}"));
            [
                name.clone(),
                method.name.to_owned(),
                number(agreement.logits),
                number(agreement.channels),
                number(agreement.map),
                if agreement.same_classes { "same" } else { "differ" }.to_owned(),
                first_seconds,
                next_seconds,
                first.as_ref().map_or("none".to_owned(), |(layer, apart)| {
                    format!("{layer} ({})", number(*apart))
                }),
                if passed { "passed" } else { "FAILED" }.to_owned(),
            ]
        })
        .collect();
    let Tolerance { logits, map } = tolerance;
    format!(
        "{}\nThe largest difference from the CPU, divided by the CPU's largest value; channels: of the \
         weights that\nthe gradient gives them. Tolerated are {logits:e} for layers and logits, {map:e} \
         for channels and map\n(1e-3 for maps of many passes).\nSeconds are those of the first image, in which the device's programs \
         are compiled, and of the next.",
        text::table(head.map(|name| (name, Column::Words)), &rows)
    )
}
