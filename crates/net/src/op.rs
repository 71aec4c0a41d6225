//! What a layer computes, with Keras's names for its settings.

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
}

/// How a window meets the border.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
/// Keras's `get_config`, sizes are `[height, width]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
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
        use_bias: bool,
        activation: Activation,
    },
    /// The largest value of each window.
    MaxPooling2D { pool_size: [usize; 2], strides: [usize; 2], padding: Padding },
    /// The mean of each window; padding counts only if it is `Around`.
    AveragePooling2D { pool_size: [usize; 2], strides: [usize; 2], padding: Padding },
    /// Zeros around the border: `[[top, bottom], [left, right]]`.
    ZeroPadding2D { padding: [[usize; 2]; 2] },
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
    /// One value a channel as `[1, 1, channels]`.
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
        matches!(self, Self::Add | Self::Multiply)
    }

    /// Whether the output has height and width, and is made by a layer: only such can be tapped.
    #[must_use]
    pub fn can_be_tapped(&self) -> bool {
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

    /// Keras's class name.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::InputLayer { .. } => "InputLayer",
            Self::Conv2D { .. } => "Conv2D",
            Self::MaxPooling2D { .. } => "MaxPooling2D",
            Self::AveragePooling2D { .. } => "AveragePooling2D",
            Self::ZeroPadding2D { .. } => "ZeroPadding2D",
            Self::Add => "Add",
            Self::Multiply => "Multiply",
            Self::Reshape { .. } => "Reshape",
            Self::LeakyReLU { .. } => "LeakyReLU",
            Self::Resizing { .. } => "Resizing",
            Self::Rescaling { .. } => "Rescaling",
            Self::Normalization { .. } => "Normalization",
            Self::Concatenate => "Concatenate",
            Self::Dropout => "Dropout",
            Self::Flatten => "Flatten",
            Self::GlobalAveragePooling2D => "GlobalAveragePooling2D",
            Self::GlobalMaxPooling2D => "GlobalMaxPooling2D",
            Self::GlobalConcatPooling2D => "GlobalConcatPooling2D",
            Self::Dense { .. } => "Dense",
            Self::BatchNormalization { .. } => "BatchNormalization",
            Self::Activation { .. } => "Activation",
            Self::Generated { .. } => "Generated",
        }
    }

    /// The name that Keras gives to the first unnamed layer of this class in a process.
    #[must_use]
    pub fn auto_name(&self) -> &'static str {
        match self {
            Self::InputLayer { .. } => "input",
            Self::Conv2D { .. } => "conv2d",
            Self::MaxPooling2D { .. } => "max_pooling2d",
            Self::AveragePooling2D { .. } => "average_pooling2d",
            Self::ZeroPadding2D { .. } => "zero_padding2d",
            Self::Add => "add",
            Self::Multiply => "multiply",
            Self::Reshape { .. } => "reshape",
            Self::LeakyReLU { .. } => "leaky_re_lu",
            Self::Resizing { .. } => "resizing",
            Self::Rescaling { .. } => "rescaling",
            Self::Normalization { .. } => "normalization",
            Self::Concatenate => "concatenate",
            Self::Dropout => "dropout",
            Self::Flatten => "flatten",
            Self::GlobalAveragePooling2D => "global_average_pooling2d",
            Self::GlobalMaxPooling2D => "global_max_pooling2d",
            Self::GlobalConcatPooling2D => "global_concat_pooling2d",
            Self::Dense { .. } => "dense",
            Self::BatchNormalization { .. } => "batch_normalization",
            Self::Activation { .. } => "activation",
            Self::Generated { .. } => "generated",
        }
    }

    /// The shape `[height, width, channels]` of the output for inputs of these shapes.
    ///
    /// # Panics
    ///
    /// If the operation leaves no height and width, or has not the inputs that it needs.
    #[must_use]
    pub fn output(&self, inputs: &[[usize; 3]]) -> [usize; 3] {
        if let Self::InputLayer { height, width, channels } = *self {
            return [height, width, channels];
        }
        let [height, width, channels] = inputs[0];
        match self {
            Self::Conv2D { filters, kernel_size: k, strides: s, padding, .. } => {
                [padding.windows(height, k[0], s[0]), padding.windows(width, k[1], s[1]), *filters]
            }
            Self::MaxPooling2D { pool_size: k, strides: s, padding }
            | Self::AveragePooling2D { pool_size: k, strides: s, padding } => {
                [padding.windows(height, k[0], s[0]), padding.windows(width, k[1], s[1]), channels]
            }
            Self::ZeroPadding2D { padding: [[top, bottom], [left, right]] } => {
                [height + top + bottom, width + left + right, channels]
            }
            Self::GlobalAveragePooling2D => [1, 1, channels],
            Self::Reshape { target_shape } => *target_shape,
            Self::Resizing { height, width, .. } => [*height, *width, channels],
            Self::Generated { output } if output.len() == 3 => [output[0], output[1], output[2]],
            Self::Concatenate => [height, width, inputs.iter().map(|shape| shape[2]).sum()],
            Self::LeakyReLU { .. }
            | Self::Add
            | Self::Multiply
            | Self::Dropout
            | Self::BatchNormalization { .. }
            | Self::Activation { .. } => [height, width, channels],
            other => panic!("{} has no height and width", other.class()),
        }
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

    #[test]
    fn concatenation_adds_channels() {
        assert_eq!(Op::Concatenate.output(&[[12, 12, 3], [12, 12, 64]]), [12, 12, 67]);
    }
}
