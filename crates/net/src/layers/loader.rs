//! Makes layers: numbers from the layer table, weights from the source.

use burn::module::{Module, Param};
use burn::nn::{Linear, conv};
use burn::tensor::{Device, Tensor, TensorData};

use super::{
    ActivationLayer, Add, AvgPool2d, BatchNorm, BatchNorm2d, Concat, Conv2d, Dense, Dropout,
    LeakyRelu, MaxPool2d, Multiply, Resizing, Squeeze, ZeroPadding, burn_padding,
};
use crate::{Interpolation, Layer, LayerTable, LoadError, Op, Source, Weight};

/// Makes the layers of a network one after the other, in the table's order.
///
/// The methods panic when the table's next layer is of another class: that is a mistake in the
/// architecture, not in a file.
pub struct Loader<'a> {
    table: &'a LayerTable,
    next: std::slice::Iter<'a, Layer>,
    weights: Weights<'a>,
}

impl<'a> Loader<'a> {
    /// A loader of the layers of `table` with the weights of `source`, on `device`.
    pub fn new(table: &'a LayerTable, source: &'a mut dyn Source, device: &'a Device) -> Self {
        // The input is no layer to make.
        let next = table.layers()[1..].iter();
        Self { table, next, weights: Weights { source, device } }
    }

    /// The next layer, a convolution.
    ///
    /// # Errors
    ///
    /// If the source lacks a weight, or has it in another shape.
    pub fn conv2d(&mut self) -> Result<Conv2d, LoadError> {
        let layer = self.next();
        let Op::Conv2D { filters, kernel_size, strides, padding, use_bias, activation } = layer.op
        else {
            unexpected(layer, "Conv2D")
        };
        let name = &layer.name;
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

    /// The next layer, a batch normalisation.
    ///
    /// # Errors
    ///
    /// If the source lacks a weight, or has it in another shape.
    pub fn batch_norm(&mut self) -> Result<BatchNorm2d, LoadError> {
        let layer = self.next();
        let Op::BatchNormalization { epsilon, scale, center } = layer.op else {
            unexpected(layer, "BatchNormalization")
        };
        let channels = layer.output[2];
        let inner = self.weights.batch_norm(&layer.name, channels, (epsilon, scale, center))?;
        Ok(BatchNorm2d::new(&layer.name, inner))
    }

    /// The next layer, a max-pooling.
    pub fn max_pool2d(&mut self) -> MaxPool2d {
        let layer = self.next();
        match layer.op {
            Op::MaxPooling2D { pool_size, strides, padding } => {
                MaxPool2d::new(&layer.name, pool_size, strides, padding)
            }
            _ => unexpected(layer, "MaxPooling2D"),
        }
    }

    /// The next layer, an average-pooling.
    pub fn avg_pool2d(&mut self) -> AvgPool2d {
        let layer = self.next();
        match layer.op {
            Op::AveragePooling2D { pool_size, strides, padding } => {
                AvgPool2d::new(&layer.name, pool_size, strides, padding)
            }
            _ => unexpected(layer, "AveragePooling2D"),
        }
    }

    /// The next layer, an activation.
    pub fn activation(&mut self) -> ActivationLayer {
        let layer = self.next();
        match layer.op {
            Op::Activation { activation } => ActivationLayer::new(&layer.name, activation),
            _ => unexpected(layer, "Activation"),
        }
    }

    /// The next layer, a leaky rectifier.
    pub fn leaky_relu(&mut self) -> LeakyRelu {
        let layer = self.next();
        match layer.op {
            Op::LeakyReLU { negative_slope } => LeakyRelu::new(&layer.name, negative_slope),
            _ => unexpected(layer, "LeakyReLU"),
        }
    }

    /// The next layer, a bilinear resize.
    pub fn resizing(&mut self) -> Resizing {
        let layer = self.next();
        match layer.op {
            Op::Resizing { height, width, interpolation: Interpolation::Bilinear } => {
                Resizing::new(&layer.name, [height, width])
            }
            _ => unexpected(layer, "Resizing with bilinear interpolation"),
        }
    }

    /// The next layer, zeros around the border.
    pub fn zero_padding(&mut self) -> ZeroPadding {
        let layer = self.next();
        match layer.op {
            Op::ZeroPadding2D { padding } => ZeroPadding::new(&layer.name, padding),
            _ => unexpected(layer, "ZeroPadding2D"),
        }
    }

    /// The next two layers, a global average and its reshaping into a map.
    pub fn squeeze(&mut self) -> Squeeze {
        let (pool, reshape) = (self.next(), self.next());
        match (&pool.op, &reshape.op) {
            (Op::GlobalAveragePooling2D, Op::Reshape { .. }) => Squeeze::new(&reshape.name),
            _ => unexpected(pool, "GlobalAveragePooling2D before a Reshape"),
        }
    }

    /// The next layer, a sum.
    pub fn add(&mut self) -> Add {
        Add::new(self.plain(&Op::Add))
    }

    /// The next layer, a product.
    pub fn multiply(&mut self) -> Multiply {
        Multiply::new(self.plain(&Op::Multiply))
    }

    /// The next layer, a concatenation.
    pub fn concat(&mut self) -> Concat {
        Concat::new(self.plain(&Op::Concatenate))
    }

    /// The next layer, a dropout.
    pub fn dropout(&mut self) -> Dropout {
        Dropout::new(self.plain(&Op::Dropout))
    }

    /// The next layer, a module of generated code, which `new` makes; `paths` are its tensors.
    ///
    /// # Errors
    ///
    /// If the source lacks a tensor, or has it in another shape.
    pub fn generated<M: Module>(
        &mut self,
        paths: &'static [&'static str],
        new: impl FnOnce(&Device) -> M,
    ) -> Result<M, LoadError> {
        let layer = self.next();
        match layer.op {
            Op::Generated { .. } => self.weights.generated(&layer.name, paths, new),
            _ => unexpected(layer, "Generated"),
        }
    }

    /// The network's own head, a module of generated code, which `new` makes; `paths` are its
    /// tensors.
    ///
    /// # Errors
    ///
    /// If the source lacks a tensor, or has it in another shape.
    pub fn generated_head<M: Module>(
        &mut self,
        paths: &'static [&'static str],
        new: impl FnOnce(&Device) -> M,
    ) -> Result<M, LoadError> {
        self.weights.generated("head", paths, new)
    }

    /// Whether every layer of the table was made.
    pub(crate) fn is_done(&self) -> bool {
        self.next.len() == 0
    }

    /// Name of the next layer, which has no settings.
    fn plain(&mut self, op: &Op) -> &'a str {
        let layer = self.next();
        if layer.op != *op {
            unexpected(layer, op.class())
        }
        &layer.name
    }

    fn next(&mut self) -> &'a Layer {
        self.next.next().expect("the table has a further layer")
    }
}

fn unexpected(layer: &Layer, expected: &str) -> ! {
    panic!("layer {} is a {}, not a {expected}", layer.name, layer.op.class())
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
