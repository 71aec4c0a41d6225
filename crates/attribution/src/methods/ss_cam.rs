//! SS-CAM: Score-CAM with noise on the masks.

use super::masks::{CORNERS, EPSILON, NORMALISE, SCORE, noise, weighted_by_score};
use crate::{
    AttributionError, Explanation, Inference, Likeness, Maps, Method, MethodOption, Needs, Passes,
    Peer, Sign,
};

pub(super) static SS_CAM: Method = Method {
    name: "ss-cam",
    title: "SS-CAM",
    folder: "SSCAM",
    summary: "channels of a layer, each weighted by the class's mean probability in images masked by it with noise",
    paper: "Wang et al., SS-CAM, 2020",
    url: "https://arxiv.org/abs/2006.14255",
    needs: Needs { passes: Passes::ChannelsTimes("samples"), seeded: true, ..Needs::ACTIVATIONS },
    sign: Sign::Positive,
    options: &[SAMPLES, NOISE, SCORE, CORNERS, NORMALISE, EPSILON],
    peers: &[(Peer::TorchCam, Likeness::Options("score=logit,normalise=before,epsilon=1e-8"))],
    attribute,
};

const SAMPLES: MethodOption =
    MethodOption::count("samples", 35, "noisy masks that are made of a channel");
const NOISE: MethodOption = MethodOption::number(
    "noise",
    2.0,
    [0.0, 100.0],
    "deviation of the noise on a mask, whose own values are 0 to 1",
);

/// The noise is on the mask, the paper's second way, and the same for all colours.
fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let (samples, deviation) =
        (explanation.settings.count("samples"), explanation.settings.number("noise") as f32);
    weighted_by_score(inference, explanation, samples, |masks, _, random| {
        noise(random, &masks, deviation) + masks
    })
}
