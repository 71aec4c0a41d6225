//! The notebook's networks on a graphics adapter, against Keras.
//!
//! A machine without an adapter ignores these tests and says why, unless `BURNCAM_REQUIRE_GPU` is
//! set. A software adapter will do: it runs the same kernels. Each test prints how far it was off.
#![allow(clippy::print_stdout)]

mod graphs;
mod memory;
mod tiles;

use std::process::ExitCode;

use burn::tensor::wgpu::wgpu::Features;
use burn::tensor::wgpu::{WgpuInitError, WgpuSetup};
use burn::tensor::{Device, FloatDType, Tensor};
use burncam_attribution::{Target, max_relative_error, predicted};
use burncam_imaging::to_tensor;
use burncam_models::{INCEPTION_V3, NCNN, RESNET50, SENET50, VGG16};
use burncam_net::{Arch, Output};
use libtest_mimic::{Arguments, Failed, Trial};
use parity::{Numbers, classifier, notebook_head, observe, pillow_frame};

/// How far a network may be from Keras, as a share of the largest absolute value.
#[derive(Clone, Copy)]
struct Tolerance {
    logits: f32,
    map: f32,
}

/// A hundredth of what is promised for maps on a GPU.
const SINGLE: Tolerance = Tolerance { logits: 1e-3, map: 2e-4 };
/// N-CNN's, which is the least deep: how much of half precision's error a network multiplies is a
/// matter of its weights.
const HALF: Tolerance = Tolerance { logits: 3e-3, map: 6e-3 };

/// Faces of each network: a software adapter takes seconds for one.
const FACES: usize = 2;

/// If set, a machine without an adapter fails.
const REQUIRED: &str = "BURNCAM_REQUIRE_GPU";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    // One network at a time: an adapter is shared by all of its users anyway.
    let arguments = Arguments { test_threads: Some(1), ..arguments };
    let adapter = Device::wgpu_options().init_with_setup();
    let mut trials: Vec<Trial> = [&NCNN, &VGG16, &RESNET50, &SENET50, &INCEPTION_V3]
        .map(|arch| match &adapter {
            Ok((device, setup)) => {
                let device = device.clone();
                let trial = Trial::test(arch.name, move || check(arch, &device, SINGLE));
                trial.with_kind(setup.adapter.get_info().name)
            }
            Err(error) => missing(arch.name, first_line(error)),
        })
        .into();
    trials.push(match &adapter {
        Ok((device, setup)) => {
            let device = device.clone();
            let trial = Trial::test(TILES_NAME, move || tiles::check(&device));
            trial.with_kind(setup.adapter.get_info().name)
        }
        Err(error) => missing(TILES_NAME, first_line(error)),
    });
    trials.push(match &adapter {
        Ok((device, setup)) => {
            let device = device.clone();
            let trial = Trial::test(GRAPHS_NAME, move || graphs::check(&device));
            trial.with_kind(setup.adapter.get_info().name)
        }
        Err(error) => missing(GRAPHS_NAME, first_line(error)),
    });
    trials.push(match &adapter {
        Ok((device, setup)) => {
            let device = device.clone();
            let trial = Trial::test(EARLY_NAME, move || early(&device));
            trial.with_kind(setup.adapter.get_info().name)
        }
        Err(error) => missing(EARLY_NAME, first_line(error)),
    });
    trials.push(match &adapter {
        Ok((_, setup)) => {
            let setup = setup.clone();
            let name = setup.adapter.get_info().name;
            Trial::test(MEMORY_NAME, move || memory::check(&setup)).with_kind(name)
        }
        Err(error) => missing(MEMORY_NAME, first_line(error)),
    });
    trials.push(match adapter {
        Ok((_, setup)) => half(setup),
        Err(error) => missing(HALF_NAME, first_line(&error)),
    });
    libtest_mimic::run(&arguments, trials).exit_code()
}

