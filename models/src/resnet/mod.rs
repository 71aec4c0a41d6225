//! The residual networks: ResNet50, and SENet50, whose blocks weigh their channels.
//!
//! `resnet50` and `senet50` list the variants. Their layers are stated by framework: `keras_vggface`,
//! `keras_applications`, `torch`; all run the same `bottleneck`.

mod bottleneck;
mod keras_applications;
mod keras_vggface;
mod resnet50;
mod senet50;
mod torch;

pub use resnet50::RESNET50;
pub use senet50::SENET50;

/// width of the bottleneck, blocks; the output is four times as wide
const STAGES: [(usize, usize); 4] = [(64, 3), (128, 4), (256, 6), (512, 3)];

/// The channels of a squeeze are this many times fewer.
const SQUEEZE: usize = 16;
