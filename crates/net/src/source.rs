//! Where the weights of a network come from.

use std::error::Error;
use std::fmt;

/// One weight of a layer, named as Keras names it, or as generated code does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Weight {
    /// `[height, width, in, out]` of a convolution, `[in, out]` of a dense layer.
    Kernel,
    /// `[height, width, channels, multiplier]` of a depthwise or separable convolution.
    DepthwiseKernel,
    /// `[1, 1, channels * multiplier, out]` of a separable convolution.
    PointwiseKernel,
    /// Slopes of a rectifier, `[height or 1, width or 1, channels]`, or `[channels]` of vectors.
    Alpha,
    /// `[out]`.
    Bias,
    /// Scale of a batch normalisation, `[channels]`.
    Gamma,
    /// Offset of a batch normalisation, `[channels]`.
    Beta,
    /// Running mean of a batch normalisation, `[channels]`.
    MovingMean,
    /// Running variance of a batch normalisation, `[channels]`.
    MovingVariance,
    /// A tensor of a generated layer, by its path in the module: `conv2d1.weight`. Its layout is
    /// Burn's.
    Generated(&'static str),
}

impl Weight {
    /// Keras's spelling, `kernel`, `moving_mean`, …, or the path in the generated module.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::DepthwiseKernel => "depthwise_kernel",
            Self::PointwiseKernel => "pointwise_kernel",
            Self::Alpha => "alpha",
            Self::Bias => "bias",
            Self::Gamma => "gamma",
            Self::Beta => "beta",
            Self::MovingMean => "moving_mean",
            Self::MovingVariance => "moving_variance",
            Self::Generated(path) => path,
        }
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Gives a network's weights, one by one, as the network is built.
///
/// A checkpoint is one; a rule that computes weights is another. Whoever owns the source checks
/// afterwards that nothing was left over.
pub trait Source {
    /// The values of one weight in row-major order of Keras's layout, whose shape must be `shape`.
    ///
    /// # Errors
    ///
    /// If the source has no such weight, has it in another shape, or cannot read it.
    fn take(&mut self, layer: &str, weight: Weight, shape: &[usize])
    -> Result<Vec<f32>, LoadError>;
}

/// Why a network could not be filled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The source has no such weight.
    #[error("layer `{layer}` has no `{weight}`; the network needs one of shape {expected:?}")]
    Missing {
        /// The layer, as the network calls it.
        layer: String,
        /// The weight that is missing.
        weight: Weight,
        /// The shape that the network needs, in Keras's layout.
        expected: Vec<usize>,
    },
    /// The weight has another shape.
    #[error("layer `{layer}`: `{weight}` has shape {found:?}, expected {expected:?}")]
    Shape {
        /// The layer, as the network calls it.
        layer: String,
        /// The weight in question.
        weight: Weight,
        /// The shape that the network needs, in Keras's layout.
        expected: Vec<usize>,
        /// The shape that the source has.
        found: Vec<usize>,
    },
    /// The weight holds a NaN or an infinity.
    #[error(
        "layer `{layer}`: `{weight}` holds {count} values that are NaN or infinite, the first at \
         {first:?}"
    )]
    NotFinite {
        /// The layer, as the network calls it.
        layer: String,
        /// The weight in question.
        weight: Weight,
        /// How many values are not finite.
        count: usize,
        /// Where the first is, in the source's layout.
        first: Vec<usize>,
    },
    /// A variance is negative.
    #[error("layer `{layer}`: `{weight}` holds {value}, which is no variance, at {place:?}")]
    Negative {
        /// The layer, as the network calls it.
        layer: String,
        /// The weight in question.
        weight: Weight,
        /// The first that is negative.
        value: f32,
        /// Where it is, in the source's layout.
        place: Vec<usize>,
    },
    /// A batch normalisation whose statistics are past what `f32` holds.
    #[error(
        "layer `{layer}`: its scale or its offset is infinite, since its `moving_variance` is too small"
    )]
    Folded {
        /// The layer, as the network calls it.
        layer: String,
    },
    /// The head is not the one that the network's own code has.
    #[error("the file's head is not the one of the network's code")]
    Head,
    /// The source could not read the weight.
    #[error("layer `{layer}`: cannot read `{weight}`")]
    Read {
        /// The layer, as the network calls it.
        layer: String,
        /// The weight in question.
        weight: Weight,
        /// What the reader said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}
