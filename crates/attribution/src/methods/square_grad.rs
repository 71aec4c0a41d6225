//! SquareGrad: the mean squared gradient of pixels of noisy copies.

use burncam_net::Tap;

use super::noise::{NOISE, SAMPLES, UNIT, moments};
use crate::{
    AttributionError, Explanation, Inference, Likeness, Maps, Method, Needs, Passes, Peer, Sign,
};

pub(super) static SQUARE_GRAD: Method = Method {
    name: "square-grad",
    title: "SquareGrad",
    folder: "SquareGrad",
    summary: "the mean squared gradient of pixels of noisy copies",
    paper: "Hooker et al., A Benchmark for Interpretability Methods in Deep Neural Networks, NeurIPS 2019",
    url: "https://arxiv.org/abs/1806.10758",
    needs: Needs { passes: Passes::Option("samples"), seeded: true, ..Needs::INPUT },
    sign: Sign::Magnitude,
    options: &[SAMPLES, NOISE, UNIT],
    peers: &[
        (Peer::Captum, Likeness::Options("samples=5,noise=1,unit=input")),
        (Peer::Xplique, Likeness::Options("noise=0.2,unit=input")),
    ],
    attribute,
};

/// Of a pixel's channels, the largest.
fn attribute(inference: &mut Inference<'_>, own: &Explanation) -> Result<Maps, AttributionError> {
    let [_, squares] = moments(inference, own, &Tap::Input)?;
    Ok(Maps::largest(squares))
}
