//! Convolution and what follows it.

mod cpu;
mod parts;

use std::sync::Arc;

use burn::module::Module;
use burn::nn::conv;
use burn::tensor::Tensor;

use self::cpu::{CpuConvolution, Step};
pub(super) use self::parts::{Parts, RawWeights};
use super::activation::Function;
use super::gpu;
use super::interleaved::is_plain;
use super::pool::Slide;
use super::recorded::is_on_cpu;
use super::{AvgPool2d, BatchNorm, MaxPool2d, Multiply, Sum};
use crate::{Rectifier, Trace};

/// Keras's `Conv2D`, with the batch normalisation and the activation that follow it in the layer
/// table: they are computed together, unless one of them is looked at.
///
/// The kernels of `burncam-kernels` do it on the CPU, there and back; one program of `gpu` on a GPU, as long as no
/// gradient is asked.
#[derive(Module, Debug)]
pub struct Conv2d {
    /// The convolution, and what follows it.
    names: Vec<String>,
    /// The convolution alone.
    alone: conv::Conv2d,
    norm: Option<BatchNorm>,
    /// The convolution with the normalisation in its weights.
    folded: Option<conv::Conv2d>,
    #[module(skip)]
    own: Function,
    #[module(skip)]
    after: Option<Function>,
    #[module(skip)]
    fast: Option<Fast>,
}

/// What runs instead of Burn's convolution, for the one size of input that the table gives.
#[derive(Clone, Debug)]
pub(super) struct Fast {
    kernel: Kernel,
    /// Height and width.
    input: [usize; 2],
    output: [usize; 2],
}

#[derive(Clone, Debug)]
enum Kernel {
    Cpu {
        /// With the normalisation in its weights.
        folded: Arc<CpuConvolution>,
        alone: Arc<CpuConvolution>,
    },
    Gpu(Arc<gpu::Convolution>),
}

