//! What a layer computes, with Keras's names for its settings.

mod class;
mod shape;

use serde::{Deserialize, Serialize};

/// An element-wise function at the end of a layer. (Softmax works along the channels.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// The identity.
    Linear,
    /// `max(x, 0)`.
    Relu,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// `x` where positive, `exp(x) - 1` elsewhere.
    Elu,
    /// `x * normal(x)` with the exact distribution function of the normal distribution.
    Gelu,
    /// `x * sigmoid(x)`.
    Silu,
    /// `exp(x) / sum(exp(x))`.
    Softmax,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `clip(x / 6 + 0.5, 0, 1)`, as in Keras 3 and PyTorch.
    HardSigmoid,
    /// `clip(0.2 * x + 0.5, 0, 1)`, as in Keras 2 and ONNX.
    HardSigmoid2,
    /// `x * clip(x / 6 + 0.5, 0, 1)`.
    HardSilu,
    /// [`Elu`](Self::Elu) with `alpha` 1.6733 times 1.0507.
    Selu,
    /// [`Gelu`](Self::Gelu) by a hyperbolic tangent.
    GeluTanh,
    /// `ln(1 + exp(x))`.
    Softplus,
    /// `x / (1 + |x|)`.
    Softsign,
    /// `exp(x)`.
    Exponential,
    /// `x * tanh(ln(1 + exp(x)))`.
    Mish,
    /// `x` where positive, `0.2 * x` elsewhere: Keras's activation of the name.
    LeakyRelu,
    /// `x - ln(sum(exp(x)))`.
    LogSoftmax,
    /// `-ln(1 + exp(-x))`.
    LogSigmoid,
    /// `clip(x, -1, 1)`.
    HardTanh,
    /// `x`, but 0 from -0.5 to 0.5.
    HardShrink,
    /// `x` moved by 0.5 towards 0, and 0 from -0.5 to 0.5.
    SoftShrink,
    /// `x - tanh(x)`.
    TanhShrink,
    /// `(x + sqrt(x^2 + 4)) / 2`.
    Squareplus,
    /// `clip((x + 1) / 2, 0, 1)`.
    SparseSigmoid,
    /// 0 below -1, `(x + 1)^2 / 4` up to 1, `x` above.
    SparsePlus,
}

/// Several numbers to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reduction {
    /// The mean.
    Mean,
    /// The sum.
    Sum,
    /// The largest.
    Maximum,
    /// The smallest.
    Minimum,
}

/// How a window meets the border.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Padding {
    /// Only whole windows: `floor((size - kernel) / stride) + 1` of them.
    Valid,
    /// `ceil(size / stride)` windows; an odd pad goes to the bottom and the right, as in
    /// TensorFlow.
    Same,
    /// So many zeros on every side and only whole windows, as PyTorch's `padding`: a maximum
    /// passes over them, a mean counts them.
    Around(usize),
}

impl Padding {
    /// The number of windows along one axis.
    #[must_use]
    pub fn windows(self, size: usize, kernel: usize, stride: usize) -> usize {
        match self {
            Self::Valid => size.saturating_add(stride).saturating_sub(kernel) / stride,
            Self::Same => size.div_ceil(stride),
            Self::Around(zeros) => {
                let padded = size.saturating_add(zeros).saturating_add(zeros);
                padded.saturating_add(stride).saturating_sub(kernel) / stride
            }
        }
    }
}

/// How an image is brought to another size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// Between four neighbours, with half-pixel centres and no antialiasing.
    Bilinear,
    /// The pixel under the centre.
    Nearest,
}

impl Interpolation {
    /// Keras's spelling.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bilinear => "bilinear",
            Self::Nearest => "nearest",
        }
    }
}

