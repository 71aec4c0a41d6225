//! Frames as the tensor that a network reads.

use burn::tensor::{Device, Tensor, TensorData};
use burncam_net::InputSpec;

use crate::{Frame, preprocess};

/// Preprocesses frames into one batch on `device`.
///
/// # Shapes
///
/// Each frame has the height and width of `spec`; the result is `[batch, 3, height, width]`.
///
/// # Panics
///
/// If a frame has another size.
#[must_use]
pub fn to_tensor(frames: &[&Frame], spec: &InputSpec, device: &Device) -> Tensor<4> {
    let mut values = Vec::with_capacity(frames.len() * 3 * spec.height * spec.width);
    for frame in frames {
        values.extend(preprocess(frame, spec));
    }
    Tensor::from_data(TensorData::new(values, [frames.len(), 3, spec.height, spec.width]), device)
}
