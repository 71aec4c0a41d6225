//! FullGrad: the gradients of pixels and of all offsets of a network, each times what it is the gradient of.

use burn::tensor::{Tensor, TensorData};
use burncam_net::layers::{Sampling, resized};
use burncam_net::{Activation, Rectifier};

use super::channels::maxima;
use crate::{
    AttributionError, Explanation, Fit, Inference, Likeness, Maps, Method, MethodOption, Needs,
    Peer, Place, Sign, Taps,
};

pub(super) static FULL_GRAD: Method = Method {
    name: "full-grad",
    title: "FullGrad",
    folder: "FullGrad",
    summary: "gradients of pixels and of all offsets of the network, each times what it is the gradient of",
    paper: "Srinivas, Fleuret, Full-Gradient Representation for Neural Network Visualization, NeurIPS 2019",
    url: "https://arxiv.org/abs/1905.00780",
    needs: Needs {
        taps: Taps::Offsets,
        network: Fit::Rectified,
        gradients: &[(Place::Input, Rectifier::Gradient), (Place::Layer, Rectifier::Gradient)],
        ..Needs::ONE_LAYER
    },
    sign: Sign::Magnitude,
    options: &[RESCALE, EPSILON],
    peers: &[(Peer::PytorchGradCam, Likeness::Options("rescale=channel,epsilon=1e-7"))],
    attribute,
};

const RESCALE: MethodOption = MethodOption::word(
    "rescale",
    &["layer", "channel"],
    "what is brought to 0..1 before all is summed: the channels of a layer together, or each",
);

const EPSILON: MethodOption = MethodOption::number(
    "epsilon",
    0.0,
    [0.0, 1.0],
    "added to the range that sizes are divided by",
);

/// Offsets are those of convolutions and batch normalisations, as in the paper's code; dense layers have no places.
/// Sizes are brought to 0..1, enlarged bilinearly, and summed over channels and layers.
fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let images = inference.images();
    let [.., height, width] = images.dims();
    let by_channel = explanation.settings.is("rescale", "channel");
    let epsilon = explanation.settings.number("epsilon") as f32;
    let sizes = |products: Tensor<4>| {
        let sizes = rescaled(products.abs(), by_channel, epsilon);
        // To enlarge the sum is to sum what is enlarged.
        resized(sizes.sum_dim(1), [height, width], Sampling::HalfPixel)
    };
    let mut sum = sizes(images * inference.input_gradients(Rectifier::Gradient)?);
    for layer in &explanation.layers {
        let Some((offsets, activation)) = inference.classifier.offsets(layer) else { continue };
        let gradients = inference.gradients(layer)?;
        let gradients = match activation {
            Activation::Relu => {
                let is_open = inference.activations(layer)?.greater_elem(0.0);
                gradients * is_open.float()
            }
            _ => gradients,
        };
        let offsets = TensorData::new(offsets.to_vec(), [1, offsets.len(), 1, 1]);
        sum = sum + sizes(gradients.clone() * Tensor::<4>::from_data(offsets, &gradients.device()));
    }
    Ok(Maps::sum(sum))
}

fn rescaled(sizes: Tensor<4>, by_channel: bool, epsilon: f32) -> Tensor<4> {
    let [batch, channels, height, width] = sizes.dims();
    let groups = if by_channel { channels } else { 1 };
    let rows = sizes.reshape([batch, groups, channels / groups * height, width]);
    let rows = rows.clone() + maxima(rows.clone().neg());
    let largest = maxima(rows.clone()) + epsilon;
    let is_even = largest.clone().equal_elem(0.0);
    let shares = rows / largest.mask_fill(is_even, 1.0);
    shares.reshape([batch, channels, height, width])
}