impl Conv2d {
    /// # Shapes
    ///
    /// `[batch, channels_in, height, width]` to `[batch, filters, height_out, width_out]`.
    pub fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        if trace.is_before_start() {
            return match trace.start_among(&self.names) {
                Some((place, output)) => self.rest(place + 1, output, trace),
                None => input,
            };
        }
        let (last, before) = self.names.split_last().expect("a layer has a name");
        if before.iter().any(|name| trace.watches(name)) {
            let output = trace.layer(&self.names[0], self.alone(input, trace.rectifier()));
            return self.rest(1, output, trace);
        }
        trace.layer(last, self.compute([input], self.function(), trace.rectifier()))
    }

    /// The same, then the sum with `shortcut`, all at once if nothing between is looked at.
    ///
    /// # Shapes
    ///
    /// As [`forward`](Self::forward); `shortcut` as the output.
    pub fn forward_onto(
        &self,
        input: Tensor<4>,
        shortcut: Tensor<4>,
        sum: &Sum,
        trace: &mut Trace<'_>,
    ) -> Tensor<4> {
        let linear = self.function() == Function::Keras(crate::Activation::Linear);
        let (last, before) = sum.names();
        // A gradient may pass the shortcut and not the convolution: that must not take Burn's weights, which
        // are there only for what a gradient passes.
        let both = self.fast.as_ref().is_none_or(|fast| fast.takes(&[&input, &shortcut]));
        let watched = self.names.iter().chain(before).any(|name| trace.watches(name));
        if !linear || !both || watched || trace.is_before_start() {
            let output = self.forward(input, trace);
            return sum.forward(output, shortcut, trace);
        }
        trace.layer(last, self.compute([input, shortcut], sum.function(), trace.rectifier()))
    }

    /// The same, then the pooling, all at once if nothing before it is looked at and no gradient is asked: then the
    /// larger map is never written.
    ///
    /// # Shapes
    ///
    /// As [`forward`](Self::forward), then as [`MaxPool2d::forward`].
    pub fn forward_pooled(
        &self,
        input: Tensor<4>,
        pool: &MaxPool2d,
        trace: &mut Trace<'_>,
    ) -> Tensor<4> {
        let is_seen = self.names.iter().any(|name| trace.sees(name));
        let fast = self.fast.as_ref().filter(|_| !is_seen && !trace.is_before_start());
        let step = fast.and_then(|fast| fast.pooling(&input, pool.slide(), self.function()));
        match step {
            Some(step) => trace.layer(pool.name(), step.pooled(input, pool.slide())),
            None => pool.forward(self.forward(input, trace), trace),
        }
    }

    /// The same, then another convolution, then the pooling. If no map between is looked at and no gradient is asked, the
    /// CPU computes all of it for some images after the other, so that the map between the convolutions is small.
    ///
    /// # Shapes
    ///
    /// As [`forward`](Self::forward), as that of `next`, then as [`MaxPool2d::forward`].
    pub fn forward_then_pooled(
        &self,
        next: &Self,
        input: Tensor<4>,
        pool: &MaxPool2d,
        trace: &mut Trace<'_>,
    ) -> Tensor<4> {
        let is_seen = self.names.iter().chain(&next.names).any(|name| trace.sees(name));
        let fast = self.fast.as_ref().filter(|_| !is_seen && !trace.is_before_start());
        let first = fast.and_then(|fast| fast.plain(&input, self.function()));
        let (slide, function) = (pool.slide(), next.function());
        let second = next.fast.as_ref().and_then(|fast| fast.step(function));
        match (first, second) {
            (Some(first), Some(second)) if second.can_pool(slide) => {
                trace.layer(pool.name(), first.then_pooled(second, input, slide))
            }
            _ => next.forward_pooled(self.forward(input, trace), pool, trace),
        }
    }

    /// The same of an average-pooled map, all at once if nothing before the results is looked at and no gradient is
    /// asked: the means of a point's sums are the sums of the means, and fewer numbers have to be averaged.
    ///
    /// # Shapes
    ///
    /// As [`AvgPool2d::forward`], then as [`forward`](Self::forward).
    pub fn forward_averaged(
        &self,
        input: Tensor<4>,
        pool: &AvgPool2d,
        trace: &mut Trace<'_>,
    ) -> Tensor<4> {
        let (last, before) = self.names.split_last().expect("a layer has a name");
        let is_seen = trace.watches(pool.name()) || before.iter().any(|name| trace.watches(name));
        let fast = self.fast.as_ref().filter(|_| !is_seen && !trace.is_before_start());
        let [_, channels, ..] = input.dims();
        match fast.and_then(|fast| fast.scaled(&[&input])) {
            Some(kernel) if pool.keeps_sums() && kernel.filters() < channels => {
                let linear = burncam_kernels::Activation::Linear;
                let size = [input.dims()[2], input.dims()[3]];
                let sums = kernel.run([input], size, linear, trace.rectifier());
                let output = self.function().apply_to_map(pool.apply(sums), trace.rectifier());
                trace.layer(last, output)
            }
            _ => self.forward(pool.forward(input, trace), trace),
        }
    }

    /// The means of the results' channels, computed from those of the input's: a point's results, and so their
    /// means, are sums of their products with weights. `None` if results are looked at, a gradient is asked, or
    /// [`forward_scaled_onto`](Self::forward_scaled_onto) cannot do without them.
    ///
    /// # Shapes
    ///
    /// `[batch, channels_in, height, width]` to `[batch, filters, 1, 1]`.
    #[must_use]
    pub fn means(&self, input: &Tensor<4>, trace: &Trace<'_>) -> Option<Tensor<4>> {
        let is_seen = self.names.iter().any(|name| trace.watches(name));
        let linear = self.function() == Function::Keras(crate::Activation::Linear);
        let fast = self.fast.as_ref().filter(|_| linear && !is_seen && !trace.is_before_start())?;
        fast.scaled(&[input])?.means(input)
    }

    /// The same, then the product with a factor for each channel, then the sum with `shortcut`, all at once if
    /// nothing between is looked at.
    ///
    /// # Shapes
    ///
    /// As [`forward`](Self::forward); `factors` `[batch, filters, 1, 1]`, `shortcut` as the output.
    pub fn forward_scaled_onto(
        &self,
        input: Tensor<4>,
        factors: Tensor<4>,
        shortcut: Tensor<4>,
        (multiply, sum): (&Multiply, &Sum),
        trace: &mut Trace<'_>,
    ) -> Tensor<4> {
        let linear = self.function() == Function::Keras(crate::Activation::Linear);
        let (last, before) = sum.names();
        let mut between = self.names.iter().chain(before).map(String::as_str);
        let watched = between.any(|name| trace.watches(name)) || trace.watches(multiply.name());
        let fast = self.fast.as_ref().filter(|_| linear && !watched && !trace.is_before_start());
        let kernel = fast.and_then(|fast| fast.scaled(&[&input, &factors, &shortcut]));
        if let (Some(kernel), (function, None)) = (kernel, sum.function().split()) {
            return trace.layer(last, kernel.scaled([input, factors, shortcut], function));
        }
        let output = self.forward(input, trace);
        multiply.forward_onto(output, factors, shortcut, sum, trace)
    }

    /// The function at the end.
    fn function(&self) -> Function {
        self.after.unwrap_or(self.own)
    }

    /// Convolution of the first map and normalisation, the sum with the second, if there is one, and a function of
    /// that, together.
    fn compute<const N: usize>(
        &self,
        maps: [Tensor<4>; N],
        function: Function,
        rectifier: Rectifier,
    ) -> Tensor<4> {
        match &self.fast {
            Some(fast) if fast.takes(&maps.each_ref()) => {
                let (now, later) = function.split();
                let output = fast.run(maps, now, rectifier);
                match later {
                    Some(function) => function.apply_to_map(output, rectifier),
                    None => output,
                }
            }
            _ => {
                let mut maps = maps.into_iter();
                let input = maps.next().expect("a map to convolve");
                let output = self.folded.as_ref().unwrap_or(&self.alone).forward(input);
                function.apply(maps.fold(output, |output, shortcut| output + shortcut))
            }
        }
    }

    /// The convolution alone, and its own function.
    fn alone(&self, input: Tensor<4>, rectifier: Rectifier) -> Tensor<4> {
        let output = match &self.fast {
            Some(Fast { kernel: Kernel::Cpu { alone, .. }, output, .. }) if is_on_cpu(&input) => {
                alone.run([input], *output, burncam_kernels::Activation::Linear, rectifier)
            }
            _ => self.alone.forward(input),
        };
        self.own.apply_to_map(output, rectifier)
    }

    /// The convolution and all that follows it, of which nothing is a layer.
    ///
    /// # Shapes
    ///
    /// As [`forward`](Self::forward).
    pub(crate) fn without_trace(&self, input: Tensor<4>, rectifier: Rectifier) -> Tensor<4> {
        self.compute([input], self.function(), rectifier)
    }

    /// What follows the first layers of those that are computed together, so many, one by one.
    fn rest(&self, done: usize, mut output: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let (norm, after) = (self.norm.as_ref().map(|_| 1), self.names.len() - 1);
        for (place, name) in self.names.iter().enumerate().skip(done) {
            output = match (&self.norm, &self.after) {
                (Some(batch_norm), _) if norm == Some(place) => {
                    let linear = burncam_kernels::Activation::Linear;
                    batch_norm.forward_map(output, linear, trace.rectifier())
                }
                (_, Some(function)) if place == after => {
                    function.apply_to_map(output, trace.rectifier())
                }
                _ => output,
            };
            output = trace.layer(name, output);
        }
        output
    }
}