/// The operation of one layer and everything that changes its result. Field names are those of
/// Keras's `get_config`, sizes are `[height, width]`. A vector is a map of one position,
/// `[1, 1, channels]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "class", content = "settings", deny_unknown_fields)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are Keras's, and its documentation has them")]
pub enum Op {
    /// The images.
    InputLayer { height: usize, width: usize, channels: usize },
    /// A convolution, with bias and activation.
    Conv2D {
        filters: usize,
        kernel_size: [usize; 2],
        strides: [usize; 2],
        padding: Padding,
        dilation_rate: [usize; 2],
        groups: usize,
        use_bias: bool,
        activation: Activation,
    },
    /// A convolution of each channel on its own, with `depth_multiplier` filters each.
    DepthwiseConv2D {
        kernel_size: [usize; 2],
        strides: [usize; 2],
        padding: Padding,
        dilation_rate: [usize; 2],
        depth_multiplier: usize,
        use_bias: bool,
        activation: Activation,
    },
    /// A depthwise convolution, then one of each position.
    SeparableConv2D {
        filters: usize,
        kernel_size: [usize; 2],
        strides: [usize; 2],
        padding: Padding,
        dilation_rate: [usize; 2],
        depth_multiplier: usize,
        use_bias: bool,
        activation: Activation,
    },
    /// The transposed map of a convolution of a map of `size`, with these strides and so many positions `before`
    /// the border at the top and the left.
    Conv2DTranspose {
        filters: usize,
        kernel_size: [usize; 2],
        strides: [usize; 2],
        before: [usize; 2],
        size: [usize; 2],
        use_bias: bool,
        activation: Activation,
    },
    /// The largest value of each window.
    MaxPooling2D { pool_size: [usize; 2], strides: [usize; 2], padding: Padding },
    /// The mean of each window; padding counts only if it is `Around`.
    AveragePooling2D { pool_size: [usize; 2], strides: [usize; 2], padding: Padding },
    /// Zeros around the border: `[[top, bottom], [left, right]]`.
    ZeroPadding2D { padding: [[usize; 2]; 2] },
    /// This number around the border: `[[top, bottom], [left, right]]`.
    ConstantPadding2D { padding: [[usize; 2]; 2], value: f32 },
    /// `x` where positive, `negative_slope * x` elsewhere.
    LeakyReLU { negative_slope: f32 },
    /// Another height and width.
    Resizing { height: usize, width: usize, interpolation: Interpolation },
    /// `x * scale + offset`, channel by channel.
    Rescaling { scale: [f32; 3], offset: [f32; 3] },
    /// `(x - mean) / sqrt(variance)`, or the inverse, channel by channel; without numbers here,
    /// they are among the weights.
    Normalization { mean: Option<[f32; 3]>, variance: Option<[f32; 3]>, invert: bool },
    /// Joins its inputs along the channels.
    Concatenate,
    /// The sum of its inputs.
    Add,
    /// The product of its inputs.
    Multiply,
    /// The mean of its inputs.
    Average,
    /// The largest of its inputs.
    Maximum,
    /// The smallest of its inputs.
    Minimum,
    /// The first input and the second times a number.
    ScaledSum { scale: f32 },
    /// The first input less the second.
    Subtract,
    /// The first input divided by the second.
    Divide,
    /// The sum over the channels of the product of two inputs, which are divided by their lengths first if they are
    /// normalised.
    Dot { normalize: bool },
    /// `x * scale + offset`, with one number each or one for each channel.
    Affine { scale: Vec<f32>, offset: Vec<f32> },
    /// `x` within these limits, of which one may be open.
    Clip { low: Option<f32>, high: Option<f32> },
    /// `x` to this power.
    Power { exponent: f32 },
    /// `|x|`.
    Absolute,
    /// All numbers along some of height, width and channels to one.
    Reduce { reduction: Reduction, axes: [bool; 3] },
    /// From `begin`, so many (`size`) by steps, along height, width and channels.
    Slice { begin: [usize; 3], step: [isize; 3], size: [usize; 3] },
    /// Height, width and channels in another order.
    Permute { dims: [usize; 3] },
    /// Channel `c` of `groups` equal groups becomes channel `c mod size * groups + c / size`.
    ChannelShuffle { groups: usize },
    /// The same numbers, in row-major order, as `[height, width, channels]`.
    Reshape { target_shape: [usize; 3] },
    /// The identity at inference.
    Dropout,
    /// `[height, width, channels]` in row-major order.
    Flatten,
    /// The mean of each channel.
    GlobalAveragePooling2D,
    /// The largest value of each channel.
    GlobalMaxPooling2D,
    /// The largest value of each channel, then the mean of each: fastai's `AdaptiveConcatPool2d`.
    GlobalConcatPooling2D,
    /// A matrix product, with bias and activation.
    Dense { units: usize, use_bias: bool, activation: Activation },
    /// `gamma * (x - moving_mean) / sqrt(moving_variance + epsilon) + beta`.
    BatchNormalization { epsilon: f32, scale: bool, center: bool },
    /// The same with mean and variance of the position's own channels.
    LayerNormalization { epsilon: f32, scale: bool, center: bool },
    /// The same with mean and variance over all positions of so many groups of channels.
    GroupNormalization { groups: usize, epsilon: f32, scale: bool, center: bool },
    /// The channels of each position divided by their length.
    UnitNormalization,
    /// `x * gamma`, channel by channel.
    LayerScale,
    /// `x` where positive, `alpha * x` elsewhere; `alpha` is a weight of this shape.
    PReLU { shape: [usize; 3] },
    /// `max_value` from there on, `negative_slope * (x - threshold)` below the threshold, `x` between.
    ReLU { max_value: Option<f32>, negative_slope: f32, threshold: f32 },
    /// `x` where positive, `alpha * (exp(x) - 1)` elsewhere.
    ELU { alpha: f32 },
    /// A function on its own.
    Activation { activation: Activation },
    /// Code that was generated from a part of an ONNX graph. Its output is
    /// `[height, width, channels]`, and `[units]` as a head.
    Generated { output: Vec<usize> },
}

impl Op {
    /// A square convolution with bias, stride 1, no padding and no activation.
    #[must_use]
    pub fn conv2d(filters: usize, size: usize) -> Self {
        Self::Conv2D {
            filters,
            kernel_size: [size; 2],
            strides: [1; 2],
            padding: Padding::Valid,
            dilation_rate: [1; 2],
            groups: 1,
            use_bias: true,
            activation: Activation::Linear,
        }
    }

