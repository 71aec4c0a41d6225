//! Grad-CAM++: channels of a layer, each weighted by its positive gradients and how much each place would change them.

use burn::tensor::activation::relu;

use super::channels::{no_positive, sums};
use crate::{
    AttributionError, Explanation, Inference, Likeness, MapStatus, Maps, Method, MethodOption,
    Needs, Peer, Sign,
};

pub(super) static GRAD_CAM_PLUS_PLUS: Method = Method {
    name: "grad-cam++",
    title: "Grad-CAM++",
    folder: "GradCAM++",
    summary: "channels of a layer, each weighted by its positive gradients and how much each place would change them",
    paper: "Chattopadhyay et al., Grad-CAM++, WACV 2018",
    url: "https://arxiv.org/abs/1710.11063",
    needs: Needs::ONE_LAYER,
    sign: Sign::Positive,
    options: &[EPSILON],
    peers: &[
        (Peer::PytorchGradCam, Likeness::Options("epsilon=1e-6")),
        (
            Peer::TorchCam,
            Likeness::Differs("it divides a copy, so its weights are sums of cubed gradients"),
        ),
        (
            Peer::Xplique,
            Likeness::Differs("it takes means of activations where the paper has sums"),
        ),
    ],
    attribute,
};

const EPSILON: MethodOption = MethodOption::number(
    "epsilon",
    0.0,
    [0.0, 1.0],
    "added to the denominator of squared gradients",
);

/// The paper's equation 19, of the exponential of the logit: `g^2 / (2 g^2 + S g^3)` is `1 / (2 + S g)`, which needs
/// no epsilon. `S` is the sum of the channel; where the gradient `g` is not positive the place has no weight. The
/// exponential itself, the same for all channels, is left out.
fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let (activations, gradients) = inference.activations_and_gradients(explanation)?;
    let none = no_positive(gradients.clone());
    let (positive, epsilon) = (relu(gradients), explanation.settings.number("epsilon"));
    let bend = sums(activations.clone()) * positive.clone() + 2.0;
    let weights = match epsilon {
        0.0 => positive / bend,
        epsilon => {
            let squares = positive.clone().powi_scalar(2);
            squares.clone() * positive / (squares * bend + epsilon)
        }
    };
    let maps = explanation.total(activations * sums(weights))?;
    Ok(maps.undefined_where(MapStatus::NoPositiveGradient, none))
}
