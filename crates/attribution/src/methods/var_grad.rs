//! VarGrad: how much the gradient of pixels varies over noisy copies.

use burncam_net::Tap;

use super::noise::{NEEDS, OPTIONS, PEERS, moments};
use crate::{AttributionError, Explanation, Inference, Maps, Method, Sign};

pub(super) static VAR_GRAD: Method = Method {
    name: "var-grad",
    title: "VarGrad",
    folder: "VarGrad",
    summary: "how much the gradient of pixels varies over noisy copies",
    paper: "Adebayo et al., Local Explanation Methods for Deep Neural Networks Lack Sensitivity to Parameter Values, 2018",
    url: "https://arxiv.org/abs/1810.03307",
    needs: NEEDS,
    sign: Sign::Magnitude,
    options: OPTIONS,
    peers: PEERS,
    attribute,
};

/// The variance of all copies, divided by their number; of a pixel's channels, the largest.
fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let [mean, squares] = moments(inference, explanation, &Tap::Input)?;
    Ok(Maps::largest(squares - mean.powi_scalar(2)))
}
