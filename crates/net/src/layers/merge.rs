//! Layers that bring several paths together.

use burn::module::Module;
use burn::tensor::Tensor;
use burncam_kernels::{Shape, join, scale_and_add};

use super::activation::Function;
use super::gpu;
use super::interleaved::{Interleaved, is_plain};
use crate::{Activation, Trace};

/// Keras's `Add`, the sum of two maps, and the activation that follows it.
#[derive(Module, Debug)]
pub struct Sum {
    /// The sum, and the activation if there is one.
    names: Vec<String>,
    #[module(skip)]
    function: Function,
}

impl Sum {
    pub(super) fn new(names: Vec<String>, function: Option<Function>) -> Self {
        Self { names, function: function.unwrap_or(Function::Keras(Activation::Linear)) }
    }

    /// # Shapes
    ///
    /// Both `[batch, channels, height, width]`, as the sum.
    pub fn forward(&self, a: Tensor<4>, b: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let sum = match gpu::is_on_gpu(&a) && gpu::is_on_gpu(&b) {
            true => (gpu::nhwc(a) + gpu::nhwc(b)).permute([0, 3, 1, 2]),
            false => a + b,
        };
        match self.names.as_slice() {
            [add, activation] => {
                let sum = trace.layer(add, sum);
                trace.layer(activation, self.function.apply(sum))
            }
            names => {
                names.iter().fold(self.function.apply(sum), |sum, name| trace.layer(name, sum))
            }
        }
    }

    /// The name of the result, and those of what comes before it.
    pub(super) fn names(&self) -> (&str, &[String]) {
        let (last, before) = self.names.split_last().expect("a layer has a name");
        (last, before)
    }

    pub(super) fn function(&self) -> Function {
        self.function
    }
}

/// Keras's `Multiply` of a map with one factor a channel.
#[derive(Module, Debug)]
pub struct Multiply {
    name: String,
}

impl Multiply {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// The product, then its sum with `shortcut`, all at once if nothing between is looked at.
    ///
    /// # Shapes
    ///
    /// `map` and `shortcut` `[batch, channels, height, width]`, as the result; `factors` `[batch,
    /// channels, 1, 1]`.
    pub fn forward_onto(
        &self,
        map: Tensor<4>,
        factors: Tensor<4>,
        shortcut: Tensor<4>,
        sum: &Sum,
        trace: &mut Trace<'_>,
    ) -> Tensor<4> {
        let (last, before) = sum.names();
        let watched = trace.watches(&self.name) || before.iter().any(|name| trace.watches(name));
        let (function, later) = sum.function().split();
        let all = [&map, &factors, &shortcut];
        if !watched
            && later.is_none()
            && all.into_iter().all(gpu::is_on_gpu)
            && let [Some(map), Some(factors), Some(shortcut)] =
                all.map(|tensor| gpu::Map::of(tensor.clone()))
            && let Some(output) = gpu::scale_and_add(&map, &factors, &shortcut, function)
        {
            return trace.layer(last, output.into_tensor());
        }
        let plain = all.into_iter().all(is_plain);
        if watched || later.is_some() || !plain {
            let product = trace.layer(&self.name, product(map, factors));
            return sum.forward(product, shortcut, trace);
        }
        let [map, factors, shortcut] = [map, factors, shortcut]
            .map(|tensor| Interleaved::of(tensor).expect("it is on the CPU"));
        let shape = map.shape;
        let output = Interleaved::make(shape, |output| {
            let map = (map.values(), shape);
            scale_and_add(map, factors.values(), Some(shortcut.values()), function, output);
        });
        [map, factors, shortcut].into_iter().for_each(Interleaved::recycle);
        trace.layer(last, output)
    }
}

/// Both on a GPU are multiplied, and their product lies, with the channels last.
fn product(map: Tensor<4>, factors: Tensor<4>) -> Tensor<4> {
    if gpu::is_on_gpu(&map) && gpu::is_on_gpu(&factors) {
        return (gpu::nhwc(map) * gpu::nhwc(factors)).permute([0, 3, 1, 2]);
    }
    map * factors
}

/// Keras's `Concatenate` along the channels.
#[derive(Module, Debug)]
pub struct Concat {
    name: String,
}

impl Concat {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// # Shapes
    ///
    /// `[batch, channels_i, height, width]` to `[batch, sum of channels_i, height, width]`.
    pub fn forward(&self, inputs: Vec<Tensor<4>>, trace: &mut Trace<'_>) -> Tensor<4> {
        let output = match inputs.iter().all(is_plain) {
            true => joined(inputs),
            false if inputs.iter().all(gpu::is_on_gpu) => {
                Tensor::cat(inputs.into_iter().map(gpu::nhwc).collect(), 3).permute([0, 3, 1, 2])
            }
            false => Tensor::cat(inputs, 1),
        };
        trace.layer(&self.name, output)
    }
}

fn joined(inputs: Vec<Tensor<4>>) -> Tensor<4> {
    let maps: Vec<_> = inputs.into_iter().filter_map(Interleaved::of).collect();
    let channels = maps.iter().map(|map| map.shape.channels).sum();
    let shape = Shape { channels, ..maps.first().expect("something to join").shape };
    let output = Interleaved::make(shape, |output| {
        let parts: Vec<_> = maps.iter().map(|map| (map.values(), map.shape.channels)).collect();
        join(&parts, output, shape);
    });
    maps.into_iter().for_each(Interleaved::recycle);
    output
}
