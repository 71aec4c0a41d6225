//! HiResCAM: at each place the sum of a layer's channels, each times its gradient at that place.

use burncam_net::layers::product_sums;

use crate::{AttributionError, Explanation, Inference, Likeness, Maps, Method, Needs, Peer, Sign};

pub(super) static HIRES_CAM: Method = Method {
    name: "hires-cam",
    title: "HiResCAM",
    folder: "HiResCAM",
    summary: "channels of a layer, each times its gradient, place by place",
    paper: "Draelos, Carin, Use HiResCAM instead of Grad-CAM, 2020",
    url: "https://arxiv.org/abs/2011.08891",
    needs: Needs::ONE_LAYER,
    sign: Sign::Positive,
    options: &[],
    peers: &[(Peer::PytorchGradCam, Likeness::Options(""))],
    attribute,
};

fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let (activations, gradients) = inference.activations_and_gradients(explanation)?;
    if explanation.smoothing.principal {
        return explanation.total(activations * gradients);
    }
    let [.., height, width] = activations.dims();
    Ok(Maps::new(product_sums(activations, gradients), [height, width]))
}
