//! XGrad-CAM: channels of a layer, each weighted by its gradient where it is active.

use super::channels::sums;
use crate::{AttributionError, Inference, Maps, Method, Needs, Sign};

pub(super) static XGRAD_CAM: Method = Method {
    name: "xgrad-cam",
    title: "XGrad-CAM",
    folder: "XGradCAM",
    summary: "channels of a layer, each weighted by its gradient where it is active",
    paper: "Fu et al., Axiom-based Grad-CAM, BMVC 2020",
    url: "https://arxiv.org/abs/2008.02312",
    needs: Needs::ONE_LAYER,
    sign: Sign::Positive,
    attribute,
};

/// A channel whose values sum to less than this share of their sizes has no weight: its mean gradient, weighted by
/// its values, is not defined.
const LEAST: f32 = 1e-6;

fn attribute(inference: &mut Inference<'_>, layers: &[String]) -> Result<Maps, AttributionError> {
    let (activations, gradients) = inference.activations_and_gradients(layers)?;
    let sizes = sums(activations.clone().abs());
    let totals = sums(activations.clone());
    let is_empty = totals.clone().abs().lower_equal(sizes * LEAST);
    let products = sums(activations.clone() * gradients);
    let weights = (products / totals).mask_fill(is_empty, 0.0);
    Ok(Maps::sum(activations * weights))
}
