//! CAM: channels of a layer, each weighted by the dense layer that reads its mean.

use crate::{
    AttributionError, Explanation, Fit, Inference, Likeness, Maps, Method, Needs, Peer, Sign,
};

pub(super) static CAM: Method = Method {
    name: "cam",
    title: "CAM",
    folder: "CAM",
    summary: "channels of a layer, each weighted by the dense layer that reads its mean",
    paper: "Zhou et al., Learning Deep Features for Discriminative Localization, CVPR 2016",
    url: "https://arxiv.org/abs/1512.04150",
    needs: Needs { network: Fit::PooledDense, ..Needs::ONE_LAYER },
    sign: Sign::Positive,
    options: &[],
    peers: &[(Peer::TorchCam, Likeness::Options(""))],
    attribute,
};

/// Behind the layer there must be the mean of each channel and one dense layer. The dense layer's weight is then the
/// gradient at any place, times the number of places.
fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let (activations, gradients) = inference.activations_and_gradients(explanation)?;
    let [.., height, width] = activations.dims();
    explanation.total(activations * gradients * (height * width) as f32)
}
