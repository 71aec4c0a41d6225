//! Figures of each channel of a map, in the map's shape.

use burn::tensor::Tensor;
use burncam_net::layers::{channel_means, weighted_sums};

use crate::{AttributionError, Explanation, Maps};

/// The sum of each channel of `[batch, channels, height, width]`: `[batch, channels, 1, 1]`.
pub(super) fn sums(map: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = map.dims();
    map.reshape([batch, channels, 1, height * width]).sum_dim(3)
}

/// The largest value of each channel of `[batch, channels, height, width]`: `[batch, channels, 1, 1]`.
pub(super) fn maxima(map: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = map.dims();
    map.reshape([batch, channels, 1, height * width]).max_dim(3)
}

/// 1 for each image without a positive number in `[batch, channels, height, width]`, else 0: `[batch, 1]`.
pub(super) fn no_positive(map: Tensor<4>) -> Tensor<2> {
    let [batch, channels, height, width] = map.dims();
    map.reshape([batch, channels * height * width]).max_dim(1).lower_equal_elem(0.0).float()
}

/// The sum of the channels, each weighted by the mean of its gradient; both are `[batch, channels, height, width]`.
pub(super) fn weighted_by_means(
    explanation: &Explanation,
    activations: Tensor<4>,
    gradients: Tensor<4>,
) -> Result<Maps, AttributionError> {
    let [batch, channels, height, width] = activations.dims();
    if explanation.smoothing.principal {
        let weights = channel_means(gradients).reshape([batch, channels, 1, 1]);
        return explanation.total(activations * weights);
    }
    Ok(Maps::new(weighted_sums(activations, gradients), [height, width]))
}
