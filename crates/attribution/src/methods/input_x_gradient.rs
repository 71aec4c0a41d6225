//! Input x gradient: each pixel times its gradient.

use burncam_net::Rectifier;

use crate::{AttributionError, Explanation, Inference, Likeness, Maps, Method, Needs, Peer, Sign};

pub(super) static INPUT_X_GRADIENT: Method = Method {
    name: "input-x-gradient",
    title: "Input x gradient",
    folder: "InputXGradient",
    summary: "each pixel times its gradient",
    paper: "Shrikumar et al., Not Just a Black Box, 2016",
    url: "https://arxiv.org/abs/1605.01713",
    needs: Needs::INPUT,
    sign: Sign::Signed,
    options: &[],
    peers: &[(Peer::Captum, Likeness::Options("")), (Peer::Xplique, Likeness::Options(""))],
    attribute,
};

/// The sum over a pixel's channels, of what enters the network.
fn attribute(inference: &mut Inference<'_>, _: &Explanation) -> Result<Maps, AttributionError> {
    let (images, gradients) = (inference.images(), inference.input_gradients(Rectifier::Gradient)?);
    Ok(Maps::sum_of_products(images, gradients))
}
