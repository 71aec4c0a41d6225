//! Batch normalisation at inference.

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use burncam_kernels::{self as kernels, scale_and_shift};

use super::activation::{Function, before_function};
use super::interleaved::Interleaved;
use super::recorded::{GradientFn, is_on_cpu, run};
use crate::{Activation, Rectifier, Trace};

/// A batch normalisation's statistics as one factor and one offset a channel.
#[derive(Clone)]
pub(crate) struct Folded {
    pub(crate) factor: Vec<f32>,
    pub(crate) offset: Vec<f32>,
}

impl Folded {
    /// The module on a device.
    pub(crate) fn on(self, device: &Device) -> BatchNorm {
        let channels = self.factor.len();
        let tensor = |values: &Vec<f32>| {
            let data = TensorData::new(values.clone(), [channels]);
            Param::from_tensor(Tensor::from_data(data, device))
        };
        let (scale, offset) = (tensor(&self.factor), tensor(&self.offset));
        BatchNorm { scale, offset, numbers: Arc::new([self.factor, self.offset]) }
    }
}

/// Keras's `BatchNormalization` at inference, as one scale and one offset a channel, so that it
/// is the same on a tracked tensor: running statistics are never touched.
#[derive(Module, Debug)]
pub struct BatchNorm {
    scale: Param<Tensor<1>>,
    offset: Param<Tensor<1>>,
    /// The same for the CPU's kernels.
    #[module(skip)]
    numbers: Arc<[Vec<f32>; 2]>,
}

impl BatchNorm {
    /// # Shapes
    ///
    /// `[batch, channels, ..]` in and out.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        let mut shape = [1; D];
        shape[1] = self.scale.dims()[0];
        input * self.scale.val().reshape(shape) + self.offset.val().reshape(shape)
    }

    /// The same of a map, and a function of it, together where there is a kernel for it.
    pub(super) fn forward_map(
        &self,
        input: Tensor<4>,
        function: kernels::Activation,
        rectifier: Rectifier,
    ) -> Tensor<4> {
        match is_on_cpu(&input) {
            true => scaled_and_shifted(input, &self.numbers, function, rectifier),
            false => activated(self.forward(input), function),
        }
    }
}

/// A [`BatchNorm`] of a map that follows no convolution, and the activation that follows it.
#[derive(Module, Debug)]
pub struct BatchNorm2d {
    /// The normalisation, and the activation if there is one.
    names: Vec<String>,
    inner: BatchNorm,
    #[module(skip)]
    function: Function,
}

impl BatchNorm2d {
    pub(super) fn new(
        names: Vec<String>,
        folded: Folded,
        function: Option<Function>,
        device: &Device,
    ) -> Self {
        let function = function.unwrap_or(Function::Keras(Activation::Linear));
        Self { names, inner: folded.on(device), function }
    }

    /// # Shapes
    ///
    /// `[batch, channels, height, width]` in and out.
    pub fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        if trace.is_before_start() {
            return match trace.start_among(&self.names) {
                Some((0, output)) => self.rest(output, trace),
                Some((_, output)) => output,
                None => input,
            };
        }
        let (last, before) = self.names.split_last().expect("a layer has a name");
        let (function, later) = self.function.split();
        if later.is_none() && !before.iter().any(|name| trace.watches(name)) {
            return trace.layer(last, self.inner.forward_map(input, function, trace.rectifier()));
        }
        let linear = kernels::Activation::Linear;
        let normal = self.inner.forward_map(input, linear, trace.rectifier());
        let normal = trace.layer(&self.names[0], normal);
        self.rest(normal, trace)
    }

    /// What follows the normalisation.
    fn rest(&self, output: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        match self.names.get(1) {
            Some(name) => {
                let output = self.function.apply_to_map(output, trace.rectifier());
                trace.layer(name, output)
            }
            None => output,
        }
    }
}

fn activated(output: Tensor<4>, function: kernels::Activation) -> Tensor<4> {
    match function {
        kernels::Activation::Linear => output,
        kernels::Activation::Relu => Function::Keras(Activation::Relu).apply(output),
        kernels::Activation::LeakyRelu(slope) => Function::LeakyRelu(slope).apply(output),
        kernels::Activation::ClippedRelu(limit) => Function::ClippedRelu(limit).apply(output),
    }
}

/// A map on the CPU times one factor a channel, plus one offset, and a function of that.
pub(super) fn scaled_and_shifted(
    input: Tensor<4>,
    numbers: &Arc<[Vec<f32>; 2]>,
    function: kernels::Activation,
    rectifier: Rectifier,
) -> Tensor<4> {
    run([input], |[input]| {
        let shape = input.shape;
        let [scale, shift] = &**numbers;
        let output = Interleaved::make(shape, |output| {
            scale_and_shift((input.values(), shape), scale, shift, function, output);
        });
        let result = Interleaved::from_tensor(output.clone()).expect("made on the CPU");
        let numbers = Arc::clone(numbers);
        let back: GradientFn<1> = Arc::new(move |gradient, _| {
            let before = before_function(gradient, &result, function, rectifier);
            let before = Interleaved::from_tensor(before).expect("made on the CPU");
            let [scale, shift] = &*numbers;
            let (zeros, linear) = (vec![0.0; shift.len()], kernels::Activation::Linear);
            [Some(Interleaved::make(shape, |output| {
                scale_and_shift((before.values(), shape), scale, &zeros, linear, output);
            }))]
        });
        (output, back)
    })
}
