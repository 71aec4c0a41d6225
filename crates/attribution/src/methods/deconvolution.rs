//! Deconvolution: gradients of pixels that pass rectifiers where they are positive.

use burncam_net::Rectifier;

use crate::{AttributionError, Inference, Maps, Method, Needs, Sign};

pub(super) static DECONVOLUTION: Method = Method {
    name: "deconvolution",
    title: "Deconvolution",
    folder: "Deconvolution",
    summary: "gradients of pixels that pass rectifiers where they are positive",
    paper: "Zeiler, Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014",
    url: "https://arxiv.org/abs/1311.2901",
    needs: Needs { rectifier: Rectifier::Deconvolution, ..Needs::INPUT },
    sign: Sign::Magnitude,
    attribute,
};

/// Of a pixel's channels, the largest by size.
fn attribute(inference: &mut Inference<'_>, _: &[String]) -> Result<Maps, AttributionError> {
    Ok(Maps::largest(inference.input_gradients(Rectifier::Deconvolution)?))
}
