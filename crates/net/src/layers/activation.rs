//! Activation functions.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Tensor, activation};
use burncam_kernels as kernels;

use super::interleaved::{Interleaved, is_plain};
use super::recorded::{GradientFn, is_on_cpu, run};
use crate::{Activation, Op, Rectifier, Trace};

/// A function of each number, or of the channels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Function {
    Keras(Activation),
    LeakyRelu(f32),
    /// With the limit above which all is the limit.
    ClippedRelu(f32),
    /// A rectifier with every setting that Keras has.
    Relu {
        max_value: Option<f32>,
        negative_slope: f32,
        threshold: f32,
    },
    Elu(f32),
}

impl Function {
    /// The function of a layer that is nothing else.
    pub(crate) fn from_op(op: &Op) -> Option<Self> {
        match *op {
            Op::Activation { activation } => Some(Self::Keras(activation)),
            Op::LeakyReLU { negative_slope } => Some(Self::LeakyRelu(negative_slope)),
            Op::ReLU { max_value: Some(limit), negative_slope: 0.0, threshold: 0.0 } => {
                Some(Self::ClippedRelu(limit))
            }
            Op::ReLU { max_value: None, negative_slope, threshold: 0.0 } => {
                Some(Self::LeakyRelu(negative_slope))
            }
            Op::ReLU { max_value, negative_slope, threshold } => {
                Some(Self::Relu { max_value, negative_slope, threshold })
            }
            Op::ELU { alpha } => Some(Self::Elu(alpha)),
            _ => None,
        }
    }

    pub(crate) fn apply<const D: usize>(self, input: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Keras(function) => activate(function, input),
            Self::ClippedRelu(limit) => input.clamp(0.0, limit),
            Self::Relu { max_value, negative_slope, threshold } => {
                let rises = input.clone().greater_equal_elem(threshold);
                let below = (input.clone() - threshold) * negative_slope;
                let output = below.mask_where(rises, input);
                max_value.map_or(output.clone(), |limit| output.clamp_max(limit))
            }
            Self::Elu(alpha) => activation::elu(input, alpha.into()),
            Self::LeakyRelu(slope) => {
                // At 0 the gradient is the slope, as in Keras and PyTorch; in Burn it is 1.
                let rises = input.clone().greater_elem(0.0);
                input.clone().mul_scalar(slope).mask_where(rises, input)
            }
        }
    }

    /// As [`apply`](Self::apply), by a kernel on the CPU where there is one.
    pub(crate) fn apply_to_map(self, input: Tensor<4>, rectifier: Rectifier) -> Tensor<4> {
        match self.split() {
            (function, None) if is_on_cpu(&input) => run([input], |[input]| {
                let output = Interleaved::make(input.shape, |output| {
                    kernels::add(input.values(), None, function, output);
                });
                let result = Interleaved::from_tensor(output.clone()).expect("made on the CPU");
                let back: GradientFn<1> = Arc::new(move |gradient, _| {
                    [Some(before_function(gradient, &result, function, rectifier))]
                });
                (output, back)
            }),
            (_, Some(function)) if is_on_cpu(&input) => match function.kernel() {
                Some(kernel) => run([input], |[input]| {
                    let output = Interleaved::make(input.shape, |output| {
                        kernels::apply(kernel, input.values(), output);
                    });
                    let input = input.clone();
                    let back: GradientFn<1> = Arc::new(move |gradient, _| {
                        [Some(Interleaved::make(input.shape, |output| {
                            let (input, gradient) = (input.values(), gradient.values());
                            kernels::function_gradient(kernel, input, gradient, output);
                        }))]
                    });
                    (output, back)
                }),
                None => self.apply(input),
            },
            _ => self.apply(input),
        }
    }

    /// The CPU's kernel for the function, if there is one.
    fn kernel(self) -> Option<kernels::Function> {
        use kernels::Function;
        Some(match self {
            Self::Relu { max_value, negative_slope, threshold } => {
                let max = max_value.unwrap_or(f32::INFINITY);
                Function::Relu { negative_slope, threshold, max }
            }
            Self::Elu(alpha) => Function::Elu(alpha),
            Self::Keras(function) => match function {
                Activation::Sigmoid => Function::Sigmoid,
                Activation::Tanh => Function::Tanh,
                Activation::Elu => Function::Elu(1.0),
                Activation::Gelu => Function::Gelu,
                Activation::Silu => Function::Silu,
                Activation::HardSigmoid => Function::HardSigmoid,
                Activation::HardSilu => Function::HardSilu,
                Activation::Selu => Function::Selu,
                Activation::GeluTanh => Function::GeluTanh,
                Activation::Softplus => Function::Softplus,
                Activation::Softsign => Function::Softsign,
                Activation::Exponential => Function::Exp,
                _ => return None,
            },
            Self::LeakyRelu(_) | Self::ClippedRelu(_) => return None,
        })
    }

    /// What a kernel can do at the end of its work, and what is left to do after it.
    pub(super) fn split(self) -> (kernels::Activation, Option<Self>) {
        match self {
            Self::Keras(Activation::Linear) => (kernels::Activation::Linear, None),
            Self::Keras(Activation::Relu) => (kernels::Activation::Relu, None),
            Self::Keras(Activation::Relu6) => (kernels::Activation::ClippedRelu(6.0), None),
            Self::ClippedRelu(limit) => (kernels::Activation::ClippedRelu(limit), None),
            Self::Keras(Activation::LeakyRelu) => (kernels::Activation::LeakyRelu(0.2), None),
            Self::LeakyRelu(slope) if (0.0..=1.0).contains(&slope) => {
                (kernels::Activation::LeakyRelu(slope), None)
            }
            other => (kernels::Activation::Linear, Some(other)),
        }
    }
}