const GRAPHS_NAME: &str = "described networks";
const EARLY_NAME: &str = "ncnn before its resizing";
const MEMORY_NAME: &str = "too many images";
const TILES_NAME: &str = "every tile";
const HALF_NAME: &str = "ncnn in f16";

fn first_line(error: &WgpuInitError) -> String {
    let text = error.to_string();
    format!("no graphics adapter: {}", text.lines().next().unwrap_or_default())
}

/// Without an adapter a test is ignored, or fails where one is required.
fn missing(name: &str, reason: String) -> Trial {
    let trial = Trial::test(name, {
        let reason = reason.clone();
        move || Err(reason.into())
    });
    trial.with_kind(reason).with_ignored_flag(std::env::var_os(REQUIRED).is_none())
}

/// N-CNN in half precision, where the adapter has it; in a runtime of its own, since a runtime has
/// one precision.
fn half(setup: WgpuSetup) -> Trial {
    let name = setup.adapter.get_info().name;
    if !setup.adapter.features().contains(Features::SHADER_F16) {
        return missing(HALF_NAME, format!("{name} has no half precision"));
    }
    let run = move || {
        let mut device = Device::wgpu_options().setup(setup).init()?;
        device.configure(FloatDType::F16)?;
        check(&NCNN, &device, HALF)
    };
    Trial::test(HALF_NAME, run).with_kind(name)
}

/// A layer whose gradient comes through the network's own resizing, against the CPU.
fn early(device: &Device) -> Result<(), Failed> {
    let variant = &NCNN.variants[0];
    let face = &Numbers::read(NCNN.title).faces[0];
    let frame = pillow_frame(face, variant.input.height);
    let on = |device: &Device| {
        let head = notebook_head(NCNN.title);
        let network = classifier(&NCNN, variant, &head, NCNN.title, device);
        let images: Tensor<4> = to_tensor(&[&frame], &variant.input, device);
        observe(&network, images, "conv_2x2", Target::Predicted)
    };
    let (own, cpu) = (on(device)?, on(&Device::flex())?);
    let (logits, map) = (
        max_relative_error(&own.logits[0], &cpu.logits[0]),
        max_relative_error(&own.maps[0], &cpu.maps[0]),
    );
    println!("before its resizing: logits within {logits:.1e}, maps within {map:.1e}");
    match logits <= SINGLE.logits && map <= SINGLE.map {
        true => Ok(()),
        false => Err(format!("logits {logits:e}, maps {map:e} apart").into()),
    }
}

/// Logits, class and raw map of some golden faces; prints the worst.
fn check(arch: &'static Arch, device: &Device, tolerance: Tolerance) -> Result<(), Failed> {
    let expected = Numbers::read(arch.title);
    let variant = &arch.variants[0];
    let network = classifier(arch, variant, &notebook_head(arch.title), arch.title, device);
    let faces = &expected.faces[..FACES];
    let frames: Vec<_> = faces.iter().map(|f| pillow_frame(f, variant.input.height)).collect();
    let frames: Vec<_> = frames.iter().collect();
    let images: Tensor<4> = to_tensor(&frames, &variant.input, device);
    let found = observe(&network, images, variant.cam_layer, Target::Predicted)?;
    let (mut logits, mut map) = (0.0_f32, 0.0_f32);
    for (index, face) in faces.iter().enumerate() {
        let probabilities = Output::Softmax.probabilities(&found.logits[index]);
        if predicted(&probabilities) != face.index {
            return Err(format!("{}: another class", face.image).into());
        }
        logits = logits.max(max_relative_error(&found.logits[index], &expected.logits[index]));
        map = map.max(max_relative_error(&found.maps[index], &expected.raw[index]));
    }
    let worst = format!(
        "{}: logits within {logits:.1e} (allowed {:.0e}), maps within {map:.1e} (allowed {:.0e})",
        arch.title, tolerance.logits, tolerance.map
    );
    println!("{worst}");
    match logits <= tolerance.logits && map <= tolerance.map {
        true => Ok(()),
        false => Err(worst.into()),
    }
}
