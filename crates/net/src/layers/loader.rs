//! Makes layers: numbers from the layer table, weights from the source.

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData};

use super::activation::Function;
use super::conv2d::{Parts, RawWeights};
use super::pool::Slide;
use super::{
    ActivationLayer, AvgPool2d, BatchNorm2d, Concat, Conv2d, Dense, Dropout, Folded, MaxPool2d,
    Multiply, Resizing, SharedLayers, Squeeze, Sum, ZeroPadding,
};
use crate::{
    Activation, Arithmetic, Build, Interpolation, Layer, LayerTable, LoadError, Op, Source, Weight,
};

/// Makes the layers of a network one after the other, in the table's order.
///
/// The methods panic when the table's next layer is of another class: that is a mistake in the
/// architecture, not in a file.
pub struct Loader<'a> {
    pub(super) table: &'a LayerTable,
    next: std::slice::Iter<'a, Layer>,
    pub(super) weights: Weights<'a>,
    pub(super) arithmetic: Arithmetic,
    /// For each layer whether a gradient may pass it, if that is known.
    tracked: Option<Vec<bool>>,
}

impl<'a> Loader<'a> {
    /// A loader of the layers of `table` with the weights of `source`, on `device`.
    pub fn new(
        table: &'a LayerTable,
        source: &'a mut dyn Source,
        device: &'a Device,
        how: Build<'a>,
    ) -> Self {
        // The input is no layer to make.
        let next = table.layers()[1..].iter();
        let tracked = how.taps.map(|taps| table.tracked(taps));
        Self {
            table,
            next,
            weights: Weights { source, device, shared: how.shared },
            arithmetic: how.arithmetic,
            tracked,
        }
    }

    /// The next layer, a convolution, with the batch normalisation and the activation that follow
    /// it and read nothing else.
    ///
    /// # Errors
    ///
    /// If the source lacks a weight, or has it in another shape.
    pub fn conv2d(&mut self) -> Result<Conv2d, LoadError> {
        let layer = self.next();
        let [height, width, channels] = self.table.layers()[layer.inputs[0]].output;
        let (slide, groups, activation, use_bias) = match layer.op {
            Op::Conv2D {
                kernel_size: size,
                strides,
                padding,
                dilation_rate: dilation,
                groups,
                use_bias,
                activation,
                ..
            } => (Slide { size, strides, padding, dilation }, groups, activation, use_bias),
            Op::DepthwiseConv2D {
                kernel_size: size,
                strides,
                padding,
                dilation_rate: dilation,
                use_bias,
                activation,
                ..
            } => (Slide { size, strides, padding, dilation }, channels, activation, use_bias),
            _ => unexpected(layer, "Conv2D"),
        };
        let weights = match layer.op {
            Op::DepthwiseConv2D { depth_multiplier, .. } => {
                self.weights.depthwise(&layer.name, slide.size, [channels, depth_multiplier])?
            }
            _ => {
                let shape = [slide.size[0], slide.size[1], channels / groups, layer.output[2]];
                let kernel = self.weights.source.take(&layer.name, Weight::Kernel, &shape)?;
                RawWeights { kernel, shape, bias: None }
            }
        };
        let bias = self.weights.bias(&layer.name, layer.output[2], use_bias)?;
        self.convolution(
            layer,
            RawWeights { bias, ..weights },
            slide,
            groups,
            (activation, [height, width]),
        )
    }

    /// A convolution with what follows it.
    pub(super) fn convolution(
        &mut self,
        layer: &Layer,
        weights: RawWeights,
        slide: Slide,
        groups: usize,
        (activation, input): (Activation, [usize; 2]),
    ) -> Result<Conv2d, LoadError> {
        let mut parts = Parts {
            names: vec![layer.name.clone()],
            weights: Arc::new(weights),
            groups,
            norm: None,
            own: Function::Keras(activation),
            after: None,
            slide,
            input,
            arithmetic: self.arithmetic,
            keep: true,
        };
        if activation == Activation::Linear {
            if let Some(norm) = self.follower(|op| matches!(op, Op::BatchNormalization { .. })) {
                parts.norm = Some(self.folded(norm)?);
                parts.names.push(norm.name.clone());
            }
            if let Some(next) = self.follower(|op| Function::from_op(op).is_some()) {
                parts.after = Function::from_op(&next.op);
                parts.names.push(next.name.clone());
            }
        }
        parts.keep = self.may_be_tracked(&parts.names);
        Ok(parts.build(self.weights.device, self.weights.shared))
    }

    /// The next layer, a batch normalisation, with the activation that follows it.
    ///
    /// # Errors
    ///
    /// If the source lacks a weight, or has it in another shape.
    pub fn batch_norm(&mut self) -> Result<BatchNorm2d, LoadError> {
        let layer = self.next();
        let folded = self.folded(layer)?;
        let mut names = vec![layer.name.clone()];
        let next = self.follower(|op| Function::from_op(op).is_some());
        names.extend(next.map(|layer| layer.name.clone()));
        let function = next.and_then(|layer| Function::from_op(&layer.op));
        Ok(BatchNorm2d::new(names, folded, function, self.weights.device))
    }

    /// The next layer, a max-pooling.
    pub fn max_pool2d(&mut self) -> MaxPool2d {
        let layer = self.next();
        match layer.op {
            Op::MaxPooling2D { pool_size, strides, padding } => {
                MaxPool2d::new(&layer.name, Slide::new(pool_size, strides, padding))
            }
            _ => unexpected(layer, "MaxPooling2D"),
        }
    }

