//! A batch that a GPU has no memory for.

use burn::tensor::wgpu::WgpuSetup;
use burn::tensor::wgpu::wgpu::{DeviceDescriptor, Features, Limits};
use burn::tensor::{Device, Tensor};
use burncam_attribution::{AttributionError, Target, max_relative_error};
use burncam_imaging::to_tensor;
use burncam_models::NCNN;
use libtest_mimic::Failed;
use parity::{Numbers, classifier, notebook_head, observe, pillow_frame};

/// Three times what N-CNN's first layer needs for an image, 120 × 120 × 64 numbers.
const LARGEST: u64 = 3 * 4 * 120 * 120 * 64 + 4096;

/// Four images are refused, and two of them explained after that, with the weights that are there.
pub(crate) fn check(setup: &WgpuSetup) -> Result<(), Failed> {
    let network =
        classifier(&NCNN, &NCNN.variants[0], &notebook_head("NCNN"), "NCNN", &narrow(setup)?);
    let (variant, expected) = (network.variant, Numbers::read("NCNN"));
    let frames: Vec<_> = expected.faces[..4].iter().map(|f| pillow_frame(f, 120)).collect();
    let frames: Vec<_> = frames.iter().collect();
    let explain = |count: usize| {
        let images: Tensor<4> = to_tensor(&frames[..count], &variant.input, network.device());
        observe(&network, images, variant.cam_layer, Target::Predicted)
    };
    for _ in 0..2 {
        match explain(4) {
            Err(AttributionError::ReadBack { .. }) => {}
            Err(error) => return Err(format!("another error: {error}").into()),
            Ok(_) => return Err("there was memory for four images".into()),
        }
        let found = explain(2)?;
        for (image, map) in found.maps.iter().enumerate() {
            let apart = max_relative_error(map, &expected.raw[image]);
            if apart.is_nan() || apart > 2e-4 {
                return Err(format!("map {image}: {apart:e} apart").into());
            }
        }
    }
    Ok(())
}

/// The adapter with little room for a tensor.
fn narrow(setup: &WgpuSetup) -> Result<Device, Failed> {
    let limits = Limits {
        max_buffer_size: LARGEST,
        max_storage_buffer_binding_size: LARGEST,
        ..setup.adapter.limits()
    };
    let descriptor = DeviceDescriptor {
        required_features: setup.adapter.features() - Features::all_experimental_mask(),
        required_limits: limits,
        ..DeviceDescriptor::default()
    };
    let (device, queue) = pollster::block_on(setup.adapter.request_device(&descriptor))?;
    let setup = WgpuSetup { device, queue, ..setup.clone() };
    Ok(Device::wgpu_options().setup(setup).init()?)
}
