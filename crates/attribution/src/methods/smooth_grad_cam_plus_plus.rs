//! Smooth Grad-CAM++: Grad-CAM++ of the mean gradients of noisy copies.

use burn::tensor::activation::relu;
use burncam_net::Tap;

use super::channels::{no_positive, sums};
use super::noise::{NOISE, UNIT, moments};
use crate::{
    AttributionError, Explanation, Inference, Likeness, MapStatus, Maps, Method, MethodOption,
    Needs, Passes, Peer, Sign,
};

pub(super) static SMOOTH_GRAD_CAM_PLUS_PLUS: Method = Method {
    name: "smooth-grad-cam++",
    title: "Smooth Grad-CAM++",
    folder: "SmoothGradCAM++",
    summary: "Grad-CAM++ of the mean gradients of noisy copies",
    paper: "Omeiza et al., Smooth Grad-CAM++, 2019",
    url: "https://arxiv.org/abs/1908.01224",
    needs: Needs { passes: Passes::Option("samples"), seeded: true, ..Needs::ONE_LAYER },
    sign: Sign::Positive,
    options: &[SAMPLES, NOISE, UNIT],
    peers: &[(
        Peer::TorchCam,
        Likeness::Differs("it rectifies the gradient of the last noisy copy alone"),
    )],
    attribute,
};

const SAMPLES: MethodOption = MethodOption::count("samples", 25, "noisy copies of an image");

/// The activations are those of the image itself. Where the denominator is not positive a place has no weight.
fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let activations = inference.activations(explanation.layer()?)?;
    let layer = Tap::Layer(explanation.layer()?.clone());
    let [mean, squares, cubes] = moments(inference, explanation, &layer)?;
    let none = no_positive(mean.clone());
    let bend = squares.clone() * 2.0 + sums(activations.clone()) * cubes;
    let is_flat = bend.clone().lower_equal_elem(0.0);
    let alpha = (squares / bend).mask_fill(is_flat, 0.0);
    let maps = explanation.total(activations * sums(alpha * relu(mean)))?;
    Ok(maps.undefined_where(MapStatus::NoPositiveGradient, none))
}
