//! XGrad-CAM: channels of a layer, each weighted by its gradient where it is active.

use super::channels::sums;
use crate::{
    AttributionError, Explanation, Inference, Likeness, Maps, Method, MethodOption, Needs, Peer,
    Sign,
};

pub(super) static XGRAD_CAM: Method = Method {
    name: "xgrad-cam",
    title: "XGrad-CAM",
    folder: "XGradCAM",
    summary: "channels of a layer, each weighted by its gradient where it is active",
    paper: "Fu et al., Axiom-based Grad-CAM, BMVC 2020",
    url: "https://arxiv.org/abs/2008.02312",
    needs: Needs::ONE_LAYER,
    sign: Sign::Positive,
    options: &[EPSILON],
    peers: &[
        (Peer::PytorchGradCam, Likeness::Options("epsilon=1e-7")),
        (Peer::TorchCam, Likeness::Options("epsilon=1e-8")),
    ],
    attribute,
};

const EPSILON: MethodOption = MethodOption::number(
    "epsilon",
    0.0,
    [0.0, 1.0],
    "added to the sum of a channel; 0: a channel that sums to nothing has no weight",
);

/// A channel whose values sum to less than this share of their sizes has no weight: its mean gradient, weighted by
/// its values, is not defined.
const LEAST: f32 = 1e-6;

fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let (activations, gradients) = inference.activations_and_gradients(explanation)?;
    let sizes = sums(activations.clone().abs());
    let totals = sums(activations.clone());
    let is_empty = totals.clone().abs().lower_equal(sizes * LEAST);
    let products = sums(activations.clone() * gradients);
    let weights = match explanation.settings.number("epsilon") {
        0.0 => (products / totals).mask_fill(is_empty, 0.0),
        epsilon => products / (totals + epsilon),
    };
    explanation.total(activations * weights)
}
