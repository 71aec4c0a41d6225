//! Channels of a layer as masks of the image, and how much the network thinks of what they leave.

use burn::tensor::activation::softmax;
use burn::tensor::{Tensor, TensorData, s};
use burncam_net::layers::{Sampling, resized};

use super::channels::maxima;
use crate::{
    AttributionError, Explanation, Inference, MapStatus, Maps, MethodOption, Random, Score,
};

/// Images that go through the network at a time.
pub(super) const AT_ONCE: usize = 16;

/// What of the class is read of changed images.
pub(super) const SCORE: MethodOption = MethodOption::word(
    "score",
    &["probability", "logit"],
    "what of the class is read of each image",
);

/// How a channel is brought to the size of the image.
pub(super) const CORNERS: MethodOption = MethodOption::word(
    "corners",
    &["no", "yes"],
    "whether channels are enlarged with their corners on the image's (align_corners)",
);

/// When a mask is brought to 0..=1.
pub(super) const NORMALISE: MethodOption = MethodOption::word(
    "normalise",
    &["after", "before"],
    "whether masks get their range of 0 to 1 after they are enlarged or before",
);

/// What is added to a channel's range.
pub(super) const EPSILON: MethodOption = MethodOption::number(
    "epsilon",
    0.0,
    [0.0, 1.0],
    "added to the range of a channel that masks are divided by; with 0 an even channel masks all",
);

/// The score that an explanation asks for.
pub(super) fn score(explanation: &Explanation) -> Score {
    if explanation.settings.is("score", "logit") { Score::Logit } else { Score::Probability }
}

/// The sum of a layer's channels, each weighted by the softmax, over the channels, of the mean score of `times` images
/// that it masks. `change` makes of masks, `[copies, 1, height, width]`, and the number of each among the `times`,
/// what the image is multiplied with.
pub(super) fn weighted_by_score(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
    times: usize,
    change: impl Fn(Tensor<4>, &[usize], &mut Random) -> Tensor<4>,
) -> Result<Maps, AttributionError> {
    let (activations, images) = (inference.activations(explanation.layer()?)?, inference.images());
    let ([batch, channels, ..], [.., height, width]) = (activations.dims(), images.dims());
    let (mut weights, mut equal) = (Vec::with_capacity(batch), Vec::with_capacity(batch));
    for image in 0..batch {
        let input = images.clone().slice(s![image..image + 1]);
        let map = activations.clone().slice(s![image..image + 1]);
        let (mut scores, mut random) = (Vec::new(), inference.random(image));
        for first in (0..channels * times).step_by(AT_ONCE) {
            let copies: Vec<usize> = (first..channels * times).take(AT_ONCE).collect();
            let own_channels: Vec<usize> = copies.iter().map(|copy| copy / times).collect();
            let (low, high) = (own_channels[0], own_channels[own_channels.len() - 1]);
            let block =
                masks(explanation, map.clone().slice(s![0..1, low..high + 1]), [height, width]);
            let block = match times {
                1 => block,
                _ => {
                    let one =
                        |channel: &usize| block.clone().slice(s![channel - low..channel - low + 1]);
                    Tensor::cat(own_channels.iter().map(one).collect(), 0)
                }
            };
            let numbers: Vec<usize> = copies.iter().map(|copy| copy % times).collect();
            let block = change(block, &numbers, &mut random);
            let logits = inference.pass(input.clone().repeat_dim(0, copies.len()) * block)?;
            scores.push(inference.scores_of(image, logits, score(explanation)));
        }
        let scores = Tensor::cat(scores, 0).reshape([channels, times]).mean_dim(1);
        equal.push(are_equal(scores.clone()));
        weights.push(softmax(scores, 0).reshape([1, channels, 1, 1]));
    }
    let maps = explanation.total(activations * Tensor::cat(weights, 0))?;
    Ok(maps.undefined_where(MapStatus::EqualScores, Tensor::cat(equal, 0)))
}

/// 1 where all of `[scores, 1]` are equal, else 0: `[1, 1]`.
pub(super) fn are_equal(scores: Tensor<2>) -> Tensor<2> {
    let (most, least) = (scores.clone().max_dim(0), scores.neg().max_dim(0).neg());
    most.equal(least).float()
}

/// Channels `[1, channels, height, width]` as masks of an image of this size, `[channels, 1, height, width]`.
fn masks(explanation: &Explanation, channels: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    let corners = explanation.settings.is("corners", "yes");
    let sampling = if corners { Sampling::AlignedCorners } else { Sampling::HalfPixel };
    let enlarged = |masks: Tensor<4>| resized(masks, size, sampling);
    let epsilon = explanation.settings.number("epsilon") as f32;
    let masks = match explanation.settings.is("normalise", "before") {
        true => enlarged(normalised(channels, epsilon)),
        false => normalised(enlarged(channels), epsilon),
    };
    masks.swap_dims(0, 1)
}

fn normalised(masks: Tensor<4>, epsilon: f32) -> Tensor<4> {
    let (largest, smallest) = (maxima(masks.clone()), maxima(masks.clone().neg()).neg());
    let range = largest - smallest.clone() + epsilon;
    let is_even = range.clone().equal_elem(0.0);
    (masks - smallest) / range.mask_fill(is_even, 1.0)
}

/// Normal numbers for each of `copies`, of this deviation: `[copies, 1, height, width]`.
pub(super) fn noise(random: &mut Random, like: &Tensor<4>, deviation: f32) -> Tensor<4> {
    let [copies, _, height, width] = like.dims();
    let numbers: Vec<f32> = (0..copies).flat_map(|_| random.normal(height * width)).collect();
    let numbers = TensorData::new(numbers, [copies, 1, height, width]);
    Tensor::<4>::from_data(numbers, &like.device()) * deviation
}
