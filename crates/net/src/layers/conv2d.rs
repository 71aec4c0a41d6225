//! Convolution and what follows it.

mod cpu;

use std::sync::Arc;

use burn::module::{Module, Param, ParamId};
use burn::nn::{PaddingConfig2d, conv};
use burn::tensor::{Device, Shape as Dims, Tensor, TensorData};
use burncam_kernels::Window;

use self::cpu::CpuConvolution;
use super::activation::Function;
use super::batch_norm::Folded;
use super::gpu;
use super::interleaved::is_plain;
use super::pool::Slide;
use super::recorded::is_on_cpu;
use super::shared::SharedLayers;
use super::{AvgPool2d, BatchNorm, MaxPool2d, Multiply, Sum, burn_padding};
use crate::{Arithmetic, Rectifier, Trace};

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

/// Everything that makes a [`Conv2d`].
pub(super) struct Parts {
    pub names: Vec<String>,
    pub weights: Arc<RawWeights>,
    pub groups: usize,
    pub norm: Option<Folded>,
    pub own: Function,
    pub after: Option<Function>,
    pub slide: Slide,
    /// Height and width of the input.
    pub input: [usize; 2],
    pub arithmetic: Arithmetic,
    /// Whether Burn's own convolution may be needed beside the kernel.
    pub keep: bool,
}

/// A kernel as Keras has it.
#[derive(Debug)]
pub(super) struct RawWeights {
    /// `[height, width, channels / groups, filters]`.
    pub kernel: Vec<f32>,
    pub shape: [usize; 4],
    pub bias: Option<Vec<f32>>,
}

impl Parts {
    pub(super) fn build(mut self, device: &Device, shared: Option<&SharedLayers>) -> Conv2d {
        let bias = self.folded_bias();
        let fast = match shared {
            None => self.fast(&bias, device),
            Some(shared) => {
                let (weights, fast) = shared.convolution(&self, || self.fast(&bias, device));
                self.weights = weights;
                fast
            }
        };
        let kept = (self.keep || fast.is_none()).then(|| Arc::clone(&self.weights));
        let padding = self.burn_padding();
        let module = |weight, bias: Option<Vec<f32>>| conv::Conv2d {
            weight,
            bias: bias.map(|bias| Param::from_tensor(vector(bias, device))),
            stride: self.slide.strides,
            kernel_size: self.slide.size,
            dilation: self.slide.dilation,
            groups: self.groups,
            padding: padding.clone(),
        };
        // Burn's copy of the weights is made when it is needed: beside a kernel only where a gradient
        // passes, and that without normalisation only where the convolution alone is looked at.
        let alone =
            module(kernel(&kept, self.weights.shape, None, device), self.weights.bias.clone());
        let folded = self.norm.as_ref().map(|norm| {
            let factor = Some(norm.factor.clone());
            module(kernel(&kept, self.weights.shape, factor, device), Some(bias.clone()))
        });
        if fast.is_none() {
            let used = folded.as_ref().unwrap_or(&alone);
            let _ = used.weight.val();
        }
        let norm = self.norm.map(|norm| norm.on(device));
        let (names, own, after) = (self.names, self.own, self.after);
        Conv2d { names, alone, norm, folded, own, after, fast }
    }

    /// Burn's `Same` knows no gaps.
    fn burn_padding(&self) -> PaddingConfig2d {
        if self.slide.dilation == [1, 1] {
            return burn_padding(self.slide.padding);
        }
        let [[top, bottom], [left, right]] = [0, 1].map(|axis| {
            let Slide { size, strides, dilation, .. } = self.slide;
            let (before, windows) = self.slide.along(axis, self.input[axis]);
            let extent = (size[axis] - 1) * dilation[axis] + 1;
            let needed = (windows.max(1) - 1) * strides[axis] + extent;
            [before, needed.saturating_sub(before + self.input[axis])]
        });
        PaddingConfig2d::Explicit(top, left, bottom, right)
    }

    fn folded_bias(&self) -> Vec<f32> {
        let filters = self.weights.shape[3];
        let bias = self.weights.bias.clone().unwrap_or_else(|| vec![0.0; filters]);
        match &self.norm {
            Some(Folded { factor, offset }) => {
                let both = factor.iter().zip(offset);
                bias.iter().zip(both).map(|(bias, (f, o))| bias * f + o).collect()
            }
            None => bias,
        }
    }