impl Fast {
    fn takes(&self, maps: &[&Tensor<4>]) -> bool {
        let is_here = match self.kernel {
            Kernel::Cpu { .. } => is_on_cpu,
            Kernel::Gpu(_) => gpu::is_on_gpu,
        };
        let [_, _, height, width] = maps[0].dims();
        self.input == [height, width] && maps.iter().all(|map| is_here(map))
    }

    /// What computes a map of which no gradient is asked, if the CPU's kernels do it and its function.
    fn plain(&self, input: &Tensor<4>, function: Function) -> Option<Step<'_>> {
        let step = self.step(function)?;
        (self.takes(&[input]) && is_plain(input)).then_some(step)
    }

    /// The same, if they also take the largest value of each window of the results.
    fn pooling(&self, input: &Tensor<4>, slide: Slide, function: Function) -> Option<Step<'_>> {
        self.plain(input, function).filter(|step| step.can_pool(slide))
    }

    fn step(&self, function: Function) -> Option<Step<'_>> {
        match (&self.kernel, function.split()) {
            (Kernel::Cpu { folded, .. }, (activation, None)) => {
                Some(Step { kernel: folded, size: self.output, activation })
            }
            _ => None,
        }
    }

    /// What scales its results at once, if the kernels can and no gradient is asked of the maps.
    fn scaled(&self, maps: &[&Tensor<4>]) -> Option<&Arc<CpuConvolution>> {
        match &self.kernel {
            Kernel::Cpu { folded, .. } if self.takes(maps) => {
                (folded.can_scale() && maps.iter().all(|map| is_plain(map))).then_some(folded)
            }
            _ => None,
        }
    }

    /// As [`Conv2d::compute`].
    fn run<const N: usize>(
        &self,
        maps: [Tensor<4>; N],
        activation: burncam_kernels::Activation,
        rectifier: Rectifier,
    ) -> Tensor<4> {
        match &self.kernel {
            Kernel::Cpu { folded, .. } => folded.run(maps, self.output, activation, rectifier),
            Kernel::Gpu(kernel) => {
                let maps =
                    maps.map(|map| gpu::Map::from_tensor(map).expect("the caller has looked"));
                kernel.run(&maps[0], maps.get(1), self.output, activation).into_tensor()
            }
        }
    }
}
