//! Operations over whole maps: what a head begins with, and what maps of explanations are made of.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData, s};
use burncam_kernels::{self as kernels, Pooling, Shape};

use super::gpu;
use super::interleaved::{Interleaved, is_plain};
use super::pool::Slide;
use super::recorded::{GradientFn, is_on_cpu, run};
use crate::Padding;

/// The mean of each channel.
///
/// # Shapes
///
/// `[batch, channels, height, width]` to `[batch, channels, 1, 1]`.
pub(crate) fn means(input: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = input.dims();
    if is_on_cpu(&input) {
        return run([input], |[input]| {
            let shape = input.shape;
            let output = Interleaved::make(Shape { height: 1, width: 1, ..shape }, |output| {
                output.copy_from_slice(&kernels::mean(input.values(), shape));
            });
            let back: GradientFn<1> = Arc::new(move |gradient, _| {
                let share = 1.0 / (shape.height * shape.width) as f32;
                [Some(Interleaved::make(shape, |output| {
                    kernels::spread(gradient.values(), share, output, shape);
                }))]
            });
            (output, back)
        });
    }
    if gpu::is_on_gpu(&input) {
        let positions = gpu::nhwc(input).reshape([batch, height * width, channels]);
        return positions.mean_dim(1).reshape([batch, channels, 1, 1]);
    }
    input.flatten::<3>(2, 3).mean_dim(2).reshape([batch, channels, 1, 1])
}

/// The largest number of each channel.
///
/// # Shapes
///
/// `[batch, channels, height, width]` to `[batch, channels, 1, 1]`.
pub(crate) fn maxima(input: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = input.dims();
    if is_on_cpu(&input) {
        let size = [height, width];
        return Slide::new(size, size, Padding::Valid).pool(Pooling::Max, input);
    }
    input.flatten::<3>(2, 3).max_dim(2).reshape([batch, channels, 1, 1])
}

/// Images that products of matrices see at a time on the CPU.
const BLOCK: usize = 8;

/// What `forward` makes of each image. On the CPU the order of a matrix product's sums depends on its size: so that
/// an image's numbers do not depend on the batch that it is in, `forward` always sees as many there.
///
/// # Shapes
///
/// `[batch, channels, height, width]` to `[batch, units]`.
pub(crate) fn in_blocks(input: Tensor<4>, forward: impl Fn(Tensor<4>) -> Tensor<2>) -> Tensor<2> {
    if input.device().inner() != Device::flex() {
        return forward(input);
    }
    let [batch, ..] = input.dims();
    let blocks = (0..batch).step_by(BLOCK).map(|first| {
        let count = (batch - first).min(BLOCK);
        let output = forward(block(input.clone(), first, count, BLOCK));
        if count == BLOCK { output } else { output.slice(s![0..count]) }
    });
    let mut blocks: Vec<_> = blocks.collect();
    match blocks.len() {
        1 => blocks.remove(0),
        _ => Tensor::cat(blocks, 0),
    }
}

/// The images from `first` on, so many, and zeros up to `size` images, on the CPU.
///
/// # Shapes
///
/// `[batch, channels, height, width]` to `[size, channels, height, width]`.
///
/// # Panics
///
/// If the maps are not on the CPU in `f32`, or there are fewer.
fn block(input: Tensor<4>, first: usize, count: usize, size: usize) -> Tensor<4> {
    if [first, count, input.dims()[0]] == [0, size, size] {
        return input;
    }
    run([input], |[input]| {
        let shape = input.shape;
        let image = Shape { batch: 1, ..shape }.len();
        let own = first * image..(first + count) * image;
        let output = Interleaved::make(Shape { batch: size, ..shape }, |output| {
            output[..count * image].copy_from_slice(&input.values()[own.clone()]);
            output[count * image..].fill(0.0);
        });
        let back: GradientFn<1> = Arc::new(move |gradient, _| {
            [Some(Interleaved::make(shape, |output| {
                output.fill(0.0);
                output[own.clone()].copy_from_slice(&gradient.values()[..count * image]);
            }))]
        });
        (output, back)
    })
}

/// All numbers of an image as one row, in Keras's order.
///
/// # Shapes
///
/// `[batch, channels, height, width]` to `[batch, height * width * channels]`.
pub(crate) fn flattened(input: Tensor<4>) -> Tensor<2> {
    if is_on_cpu(&input) {
        let rows = run([input], |[input]| {
            let shape = input.shape;
            let row = Shape { batch: 1, ..shape }.len();
            let rows = Shape { height: 1, width: 1, channels: row, ..shape };
            let back: GradientFn<1> =
                Arc::new(move |gradient, _| [Some(gradient.clone().reshaped(shape).into_tensor())]);
            (input.clone().reshaped(rows).into_tensor(), back)
        });
        let [batch, row, ..] = rows.dims();
        return rows.reshape([batch, row]);
    }
    input.permute([0, 2, 3, 1]).flatten(1, 3)
}

/// Maps as the CPU's kernels read them, so that several layers can.
///
/// # Shapes
///
/// `[batch, channels, height, width]` in and out.
#[must_use]
pub fn interleaved(input: Tensor<4>) -> Tensor<4> {
    match is_plain(&input) {
        true => Interleaved::from_tensor(input).expect("it is plain").into_tensor(),
        false => input,
    }
}

/// The sum of the channels at each position, each channel times the mean of its `gradients`.
///
/// # Shapes
///
/// Both `[batch, channels, height, width]`, to `[batch, 1, height * width]`.
#[must_use]
pub fn weighted_sums(activations: Tensor<4>, gradients: Tensor<4>) -> Tensor<3> {
    let [batch, channels, height, width] = activations.dims();
    let weights = means(gradients);
    if is_plain(&activations) && is_plain(&weights) {
        let map = |tensor| Interleaved::from_tensor(tensor).expect("it is plain");
        let (activations, weights) = (map(activations), map(weights));
        let sums =
            kernels::weighted_sums(activations.values(), weights.values(), activations.shape);
        let data = TensorData::new(sums, [batch, 1, height * width]);
        return Tensor::from_data(data, &Device::flex());
    }
    let weights = weights.reshape([batch, 1, channels]);
    weights.matmul(activations.reshape([batch, channels, height * width]))
}

/// The sum over the channels, at each position, of the products of two maps.
///
/// # Shapes
///
/// Both `[batch, channels, height, width]`, to `[batch, 1, height * width]`.
#[must_use]
pub fn product_sums(a: Tensor<4>, b: Tensor<4>) -> Tensor<3> {
    let [batch, _, height, width] = a.dims();
    if is_plain(&a) && is_plain(&b) {
        let map = |tensor| Interleaved::from_tensor(tensor).expect("it is plain");
        let (a, b) = (map(a), map(b));
        let sums = kernels::product_sums(a.values(), b.values(), a.shape);
        let data = TensorData::new(sums, [batch, 1, height * width]);
        return Tensor::from_data(data, &Device::flex());
    }
    (a * b).sum_dim(1).reshape([batch, 1, height * width])
}

/// The mean of each channel of a map.
///
/// # Shapes
///
/// `[batch, channels, height, width]` to `[batch, channels]`.
#[must_use]
pub fn channel_means(map: Tensor<4>) -> Tensor<2> {
    let [batch, channels, ..] = map.dims();
    means(map).reshape([batch, channels])
}
