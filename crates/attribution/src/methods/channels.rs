//! Figures of each channel of a map, in the map's shape.

use burn::tensor::Tensor;

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
