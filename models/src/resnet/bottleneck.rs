//! The block of the residual networks: three convolutions beside a shortcut.

use burn::module::Module;
use burn::tensor::Tensor;
use burncam_net::layers::{Conv2d, Multiply, Squeeze, Sum};
use burncam_net::{LoadError, Loader, Trace};

/// A bottleneck. The first of a stage projects its shortcut; SENet's weigh their channels.
#[derive(Module, Debug)]
pub(super) struct Bottleneck {
    project: Option<Conv2d>,
    reduce: Conv2d,
    conv: Conv2d,
    increase: Conv2d,
    excite: Option<Excite>,
    sum: Sum,
}

#[derive(Module, Debug)]
struct Excite {
    squeeze: Squeeze,
    down: Conv2d,
    up: Conv2d,
    multiply: Multiply,
}

impl Bottleneck {
    /// The blocks of all stages, given how many each has.
    pub(super) fn load_stages(
        loader: &mut Loader<'_>,
        stages: [usize; 4],
        squeeze: bool,
    ) -> Result<Vec<Self>, LoadError> {
        let blocks = stages.into_iter().flat_map(|count| 0..count);
        blocks.map(|block| Self::load(loader, block == 0, squeeze)).collect()
    }

    fn load(loader: &mut Loader<'_>, first: bool, squeeze: bool) -> Result<Self, LoadError> {
        Ok(Self {
            project: first.then(|| loader.conv2d()).transpose()?,
            reduce: loader.conv2d()?,
            conv: loader.conv2d()?,
            increase: loader.conv2d()?,
            excite: squeeze.then(|| Excite::load(loader)).transpose()?,
            sum: loader.sum(),
        })
    }

    /// # Shapes
    ///
    /// `[batch, channels, height, width]` to `[batch, 4 * width of the bottleneck, ..]`.
    pub(super) fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let x = self.reduce.forward(input.clone(), trace);
        let x = self.conv.forward(x, trace);
        let shortcut = match &self.project {
            Some(project) => project.forward(input, trace),
            None => input,
        };
        match &self.excite {
            Some(excite) => excite.forward_onto(&self.increase, x, shortcut, &self.sum, trace),
            None => self.increase.forward_onto(x, shortcut, &self.sum, trace),
        }
    }
}

impl Excite {
    fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        Ok(Self {
            squeeze: loader.squeeze(),
            down: loader.conv2d()?,
            up: loader.conv2d()?,
            multiply: loader.multiply(),
        })
    }

    /// The convolution `increase`, its channels weighed, and the sum with the shortcut.
    fn forward_onto(
        &self,
        increase: &Conv2d,
        input: Tensor<4>,
        shortcut: Tensor<4>,
        sum: &Sum,
        trace: &mut Trace<'_>,
    ) -> Tensor<4> {
        match increase.means(&input, trace) {
            Some(means) => {
                let factors = self.factors(means, trace);
                let after = (&self.multiply, sum);
                increase.forward_scaled_onto(input, factors, shortcut, after, trace)
            }
            None => {
                let x = increase.forward(input, trace);
                let factors = self.factors(x.clone(), trace);
                self.multiply.forward_onto(x, factors, shortcut, sum, trace)
            }
        }
    }

    /// A factor for each channel, of a map or of its means.
    fn factors(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let x = self.squeeze.forward(input, trace);
        let x = self.down.forward(x, trace);
        self.up.forward(x, trace)
    }
}
