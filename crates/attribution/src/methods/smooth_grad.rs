//! SmoothGrad: the mean gradient of pixels of noisy copies.

use burn::tensor::{Tensor, TensorData};

use super::channels::maxima;
use crate::{AttributionError, Inference, Maps, Method, Needs, Passes, Sign};

pub(super) static SMOOTH_GRAD: Method = Method {
    name: "smooth-grad",
    title: "SmoothGrad",
    folder: "SmoothGrad",
    summary: "the mean gradient of pixels of noisy copies",
    paper: "Smilkov et al., SmoothGrad, 2017",
    url: "https://arxiv.org/abs/1706.03825",
    needs: Needs { passes: Passes::Many(SAMPLES), seeded: true, ..Needs::INPUT },
    sign: Sign::Magnitude,
    attribute,
};

/// Noisy copies of an image.
const SAMPLES: usize = 50;

/// The noise's deviation, as a share of the image's range.
const SHARE: f32 = 0.15;

/// Of a pixel's channels, the largest mean by size.
fn attribute(inference: &mut Inference<'_>, _: &[String]) -> Result<Maps, AttributionError> {
    let images = inference.images();
    let (dims, device) = (images.dims(), images.device());
    let range = |images: Tensor<4>| {
        let [batch, channels, height, width] = images.dims();
        maxima(images.reshape([batch, 1, channels * height, width]))
    };
    let deviations = (range(images.clone()) + range(images.clone().neg())) * SHARE;
    let mut draws: Vec<_> = (0..dims[0]).map(|image| inference.random(image)).collect();
    let mut sum = None;
    for _ in 0..SAMPLES {
        let numbers = dims[1..].iter().product();
        let noise = draws.iter_mut().flat_map(|draw| draw.normal(numbers)).collect::<Vec<f32>>();
        let noise = Tensor::<4>::from_data(TensorData::new(noise, dims), &device);
        let gradients = inference.gradients_of(images.clone() + noise * deviations.clone())?;
        sum = Some(match sum {
            None => gradients,
            Some(sum) => sum + gradients,
        });
    }
    let sum = sum.ok_or_else(|| AttributionError::layers(&[], "one"))?;
    Ok(Maps::largest(sum / SAMPLES as f32))
}
