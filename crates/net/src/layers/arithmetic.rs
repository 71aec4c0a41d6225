//! Operations without weights that no layer of a known network has: element by element, along axes, or moving values.

use std::sync::Arc;

use burn::tensor::ops::PadMode;
use burn::tensor::{Device, Int, Tensor, TensorData};
use burncam_kernels as kernels;

use super::batch_norm::scaled_and_shifted;
use super::merge::{self, concatenated};
use super::recorded::is_on_cpu;
use super::whole::{flattened, maxima, means};
use crate::{Op, Rectifier, Reduction};

/// The least square of a length that is divided by, as in Keras.
const LEAST_SQUARE: f32 = 1e-12;

/// Computes an operation that has no weights; `output` is its shape, `[height, width, channels]`.
///
/// # Shapes
///
/// Inputs and output are `[batch, channels, height, width]`.
///
/// # Panics
///
/// If the operation has weights, or not as many inputs.
pub(crate) fn compute(
    op: &Op,
    mut inputs: Vec<Tensor<4>>,
    output: [usize; 3],
    rectifier: Rectifier,
) -> Tensor<4> {
    if let Some(joined) = join(op, &mut inputs, rectifier) {
        return joined;
    }
    let x = inputs.pop().expect("an input");
    match op {
        Op::Dropout => x,
        Op::Affine { scale, offset } => affine(x, scale, offset, rectifier),
        Op::Clip { low, high } => clip(x, *low, *high),
        Op::Power { exponent } => power(x, *exponent),
        Op::Absolute => x.abs(),
        Op::Reduce { reduction, axes } => reduce(x, *reduction, *axes),
        Op::Slice { begin, step, size } => slice(x, *begin, *step, *size),
        Op::Permute { dims } => {
            let [first, second, third] = dims.map(dimension);
            x.permute([0, third, first, second])
        }
        Op::ChannelShuffle { groups } => {
            let size = output[2] / groups;
            let index = |channel: usize| (channel % groups * size + channel / groups) as i64;
            select(x, 1, (0..output[2]).map(index))
        }
        Op::ConstantPadding2D { padding, value } => {
            x.pad(padding.map(|[before, after]| (before, after)), PadMode::Constant(*value))
        }
        Op::Reshape { target_shape } => reshape(x, *target_shape),
        Op::Flatten => {
            let [batch, ..] = x.dims();
            flattened(x).reshape([batch, output[2], 1, 1])
        }
        Op::GlobalAveragePooling2D => means(x),
        Op::GlobalMaxPooling2D => maxima(x),
        Op::GlobalConcatPooling2D => concatenated(vec![maxima(x.clone()), means(x)]),
        Op::Resizing { height, width, .. } => nearest(x, [*height, *width]),
        Op::UnitNormalization => x.clone() / length(x),
        other => unreachable!("{} is a layer of its own", other.class()),
    }
}

/// What an operation of several inputs makes of them; `None` where it has one.
fn join(op: &Op, inputs: &mut Vec<Tensor<4>>, rectifier: Rectifier) -> Option<Tensor<4>> {
    let count = inputs.len();
    let mut all = std::mem::take(inputs).into_iter();
    let joined = match op {
        Op::Concatenate => concatenated(all.by_ref().collect()),
        Op::Add => all.by_ref().reduce(|a, b| merge::added(a, b, rectifier))?,
        Op::Average => {
            let sum = all.by_ref().reduce(|a, b| merge::added(a, b, rectifier))?;
            sum / count as f32
        }
        Op::Multiply => all.by_ref().reduce(|a, b| merge::multiplied(a, b, rectifier))?,
        Op::Maximum => all.by_ref().reduce(larger)?,
        Op::Minimum => all.by_ref().reduce(|a, b| -larger(-a, -b))?,
        Op::ScaledSum { scale } => {
            let (a, b) = (all.next()?, all.next()?);
            merge::added(a, b * *scale, rectifier)
        }
        Op::Subtract => all.by_ref().reduce(|a, b| a - b)?,
        Op::Divide => all.by_ref().reduce(|a, b| a / b)?,
        Op::Dot { normalize } => {
            let (a, b) = (all.next()?, all.next()?);
            let [a, b] = match normalize {
                true => [a.clone() / length(a), b.clone() / length(b)],
                false => [a, b],
            };
            (a * b).sum_dim(1)
        }
        _ => {
            inputs.extend(all);
            return None;
        }
    };
    Some(joined)
}

/// The larger of two numbers; of equal ones the gradient goes to the first, as in TensorFlow.
fn larger(a: Tensor<4>, b: Tensor<4>) -> Tensor<4> {
    let dims: [usize; 4] = std::array::from_fn(|axis| a.dims()[axis].max(b.dims()[axis]));
    let (a, b) = (a.expand(dims), b.expand(dims));
    let is_first = a.clone().greater_equal(b.clone());
    b.mask_where(is_first, a)
}

