//! SmoothGrad: the mean gradient of pixels of noisy copies.

use burncam_net::Tap;

use super::noise::{NEEDS, OPTIONS, PEERS, moments};
use crate::{AttributionError, Explanation, Inference, Maps, Method, Sign};

pub(super) static SMOOTH_GRAD: Method = Method {
    name: "smooth-grad",
    title: "SmoothGrad",
    folder: "SmoothGrad",
    summary: "the mean gradient of pixels of noisy copies",
    paper: "Smilkov et al., SmoothGrad, 2017",
    url: "https://arxiv.org/abs/1706.03825",
    needs: NEEDS,
    sign: Sign::Magnitude,
    options: OPTIONS,
    peers: PEERS,
    attribute,
};

/// Of a pixel's channels, the largest mean by size.
fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let [mean] = moments(inference, explanation, &Tap::Input)?;
    Ok(Maps::largest(mean))
}