/// Applies `function` to a tensor whose channels are dimension 1.
pub(crate) fn activate<const D: usize>(function: Activation, input: Tensor<D>) -> Tensor<D> {
    match function {
        Activation::Linear => input,
        Activation::Relu => activation::relu(input),
        Activation::Sigmoid => activation::sigmoid(input),
        Activation::Tanh => activation::tanh(input),
        Activation::Elu => activation::elu(input, 1.0),
        Activation::Gelu => activation::gelu(input),
        Activation::Silu => activation::silu(input),
        Activation::Softmax => activation::softmax(input, 1),
        Activation::Relu6 => input.clamp(0.0, 6.0),
        Activation::HardSigmoid => hard_sigmoid(input, 1.0 / 6.0),
        Activation::HardSigmoid2 => hard_sigmoid(input, 0.2),
        Activation::HardSilu => input.clone() * hard_sigmoid(input, 1.0 / 6.0),
        Activation::Selu => activation::elu(input, SELU[0]) * SELU[1],
        Activation::GeluTanh => {
            let cube = input.clone() * input.clone() * input.clone();
            let inner = (input.clone() + cube * 0.044_715) * (2.0 / std::f64::consts::PI).sqrt();
            input * (inner.tanh() + 1.0) * 0.5
        }
        Activation::Softplus => softplus(input),
        Activation::Softsign => input.clone() / (input.abs() + 1.0),
        Activation::Exponential => input.exp(),
        Activation::Mish => input.clone() * softplus(input).tanh(),
        Activation::LeakyRelu => Function::LeakyRelu(0.2).apply(input),
        Activation::LogSoftmax => activation::log_softmax(input, 1),
        Activation::LogSigmoid => softplus(input.neg()).neg(),
        Activation::HardTanh => input.clamp(-1.0, 1.0),
        Activation::HardShrink => {
            let inside = input.clone().abs().lower_equal_elem(0.5);
            input.mask_fill(inside, 0.0)
        }
        Activation::SoftShrink => input.clone() - input.clamp(-0.5, 0.5),
        Activation::TanhShrink => input.clone() - input.tanh(),
        Activation::Squareplus => (input.clone() + (input.powi_scalar(2) + 4.0).sqrt()) * 0.5,
        Activation::SparseSigmoid => ((input + 1.0) * 0.5).clamp(0.0, 1.0),
        Activation::SparsePlus => {
            let bent = ((input.clone() + 1.0) * 0.5).clamp(0.0, 1.0).powi_scalar(2);
            bent + activation::relu(input - 1.0)
        }
    }
}

/// Alpha and scale of the scaled exponential linear unit (Klambauer et al. 2017).
const SELU: [f64; 2] = [1.673_263_242_354_377_3, 1.050_700_987_355_480_5];

fn hard_sigmoid<const D: usize>(input: Tensor<D>, slope: f64) -> Tensor<D> {
    (input * slope + 0.5).clamp(0.0, 1.0)
}

fn softplus<const D: usize>(input: Tensor<D>) -> Tensor<D> {
    let small = input.clone().abs().neg().exp().log1p();
    activation::relu(input) + small
}

