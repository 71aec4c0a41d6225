//! `burncam verify`: whether a device computes what the CPU computes.

mod pattern;
mod verdicts;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use burn::tensor::{Device, Tensor};
use burncam_cam::{Agreement, CamError, layers_apart};
use burncam_models::ARCHS;
use burncam_net::{Activation, Arch, Build, Classifier, HeadConfig, InputSpec, Op, Variant};
use burncam_weights::Resolved;

use crate::args::Verify;
use crate::device::{self, Choice, Needs, Precision};
use crate::text::{self, Column};
use crate::{console, program};

pub(crate) use verdicts::{Use, passes};

/// Something was past tolerance.
const FAILED: u8 = 1;

/// How far a device may be from the CPU, as a share of the largest absolute value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tolerance {
    /// Of logits and of each layer.
    logits: f32,
    /// Of channel weights and of raw maps.
    map: f32,
}

impl Tolerance {
    /// Whether a device may be trusted with results.
    fn holds(self, agreement: &Agreement) -> bool {
        let Agreement { logits, channels, map, same_classes, .. } = *agreement;
        same_classes && logits <= self.logits && channels <= self.map && map <= self.map
    }

    fn of(precision: Precision) -> Self {
        match precision {
            Precision::Single => Self { logits: 1e-3, map: 2e-2 },
            Precision::Half => Self { logits: 5e-2, map: 1e-1 },
        }
    }
}

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
    agreement: Agreement,
    /// The first layer past tolerance.
    first: Option<(String, f32)>,
}

impl Finding {
    fn passed(&self, tolerance: Tolerance) -> bool {
        tolerance.holds(&self.agreement) && self.first.is_none()
    }
}

/// Compares each network on the device with the CPU.
pub(crate) fn run(args: &Verify) -> Result<ExitCode> {
    let choice = device::one(&args.device, args.precision)?;
    device::tell(std::slice::from_ref(&choice));
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
        findings.push(subject.compare(&choice)?);
    }
    let tolerance = Tolerance::of(choice.precision);
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

    /// Layer by layer, so that a difference is found where it begins.
    fn compare(&self, choice: &Choice) -> Result<Finding> {
        let reference = self.build(&Device::flex())?;
        let other = self.build(&choice.device)?;
        let mut images = pattern::images(self.input());
        if matches!(self, Self::Generated(..)) {
            // Values far from 1 would drive SENet's sigmoids to their ends.
            let largest = images.clone().abs().max().reshape([1, 1, 1, 1]);
            images = images / largest;
        }
        let layer = reference.variant.cam_layer;
        let needs = Needs::of(&other.layers, other.parameters as u64);
        let batch = device::batch(choice, needs);
        let agreement = agreement(choice, [&reference, &other], &images, layer, batch)?;
        let layers = layers_apart(&reference, &other, &images)?;
        let tolerance = Tolerance::of(choice.precision);
        let first = layers.into_iter().find(|(_, apart)| *apart > tolerance.logits);
        Ok(Finding { name: self.name(), agreement, first })
    }
}

/// Weights that need no file.
pub(crate) fn generated() -> impl burncam_net::Source {
    pattern::Generated
}

/// Weighs every place by itself, so that the gradient differs from place to place.
pub(crate) fn generated_head() -> Result<HeadConfig> {
    let dense = |units, activation| Op::Dense { units, use_bias: true, activation };
    let layers = [
        ("flatten", Op::Flatten),
        ("hidden", dense(16, Activation::Relu)),
        ("output", dense(2, Activation::Softmax)),
    ];
    Ok(HeadConfig::new(layers.map(|(name, op)| (name.to_owned(), op)).to_vec())?)
}

/// How far the second network, on the device that was chosen, is from the first, also with a batch of images
/// or as many of it as the device has memory for; a software rasteriser takes too long for more than one.
fn agreement(
    choice: &Choice,
    [reference, other]: [&Classifier; 2],
    images: &Tensor<4>,
    layer: &str,
    batch: usize,
) -> Result<Agreement> {
    let mut batch = if choice.kind() == "gpu" { batch } else { 1 };
    let found = loop {
        match Agreement::of(reference, other, images, layer, batch) {
            Err(CamError::ReadBack { .. }) if batch > 1 => batch /= 2,
            found => break found,
        }
    };
    choice.device.memory_cleanup();
    Ok(found?)
}

fn report(findings: &[Finding], tolerance: Tolerance) -> String {
    let head = [
        "network",
        "logits",
        "channels",
        "map",
        "classes",
        "first s",
        "next s",
        "first layer past tolerance",
        "",
    ];
    let rows: Vec<[String; 9]> = findings
        .iter()
        .map(|finding| {
            let Finding { name, agreement, first } = finding;
            let number = |value: f32| format!("{value:.1e}");
            let passed = finding.passed(tolerance);
            let [first_seconds, next_seconds] = agreement.seconds.map(|s| format!("{s:.1}"));
            [
                name.clone(),
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
         for channels and map.\nSeconds are those of the first image, in which the device's programs \
         are compiled, and of the next.",
        text::table(head.map(|name| (name, Column::Words)), &rows)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_or_flips_a_class_fails() {
        let (logits, channels, map) = (1e-6, 1e-6, 1e-6);
        let good = Agreement { logits, channels, map, same_classes: true, seconds: [1.0; 2] };
        for tolerance in [Precision::Single, Precision::Half].map(Tolerance::of) {
            assert!(tolerance.holds(&good));
            assert!(!tolerance.holds(&Agreement { same_classes: false, ..good }));
            for bad in [f32::NAN, f32::INFINITY, 0.5] {
                assert!(!tolerance.holds(&Agreement { logits: bad, ..good }));
                assert!(!tolerance.holds(&Agreement { channels: bad, ..good }));
                assert!(!tolerance.holds(&Agreement { map: bad, ..good }));
            }
        }
    }

    #[test]
    fn a_wrong_weight_is_found_and_its_layer_named() {
        let subject = {
            let ncnn = burncam_models::find("ncnn").expect("N-CNN");
            Subject::Generated(ncnn, &ncnn.variants[0])
        };
        let device = Device::flex();
        let reference = subject.build(&device).expect("a network");
        let head = generated_head().expect("a head");
        let (arch, variant) = (reference.arch, reference.variant);
        let mut spoilt = pattern::Spoilt("conv_5x5");
        let other = Classifier::build(arch, variant, head, &mut spoilt, &device, Build::default())
            .expect("a network");
        let images = pattern::images(&variant.input);
        let agreement =
            Agreement::of(&reference, &other, &images, variant.cam_layer, 1).expect("an agreement");
        let tolerance = Tolerance::of(Precision::Single);
        assert!(!tolerance.holds(&agreement), "{agreement:?}");
        let layers = layers_apart(&reference, &other, &images).expect("layers");
        let first = layers.iter().find(|(_, apart)| *apart > tolerance.logits);
        let first = first.map(|(name, _)| name.as_str());
        // With which the convolution is computed.
        assert_eq!(first, Some("leaky_1"));
    }
}
