//! Convolutions by the CPU's kernels.

use std::sync::{Arc, OnceLock};

use burn::tensor::Tensor;
use burncam_kernels::{Convolution, Shape, Transposed, Weights, Window, buffers};

use super::{Parts, RawWeights};
use crate::layers::activation::before_function;
use crate::layers::interleaved::Interleaved;
use crate::layers::pool::Slide;
use crate::layers::recorded::{GradientFn, run};
use crate::layers::whole::means;
use crate::{Arithmetic, Rectifier};

/// Numbers of a map between two convolutions that are computed for some images after the other: 16 MiB.
const BETWEEN: usize = 4 << 20;

/// A convolution by the CPU's kernels, there and back.
#[derive(Debug)]
pub(super) struct CpuConvolution {
    window: Window,
    /// Of the weights: `[height, width, channels / groups, filters]`.
    shape: [usize; 4],
    groups: usize,
    /// Where they may be needed again.
    weights: Option<Arc<RawWeights>>,
    factor: Option<Vec<f32>>,
    bias: Vec<f32>,
    arithmetic: Arithmetic,
    there: OnceLock<Convolution>,
    back: OnceLock<Transposed>,
}

/// A convolution with the normalisation in its weights, and the one without, for the size of input of the table; `bias`
/// is the folded one's.
pub(super) fn folded_and_alone(
    parts: &Parts,
    window: Window,
    bias: &[f32],
) -> (Arc<CpuConvolution>, Arc<CpuConvolution>) {
    let (shape, groups, arithmetic) = (parts.weights.shape, parts.groups, parts.arithmetic);
    let own = |factor: Option<&[f32]>, bias: &[f32]| CpuConvolution {
        window,
        shape,
        groups,
        weights: parts.keep.then(|| Arc::clone(&parts.weights)),
        factor: factor.map(<[f32]>::to_vec),
        bias: bias.to_vec(),
        arithmetic,
        there: OnceLock::new(),
        back: OnceLock::new(),
    };
    let scale = parts.norm.as_ref().map(|norm| norm.factor.as_slice());
    let folded = Arc::new(own(scale, bias));
    let weights = Weights { kernel: &parts.weights.kernel, scale, bias, groups };
    let there = Convolution::new(window, shape[2] * groups, &weights, arithmetic);
    let _ = folded.there.set(there);
    let alone = match (&parts.norm, &parts.weights.bias) {
        (None, _) => Arc::clone(&folded),
        (Some(_), Some(bias)) => Arc::new(own(None, bias)),
        (Some(_), None) => Arc::new(own(None, &vec![0.0; shape[3]])),
    };
    (folded, alone)
}

impl CpuConvolution {
    fn there(&self) -> &Convolution {
        self.there.get_or_init(|| self.prepared(Convolution::new))
    }

    fn back(&self) -> &Transposed {
        self.back.get_or_init(|| self.prepared(Transposed::new))
    }

