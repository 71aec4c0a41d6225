//! Frames as the tensor that a network reads.

use burn::tensor::{Device, Tensor, TensorData};
use burncam_net::InputSpec;

use crate::{Frame, preprocess};

/// Preprocesses frames into one batch on `device`.
///
/// # Shapes
///
/// Each frame has the height and width of `spec`; the result is `[batch, channels, height, width]`.
///
/// # Panics
///
/// If a frame has another size.
#[must_use]
pub fn to_tensor(frames: &[&Frame], spec: &InputSpec, device: &Device) -> Tensor<4> {
    let images: Vec<Vec<f32>> = frames.iter().map(|frame| preprocess(frame, spec)).collect();
    stacked(&images.iter().map(Vec::as_slice).collect::<Vec<_>>(), spec, device)
}

/// Images that [`preprocess`] made as one batch on `device`.
///
/// # Shapes
///
/// Each image is `[channels, height, width]` of `spec`; the result is `[batch, channels, height, width]`.
///
/// # Panics
///
/// If an image has another size.
#[must_use]
pub fn stacked(images: &[&[f32]], spec: &InputSpec, device: &Device) -> Tensor<4> {
    let part = |images: &[&[f32]]| {
        let shape = [images.len(), spec.order.channels(), spec.height, spec.width];
        Tensor::from_data(TensorData::new(images.concat(), shape), device)
    };
    let length = images.first().map_or(0, |image| image.len());
    let at_once = ON_ITS_WAY.checked_div(length).unwrap_or(1).max(1);
    match *device == Device::flex() || images.len() <= at_once {
        true => part(images),
        false => Tensor::cat(images.chunks(at_once).map(part).collect(), 0),
    }
}

/// Numbers that go to a GPU at a time, 4 MiB: a driver takes fresh memory for larger pieces, which takes
/// longer than to fill it.
const ON_ITS_WAY: usize = 1 << 20;
