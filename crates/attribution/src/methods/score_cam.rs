//! Score-CAM: channels of a layer, each weighted by how sure the network is of an image masked by it.

use super::masks::{CORNERS, EPSILON, NORMALISE, SCORE, weighted_by_score};
use crate::{
    AttributionError, Explanation, Inference, Likeness, Maps, Method, Needs, Passes, Peer, Sign,
};

pub(super) static SCORE_CAM: Method = Method {
    name: "score-cam",
    title: "Score-CAM",
    folder: "ScoreCAM",
    summary: "channels of a layer, each weighted by the class's probability in an image masked by it",
    paper: "Wang et al., Score-CAM, CVPR Workshops 2020",
    url: "https://arxiv.org/abs/1910.01279",
    needs: Needs { passes: Passes::Channels, ..Needs::ACTIVATIONS },
    sign: Sign::Positive,
    options: &[SCORE, CORNERS, NORMALISE, EPSILON],
    peers: &[
        (Peer::PytorchGradCam, Likeness::Options("score=logit,corners=yes,epsilon=1e-8")),
        (Peer::TorchCam, Likeness::Options("score=logit,normalise=before,epsilon=1e-8")),
    ],
    attribute,
};

/// A channel is brought to the size of the images, then to 0..=1, and multiplied with the network's input, where 0 is
/// what the preprocessing makes of the mean colour, or of black. The weights are the softmax, over the channels, of
/// the score: the paper's baseline, the same for all channels, does not change it.
fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    weighted_by_score(inference, explanation, 1, |masks, _, _| masks)
}
