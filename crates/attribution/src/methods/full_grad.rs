//! FullGrad: the gradients of pixels and of all offsets of a network, each times what it is the gradient of.

use burn::tensor::Tensor;
use burncam_net::layers::{Sampling, before_rectifier, relative_sizes, resized};
use burncam_net::{Activation, Rectifier};

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
    let [_, channels, height, width] = images.dims();
    let by_channel = explanation.settings.is("rescale", "channel");
    let epsilon = explanation.settings.number("epsilon") as f32;
    let sizes = |map: Tensor<4>, factors: &[f32]| {
        // To enlarge the sum is to sum what is enlarged.
        let sum = relative_sizes(map, factors, by_channel, epsilon);
        resized(sum, [height, width], Sampling::HalfPixel)
    };
    let ones = vec![1.0; channels];
    let mut sum = sizes(images * inference.input_gradients(Rectifier::Gradient)?, &ones);
    for layer in &explanation.layers {
        let Some((offsets, activation)) = inference.classifier.offsets(layer) else { continue };
        let gradients = inference.gradients(layer)?;
        let gradients = match activation {
            Activation::Relu => before_rectifier(gradients, inference.activations(layer)?),
            _ => gradients,
        };
        sum = sum + sizes(gradients, offsets);
    }
    Ok(Maps::sum(sum))
}
