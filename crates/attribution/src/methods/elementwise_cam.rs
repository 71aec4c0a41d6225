//! Elementwise Grad-CAM: channels of a layer, each times its gradient, place by place, where that is positive.

use burn::tensor::activation::relu;

use crate::{AttributionError, Inference, Maps, Method, Needs, Sign};

pub(super) static ELEMENTWISE_CAM: Method = Method {
    name: "elementwise-cam",
    title: "Elementwise Grad-CAM",
    folder: "ElementwiseGradCAM",
    summary: "channels of a layer, each times its gradient, place by place, where that is positive",
    paper: "Gildenblat and contributors, pytorch-grad-cam, GradCAMElementWise, 2022",
    url: "https://github.com/jacobgil/pytorch-grad-cam",
    needs: Needs::ONE_LAYER,
    sign: Sign::Positive,
    attribute,
};

fn attribute(inference: &mut Inference<'_>, layers: &[String]) -> Result<Maps, AttributionError> {
    let (activations, gradients) = inference.activations_and_gradients(layers)?;
    Ok(Maps::sum(relu(activations * gradients)))
}
