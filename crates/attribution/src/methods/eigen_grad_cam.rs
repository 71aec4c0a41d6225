//! Eigen-Grad-CAM: what a layer's channels, each times its gradient, have in common.

use super::principal::{CENTRE, project};
use crate::{AttributionError, Explanation, Inference, Likeness, Maps, Method, Needs, Peer, Sign};

pub(super) static EIGEN_GRAD_CAM: Method = Method {
    name: "eigen-grad-cam",
    title: "Eigen-Grad-CAM",
    folder: "EigenGradCAM",
    summary: "the first principal component of a layer's channels, each times its gradient",
    paper: "Gildenblat and contributors, pytorch-grad-cam, EigenGradCAM, 2021",
    url: "https://github.com/jacobgil/pytorch-grad-cam",
    needs: Needs::ONE_LAYER,
    sign: Sign::Positive,
    options: &[CENTRE],
    peers: &[(Peer::PytorchGradCam, Likeness::Options("centre=yes"))],
    attribute,
};

/// By default the channels are not centred, as in Eigen-CAM.
fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let (activations, gradients) = inference.activations_and_gradients(explanation)?;
    project(activations * gradients, explanation.settings.is("centre", "yes"))
}
