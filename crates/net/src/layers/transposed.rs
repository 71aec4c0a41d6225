//! Transposed convolution.

use burn::module::{Module, Param};
use burn::tensor::module::conv_transpose2d;
use burn::tensor::ops::{ConvTransposeOptions, PadMode};
use burn::tensor::{Device, Tensor, TensorData};

use super::activation::Function;
use super::conv2d::RawWeights;
use crate::Trace;

/// Keras's `Conv2DTranspose`, with its activation.
#[derive(Module, Debug)]
pub(crate) struct ConvTranspose2d {
    name: String,
    /// `[channels, filters, height, width]`.
    weight: Param<Tensor<4>>,
    bias: Option<Param<Tensor<1>>>,
    strides: [usize; 2],
    /// What is cut off at the top and the left.
    before: [usize; 2],
    /// Height and width of the output.
    size: [usize; 2],
    #[module(skip)]
    function: Function,
}

impl ConvTranspose2d {
    /// A layer of weights `[height, width, filters, channels]`, as Keras has them.
    pub(super) fn new(
        name: &str,
        weights: RawWeights,
        [strides, before, size]: [[usize; 2]; 3],
        function: Function,
        device: &Device,
    ) -> Self {
        let cpu = Device::flex();
        let kernel = Tensor::<4>::from_data(TensorData::new(weights.kernel, weights.shape), &cpu);
        let kernel = Tensor::from_data(kernel.permute([3, 2, 0, 1]).into_data(), device);
        let bias = weights.bias.map(|bias| {
            let count = bias.len();
            Param::from_tensor(Tensor::from_data(TensorData::new(bias, [count]), device))
        });
        let (name, weight) = (name.to_owned(), Param::from_tensor(kernel));
        Self { name, weight, bias, strides, before, size, function }
    }

    /// # Shapes
    ///
    /// `[batch, channels, height, width]` to `[batch, filters, height_out, width_out]`.
    pub(crate) fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        if trace.is_before_start() {
            return trace.start_at(&self.name, input);
        }
        let options = ConvTransposeOptions::new(self.strides, [0; 2], [0; 2], [1; 2], 1);
        let mut output = conv_transpose2d(input, self.weight.val(), None, options);
        for axis in 0..2 {
            let (dim, size) = (axis + 2, output.dims()[axis + 2]);
            let end = self.before[axis] + self.size[axis];
            if end > size {
                let mut pads = [(0, 0); 2];
                pads[axis].1 = end - size;
                output = output.pad(pads, PadMode::Constant(0.0));
            }
            output = output.narrow(dim, self.before[axis], self.size[axis]);
        }
        let output = match &self.bias {
            Some(bias) => output + bias.val().reshape([1, bias.dims()[0], 1, 1]),
            None => output,
        };
        trace.layer(&self.name, self.function.apply_to_map(output, trace.rectifier()))
    }
}
