//! Convolution and what follows it on a GPU, in one program (WGSL) for each shape; the rest is Burn's.
//!
//! Maps lie as `[batch, height, width, channels]`, as on the CPU; to Burn they are tensors `[batch,
//! channels, height, width]` with other strides.

mod convolution;
mod function;
mod launch;
mod map;
mod scale;
mod shader;

/// Counts how often the programs were changed: what was found out about one does not hold for the next.
pub const PROGRAMS: u32 = 2;

pub(super) use convolution::Convolution;
pub(super) use map::{Map, is_on_gpu, nhwc};
pub(super) use scale::scale_and_add;
