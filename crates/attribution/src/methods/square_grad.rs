//! SquareGrad: the mean squared gradient of pixels of noisy copies.

use burncam_net::Tap;

use super::noise::{NEEDS, OPTIONS, PEERS, moments};
use crate::{AttributionError, Explanation, Inference, Maps, Method, Sign};

pub(super) static SQUARE_GRAD: Method = Method {
    name: "square-grad",
    title: "SquareGrad",
    folder: "SquareGrad",
    summary: "the mean squared gradient of pixels of noisy copies",
    paper: "Hooker et al., A Benchmark for Interpretability Methods in Deep Neural Networks, NeurIPS 2019",
    url: "https://arxiv.org/abs/1806.10758",
    needs: NEEDS,
    sign: Sign::Magnitude,
    options: OPTIONS,
    peers: PEERS,
    attribute,
};

/// Of a pixel's channels, the largest.
fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let [_, squares] = moments(inference, explanation, &Tap::Input)?;
    Ok(Maps::largest(squares))
}
