//! IS-CAM: Score-CAM with masks that fade in.

use burn::tensor::{Tensor, TensorData};

use super::masks::{CORNERS, EPSILON, NORMALISE, SCORE, weighted_by_score};
use crate::{
    AttributionError, Explanation, Inference, Likeness, Maps, Method, MethodOption, Needs, Passes,
    Peer, Sign,
};

pub(super) static IS_CAM: Method = Method {
    name: "is-cam",
    title: "IS-CAM",
    folder: "ISCAM",
    summary: "channels of a layer, each weighted by the class's mean probability while an image masked by it fades in",
    paper: "Naidu et al., IS-CAM, 2020",
    url: "https://arxiv.org/abs/2010.03023",
    needs: Needs { passes: Passes::ChannelsTimes("steps"), ..Needs::ACTIVATIONS },
    sign: Sign::Positive,
    options: &[STEPS, SCORE, CORNERS, NORMALISE, EPSILON],
    peers: &[(
        Peer::TorchCam,
        Likeness::Differs("its steps add up, so that the image is multiplied by more than 1"),
    )],
    attribute,
};

const STEPS: MethodOption = MethodOption::count("steps", 10, "brightnesses of a masked image");

/// Step `i` of `n` multiplies the masked image by `i / n`.
fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let steps = explanation.settings.count("steps");
    weighted_by_score(inference, explanation, steps, |masks, numbers, _| {
        let shares: Vec<f32> = numbers.iter().map(|i| (i + 1) as f32 / steps as f32).collect();
        let shares = TensorData::new(shares, [numbers.len(), 1, 1, 1]);
        let shares = Tensor::<4>::from_data(shares, &masks.device());
        masks * shares
    })
}
