//! What Keras calls operations.

use super::Op;

impl Op {
    /// Keras's class name.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::InputLayer { .. } => "InputLayer",
            Self::Conv2D { .. } => "Conv2D",
            Self::MaxPooling2D { .. } => "MaxPooling2D",
            Self::AveragePooling2D { .. } => "AveragePooling2D",
            Self::ZeroPadding2D { .. } => "ZeroPadding2D",
            Self::ConstantPadding2D { .. } => "ConstantPadding2D",
            Self::Add => "Add",
            Self::Multiply => "Multiply",
            Self::Reshape { .. } => "Reshape",
            Self::DepthwiseConv2D { .. } => "DepthwiseConv2D",
            Self::SeparableConv2D { .. } => "SeparableConv2D",
            Self::Conv2DTranspose { .. } => "Conv2DTranspose",
            Self::Average => "Average",
            Self::Maximum => "Maximum",
            Self::Minimum => "Minimum",
            Self::ScaledSum { .. } => "ScaledSum",
            Self::Subtract => "Subtract",
            Self::Divide => "Divide",
            Self::Dot { .. } => "Dot",
            Self::Affine { .. } => "Affine",
            Self::Clip { .. } => "Clip",
            Self::Power { .. } => "Power",
            Self::Absolute => "Absolute",
            Self::Reduce { .. } => "Reduce",
            Self::Slice { .. } => "Slice",
            Self::Permute { .. } => "Permute",
            Self::ChannelShuffle { .. } => "ChannelShuffle",
            Self::LayerNormalization { .. } => "LayerNormalization",
            Self::GroupNormalization { .. } => "GroupNormalization",
            Self::UnitNormalization => "UnitNormalization",
            Self::LayerScale => "LayerScale",
            Self::PReLU { .. } => "PReLU",
            Self::ReLU { .. } => "ReLU",
            Self::ELU { .. } => "ELU",
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
            // No network of a module of its own has others.
            other => other.class(),
        }
    }
}