/// One number, or one for each channel.
fn numbers(values: &[f32], device: &Device) -> Tensor<4> {
    let data = TensorData::new(values.to_vec(), [1, values.len(), 1, 1]);
    Tensor::from_data(data, device)
}

fn affine(x: Tensor<4>, scale: &[f32], offset: &[f32], rectifier: Rectifier) -> Tensor<4> {
    if is_on_cpu(&x) {
        let [_, channels, ..] = x.dims();
        let each = |values: &[f32]| match values {
            [one] => vec![*one; channels],
            all => all.to_vec(),
        };
        let numbers = Arc::new([each(scale), each(offset)]);
        return scaled_and_shifted(x, &numbers, kernels::Activation::Linear, rectifier);
    }
    let device = x.device().inner();
    let scaled = match scale {
        [1.0] => x,
        [one] => x * *one,
        all => x * numbers(all, &device),
    };
    match offset {
        [0.0] => scaled,
        [one] => scaled + *one,
        all => scaled + numbers(all, &device),
    }
}

fn clip(x: Tensor<4>, low: Option<f32>, high: Option<f32>) -> Tensor<4> {
    let x = match low {
        Some(low) => x.clamp_min(low),
        None => x,
    };
    match high {
        Some(high) => x.clamp_max(high),
        None => x,
    }
}

fn power(x: Tensor<4>, exponent: f32) -> Tensor<4> {
    match exponent {
        2.0 => x.clone() * x,
        1.0 => x,
        0.5 => x.sqrt(),
        -0.5 => x.sqrt().recip(),
        -1.0 => x.recip(),
        other => x.powf_scalar(other),
    }
}

/// The length of the vector of channels at each position.
fn length(x: Tensor<4>) -> Tensor<4> {
    (x.clone() * x).sum_dim(1).clamp_min(LEAST_SQUARE).sqrt()
}

/// The dimension of a tensor that is height, width or channels.
fn dimension(axis: usize) -> usize {
    [2, 3, 1][axis]
}

fn reduce(x: Tensor<4>, reduction: Reduction, axes: [bool; 3]) -> Tensor<4> {
    if axes == [true, true, false] && reduction == Reduction::Mean {
        return means(x);
    }
    let along = |x: Tensor<4>, axis: usize| match reduction {
        Reduction::Mean => x.mean_dim(dimension(axis)),
        Reduction::Sum => x.sum_dim(dimension(axis)),
        Reduction::Maximum => x.max_dim(dimension(axis)),
        Reduction::Minimum => x.min_dim(dimension(axis)),
    };
    (0..3).filter(|&axis| axes[axis]).fold(x, along)
}

fn slice(mut x: Tensor<4>, begin: [usize; 3], step: [isize; 3], size: [usize; 3]) -> Tensor<4> {
    for axis in 0..3 {
        let (dim, begin, step) = (dimension(axis), begin[axis], step[axis]);
        if [begin, size[axis]] == [0, x.dims()[dim]] && step == 1 {
            continue;
        }
        x = match step {
            1 => x.narrow(dim, begin, size[axis]),
            _ => select(x, dim, (0..size[axis]).map(|at| begin as i64 + at as i64 * step as i64)),
        };
    }
    x
}

fn select(x: Tensor<4>, dim: usize, indices: impl Iterator<Item = i64>) -> Tensor<4> {
    let indices: Vec<i64> = indices.collect();
    let data = TensorData::new(indices.clone(), [indices.len()]);
    let indices = Tensor::<1, Int>::from_data(data, &x.device());
    x.select(dim, indices)
}

/// The pixel under each centre, as TensorFlow and PyTorch take it.
fn nearest(x: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let along = |x: Tensor<4>, dim: usize, from: usize, to: usize| {
        let index =
            |at: usize| (((at as f64 + 0.5) * from as f64 / to as f64) as i64).min(from as i64 - 1);
        if from == to { x } else { select(x, dim, (0..to).map(index)) }
    };
    let tall = along(x, 2, height, size[0]);
    along(tall, 3, width, size[1])
}

fn reshape(x: Tensor<4>, [height, width, channels]: [usize; 3]) -> Tensor<4> {
    let [batch, own, ..] = x.dims();
    if x.dims() == [batch, own, 1, 1] && [height, width] == [1, 1] {
        return x;
    }
    let rows = x.permute([0, 2, 3, 1]).reshape([batch, height, width, channels]);
    rows.permute([0, 3, 1, 2])
}