/// The same of single units, `[batch, units]`, with gradients that pass rectifiers as `rectifier` says.
pub(crate) fn activate_units(
    function: Function,
    input: Tensor<2>,
    rectifier: Rectifier,
) -> Tensor<2> {
    if rectifier == Rectifier::Gradient || function != Function::Keras(Activation::Relu) {
        return function.apply(input);
    }
    let [batch, units] = input.dims();
    let map = input.reshape([batch, units, 1, 1]);
    function.apply_to_map(map, rectifier).reshape([batch, units])
}

/// The gradient before a function, of that after it and of what it gave.
pub(super) fn before_function(
    gradient: &Interleaved,
    output: &Interleaved,
    function: kernels::Activation,
    rectifier: Rectifier,
) -> Tensor<4> {
    use kernels::Activation::Relu;
    Interleaved::make(output.shape, |before| match (function, rectifier) {
        (Relu, Rectifier::Deconvolution) => kernels::add(gradient.values(), None, Relu, before),
        (Relu, Rectifier::Guided) => {
            let mut positive = vec![0.0; before.len()];
            kernels::add(gradient.values(), None, Relu, &mut positive);
            kernels::activation_gradient(&positive, output.values(), Relu, before);
        }
        _ => kernels::activation_gradient(gradient.values(), output.values(), function, before),
    })
}

/// The gradient before a rectifier, of that after it and of what it gave.
///
/// # Shapes
///
/// `[batch, channels, height, width]` each.
#[must_use]
pub fn before_rectifier(gradient: Tensor<4>, output: Tensor<4>) -> Tensor<4> {
    match is_plain(&gradient) && is_plain(&output) {
        true => {
            let map = |tensor| Interleaved::from_tensor(tensor).expect("it is plain");
            let (gradient, output) = (map(gradient), map(output));
            before_function(&gradient, &output, kernels::Activation::Relu, Rectifier::Gradient)
        }
        false => gradient * output.greater_elem(0.0).float(),
    }
}

/// Keras's `Activation` or `LeakyReLU`, where it follows no convolution.
#[derive(Module, Debug)]
pub struct ActivationLayer {
    name: String,
    #[module(skip)]
    function: Function,
}

impl ActivationLayer {
    pub(super) fn new(name: &str, function: Function) -> Self {
        Self { name: name.to_owned(), function }
    }

    /// # Shapes
    ///
    /// `[batch, channels, height, width]` in and out.
    pub fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        if trace.is_before_start() {
            return trace.start_at(&self.name, input);
        }
        trace.layer(&self.name, self.function.apply_to_map(input, trace.rectifier()))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    /// As PyTorch 2.15 prints them.
    #[test]
    fn functions_are_those_of_pytorch() {
        let function = |function| {
            let input = Tensor::<1>::from_floats([-2.0, -0.5, 0.0, 1.5], &Device::flex());
            activate(function, input).into_data().try_to_vec::<f32>().expect("numbers")
        };
        for (own, expected) in [
            (Activation::Tanh, [-0.964_027_6, -0.462_117_17, 0.0, 0.905_148_27]),
            (Activation::Elu, [-0.864_664_73, -0.393_469_33, 0.0, 1.5]),
            (Activation::Gelu, [-0.045_500_1, -0.154_268_79, 0.0, 1.399_789_1]),
            (Activation::Silu, [-0.238_405_84, -0.188_770_34, 0.0, 1.226_361_6]),
        ] {
            for (found, expected) in function(own).into_iter().zip(expected) {
                assert!((found - expected).abs() < 1e-6, "{own:?}: {found} is not {expected}");
            }
        }
    }

    /// Keras 2.15 and 3.15 give 0.25, 0.25, 1 here.
    #[test]
    fn the_gradient_of_a_leaky_rectifier_at_zero_is_its_slope() {
        let input = Tensor::<1>::from_floats([-1.0, 0.0, 1.0], &Device::flex());
        let input = input.autodiff().require_grad();
        let output = Function::LeakyRelu(0.25).apply(input.clone());
        let gradients = output.clone().sum().backward();
        let gradient = input.grad(&gradients).expect("a gradient");
        let values = |tensor: Tensor<1>| tensor.into_data().try_to_vec::<f32>().expect("numbers");
        assert_eq!(values(gradient), [0.25, 0.25, 1.0]);
        assert_eq!(values(output.inner()), [-0.25, 0.0, 1.0]);
    }
}
