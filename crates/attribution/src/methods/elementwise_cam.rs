//! Elementwise Grad-CAM: channels of a layer, each times its gradient, place by place, where that is positive.

use burn::tensor::activation::relu;

use crate::{AttributionError, Explanation, Inference, Likeness, Maps, Method, Needs, Peer, Sign};

pub(super) static ELEMENTWISE_CAM: Method = Method {
    name: "elementwise-cam",
    title: "Elementwise Grad-CAM",
    folder: "ElementwiseGradCAM",
    summary: "channels of a layer, each times its gradient, place by place, where that is positive",
    paper: "Gildenblat and contributors, pytorch-grad-cam, GradCAMElementWise, 2022",
    url: "https://github.com/jacobgil/pytorch-grad-cam",
    needs: Needs::ONE_LAYER,
    sign: Sign::Positive,
    options: &[],
    peers: &[(Peer::PytorchGradCam, Likeness::Options(""))],
    attribute,
};

fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let (activations, gradients) = inference.activations_and_gradients(explanation)?;
    explanation.total(relu(activations * gradients))
}
