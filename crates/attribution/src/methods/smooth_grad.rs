//! SmoothGrad: the mean gradient of pixels of noisy copies.

use burncam_net::Tap;

use super::noise::{NOISE, SAMPLES, UNIT, moments};
use crate::{
    AttributionError, Explanation, Inference, Likeness, Maps, Method, Needs, Passes, Peer, Sign,
};

pub(super) static SMOOTH_GRAD: Method = Method {
    name: "smooth-grad",
    title: "SmoothGrad",
    folder: "SmoothGrad",
    summary: "the mean gradient of pixels of noisy copies",
    paper: "Smilkov et al., SmoothGrad, 2017",
    url: "https://arxiv.org/abs/1706.03825",
    needs: Needs { passes: Passes::Option("samples"), seeded: true, ..Needs::INPUT },
    sign: Sign::Magnitude,
    options: &[SAMPLES, NOISE, UNIT],
    peers: &[
        (Peer::Captum, Likeness::Options("samples=5,noise=1,unit=input")),
        (Peer::Xplique, Likeness::Options("noise=0.2,unit=input")),
    ],
    attribute,
};

/// Of a pixel's channels, the largest mean by size.
fn attribute(inference: &mut Inference<'_>, own: &Explanation) -> Result<Maps, AttributionError> {
    let [mean] = moments(inference, own, &Tap::Input)?;
    Ok(Maps::largest(mean))
}
