//! The notebook's networks on a graphics adapter, against Keras.
//!
//! A machine without an adapter ignores these tests and says why, unless `BURNCAM_REQUIRE_GPU` is
//! set. A software adapter will do: it runs the same kernels.

use std::process::ExitCode;

use burn::tensor::{Device, Tensor};
use burncam_cam::methods::grad_cam;
use burncam_cam::{Scene, Target, predicted};
use burncam_imaging::to_tensor;
use burncam_models::{INCEPTION_V3, NCNN, RESNET50, SENET50, VGG16};
use burncam_net::{Arch, Output};
use libtest_mimic::{Arguments, Failed, Trial};
use parity::{Numbers, classifier, notebook_head, pillow_frame};

/// Of the largest logit.
const LOGITS: f32 = 1e-3;
/// Of a map's largest absolute value; a hundredth of what the README promises for a GPU.
const MAP: f32 = 2e-4;
/// Faces of each network: a software adapter takes seconds for one.
const FACES: usize = 2;

/// If set, a machine without an adapter fails.
const REQUIRED: &str = "BURNCAM_REQUIRE_GPU";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    // One network at a time: an adapter is shared by all of its users anyway.
    let arguments = Arguments { test_threads: Some(1), ..arguments };
    let adapter = Device::wgpu_options().init_with_setup();
    let adapter = adapter.map(|(device, setup)| (device, setup.adapter.get_info().name));
    let required = std::env::var_os(REQUIRED).is_some();
    let networks = [&NCNN, &VGG16, &RESNET50, &SENET50, &INCEPTION_V3];
    let trials = networks.map(|arch| match &adapter {
        Ok((device, name)) => {
            let device = device.clone();
            Trial::test(arch.name, move || check(arch, &device)).with_kind(name.clone())
        }
        Err(error) => {
            let reason = error.to_string().lines().next().unwrap_or_default().to_owned();
            let kind = format!("no graphics adapter: {reason}");
            Trial::test(arch.name, move || Err(reason.into()))
                .with_kind(kind)
                .with_ignored_flag(!required)
        }
    });
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}

/// Logits, class and raw map of some golden faces.
fn check(arch: &'static Arch, device: &Device) -> Result<(), Failed> {
    let expected = Numbers::read(arch.title);
    let variant = &arch.variants[0];
    let network = classifier(arch, variant, &notebook_head(arch.title), arch.title, device);
    let faces = &expected.faces[..FACES];
    let frames: Vec<_> = faces.iter().map(|f| pillow_frame(f, variant.input.height)).collect();
    let frames: Vec<_> = frames.iter().collect();
    let images: Tensor<4> = to_tensor(&frames, &variant.input, device);
    let scene = Scene::observe(&network, images, variant.cam_layer, Target::Predicted)?;
    let maps = grad_cam(&scene)?;
    for (index, face) in faces.iter().enumerate() {
        let probabilities = Output::Softmax.probabilities(&scene.logits[index]);
        if predicted(&probabilities) != face.index {
            return Err(format!("{}: another class", face.image).into());
        }
        let image = &face.image;
        within(
            &scene.logits[index],
            &expected.logits[index],
            LOGITS,
            &format!("logits of {image}"),
        )?;
        within(&maps[index], &expected.raw[index], MAP, &format!("map of {image}"))?;
    }
    Ok(())
}

fn within(found: &[f32], expected: &[f32], tolerance: f32, what: &str) -> Result<(), Failed> {
    let scale = expected.iter().fold(0.0_f32, |max, value| max.max(value.abs()));
    let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / scale;
    if found.len() == expected.len() && worst.is_finite() && worst <= tolerance {
        return Ok(());
    }
    Err(format!("{what}: off by {worst:e} of the largest value, {tolerance:e} allowed").into())
}
