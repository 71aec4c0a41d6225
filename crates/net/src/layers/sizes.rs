//! Sizes of a map's values over its channels.

use burn::tensor::{Device, Tensor, TensorData};
use burncam_kernels as kernels;

use super::interleaved::{Interleaved, is_plain};

/// The largest size among the channels of each position.
///
/// # Shapes
///
/// `[batch, channels, height, width]` to `[batch, 1, height * width]`.
#[must_use]
pub fn largest_sizes(map: Tensor<4>) -> Tensor<3> {
    let [batch, _, height, width] = map.dims();
    if is_plain(&map) {
        let map = Interleaved::from_tensor(map).expect("it is plain");
        let sizes = kernels::largest_sizes(map.values(), map.shape);
        let data = TensorData::new(sizes, [batch, 1, height * width]);
        return Tensor::from_data(data, &Device::flex());
    }
    map.abs().max_dim(1).flatten(2, 3)
}

/// The sizes of a map's values, each times the factor of its channel, brought to 0..1 within an image or within each of
/// its channels, and summed over the channels. `epsilon` is added to the range that sizes are divided by; where that is
/// 0, sizes are 0.
///
/// # Shapes
///
/// `[batch, channels, height, width]` to `[batch, 1, height, width]`.
#[must_use]
pub fn relative_sizes(
    map: Tensor<4>,
    factors: &[f32],
    by_channel: bool,
    epsilon: f32,
) -> Tensor<4> {
    let [batch, channels, height, width] = map.dims();
    if is_plain(&map) {
        let map = Interleaved::from_tensor(map).expect("it is plain");
        let map = (map.values(), map.shape);
        let sums = kernels::relative_sizes(map, factors, by_channel, epsilon);
        let data = TensorData::new(sums, [batch, 1, height, width]);
        return Tensor::from_data(data, &Device::flex());
    }
    let factors = TensorData::new(factors.to_vec(), [1, channels, 1, 1]);
    let sizes = (map.clone() * Tensor::from_data(factors, &map.device())).abs();
    let groups = if by_channel { channels } else { 1 };
    let rows = sizes.reshape([batch, groups, 1, channels / groups * height * width]);
    let least = rows.clone().neg().max_dim(3).neg();
    let rows = rows - least;
    let largest = rows.clone().max_dim(3) + epsilon;
    let is_even = largest.clone().equal_elem(0.0);
    let shares = rows / largest.mask_fill(is_even, 1.0);
    shares.reshape([batch, channels, height, width]).sum_dim(1)
}
