//! Activation functions.

use burn::module::Module;
use burn::tensor::{Tensor, activation};
use burncam_kernels as kernels;

use crate::{Activation, Op, Trace};

/// A function of each number, or of the channels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Function {
    Keras(Activation),
    LeakyRelu(f32),
}

impl Function {
    /// The function of a layer that is nothing else.
    pub(super) fn of(op: &Op) -> Option<Self> {
        match *op {
            Op::Activation { activation } => Some(Self::Keras(activation)),
            Op::LeakyReLU { negative_slope } => Some(Self::LeakyRelu(negative_slope)),
            _ => None,
        }
    }

    pub(super) fn apply<const D: usize>(self, input: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Keras(function) => activate(function, input),
            Self::LeakyRelu(slope) => activation::leaky_relu(input, f64::from(slope)),
        }
    }

    /// What a kernel can do at the end of its work, and what is left to do after it.
    pub(super) fn split(self) -> (kernels::Activation, Option<Self>) {
        match self {
            Self::Keras(Activation::Linear) => (kernels::Activation::Linear, None),
            Self::Keras(Activation::Relu) => (kernels::Activation::Relu, None),
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
        Activation::Softmax => activation::softmax(input, 1),
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
        trace.layer(&self.name, self.function.apply(input))
    }
}
