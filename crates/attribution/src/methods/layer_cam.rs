//! LayerCAM: channels of a layer, each times its positive gradient, place by place.

use burn::tensor::activation::relu;

use super::channels::no_positive;
use crate::{
    AttributionError, Explanation, Inference, Likeness, MapStatus, Maps, Method, Needs, Peer, Sign,
};

pub(super) static LAYER_CAM: Method = Method {
    name: "layer-cam",
    title: "LayerCAM",
    folder: "LayerCAM",
    summary: "channels of a layer, each times its positive gradient, place by place",
    paper: "Jiang et al., LayerCAM, IEEE TIP 2021",
    url: "https://doi.org/10.1109/TIP.2021.3089943",
    needs: Needs::ONE_LAYER,
    sign: Sign::Positive,
    options: &[],
    peers: &[
        (Peer::PytorchGradCam, Likeness::Options("")),
        (Peer::TorchCam, Likeness::Options("")),
    ],
    attribute,
};

fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let (activations, gradients) = inference.activations_and_gradients(explanation)?;
    let none = no_positive(gradients.clone());
    let maps = explanation.total(activations * relu(gradients))?;
    Ok(maps.undefined_where(MapStatus::NoPositiveGradient, none))
}
