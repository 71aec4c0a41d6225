//! The block of the residual networks: three convolutions beside a shortcut.

use burn::module::Module;
use burn::tensor::Tensor;
use burncam_net::layers::{ActivationLayer, Add, Conv2d, Multiply, Squeeze};
use burncam_net::{LoadError, Loader, Trace};

use crate::conv_norm::{ConvNorm, ConvNormRelu};

/// A bottleneck. The first of a stage projects its shortcut; SENet's weigh their channels.
#[derive(Module, Debug)]
pub(crate) struct Bottleneck {
    project: Option<ConvNorm>,
    reduce: ConvNormRelu,
    conv: ConvNormRelu,
    increase: ConvNorm,
    excite: Option<Excite>,
    add: Add,
    relu: ActivationLayer,
}

#[derive(Module, Debug)]
struct Excite {
    squeeze: Squeeze,
    down: Conv2d,
    relu: ActivationLayer,
    up: Conv2d,
    sigmoid: ActivationLayer,
    multiply: Multiply,
}

impl Bottleneck {
    /// The blocks of all stages, given how many each has.
    pub(crate) fn load_stages(
        loader: &mut Loader<'_>,
        stages: [usize; 4],
        squeeze: bool,
    ) -> Result<Vec<Self>, LoadError> {
        let blocks = stages.into_iter().flat_map(|count| 0..count);
        blocks.map(|block| Self::load(loader, block == 0, squeeze)).collect()
    }

    fn load(loader: &mut Loader<'_>, first: bool, squeeze: bool) -> Result<Self, LoadError> {
        Ok(Self {
            project: first.then(|| ConvNorm::load(loader)).transpose()?,
            reduce: ConvNormRelu::load(loader)?,
            conv: ConvNormRelu::load(loader)?,
            increase: ConvNorm::load(loader)?,
            excite: squeeze.then(|| Excite::load(loader)).transpose()?,
            add: loader.add(),
            relu: loader.activation(),
        })
    }

    /// # Shapes
    ///
    /// `[batch, channels, height, width]` to `[batch, 4 * width of the bottleneck, ..]`.
    pub(crate) fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let x = self.reduce.forward(input.clone(), trace);
        let x = self.conv.forward(x, trace);
        let x = self.increase.forward(x, trace);
        let x = match &self.excite {
            Some(excite) => excite.forward(x, trace),
            None => x,
        };
        let shortcut = match &self.project {
            Some(project) => project.forward(input, trace),
            None => input,
        };
        let sum = self.add.forward(x, shortcut, trace);
        self.relu.forward(sum, trace)
    }
}

impl Excite {
    fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        Ok(Self {
            squeeze: loader.squeeze(),
            down: loader.conv2d()?,
            relu: loader.activation(),
            up: loader.conv2d()?,
            sigmoid: loader.activation(),
            multiply: loader.multiply(),
        })
    }

    fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let x = self.squeeze.forward(input.clone(), trace);
        let x = self.down.forward(x, trace);
        let x = self.relu.forward(x, trace);
        let x = self.up.forward(x, trace);
        let factors = self.sigmoid.forward(x, trace);
        self.multiply.forward(input, factors, trace)
    }
}
