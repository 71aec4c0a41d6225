//! Grad-CAM: the sum of a layer's channels, each times the mean of its gradient.

use burncam_net::layers::weighted_sums;

use crate::{AttributionError, Inference, Maps, Method, Needs, Sign};

pub(super) static GRAD_CAM: Method = Method {
    name: "grad-cam",
    title: "Grad-CAM",
    folder: "GradCAM",
    summary: "channels of a layer, each weighted by the mean of its gradient",
    paper: "Selvaraju et al., Grad-CAM, ICCV 2017",
    url: "https://arxiv.org/abs/1610.02391",
    needs: Needs::ONE_LAYER,
    sign: Sign::Positive,
    attribute,
};

fn attribute(inference: &mut Inference<'_>, layers: &[String]) -> Result<Maps, AttributionError> {
    let (activations, gradients) = inference.activations_and_gradients(layers)?;
    let [.., height, width] = activations.dims();
    Ok(Maps { values: weighted_sums(activations, gradients), size: [height, width] })
}
