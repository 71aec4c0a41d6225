//! Guided backpropagation: gradients of pixels that pass rectifiers where both they and the activation are positive.

use burncam_net::Rectifier;

use crate::{
    AttributionError, Explanation, Inference, Likeness, Maps, Method, Needs, Peer, Place, Sign,
};

pub(super) static GUIDED_BACKPROP: Method = Method {
    name: "guided-backprop",
    title: "Guided backpropagation",
    folder: "GuidedBackprop",
    summary: "gradients of pixels that pass rectifiers where both they and the activation are positive",
    paper: "Springenberg et al., Striving for Simplicity, ICLR Workshops 2015",
    url: "https://arxiv.org/abs/1412.6806",
    needs: Needs { gradients: &[(Place::Input, Rectifier::Guided)], ..Needs::LOGITS },
    sign: Sign::Magnitude,
    options: &[],
    peers: &[(Peer::Captum, Likeness::Options("")), (Peer::Xplique, Likeness::Options(""))],
    attribute,
};

/// Of a pixel's channels, the largest by size. It depends little on the class: Adebayo et al., *Sanity Checks for
/// Saliency Maps*, 2018.
fn attribute(inference: &mut Inference<'_>, _: &Explanation) -> Result<Maps, AttributionError> {
    Ok(Maps::largest(inference.input_gradients(Rectifier::Guided)?))
}
