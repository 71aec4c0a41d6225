//! Deconvolution: gradients of pixels that pass rectifiers where they are positive.

use burncam_net::Rectifier;

use crate::{
    AttributionError, Explanation, Inference, Likeness, Maps, Method, Needs, Peer, Place, Sign,
};

pub(super) static DECONVOLUTION: Method = Method {
    name: "deconvolution",
    title: "Deconvolution",
    folder: "Deconvolution",
    summary: "gradients of pixels that pass rectifiers where they are positive",
    paper: "Zeiler, Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014",
    url: "https://arxiv.org/abs/1311.2901",
    needs: Needs { gradients: &[(Place::Input, Rectifier::Deconvolution)], ..Needs::LOGITS },
    sign: Sign::Magnitude,
    options: &[],
    peers: &[(Peer::Captum, Likeness::Options("")), (Peer::Xplique, Likeness::Options(""))],
    attribute,
};

/// Of a pixel's channels, the largest by size.
fn attribute(inference: &mut Inference<'_>, _: &Explanation) -> Result<Maps, AttributionError> {
    Ok(Maps::largest(inference.input_gradients(Rectifier::Deconvolution)?))
}
