//! Eigen-CAM: what a layer's channels have in common.

use super::principal::project;
use crate::{AttributionError, Gradient, Inference, Maps, Method, Needs, Sign};

pub(super) static EIGEN_CAM: Method = Method {
    name: "eigen-cam",
    title: "Eigen-CAM",
    folder: "EigenCAM",
    summary: "the first principal component of a layer's channels; of no class",
    paper: "Muhammad, Yeasin, Eigen-CAM, IJCNN 2020",
    url: "https://arxiv.org/abs/2008.00299",
    needs: Needs { gradient: Gradient::None, ..Needs::ONE_LAYER },
    sign: Sign::Positive,
    attribute,
};

/// The channels are not centred, as in the paper.
fn attribute(inference: &mut Inference<'_>, layers: &[String]) -> Result<Maps, AttributionError> {
    let [layer] = layers else { return Err(AttributionError::layers(layers, "one")) };
    project(inference.activations(layer)?)
}
