//! Saliency: how much each pixel would change the logit.

use burncam_net::Rectifier;

use crate::{AttributionError, Explanation, Inference, Likeness, Maps, Method, Needs, Peer, Sign};

pub(super) static SALIENCY: Method = Method {
    name: "saliency",
    title: "Saliency",
    folder: "Saliency",
    summary: "how much each pixel would change the logit",
    paper: "Simonyan et al., Deep Inside Convolutional Networks, ICLR Workshops 2014",
    url: "https://arxiv.org/abs/1312.6034",
    needs: Needs::INPUT,
    sign: Sign::Magnitude,
    options: &[],
    peers: &[(Peer::Captum, Likeness::Options("")), (Peer::Xplique, Likeness::Options(""))],
    attribute,
};

/// Of a pixel's channels, the largest gradient by size.
fn attribute(inference: &mut Inference<'_>, _: &Explanation) -> Result<Maps, AttributionError> {
    Ok(Maps::largest(inference.input_gradients(Rectifier::Gradient)?))
}
