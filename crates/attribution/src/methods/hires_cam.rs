//! HiResCAM: at each place the sum of a layer's channels, each times its gradient at that place.

use burncam_net::layers::product_sums;

use crate::{AttributionError, Inference, Maps, Method, Needs, Sign};

pub(super) static HIRES_CAM: Method = Method {
    name: "hires-cam",
    title: "HiResCAM",
    folder: "HiResCAM",
    summary: "channels of a layer, each times its gradient, place by place",
    paper: "Draelos, Carin, Use HiResCAM instead of Grad-CAM, 2020",
    url: "https://arxiv.org/abs/2011.08891",
    needs: Needs::ONE_LAYER,
    sign: Sign::Positive,
    attribute,
};

fn attribute(inference: &mut Inference<'_>, layers: &[String]) -> Result<Maps, AttributionError> {
    let (activations, gradients) = inference.activations_and_gradients(layers)?;
    let [.., height, width] = activations.dims();
    Ok(Maps { values: product_sums(activations, gradients), size: [height, width] })
}
