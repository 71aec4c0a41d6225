//! Grad-CAM: the sum of a layer's channels, each times the mean of its gradient.

use super::channels::weighted_by_means;
use crate::{AttributionError, Explanation, Inference, Likeness, Maps, Method, Needs, Peer, Sign};

pub(super) static GRAD_CAM: Method = Method {
    name: "grad-cam",
    title: "Grad-CAM",
    folder: "GradCAM",
    summary: "channels of a layer, each weighted by the mean of its gradient",
    paper: "Selvaraju et al., Grad-CAM, ICCV 2017",
    url: "https://arxiv.org/abs/1610.02391",
    needs: Needs::ONE_LAYER,
    sign: Sign::Positive,
    options: &[],
    peers: &[
        (Peer::PytorchGradCam, Likeness::Options("")),
        (Peer::TorchCam, Likeness::Options("")),
        (Peer::Captum, Likeness::Options("")),
        (Peer::Xplique, Likeness::Options("")),
    ],
    attribute,
};

fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let (activations, gradients) = inference.activations_and_gradients(explanation)?;
    weighted_by_means(explanation, activations, gradients)
}
