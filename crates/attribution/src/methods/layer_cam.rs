//! LayerCAM: channels of a layer, each times its positive gradient, place by place.

use burn::tensor::activation::relu;

use crate::{AttributionError, Inference, Maps, Method, Needs, Sign};

pub(super) static LAYER_CAM: Method = Method {
    name: "layer-cam",
    title: "LayerCAM",
    folder: "LayerCAM",
    summary: "channels of a layer, each times its positive gradient, place by place",
    paper: "Jiang et al., LayerCAM, IEEE TIP 2021",
    url: "https://doi.org/10.1109/TIP.2021.3089943",
    needs: Needs::ONE_LAYER,
    sign: Sign::Positive,
    attribute,
};

fn attribute(inference: &mut Inference<'_>, layers: &[String]) -> Result<Maps, AttributionError> {
    let (activations, gradients) = inference.activations_and_gradients(layers)?;
    Ok(Maps::sum(activations * relu(gradients)))
}
