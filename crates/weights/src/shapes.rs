//! What can be told of a file's weights before their numbers are read.

use burncam_net::{LoadError, Op, Weight};

use crate::contents::output_of;
use crate::{Error, Format, Resolved};

impl Resolved {
    /// Checks that the file has every weight of the network, of the right shape and of numbers, and no
    /// other, without reading them. State_dicts and ONNX files, which have them in another layout, are passed over.
    ///
    /// # Errors
    ///
    /// The first weight that is missing, mis-shaped or of no numbers, else all for which there is no
    /// place.
    pub fn check_weights(&self) -> Result<(), Error> {
        if self.file.state.is_some() || self.format() == Format::Onnx {
            return Ok(());
        }
        let all = self.expected();
        for (layer, weight, shape) in &all {
            self.check(layer, *weight, shape).map_err(|source| Error::Weights {
                path: self.path().to_owned(),
                arch: self.arch.name,
                source: Box::new(source),
            })?;
        }
        // Which weights generated code reads, only the code tells.
        match self.layers.is_generated() {
            true => Ok(()),
            false => self.unused(all.iter().map(|(layer, weight, _)| (layer.as_str(), *weight))),
        }
    }

    /// The weights of the network in its order, by its own layer names, with their shapes in Keras's
    /// layout.
    pub(crate) fn expected(&self) -> Vec<(String, Weight, Vec<usize>)> {
        let table = &self.layers;
        let trunk = table.layers().iter().flat_map(|layer| {
            let of = match layer.op {
                // Of vectors Keras has no height and width.
                Op::PReLU { shape: [.., channels] } if !layer.is_map => {
                    vec![(Weight::Alpha, vec![channels])]
                }
                _ => weights(&layer.op, table.channels_in(layer)),
            };
            of.into_iter().map(|(weight, shape)| (layer.name.clone(), weight, shape))
        });
        let mut shape = table.last().output.to_vec();
        let head = self.head.layers().iter().flat_map(|(name, op)| {
            let of = weights(op, shape.last().copied().unwrap_or_default());
            shape = output_of(op, std::mem::take(&mut shape));
            of.into_iter().map(|(weight, shape)| (name.clone(), weight, shape))
        });
        trunk.chain(head).collect()
    }

    fn check(&self, layer: &str, weight: Weight, shape: &[usize]) -> Result<(), LoadError> {
        let stored = self.located(layer, weight, shape)?;
        let readable = self.file.store.check(&stored.path);
        readable.map_err(|source| LoadError::Read { layer: layer.to_owned(), weight, source })
    }
}

/// The weights of a layer that reads so many channels, with their shapes in Keras's layout and order.
pub(crate) fn weights(op: &Op, inputs: usize) -> Vec<(Weight, Vec<usize>)> {
    let present = |all: &[(bool, Weight, &[usize])]| {
        let there = all.iter().filter(|(there, ..)| *there);
        there.map(|(_, weight, shape)| (*weight, shape.to_vec())).collect()
    };
    match *op {
        Op::Conv2D { filters, kernel_size: [height, width], groups, use_bias, .. } => present(&[
            (true, Weight::Kernel, &[height, width, inputs.div_euclid(groups.max(1)), filters]),
            (use_bias, Weight::Bias, &[filters]),
        ]),
        Op::Conv2DTranspose { filters, kernel_size: [height, width], use_bias, .. } => present(&[
            (true, Weight::Kernel, &[height, width, filters, inputs]),
            (use_bias, Weight::Bias, &[filters]),
        ]),
        Op::DepthwiseConv2D {
            kernel_size: [height, width], depth_multiplier, use_bias, ..
        } => present(&[
            (true, Weight::DepthwiseKernel, &[height, width, inputs, depth_multiplier]),
            (use_bias, Weight::Bias, &[inputs.saturating_mul(depth_multiplier)]),
        ]),
        Op::SeparableConv2D {
            filters,
            kernel_size: [height, width],
            depth_multiplier,
            use_bias,
            ..
        } => present(&[
            (true, Weight::DepthwiseKernel, &[height, width, inputs, depth_multiplier]),
            (
                true,
                Weight::PointwiseKernel,
                &[1, 1, inputs.saturating_mul(depth_multiplier), filters],
            ),
            (use_bias, Weight::Bias, &[filters]),
        ]),
        Op::LayerNormalization { scale, center, .. }
        | Op::GroupNormalization { scale, center, .. } => {
            present(&[(scale, Weight::Gamma, &[inputs]), (center, Weight::Beta, &[inputs])])
        }
        Op::LayerScale => present(&[(true, Weight::Gamma, &[inputs])]),
        Op::PReLU { shape } => present(&[(true, Weight::Alpha, &shape)]),
        Op::Dense { units, use_bias, .. } => {
            present(&[(true, Weight::Kernel, &[inputs, units]), (use_bias, Weight::Bias, &[units])])
        }
        Op::BatchNormalization { scale, center, .. } => present(&[
            (scale, Weight::Gamma, &[inputs]),
            (center, Weight::Beta, &[inputs]),
            (true, Weight::MovingMean, &[inputs]),
            (true, Weight::MovingVariance, &[inputs]),
        ]),
        _ => Vec::new(),
    }
}
