//! VarGrad: how much the gradient of pixels varies over noisy copies.

use burncam_net::Tap;

use super::noise::{NOISE, SAMPLES, UNIT, moments};
use crate::{
    AttributionError, Explanation, Inference, Likeness, Maps, Method, Needs, Passes, Peer, Sign,
};

pub(super) static VAR_GRAD: Method = Method {
    name: "var-grad",
    title: "VarGrad",
    folder: "VarGrad",
    summary: "how much the gradient of pixels varies over noisy copies",
    paper: "Adebayo et al., Local Explanation Methods for Deep Neural Networks Lack Sensitivity to Parameter Values, 2018",
    url: "https://arxiv.org/abs/1810.03307",
    needs: Needs { passes: Passes::Option("samples"), seeded: true, ..Needs::INPUT },
    sign: Sign::Magnitude,
    options: &[SAMPLES, NOISE, UNIT],
    peers: &[
        (Peer::Captum, Likeness::Options("samples=5,noise=1,unit=input")),
        (Peer::Xplique, Likeness::Options("noise=0.2,unit=input")),
    ],
    attribute,
};

/// The variance of all copies, divided by their number; of a pixel's channels, the largest.
fn attribute(inference: &mut Inference<'_>, own: &Explanation) -> Result<Maps, AttributionError> {
    let [mean, squares] = moments(inference, own, &Tap::Input)?;
    Ok(Maps::largest(squares - mean.powi_scalar(2)))
}