    fn prepared<T>(&self, prepare: impl FnOnce(Window, usize, &Weights<'_>, Arithmetic) -> T) -> T {
        let raw = self.weights.as_ref();
        let raw = raw.expect("the network was built to be looked at behind this layer");
        let (kernel, scale) = (&*raw.kernel, self.factor.as_deref());
        let weights = Weights { kernel, scale, bias: &self.bias, groups: self.groups };
        prepare(self.window, self.shape[2] * self.groups, &weights, self.arithmetic)
    }

    pub(super) fn filters(&self) -> usize {
        self.shape[3]
    }

    /// Convolves the first map, and adds the second, if there is one; `size` is the output's.
    pub(super) fn run<const N: usize>(
        self: &Arc<Self>,
        maps: [Tensor<4>; N],
        [height, width]: [usize; 2],
        activation: burncam_kernels::Activation,
        rectifier: Rectifier,
    ) -> Tensor<4> {
        run(maps, |maps| {
            let input = maps[0].shape;
            let shape = Shape { height, width, channels: self.shape[3], ..input };
            let output = Interleaved::make(shape, |output| {
                let shortcut = maps.get(1).map(Interleaved::values);
                let map = (maps[0].values(), input);
                self.there().run(map, (output, shape), shortcut, activation);
            });
            let result = Interleaved::from_tensor(output.clone()).expect("made on the CPU");
            let own = Arc::clone(self);
            let back: GradientFn<N> = Arc::new(move |gradient, wanted| {
                let linear = activation == burncam_kernels::Activation::Linear;
                let before = match linear {
                    true => gradient.clone(),
                    false => {
                        let before = before_function(gradient, &result, activation, rectifier);
                        Interleaved::from_tensor(before).expect("made on the CPU")
                    }
                };
                std::array::from_fn(|map| match map {
                    _ if !wanted[map] => None,
                    0 => Some(own.pull(&before, input)),
                    _ => Some(before.clone().into_tensor()),
                })
            });
            (output, back)
        })
    }

    /// The gradient of the input, of that of the output.
    fn pull(&self, gradient: &Interleaved, input: Shape) -> Tensor<4> {
        Interleaved::make(input, |output| {
            self.back().run((gradient.values(), gradient.shape), (output, input));
        })
    }

    /// Whether [`means`](Self::means) and [`scaled`](Self::scaled) can be computed; not if sums are to be plain ones.
    pub(super) fn can_scale(&self) -> bool {
        let may = self.arithmetic == Arithmetic::Fast && self.window.is_point();
        may && self.there().can_scale()
    }

    /// The means of a point's results, `[batch, filters, 1, 1]`, of a map of which no gradient is asked.
    pub(super) fn means(&self, input: &Tensor<4>) -> Option<Tensor<4>> {
        let means = Interleaved::from_tensor(means(input.clone()))?;
        let shape = Shape { channels: self.shape[3], ..means.shape };
        let linear = burncam_kernels::Activation::Linear;
        Some(Interleaved::make(shape, |output| {
            self.there().run((means.values(), means.shape), (output, shape), None, linear);
        }))
    }

    /// A point's results times the factors of their channels, the sum with the third map, and a function of that;
    /// no gradient is asked of the maps.
    pub(super) fn scaled(
        &self,
        maps: [Tensor<4>; 3],
        activation: burncam_kernels::Activation,
    ) -> Tensor<4> {
        let map = |map| Interleaved::from_tensor(map).expect("the caller has looked");
        let [input, factors, shortcut] = maps.map(map);
        let shape = Shape { channels: self.shape[3], ..input.shape };
        Interleaved::make(shape, |output| {
            let (map, shortcut) = ((input.values(), input.shape), Some(shortcut.values()));
            let there = self.there();
            there.run_scaled(map, (output, shape), factors.values(), shortcut, activation);
        })
    }
}

/// A convolution of maps of which no gradient is asked, with results of this height and width, and what follows it.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    pub kernel: &'a CpuConvolution,
    pub size: [usize; 2],
    pub activation: burncam_kernels::Activation,
}

impl Step<'_> {
    /// The shape of so many results.
    fn results(self, batch: usize) -> Shape {
        let [height, width] = self.size;
        Shape { batch, height, width, channels: self.kernel.shape[3] }
    }

    /// Whether the kernels can take the largest value of each window of the results.
    pub(super) fn can_pool(self, slide: Slide) -> bool {
        let results = self.results(1);
        let (window, output) = slide.over(results);
        self.kernel.there().can_pool(window, results, output)
    }

    /// The largest value of each window of the results. The map's memory is used again.
    pub(super) fn pooled(self, input: Tensor<4>, slide: Slide) -> Tensor<4> {
        let map = Interleaved::from_tensor(input).expect("the caller has looked");
        let results = self.results(map.shape.batch);
        let (window, output) = slide.over(results);
        Interleaved::make(output, |values| {
            let (input, target) = ((map.values(), map.shape), (values, output));
            let there = self.kernel.there();
            there.run_pooled(input, (results, window), target, self.activation);
        })
    }

    /// The same of the results of `next` on those of this convolution, for some images after the other.
    pub(super) fn then_pooled(self, next: Self, input: Tensor<4>, slide: Slide) -> Tensor<4> {
        let map = Interleaved::from_tensor(input).expect("the caller has looked");
        let (image, batch) = (Shape { batch: 1, ..map.shape }.len(), map.shape.batch);
        let between = self.results(1).len();
        let groups = batch.div_ceil((BETWEEN / between.max(1)).max(1));
        let in_group = batch.div_ceil(groups.max(1));
        let (_, output) = slide.over(next.results(batch));
        Interleaved::make(output, |values| {
            let mut near = buffers::take(in_group * between + buffers::LINE);
            let start = buffers::to_line(&near);
            for first in (0..batch).step_by(in_group.max(1)) {
                let images = in_group.min(batch - first);
                let input = &map.values()[first * image..(first + images) * image];
                let input = (input, Shape { batch: images, ..map.shape });
                let (between, results) = (self.results(images), next.results(images));
                let near = &mut near[start..start + between.len()];
                self.kernel.there().run(input, (near, between), None, self.activation);
                let (window, pooled) = slide.over(results);
                let at = first * pooled.len() / images;
                let target = (&mut values[at..at + pooled.len()], pooled);
                let there = next.kernel.there();
                there.run_pooled((near, between), (results, window), target, next.activation);
            }
            buffers::give(near);
        })
    }
}
