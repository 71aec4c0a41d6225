//! Guided Grad-CAM: guided backpropagation where Grad-CAM is positive.

use burn::tensor::activation::relu;
use burncam_net::Rectifier;
use burncam_net::layers::{Sampling, resized};

use super::channels::weighted_by_means;
use crate::{
    AttributionError, Explanation, Inference, Likeness, Maps, Method, MethodOption, Needs, Peer,
    Place, Sign,
};

pub(super) static GUIDED_GRAD_CAM: Method = Method {
    name: "guided-grad-cam",
    title: "Guided Grad-CAM",
    folder: "GuidedGradCAM",
    summary: "guided backpropagation where Grad-CAM is positive",
    paper: "Selvaraju et al., Grad-CAM, ICCV 2017",
    url: "https://arxiv.org/abs/1610.02391",
    needs: Needs {
        gradients: &[(Place::Layer, Rectifier::Gradient), (Place::Input, Rectifier::Guided)],
        ..Needs::ONE_LAYER
    },
    sign: Sign::Magnitude,
    options: &[RESIZE],
    peers: &[(Peer::Captum, Likeness::Options("resize=nearest"))],
    attribute,
};

const RESIZE: MethodOption = MethodOption::word(
    "resize",
    &["bilinear", "nearest"],
    "how Grad-CAM is brought to the image's size",
);

/// Of a pixel's channels, the largest by size.
fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let (activations, gradients) = inference.activations_and_gradients(explanation)?;
    let map = weighted_by_means(explanation, activations, gradients)?;
    let guided = inference.input_gradients(Rectifier::Guided)?;
    let ([batch, ..], [height, width]) = (map.values.dims(), map.size);
    let [.., rows, columns] = guided.dims();
    let nearest = explanation.settings.is("resize", "nearest");
    let sampling = if nearest { Sampling::Nearest } else { Sampling::HalfPixel };
    let map = relu(map.values).reshape([batch, 1, height, width]);
    Ok(Maps::largest(guided * resized(map, [rows, columns], sampling)))
}
