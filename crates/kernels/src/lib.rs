//! Convolutions, pooling and what goes with them on the CPU, near the speed of its multipliers.
//!
//! Numbers lie as `[batch, height, width, channels]`: the channels of a position are neighbours.
//! Weights are packed, or transformed for Winograd's method, once. Each kernel is written once over
//! vectors of any width and compiled for every instruction set; [`Level::best`] is chosen when the
//! program runs. Results depend on the instruction set, but not on the number of threads or on how
//! many images are in a batch. What gradients pass has a kernel for the way back beside that for the way
//! there.
//!
//! This is the only crate with `unsafe` code, and it must never know a layer's name or an
//! architecture.
//!
//! ```
//! use burncam_kernels::{Activation, Arithmetic, Convolution, Shape, Weights, Window};
//!
//! let window = Window { size: [1, 2], strides: [1, 1], before: [0, 0], dilation: [1, 1] };
//! let weights = Weights { kernel: &[1.0, 10.0], scale: None, bias: &[0.5], groups: 1 };
//! let convolution = Convolution::new(window, 1, &weights, Arithmetic::Fast);
//! let (input, mut output) = ([1.0, 2.0, 3.0], [0.0; 2]);
//! let wide = Shape { batch: 1, height: 1, width: 3, channels: 1 };
//! let narrow = Shape { width: 2, ..wide };
//! convolution.run((&input, wide), (&mut output, narrow), None, Activation::Linear);
//! assert_eq!(output, [21.5, 32.5]);
//! ```

mod bilinear;
pub mod buffers;
mod channelwise;
mod convolution;
mod depthwise;
mod direct;
mod elementwise;
mod exponential;
mod functions;
mod layout;
mod narrow;
mod normalise;
mod panels;
mod parallel;
mod pool;
mod pooled;
mod shape;
mod simd;
mod sizes;
#[cfg(test)]
mod tests;
mod tile;
mod transposed;
mod unpool;
mod winograd;

pub use bilinear::Bilinear;
pub use channelwise::{mean, product_sums, products, scale_and_add, spread, weighted_sums};
pub use convolution::{Arithmetic, Convolution, Weights};
pub use elementwise::{activation_gradient, add};
pub use functions::{Function, apply, function_gradient};
pub use layout::{crop, interleave, join, pad, part};
pub use normalise::{normalise, normalise_gradient, scale_and_shift};
pub use pool::{Pooling, pool};
pub use shape::{Shape, Window};
pub use simd::Level;
pub use sizes::{largest_sizes, relative_sizes};
pub use tile::Activation;
pub use transposed::Transposed;
pub use unpool::unpool;
pub use winograd::fewest_multiplications;
