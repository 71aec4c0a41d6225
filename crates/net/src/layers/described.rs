//! Makes the layers that only networks of files have.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};

use super::activation::Function;
use super::conv2d::{Parts, RawWeights};
use super::loader::unexpected;
use super::normalisation::{Norm, Prelu, Statistics};
use super::pool::Slide;
use super::transposed::ConvTranspose2d;
use super::{Conv2d, Dense, Loader};
use crate::{Activation, Layer, LoadError, Op, Weight};

/// So many weights of a dense layer the CPU multiplies as it does those of a convolution, whose products do not depend
/// on the batch: a product of matrices would have to read them for eight images, however few there are. Of fewer that
/// takes no time, and of more the convolution would need a second copy.
const AS_CONVOLUTION: std::ops::Range<usize> = 1 << 17..1 << 23;

/// A dense layer of vectors, with its name, or of every position of a map.
pub(crate) enum Units {
    Vector(String, Dense),
    Map(Box<Conv2d>),
}

impl<'a> Loader<'a> {
    /// The next layer, a separable convolution: its first half, which is no layer, and its second.
    ///
    /// # Errors
    ///
    /// If the source lacks a weight, or has it in another shape.
    pub(crate) fn separable_conv2d(&mut self) -> Result<[Conv2d; 2], LoadError> {
        let layer = self.next();
        let Op::SeparableConv2D {
            filters,
            kernel_size: size,
            strides,
            padding,
            dilation_rate: dilation,
            depth_multiplier,
            use_bias,
            activation,
        } = layer.op
        else {
            unexpected(layer, "SeparableConv2D")
        };
        let [height, width, channels] = self.table.layers()[layer.inputs[0]].output;
        let [rows, columns, _] = layer.output;
        let (name, middle) = (&layer.name, channels * depth_multiplier);
        let weights = self.weights.depthwise(name, size, [channels, depth_multiplier])?;
        let first = Parts {
            names: vec![name.clone()],
            weights: Arc::new(weights),
            groups: channels,
            norm: None,
            own: Function::Keras(Activation::Linear),
            after: None,
            slide: Slide { size, strides, padding, dilation },
            input: [height, width],
            arithmetic: self.arithmetic,
            keep: self.may_be_tracked(std::slice::from_ref(name)),
        };
        let first = first.build(self.weights.device, self.weights.shared);
        let shape = [1, 1, middle, filters];
        let kernel = self.weights.source.take(name, Weight::PointwiseKernel, &shape)?;
        let bias = self.weights.bias(name, filters, use_bias)?;
        let (weights, point) = (RawWeights { kernel, shape, bias }, Slide::point());
        let second = self.convolution(layer, weights, point, 1, (activation, [rows, columns]))?;
        Ok([first, second])
    }

    /// The next layer, a transposed convolution.
    ///
    /// # Errors
    ///
    /// If the source lacks a weight, or has it in another shape.
    pub(crate) fn conv2d_transpose(&mut self) -> Result<ConvTranspose2d, LoadError> {
        let layer = self.next();
        let Op::Conv2DTranspose {
            filters,
            kernel_size,
            strides,
            before,
            size,
            use_bias,
            activation,
        } = layer.op
        else {
            unexpected(layer, "Conv2DTranspose")
        };
        let shape = [kernel_size[0], kernel_size[1], filters, self.table.channels_in(layer)];
        let kernel = self.weights.source.take(&layer.name, Weight::Kernel, &shape)?;
        let bias = self.weights.bias(&layer.name, filters, use_bias)?;
        let weights = RawWeights { kernel, shape, bias };
        let function = Function::Keras(activation);
        let window = [strides, before, size];
        Ok(ConvTranspose2d::new(&layer.name, weights, window, function, self.weights.device))
    }

    /// The next layer, a dense layer: of vectors, or of every position of a map.
    ///
    /// # Errors
    ///
    /// If the source lacks a weight, or has it in another shape.
    pub(crate) fn dense(&mut self) -> Result<Units, LoadError> {
        let layer = self.next();
        let Op::Dense { units, use_bias, activation } = layer.op else {
            unexpected(layer, "Dense")
        };
        let [height, width, channels] = self.table.layers()[layer.inputs[0]].output;
        let on_cpu = *self.weights.device == Device::flex();
        let as_convolution = on_cpu && AS_CONVOLUTION.contains(&(channels * units));
        if [height, width] == [1, 1] && !as_convolution {
            let dense = self.weights.dense(&layer.name, channels, (units, use_bias, activation))?;
            return Ok(Units::Vector(layer.name.clone(), dense));
        }
        let kernel = self.weights.source.take(&layer.name, Weight::Kernel, &[channels, units])?;
        let bias = self.weights.bias(&layer.name, units, use_bias)?;
        let weights = RawWeights { kernel, shape: [1, 1, channels, units], bias };
        let own = (activation, [height, width]);
        self.convolution(layer, weights, Slide::point(), 1, own)
            .map(|layer| Units::Map(Box::new(layer)))
    }

    /// The next layer, which normalises by an image's own statistics, or scales each channel.
    ///
    /// # Errors
    ///
    /// If the source lacks a weight, or has it in another shape.
    pub(crate) fn norm(&mut self) -> Result<Norm, LoadError> {
        let layer = self.next();
        let (statistics, scale, center) = match layer.op {
            Op::LayerNormalization { epsilon, scale, center } => {
                (Statistics::Channels { epsilon }, scale, center)
            }
            Op::GroupNormalization { groups, epsilon, scale, center } => {
                (Statistics::Groups { groups, epsilon }, scale, center)
            }
            Op::LayerScale => (Statistics::None, true, false),
            _ => unexpected(layer, "LayerNormalization"),
        };
        let mut weight = |weight, is_present: bool| {
            let count = [layer.output[2]];
            is_present.then(|| self.weights.source.take(&layer.name, weight, &count)).transpose()
        };
        let weights = [weight(Weight::Gamma, scale)?, weight(Weight::Beta, center)?];
        Ok(Norm::new(&layer.name, statistics, weights, self.weights.device))
    }

    /// The next layer, a rectifier with learned slopes.
    ///
    /// # Errors
    ///
    /// If the source lacks a weight, or has it in another shape.
    pub(crate) fn prelu(&mut self) -> Result<Prelu, LoadError> {
        let layer = self.next();
        let Op::PReLU { shape } = layer.op else { unexpected(layer, "PReLU") };
        let [.., channels] = shape;
        // Of vectors Keras has no height and width.
        let slopes: Tensor<3> = match layer.is_map {
            true => self.weights.tensor(&layer.name, Weight::Alpha, shape)?,
            false => {
                let slopes = self.weights.tensor(&layer.name, Weight::Alpha, [channels])?;
                slopes.reshape([1, 1, channels])
            }
        };
        Ok(Prelu::new(&layer.name, slopes.permute([2, 0, 1]).unsqueeze()))
    }

    /// The next layer, which has no weights.
    pub(crate) fn without_weights(&mut self) -> &'a Layer {
        self.next()
    }
}
