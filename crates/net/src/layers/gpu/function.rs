//! Activation functions in WGSL.

use burncam_kernels::Activation;

/// The activation, with its slope as bits, so that it can be told from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Function {
    Linear,
    Relu,
    LeakyRelu(u32),
    ClippedRelu(u32),
}

impl Function {
    pub(super) fn from_activation(activation: Activation) -> Self {
        match activation {
            Activation::Linear => Self::Linear,
            Activation::Relu => Self::Relu,
            Activation::LeakyRelu(slope) => Self::LeakyRelu(slope.to_bits()),
            Activation::ClippedRelu(limit) => Self::ClippedRelu(limit.to_bits()),
        }
    }

    /// The function of a `vec4<f32>` that has a name.
    pub(super) fn of_value(self, value: &str) -> String {
        match self {
            Self::Linear => value.to_owned(),
            // `max` may turn a NaN into 0.
            Self::Relu => {
                format!("select({value}, vec4<f32>(0.0), {value} < vec4<f32>(0.0))")
            }
            Self::ClippedRelu(limit) => {
                let limit = format!("vec4<f32>({:?})", f32::from_bits(limit));
                let low = Self::Relu.of_value(value);
                format!("select({low}, {limit}, {value} > {limit})")
            }
            Self::LeakyRelu(slope) => {
                let slope = f32::from_bits(slope);
                format!("select({value} * {slope:?}, {value}, {value} > vec4<f32>(0.0))")
            }
        }
    }
}
