//! Eigen-Grad-CAM: what a layer's channels, each times its gradient, have in common.

use super::principal::project;
use crate::{AttributionError, Inference, Maps, Method, Needs, Sign};

pub(super) static EIGEN_GRAD_CAM: Method = Method {
    name: "eigen-grad-cam",
    title: "Eigen-Grad-CAM",
    folder: "EigenGradCAM",
    summary: "the first principal component of a layer's channels, each times its gradient",
    paper: "Gildenblat and contributors, pytorch-grad-cam, EigenGradCAM, 2021",
    url: "https://github.com/jacobgil/pytorch-grad-cam",
    needs: Needs::ONE_LAYER,
    sign: Sign::Positive,
    attribute,
};

/// The channels are not centred, as in Eigen-CAM.
fn attribute(inference: &mut Inference<'_>, layers: &[String]) -> Result<Maps, AttributionError> {
    let [layer] = layers else { return Err(AttributionError::layers(layers, "one")) };
    project(inference.activations(layer)? * inference.gradients(layer)?)
}
