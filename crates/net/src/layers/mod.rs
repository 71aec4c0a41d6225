//! Layers whose numerics equal Keras's, and the [`Loader`] that makes them.
//!
//! Each layer knows its name and hands its output to the [`Trace`](crate::Trace).

mod activation;
mod arithmetic;
mod batch_norm;
mod conv2d;
mod dense;
mod described;
mod generated;
mod gpu;
mod interleaved;
mod loader;
mod merge;
mod normalisation;
mod plain;
mod pool;
mod recorded;
mod shared;
mod sizes;
mod transposed;
mod whole;

pub use activation::{ActivationLayer, before_rectifier};
pub use batch_norm::{BatchNorm, BatchNorm2d};
pub use conv2d::Conv2d;
pub use dense::Dense;
pub use gpu::PROGRAMS;
pub use loader::Loader;
pub use merge::{Concat, Multiply, Sum, plus_zeros};
pub use plain::{Dropout, Resizing, Sampling, Squeeze, ZeroPadding, resized};
pub use pool::{AvgPool2d, MaxPool2d};
pub use recorded::with_leaf;
pub use shared::SharedLayers;
pub use sizes::{largest_sizes, relative_sizes};

pub(crate) use activation::{Function, activate_units};
pub(crate) use arithmetic::compute;
pub(crate) use batch_norm::Folded;
pub(crate) use described::Units;
pub(crate) use loader::Weights;
pub(crate) use merge::total;
pub(crate) use normalisation::{Norm, Prelu};
pub(crate) use transposed::ConvTranspose2d;
pub use whole::{channel_means, interleaved, product_sums, weighted_sums};
pub(crate) use whole::{flattened, in_blocks, maxima, means};

use crate::Padding;
use burn::nn::PaddingConfig2d;

/// Burn's `Same` is TensorFlow's: an odd pad goes to the bottom and the right.
fn burn_padding(padding: Padding) -> PaddingConfig2d {
    match padding {
        Padding::Valid => PaddingConfig2d::Valid,
        Padding::Same => PaddingConfig2d::Same,
        Padding::Around(zeros) => PaddingConfig2d::Explicit(zeros, zeros, zeros, zeros),
    }
}
