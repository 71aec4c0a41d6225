//! Layers with weights for each channel that are no batch normalisation.

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use burncam_kernels as kernels;

use super::batch_norm::scaled_and_shifted;
use super::interleaved::Interleaved;
use super::recorded::{GradientFn, is_on_cpu, run};
use crate::{Rectifier, Trace};

/// Keras's `LayerNormalization` along the channels, `GroupNormalization`, or a factor for each channel.
#[derive(Module, Debug)]
pub(crate) struct Norm {
    name: String,
    #[module(skip)]
    statistics: Statistics,
    /// Scale and shift of each channel.
    weights: [Option<Param<Tensor<1>>>; 2],
    #[module(skip)]
    numbers: Arc<[Option<Vec<f32>>; 2]>,
}

/// What mean and variance are taken of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Statistics {
    /// Nothing is normalised.
    None,
    /// The channels of each position.
    Channels { epsilon: f32 },
    /// All positions of so many groups of channels.
    Groups { groups: usize, epsilon: f32 },
}

impl Norm {
    pub(super) fn new(
        name: &str,
        statistics: Statistics,
        numbers: [Option<Vec<f32>>; 2],
        device: &Device,
    ) -> Self {
        let tensor = |values: &Vec<f32>| {
            let data = TensorData::new(values.clone(), [values.len()]);
            Param::from_tensor(Tensor::from_data(data, device))
        };
        let weights = numbers.each_ref().map(|own| own.as_ref().map(tensor));
        Self { name: name.to_owned(), statistics, weights, numbers: Arc::new(numbers) }
    }

    /// # Shapes
    ///
    /// `[batch, channels, height, width]` in and out.
    pub(crate) fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        if trace.is_before_start() {
            return trace.start_at(&self.name, input);
        }
        let output = match self.statistics {
            Statistics::Channels { epsilon } if is_on_cpu(&input) => {
                self.of_channels(input, epsilon)
            }
            Statistics::None if is_on_cpu(&input) => self.scaled(input, trace.rectifier()),
            _ => self.computed(input),
        };
        trace.layer(&self.name, output)
    }

    /// By Burn's operations.
    fn computed(&self, input: Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = input.dims();
        let normal = match self.statistics {
            Statistics::None => input,
            Statistics::Channels { epsilon } => normalised(input, 1, epsilon),
            Statistics::Groups { groups, epsilon } => {
                let size = channels / groups * height * width;
                let input = input.reshape([batch, groups, size]);
                normalised(input, 2, epsilon).reshape([batch, channels, height, width])
            }
        };
        let each = |weight: &Param<Tensor<1>>| weight.val().reshape([1, channels, 1, 1]);
        let [gamma, beta] = &self.weights;
        let scaled = match gamma {
            Some(gamma) => normal * each(gamma),
            None => normal,
        };
        match beta {
            Some(beta) => scaled + each(beta),
            None => scaled,
        }
    }

    fn scaled(&self, input: Tensor<4>, rectifier: Rectifier) -> Tensor<4> {
        let [_, channels, ..] = input.dims();
        let [gamma, beta] = &*self.numbers;
        let scale = gamma.clone().unwrap_or_else(|| vec![1.0; channels]);
        let shift = beta.clone().unwrap_or_else(|| vec![0.0; channels]);
        scaled_and_shifted(input, &Arc::new([scale, shift]), kernels::Activation::Linear, rectifier)
    }

    fn of_channels(&self, input: Tensor<4>, epsilon: f32) -> Tensor<4> {
        run([input], |[input]| {
            let shape = input.shape;
            let weights = self.numbers.each_ref().map(Option::as_deref);
            let output = Interleaved::make(shape, |output| {
                kernels::normalise((input.values(), shape), epsilon, weights, output);
            });
            let (input, numbers) = (input.clone(), Arc::clone(&self.numbers));
            let back: GradientFn<1> = Arc::new(move |gradient, _| {
                [Some(Interleaved::make(shape, |output| {
                    let (scale, values) = (numbers[0].as_deref(), (input.values(), shape));
                    let gradient = gradient.values();
                    kernels::normalise_gradient(values, epsilon, scale, gradient, output);
                }))]
            });
            (output, back)
        })
    }
}

fn normalised<const D: usize>(input: Tensor<D>, dim: usize, epsilon: f32) -> Tensor<D> {
    let centred = input.clone() - input.mean_dim(dim);
    let variance = (centred.clone() * centred.clone()).mean_dim(dim);
    centred / (variance + epsilon).sqrt()
}

/// Keras's `PReLU`: `x` where positive, a learned slope times `x` elsewhere.
#[derive(Module, Debug)]
pub(crate) struct Prelu {
    name: String,
    /// `[1, channels or 1, height or 1, width or 1]`.
    slopes: Param<Tensor<4>>,
}

impl Prelu {
    pub(super) fn new(name: &str, slopes: Tensor<4>) -> Self {
        Self { name: name.to_owned(), slopes: Param::from_tensor(slopes) }
    }

    /// # Shapes
    ///
    /// `[batch, channels, height, width]` in and out.
    pub(crate) fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        if trace.is_before_start() {
            return trace.start_at(&self.name, input);
        }
        let rises = input.clone().greater_elem(0.0);
        let output = (input.clone() * self.slopes.val()).mask_where(rises, input);
        trace.layer(&self.name, output)
    }
}