    /// The next layer, an average-pooling.
    pub fn avg_pool2d(&mut self) -> AvgPool2d {
        let layer = self.next();
        match layer.op {
            Op::AveragePooling2D { pool_size, strides, padding } => {
                AvgPool2d::new(&layer.name, Slide::new(pool_size, strides, padding))
            }
            _ => unexpected(layer, "AveragePooling2D"),
        }
    }

    /// The next layer, an activation.
    pub fn activation(&mut self) -> ActivationLayer {
        let layer = self.next();
        match Function::from_op(&layer.op) {
            Some(function) => ActivationLayer::new(&layer.name, function),
            None => unexpected(layer, "Activation"),
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

    /// The next layer, a sum, with the activation that follows it.
    pub fn sum(&mut self) -> Sum {
        let mut names = vec![self.plain(&Op::Add).to_owned()];
        let next = self.follower(|op| Function::from_op(op).is_some());
        names.extend(next.map(|layer| layer.name.clone()));
        Sum::new(names, next.and_then(|layer| Function::from_op(&layer.op)))
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

    /// The table whose layers are made.
    pub(crate) fn table(&self) -> &'a LayerTable {
        self.table
    }

    /// The layer that is made next.
    pub(crate) fn upcoming(&self) -> Option<&'a Layer> {
        self.next.as_slice().first()
    }

    /// The place in the table of the layer that was made last.
    pub(crate) fn last_made(&self) -> usize {
        self.table.layers().len() - self.next.len() - 1
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

    /// The next layer if it is of this kind, reads the one before it alone, and is alone in that.
    fn follower(&mut self, kind: impl Fn(&Op) -> bool) -> Option<&'a Layer> {
        let all = self.table.layers();
        let (index, next) = (all.len() - self.next.len(), self.next.as_slice().first()?);
        let readers = all.iter().filter(|layer| layer.inputs.contains(&(index - 1))).count();
        let follows = kind(&next.op) && next.inputs == [index - 1] && readers == 1;
        follows.then(|| self.next())
    }

    /// Whether a gradient may pass a layer of these, or one of them is looked at.
    pub(super) fn may_be_tracked(&self, names: &[String]) -> bool {
        let Some(tracked) = &self.tracked else { return true };
        let layers = self.table.layers().iter().zip(tracked);
        layers.into_iter().any(|(layer, tracked)| *tracked && names.contains(&layer.name))
    }

    /// The statistics of a batch normalisation.
    fn folded(&mut self, layer: &Layer) -> Result<Folded, LoadError> {
        let Op::BatchNormalization { epsilon, scale, center } = layer.op else {
            unexpected(layer, "BatchNormalization")
        };
        self.weights.batch_norm(&layer.name, layer.output[2], (epsilon, scale, center))
    }

    pub(super) fn next(&mut self) -> &'a Layer {
        self.next.next().expect("the table has a further layer")
    }
}

pub(super) fn unexpected(layer: &Layer, expected: &str) -> ! {
    panic!("layer {} is a {}, not a {expected}", layer.name, layer.op.class())
}

/// A source and the device that its weights go to.
pub(crate) struct Weights<'a> {
    pub(crate) source: &'a mut dyn Source,
    pub(crate) device: &'a Device,
    pub(crate) shared: Option<&'a SharedLayers>,
}

impl Weights<'_> {
    /// The kernel of a depthwise convolution, as that of one with a group for each channel: Keras's layout is the
    /// same.
    pub(super) fn depthwise(
        &mut self,
        name: &str,
        [height, width]: [usize; 2],
        [channels, multiplier]: [usize; 2],
    ) -> Result<RawWeights, LoadError> {
        let shape = [height, width, channels, multiplier];
        let kernel = self.source.take(name, Weight::DepthwiseKernel, &shape)?;
        let shape = [height, width, 1, channels * multiplier];
        Ok(RawWeights { kernel, shape, bias: None })
    }

    pub(super) fn bias(
        &mut self,
        name: &str,
        count: usize,
        is_present: bool,
    ) -> Result<Option<Vec<f32>>, LoadError> {
        is_present.then(|| self.source.take(name, Weight::Bias, &[count])).transpose()
    }

    /// The dense layer called `name`.
    pub(crate) fn dense(
        &mut self,
        name: &str,
        inputs: usize,
        (units, use_bias, activation): (usize, bool, crate::Activation),
    ) -> Result<Dense, LoadError> {
        let shape = [inputs, units];
        let weight = match self.shared {
            None => self.tensor(name, Weight::Kernel, shape)?,
            Some(shared) => {
                let values = self.source.take(name, Weight::Kernel, &shape)?;
                let tensor =
                    |values| Tensor::from_data(TensorData::new(values, shape), self.device);
                shared.matrix(name, values, tensor)
            }
        };
        let bias = match use_bias {
            true => Some(Param::from_tensor(self.tensor(name, Weight::Bias, [units])?)),
            false => None,
        };
        Ok(Dense::new(Linear { weight: Param::from_tensor(weight), bias }, activation))
    }

    /// The batch normalisation called `name`, with its statistics folded in `f64`, of which the source
    /// has found that they are finite.
    pub(crate) fn batch_norm(
        &mut self,
        name: &str,
        channels: usize,
        (epsilon, scale, center): (f32, bool, bool),
    ) -> Result<Folded, LoadError> {
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
        if factor.iter().chain(&offset).any(|value| !value.is_finite()) {
            return Err(LoadError::Folded { layer: name.to_owned() });
        }
        Ok(Folded { factor, offset })
    }

    pub(super) fn tensor<const D: usize>(
        &mut self,
        layer: &str,
        weight: Weight,
        shape: [usize; D],
    ) -> Result<Tensor<D>, LoadError> {
        let values = self.source.take(layer, weight, &shape)?;
        Ok(Tensor::from_data(TensorData::new(values, shape), self.device))
    }
}
