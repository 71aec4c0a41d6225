//! Layers that bring several paths together.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::Tensor;
use burncam_kernels::{self as kernels, Shape, join, part, products, scale_and_add};

use super::activation::{Function, before_function};
use super::gpu;
use super::interleaved::Interleaved;
use super::recorded::{GradientFn, is_on_cpu, run};
use crate::{Activation, Rectifier, Trace};

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
        if trace.is_before_start() {
            return match trace.start_among(&self.names) {
                Some((0, output)) if self.names.len() > 1 => {
                    let output = self.function.apply_to_map(output, trace.rectifier());
                    trace.layer(&self.names[1], output)
                }
                Some((_, output)) => output,
                None => a,
            };
        }
        let (last, before) = self.names();
        let (function, later) = self.function.split();
        if is_on_cpu(&a)
            && is_on_cpu(&b)
            && later.is_none()
            && !before.iter().any(|name| trace.watches(name))
        {
            return trace.layer(last, sum(a, b, function, trace.rectifier()));
        }
        let sum = match gpu::is_on_gpu(&a) && gpu::is_on_gpu(&b) {
            true => (gpu::nhwc(a) + gpu::nhwc(b)).permute([0, 3, 1, 2]),
            false => a + b,
        };
        match self.names.as_slice() {
            [add, activation] => {
                let sum = trace.layer(add, sum);
                trace.layer(activation, self.function.apply_to_map(sum, trace.rectifier()))
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

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// # Shapes
    ///
    /// `map` `[batch, channels, height, width]`, as the result; `factors` `[batch, channels, 1, 1]`.
    pub fn forward(&self, map: Tensor<4>, factors: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        if trace.is_before_start() {
            return trace.start_at(&self.name, map);
        }
        trace.layer(&self.name, product(map, factors, trace.rectifier()))
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
        let watched = watched || trace.is_before_start();
        if !watched
            && later.is_none()
            && all.into_iter().all(gpu::is_on_gpu)
            && let [Some(map), Some(factors), Some(shortcut)] =
                all.map(|tensor| gpu::Map::from_tensor(tensor.clone()))
            && let Some(output) = gpu::scale_and_add(&map, &factors, &shortcut, function)
        {
            return trace.layer(last, output.into_tensor());
        }
        let on_cpu = all.into_iter().all(is_on_cpu);
        if watched || later.is_some() || !on_cpu {
            let product = self.forward(map, factors, trace);
            return sum.forward(product, shortcut, trace);
        }
        trace.layer(last, scaled([map, factors, shortcut], function, trace.rectifier()))
    }
}

/// The sum of two maps on the CPU, and a function of it.
fn sum(
    a: Tensor<4>,
    b: Tensor<4>,
    function: kernels::Activation,
    rectifier: Rectifier,
) -> Tensor<4> {
    run([a, b], |[a, b]| {
        let output = Interleaved::make(a.shape, |output| {
            kernels::add(a.values(), Some(b.values()), function, output);
        });
        let sum = Interleaved::from_tensor(output.clone()).expect("made on the CPU");
        let back: GradientFn<2> = Arc::new(move |gradient, _| {
            let both = before_function(gradient, &sum, function, rectifier);
            [Some(both.clone()), Some(both)]
        });
        (output, back)
    })
}

/// The sum of maps, one after the other; before a run's beginning, any of them.
pub(crate) fn total(maps: Vec<Tensor<4>>, trace: &Trace<'_>) -> Tensor<4> {
    let add = |a: Tensor<4>, b: Tensor<4>| match trace.is_before_start() {
        true => a,
        false => added(a, b, trace.rectifier()),
    };
    maps.into_iter().reduce(add).expect("something to add")
}

/// The sum of two maps; sizes that are 1 are repeated.
pub(super) fn added(a: Tensor<4>, b: Tensor<4>, rectifier: Rectifier) -> Tensor<4> {
    match is_on_cpu(&a) && is_on_cpu(&b) && a.dims() == b.dims() {
        true => sum(a, b, kernels::Activation::Linear, rectifier),
        false => a + b,
    }
}

/// The product of two maps; sizes that are 1 are repeated.
pub(super) fn multiplied(a: Tensor<4>, b: Tensor<4>, rectifier: Rectifier) -> Tensor<4> {
    let [batch, channels, ..] = a.dims();
    if b.dims() == [batch, channels, 1, 1] {
        return product(a, b, rectifier);
    }
    let [batch, channels, ..] = b.dims();
    match a.dims() == [batch, channels, 1, 1] {
        true => product(b, a, rectifier),
        false => a * b,
    }
}

/// Maps one behind the other, along the channels.
pub(super) fn concatenated(inputs: Vec<Tensor<4>>) -> Tensor<4> {
    match inputs.iter().all(is_on_cpu) {
        true => joined(inputs),
        false if inputs.iter().all(gpu::is_on_gpu) => {
            Tensor::cat(inputs.into_iter().map(gpu::nhwc).collect(), 3).permute([0, 3, 1, 2])
        }
        false => Tensor::cat(inputs, 1),
    }
}

/// A map with a part of its own for the gradient: the sum of the map and of zeros, and these zeros, of which a
/// gradient can be asked whether or not the map is recorded already.
///
/// # Shapes
///
/// `[batch, channels, height, width]` each.
#[must_use]
pub fn plus_zeros(map: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
    let zeros = map.clone().inner().zeros_like().autodiff().require_grad();
    let sum = match is_on_cpu(&map) {
        true => sum(map, zeros.clone(), kernels::Activation::Linear, Rectifier::Gradient),
        false => map + zeros.clone(),
    };
    (sum, zeros)
}

/// A map on the CPU times one factor a channel, the sum with a shortcut if there is a third map, and a function
/// of that.
fn scaled<const N: usize>(
    maps: [Tensor<4>; N],
    function: kernels::Activation,
    rectifier: Rectifier,
) -> Tensor<4> {
    run(maps, |maps| {
        let (map, factors) = (maps[0].clone(), maps[1].clone());
        let shape = map.shape;
        let output = Interleaved::make(shape, |output| {
            let shortcut = maps.get(2).map(Interleaved::values);
            scale_and_add((map.values(), shape), factors.values(), shortcut, function, output);
        });
        let result = Interleaved::from_tensor(output.clone()).expect("made on the CPU");
        let back: GradientFn<N> = Arc::new(move |gradient, wanted| {
            let before = before_function(gradient, &result, function, rectifier);
            let gradient = Interleaved::from_tensor(before.clone()).expect("made on the CPU");
            std::array::from_fn(|input| match input {
                _ if !wanted[input] => None,
                0 => Some(Interleaved::make(shape, |output| {
                    let linear = kernels::Activation::Linear;
                    let gradient = (gradient.values(), shape);
                    scale_and_add(gradient, factors.values(), None, linear, output);
                })),
                1 => Some(Interleaved::make(factors.shape, |output| {
                    output.copy_from_slice(&products(gradient.values(), map.values(), shape));
                })),
                _ => Some(before.clone()),
            })
        });
        (output, back)
    })
}

/// Both on a GPU are multiplied, and their product lies, with the channels last.
fn product(map: Tensor<4>, factors: Tensor<4>, rectifier: Rectifier) -> Tensor<4> {
    if gpu::is_on_gpu(&map) && gpu::is_on_gpu(&factors) {
        return (gpu::nhwc(map) * gpu::nhwc(factors)).permute([0, 3, 1, 2]);
    }
    if is_on_cpu(&map) && is_on_cpu(&factors) {
        return scaled([map, factors], kernels::Activation::Linear, rectifier);
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
        if trace.is_before_start() {
            let first = inputs.into_iter().next().expect("something to join");
            return trace.start_at(&self.name, first);
        }
        trace.layer(&self.name, concatenated(inputs))
    }
}

/// Maps on the CPU, one behind the other.
fn joined(mut inputs: Vec<Tensor<4>>) -> Tensor<4> {
    while inputs.len() > 4 {
        let first = inputs.drain(..4).collect();
        inputs.insert(0, joined(first));
    }
    match <[Tensor<4>; 4]>::try_from(inputs) {
        Ok(four) => join_all(four),
        Err(inputs) => match <[Tensor<4>; 3]>::try_from(inputs) {
            Ok(three) => join_all(three),
            Err(inputs) => match <[Tensor<4>; 2]>::try_from(inputs) {
                Ok(two) => join_all(two),
                Err(inputs) => inputs.into_iter().next().expect("something to join"),
            },
        },
    }
}

fn join_all<const N: usize>(inputs: [Tensor<4>; N]) -> Tensor<4> {
    run(inputs, |maps| {
        let shapes = maps.each_ref().map(|map| map.shape);
        let channels = shapes.iter().map(|shape| shape.channels).sum();
        let output = Interleaved::make(Shape { channels, ..shapes[0] }, |output| {
            let parts = maps.each_ref().map(|map| (map.values(), map.shape.channels));
            join(&parts, output, Shape { channels, ..shapes[0] });
        });
        let back: GradientFn<N> = Arc::new(move |gradient, _| {
            let mut first = 0;
            shapes.map(|shape| {
                let from = first;
                first += shape.channels;
                Some(Interleaved::make(shape, |output| {
                    part(gradient.values(), channels, from, output, shape);
                }))
            })
        });
        (output, back)
    })
}
