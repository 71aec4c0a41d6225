//! Grad-CAM++: channels of a layer, each weighted by its positive gradients and how much each place would change them.

use burn::tensor::activation::relu;

use super::channels::sums;
use crate::{AttributionError, Inference, Maps, Method, Needs, Sign};

pub(super) static GRAD_CAM_PLUS_PLUS: Method = Method {
    name: "grad-cam++",
    title: "Grad-CAM++",
    folder: "GradCAM++",
    summary: "channels of a layer, each weighted by its positive gradients and how much each place would change them",
    paper: "Chattopadhyay et al., Grad-CAM++, WACV 2018",
    url: "https://arxiv.org/abs/1710.11063",
    needs: Needs::ONE_LAYER,
    sign: Sign::Positive,
    attribute,
};

/// The paper's equation 19, of the exponential of the logit: `g^2 / (2 g^2 + S g^3)` is `1 / (2 + S g)`, which needs
/// no epsilon. `S` is the sum of the channel; where the gradient `g` is not positive the place has no weight. The
/// exponential itself, the same for all channels, is left out.
fn attribute(inference: &mut Inference<'_>, layers: &[String]) -> Result<Maps, AttributionError> {
    let (activations, gradients) = inference.activations_and_gradients(layers)?;
    let positive = relu(gradients);
    let bend = sums(activations.clone()) * positive.clone() + 2.0;
    let weights = sums(positive / bend);
    Ok(Maps::sum(activations * weights))
}
