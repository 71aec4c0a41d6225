//! A convolution, its batch normalisation and a rectifier.

use burn::module::Module;
use burn::tensor::Tensor;
use burncam_net::layers::{ActivationLayer, BatchNorm2d, Conv2d};
use burncam_net::{LoadError, Loader, Trace};

/// A convolution and its batch normalisation.
#[derive(Module, Debug)]
pub(crate) struct ConvNorm {
    conv: Conv2d,
    norm: BatchNorm2d,
}

impl ConvNorm {
    pub(crate) fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        Ok(Self { conv: loader.conv2d()?, norm: loader.batch_norm()? })
    }

    pub(crate) fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let output = self.conv.forward(input, trace);
        self.norm.forward(output, trace)
    }
}

/// A convolution, its batch normalisation and a rectifier.
#[derive(Module, Debug)]
pub(crate) struct ConvNormRelu {
    conv_norm: ConvNorm,
    relu: ActivationLayer,
}

impl ConvNormRelu {
    pub(crate) fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        Ok(Self { conv_norm: ConvNorm::load(loader)?, relu: loader.activation() })
    }

    pub(crate) fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let output = self.conv_norm.forward(input, trace);
        self.relu.forward(output, trace)
    }
}
