//! What a convolution is made of.

use std::sync::Arc;

use burn::module::{Param, ParamId};
use burn::nn::{PaddingConfig2d, conv};
use burn::tensor::{Device, Shape as Dims, Tensor, TensorData};
use burncam_kernels::Window;

use super::{Conv2d, Fast, Kernel, cpu};
use crate::Arithmetic;
use crate::layers::activation::Function;
use crate::layers::batch_norm::Folded;
use crate::layers::pool::Slide;
use crate::layers::shared::SharedLayers;
use crate::layers::{burn_padding, gpu};

/// Everything that makes a [`Conv2d`].
pub(in crate::layers) struct Parts {
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
pub(in crate::layers) struct RawWeights {
    /// `[height, width, channels / groups, filters]`.
    pub kernel: Vec<f32>,
    pub shape: [usize; 4],
    pub bias: Option<Vec<f32>>,
}

impl Parts {
    pub(in crate::layers) fn build(
        mut self,
        device: &Device,
        shared: Option<&SharedLayers>,
    ) -> Conv2d {
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