    /// A square max-pooling without padding.
    #[must_use]
    pub fn max_pool(size: usize, stride: usize) -> Self {
        Self::MaxPooling2D { pool_size: [size; 2], strides: [stride; 2], padding: Padding::Valid }
    }

    /// A square average-pooling without padding.
    #[must_use]
    pub fn average_pool(size: usize, stride: usize) -> Self {
        Self::AveragePooling2D {
            pool_size: [size; 2],
            strides: [stride; 2],
            padding: Padding::Valid,
        }
    }

    /// A batch normalisation with scale and offset.
    #[must_use]
    pub fn batch_norm(epsilon: f32) -> Self {
        Self::BatchNormalization { epsilon, scale: true, center: true }
    }

    /// A rectifier on its own.
    #[must_use]
    pub fn relu_layer() -> Self {
        Self::Activation { activation: Activation::Relu }
    }

    /// The same convolution with this stride.
    ///
    /// # Panics
    ///
    /// If the operation is no convolution.
    #[must_use]
    pub fn stride(mut self, stride: usize) -> Self {
        match &mut self {
            Self::Conv2D { strides, .. } => *strides = [stride; 2],
            other => panic!("{} is no Conv2D", other.class()),
        }
        self
    }

    /// The same convolution with a kernel of this height and width.
    ///
    /// # Panics
    ///
    /// If the operation is no convolution.
    #[must_use]
    pub fn kernel(mut self, size: [usize; 2]) -> Self {
        match &mut self {
            Self::Conv2D { kernel_size, .. } => *kernel_size = size,
            other => panic!("{} is no Conv2D", other.class()),
        }
        self
    }

    /// The same convolution with or without a bias.
    ///
    /// # Panics
    ///
    /// If the operation is no convolution.
    #[must_use]
    pub fn bias(mut self, bias: bool) -> Self {
        match &mut self {
            Self::Conv2D { use_bias, .. } => *use_bias = bias,
            other => panic!("{} is no Conv2D", other.class()),
        }
        self
    }

    /// The same operation with `same` padding.
    ///
    /// # Panics
    ///
    /// If the operation has no padding.
    #[must_use]
    pub fn same(self) -> Self {
        self.padded(Padding::Same)
    }

    /// The same operation with so many zeros on every side.
    ///
    /// # Panics
    ///
    /// If the operation has no padding.
    #[must_use]
    pub fn around(self, zeros: usize) -> Self {
        self.padded(Padding::Around(zeros))
    }

    fn padded(mut self, wanted: Padding) -> Self {
        match &mut self {
            Self::Conv2D { padding, .. }
            | Self::MaxPooling2D { padding, .. }
            | Self::AveragePooling2D { padding, .. } => *padding = wanted,
            other => panic!("{} has no padding", other.class()),
        }
        self
    }

    /// The same operation followed by a rectifier.
    ///
    /// # Panics
    ///
    /// If the operation has no activation.
    #[must_use]
    pub fn relu(mut self) -> Self {
        match &mut self {
            Self::Conv2D { activation, .. } | Self::Dense { activation, .. } => {
                *activation = Activation::Relu;
            }
            other => panic!("{} has no activation", other.class()),
        }
        self
    }

    /// Bilinear interpolation to this size.
    #[must_use]
    pub fn bilinear([height, width]: [usize; 2]) -> Self {
        Self::Resizing { height, width, interpolation: Interpolation::Bilinear }
    }

    /// Whether the order of the inputs does not matter.
    #[must_use]
    pub fn commutes(&self) -> bool {
        matches!(self, Self::Add | Self::Multiply | Self::Average | Self::Maximum | Self::Minimum)
    }

    /// Whether the operation makes a map, with height and width, of a map.
    #[must_use]
    pub fn makes_map(&self) -> bool {
        !matches!(
            self,
            Self::InputLayer { .. }
                | Self::Flatten
                | Self::GlobalAveragePooling2D
                | Self::GlobalMaxPooling2D
                | Self::GlobalConcatPooling2D
                | Self::Dense { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_tensorflows() {
        // size, kernel, stride, valid, same
        for (size, kernel, stride, valid, same) in
            [(224, 7, 2, 109, 112), (40, 3, 3, 13, 14), (12, 2, 2, 6, 6), (2, 3, 1, 0, 2)]
        {
            assert_eq!(Padding::Valid.windows(size, kernel, stride), valid);
            assert_eq!(Padding::Same.windows(size, kernel, stride), same);
        }
    }

    #[test]
    fn zeros_around_widen_the_input() {
        // size, kernel, stride, zeros, windows
        for (size, kernel, stride, zeros, windows) in
            [(224, 7, 2, 3, 112), (112, 3, 2, 1, 56), (56, 3, 2, 1, 28), (120, 5, 1, 2, 120)]
        {
            assert_eq!(Padding::Around(zeros).windows(size, kernel, stride), windows);
        }
    }
}
