//! Eigen-CAM: what a layer's channels have in common.

use super::principal::{CENTRE, project};
use crate::{AttributionError, Explanation, Inference, Likeness, Maps, Method, Needs, Peer, Sign};

pub(super) static EIGEN_CAM: Method = Method {
    name: "eigen-cam",
    title: "Eigen-CAM",
    folder: "EigenCAM",
    summary: "the first principal component of a layer's channels; of no class",
    paper: "Muhammad, Yeasin, Eigen-CAM, IJCNN 2020",
    url: "https://arxiv.org/abs/2008.00299",
    needs: Needs::ACTIVATIONS,
    sign: Sign::Positive,
    options: &[CENTRE],
    peers: &[(Peer::PytorchGradCam, Likeness::Options("centre=yes"))],
    attribute,
};

/// By default the channels are not centred, as in the paper.
fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    project(inference.activations(explanation.layer()?)?, explanation.settings.is("centre", "yes"))
}
