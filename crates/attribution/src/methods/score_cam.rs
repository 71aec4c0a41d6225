//! Score-CAM: channels of a layer, each weighted by how sure the network is of an image masked by it.

use burn::tensor::activation::softmax;
use burn::tensor::{Tensor, s};

use burncam_net::layers::resized;

use super::channels::maxima;
use crate::{AttributionError, Gradient, Inference, Maps, Method, Needs, Passes, Sign};

pub(super) static SCORE_CAM: Method = Method {
    name: "score-cam",
    title: "Score-CAM",
    folder: "ScoreCAM",
    summary: "channels of a layer, each weighted by the class's probability in an image masked by it",
    paper: "Wang et al., Score-CAM, CVPR Workshops 2020",
    url: "https://arxiv.org/abs/1910.01279",
    needs: Needs { gradient: Gradient::None, passes: Passes::OfChannels, ..Needs::ONE_LAYER },
    sign: Sign::Positive,
    attribute,
};

/// Masked images that go through the network at a time.
const AT_ONCE: usize = 16;

/// A channel is brought to the size of the images, then to 0..=1, and multiplied with the network's input, where 0 is
/// what the preprocessing makes of the mean colour, or of black. A channel that is the same everywhere masks all. The
/// weights are the softmax, over the channels, of the class's probability: the paper's baseline, the same for all
/// channels, does not change it.
fn attribute(inference: &mut Inference<'_>, layers: &[String]) -> Result<Maps, AttributionError> {
    let [layer] = layers else { return Err(AttributionError::layers(layers, "one")) };
    let (activations, images) = (inference.activations(layer)?, inference.images());
    let ([batch, channels, ..], [.., height, width]) = (activations.dims(), images.dims());
    let mut weights = Vec::with_capacity(batch);
    for image in 0..batch {
        let class = inference.classes().slice(s![image..image + 1]);
        let input = images.clone().slice(s![image..image + 1]);
        let mut scores = Vec::new();
        for first in (0..channels).step_by(AT_ONCE) {
            let count = AT_ONCE.min(channels - first);
            let masks = activations.clone().slice(s![image..image + 1, first..first + count]);
            let masks = resized(masks, [height, width]).swap_dims(0, 1);
            let (largest, smallest) = (maxima(masks.clone()), maxima(masks.clone().neg()).neg());
            let range = largest - smallest.clone();
            let is_even = range.clone().equal_elem(0.0);
            let masks = (masks - smallest) / range.mask_fill(is_even, 1.0);
            let logits = inference.pass(input.clone().repeat_dim(0, count) * masks)?;
            let probabilities = inference.probabilities(logits);
            scores.push(probabilities.gather(1, class.clone().repeat_dim(0, count)));
        }
        let scores = softmax(Tensor::cat(scores, 0), 0);
        weights.push(scores.reshape([1, channels, 1, 1]));
    }
    Ok(Maps::sum(activations * Tensor::cat(weights, 0)))
}
