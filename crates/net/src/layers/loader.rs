//! Makes layers: numbers from the layer table, weights from the source.

use burn::module::Param;
use burn::nn::{Linear, conv};
use burn::tensor::{Device, Tensor, TensorData};

use super::{
    BatchNorm, Concat, Conv2d, Dense, Dropout, LeakyRelu, MaxPool2d, Resizing, burn_padding,
};
use crate::{Layer, LayerTable, LoadError, Op, Source, Weight};

/// Makes the layers of a network by name.
///
/// The methods panic when the table has no layer of that name and class: that is a mistake in
/// the architecture, not in a file.
pub struct Loader<'a> {
    table: &'a LayerTable,
    weights: Weights<'a>,
}

impl<'a> Loader<'a> {
    /// A loader of the layers of `table` with the weights of `source`, on `device`.
    pub fn new(table: &'a LayerTable, source: &'a mut dyn Source, device: &'a Device) -> Self {
        Self { table, weights: Weights { source, device } }
    }

    /// The convolution called `name`.
    ///
    /// # Errors
    ///
    /// If the source lacks a weight, or has it in another shape.
    pub fn conv2d(&mut self, name: &str) -> Result<Conv2d, LoadError> {
        let layer = self.layer(name);
        let Op::Conv2D { filters, kernel_size, strides, padding, use_bias, activation } = layer.op
        else {
            panic!("{name} is no Conv2D");
        };
        let channels = self.table.channels_in(layer);
        let [height, width] = kernel_size;
        let kernel: Tensor<4> =
            self.weights.tensor(name, Weight::Kernel, [height, width, channels, filters])?;
        let bias = match use_bias {
            true => Some(self.weights.tensor(name, Weight::Bias, [filters])?),
            false => None,
        };
        let inner = conv::Conv2d {
            weight: Param::from_tensor(contiguous(kernel.permute([3, 2, 0, 1]))),
            bias: bias.map(Param::from_tensor),
            stride: strides,
            kernel_size,
            dilation: [1, 1],
            groups: 1,
            padding: burn_padding(padding),
        };
        Ok(Conv2d::new(name, inner, activation))
    }

    /// The max-pooling called `name`.
    #[must_use]
    pub fn max_pool2d(&self, name: &str) -> MaxPool2d {
        match self.layer(name).op {
            Op::MaxPooling2D { pool_size, strides, padding } => {
                MaxPool2d::new(name, pool_size, strides, padding)
            }
            _ => panic!("{name} is no MaxPooling2D"),
        }
    }

    /// The leaky rectifier called `name`.
    #[must_use]
    pub fn leaky_relu(&self, name: &str) -> LeakyRelu {
        match self.layer(name).op {
            Op::LeakyReLU { negative_slope } => LeakyRelu::new(name, negative_slope),
            _ => panic!("{name} is no LeakyReLU"),
        }
    }

    /// The bilinear resize called `name`.
    #[must_use]
    pub fn resizing(&self, name: &str) -> Resizing {
        match self.layer(name).op {
            Op::Resizing { height, width } => Resizing::new(name, [height, width]),
            _ => panic!("{name} is no Resizing"),
        }
    }

    /// The concatenation called `name`.
    #[must_use]
    pub fn concat(&self, name: &str) -> Concat {
        assert_eq!(self.layer(name).op, Op::Concatenate, "{name}");
        Concat::new(name)
    }

    /// The dropout called `name`.
    #[must_use]
    pub fn dropout(&self, name: &str) -> Dropout {
        assert_eq!(self.layer(name).op, Op::Dropout, "{name}");
        Dropout::new(name)
    }

    fn layer(&self, name: &str) -> &'a Layer {
        self.table.get(name).unwrap_or_else(|| panic!("the table has no layer {name}"))
    }
}

/// A source and the device that its weights go to.
pub(crate) struct Weights<'a> {
    pub(crate) source: &'a mut dyn Source,
    pub(crate) device: &'a Device,
}

impl Weights<'_> {
    /// The dense layer called `name`.
    pub(crate) fn dense(
        &mut self,
        name: &str,
        inputs: usize,
        (units, use_bias, activation): (usize, bool, crate::Activation),
    ) -> Result<Dense, LoadError> {
        let weight = self.tensor(name, Weight::Kernel, [inputs, units])?;
        let bias = match use_bias {
            true => Some(Param::from_tensor(self.tensor(name, Weight::Bias, [units])?)),
            false => None,
        };
        Ok(Dense::new(Linear { weight: Param::from_tensor(weight), bias }, activation))
    }

    /// The batch normalisation called `name`, with its statistics folded in `f64`.
    pub(crate) fn batch_norm(
        &mut self,
        name: &str,
        channels: usize,
        (epsilon, scale, center): (f32, bool, bool),
    ) -> Result<BatchNorm, LoadError> {
        let mut values = |weight, present: bool, neutral: f32| match present {
            true => self.source.take(name, weight, &[channels]),
            false => Ok(vec![neutral; channels]),
        };
        let gamma = values(Weight::Gamma, scale, 1.0)?;
        let beta = values(Weight::Beta, center, 0.0)?;
        let mean = values(Weight::MovingMean, true, 0.0)?;
        let variance = values(Weight::MovingVariance, true, 1.0)?;
        let factor: Vec<f64> = gamma
            .iter()
            .zip(&variance)
            .map(|(&g, &v)| f64::from(g) / (f64::from(v) + f64::from(epsilon)).sqrt())
            .collect();
        let offset: Vec<f32> = (beta.iter().zip(&mean).zip(&factor))
            .map(|((&b, &m), f)| (f64::from(b) - f64::from(m) * f) as f32)
            .collect();
        let factor: Vec<f32> = factor.iter().map(|&f| f as f32).collect();
        let tensor = |values| Tensor::from_data(TensorData::new(values, [channels]), self.device);
        Ok(BatchNorm::new(tensor(factor), tensor(offset)))
    }

    fn tensor<const D: usize>(
        &mut self,
        layer: &str,
        weight: Weight,
        shape: [usize; D],
    ) -> Result<Tensor<D>, LoadError> {
        let values = self.source.take(layer, weight, &shape)?;
        Ok(Tensor::from_data(TensorData::new(values, shape), self.device))
    }
}

/// Brings a permuted tensor into row-major order, once, at load.
fn contiguous<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    let device = tensor.device();
    Tensor::from_data(tensor.into_data(), &device)
}