    fn fast(&self, bias: &[f32], device: &Device) -> Option<Fast> {
        let (groups, channels) = (self.groups, self.weights.shape[2] * self.groups);
        let (top, rows) = self.slide.along(0, self.input[0]);
        let (left, columns) = self.slide.along(1, self.input[1]);
        let Slide { size, strides, dilation, .. } = self.slide;
        let window = Window { size, strides, before: [top, left], dilation };
        let scale = self.norm.as_ref().map(|norm| norm.factor.as_slice());
        let kernel = &self.weights.kernel;
        let kernel = if *device == Device::flex() {
            let (folded, alone) = cpu::folded_and_alone(self, window, bias);
            Kernel::Cpu { folded, alone }
        } else {
            if groups > 1 || dilation != [1, 1] {
                return None;
            }
            let sizes = [channels, self.weights.shape[3]];
            let own = gpu::Convolution::new(window, sizes, kernel, scale, bias, device)?;
            Kernel::Gpu(Arc::new(own))
        };
        Some(Fast { kernel, input: self.input, output: [rows, columns] })
    }
}

/// The weight of Burn's module, `[filters, channels, height, width]`, made when it is first used.
fn kernel(
    weights: &Option<Arc<RawWeights>>,
    [height, width, channels, filters]: [usize; 4],
    factor: Option<Vec<f32>>,
    device: &Device,
) -> Param<Tensor<4>> {
    let weights = weights.clone();
    let make = move |device: &Device, _| {
        let weights = weights.expect("the network was built to be looked at behind this layer");
        let data = TensorData::new(weights.kernel.clone(), weights.shape);
        let kernel = Tensor::<4>::from_data(data, &Device::flex());
        let kernel = match &factor {
            Some(factor) => {
                kernel * vector(factor.clone(), &Device::flex()).reshape([1, 1, 1, filters])
            }
            None => kernel,
        };
        // Brought into row-major order once.
        Tensor::from_data(kernel.permute([3, 2, 0, 1]).into_data(), device)
    };
    let shape = Dims::new([filters, channels, height, width]);
    Param::uninitialized(ParamId::new(), make, device.clone(), false, shape)
}

fn vector(values: Vec<f32>, device: &Device) -> Tensor<1> {
    let len = values.len();
    Tensor::from_data(TensorData::new(values, [len]), device)
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
        let pooled = match fast {
            Some(fast) => fast.pooled(input, pool.slide(), self.function()),
            None => Err(input),
        };
        match pooled {
            Ok(output) => trace.layer(pool.name(), output),
            Err(input) => pool.forward(self.forward(input, trace), trace),
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
        let output = match (&self.fast, &next.fast) {
            (Some(first), Some(second)) if !is_seen && !trace.is_before_start() => {
                let functions = [self.function(), next.function()];
                first.then_pooled(second, input, pool.slide(), functions)
            }
            _ => Err(input),
        };
        match output {
            Ok(output) => trace.layer(pool.name(), output),
            Err(input) => next.forward_pooled(self.forward(input, trace), pool, trace),
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

    /// The convolution of a map of which no gradient is asked, a function, and the largest value of each window; or the
    /// map, if the kernels cannot do that together. The map is taken, so that its memory is used again.
    fn pooled(
        &self,
        input: Tensor<4>,
        slide: Slide,
        function: Function,
    ) -> Result<Tensor<4>, Tensor<4>> {
        match (&self.kernel, function.split()) {
            (Kernel::Cpu { folded, .. }, (activation, None))
                if self.takes(&[&input]) && is_plain(&input) =>
            {
                folded.pooled(input, self.output, slide, activation)
            }
            _ => Err(input),
        }
    }

    /// As [`pooled`](Self::pooled), with a convolution before that of `next`.
    fn then_pooled(
        &self,
        next: &Self,
        input: Tensor<4>,
        slide: Slide,
        functions: [Function; 2],
    ) -> Result<Tensor<4>, Tensor<4>> {
        match (&self.kernel, &next.kernel, functions.map(Function::split)) {
            (
                Kernel::Cpu { folded: first, .. },
                Kernel::Cpu { folded: second, .. },
                [(one, None), (two, None)],
            ) if self.takes(&[&input]) && is_plain(&input) && next.input == self.output => {
                let sizes = [self.output, next.output];
                first.then_pooled(second, input, sizes, slide, [one, two])
            }
            _ => Err(input),
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
