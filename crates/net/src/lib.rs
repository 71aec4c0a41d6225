//! The vocabulary that every network, checkpoint reader and explanation method shares.
//!
//! An [`Arch`] says what to build and how to feed it. Its [`Variant`] lists the layers once, as
//! data, in a [`LayerTable`]; the network's module takes its numbers from that table and its
//! weights from a [`Source`], and names each layer's output to a [`Trace`] as it runs. What
//! follows the network's last layer is a [`Head`], read from the checkpoint. Both together are a
//! [`Classifier`]: images in, logits out.
//!
//! This crate must never open a file and never know an architecture.
//!
//! ```
//! use burncam_net::{LayerTable, Op};
//!
//! let mut table = LayerTable::new("input", [8, 8, 3]);
//! table.push("conv1_1", Op::conv2d(16, 3).same().relu());
//! table.push("pool1", Op::max_pool(2, 2));
//! assert_eq!(table.last().output, [4, 4, 16]);
//! ```

mod classifier;
mod graph;
mod head;
mod head_config;
mod head_layer;
mod head_spec;
mod input;
pub mod layers;
mod op;
mod randomised;
mod source;
mod table;
mod trace;

pub use burncam_kernels::{Arithmetic, Level};
pub use classifier::{Arch, Build, Classifier, Network, Outputs, TailError, Variant};
pub use graph::{GRAPH, Graph};
pub use head::Head;
pub use head_config::{HeadConfig, HeadError, Output};
pub use head_spec::{HeadSpec, HeadStep, HeadStepKind};
pub use input::{
    ChannelOrder, IMAGENET_CAFFE_MEAN, IMAGENET_DEVIATION, IMAGENET_MEAN, InputSpec, OwnResizing,
    Step,
};
pub use layers::{Loader, PROGRAMS, SharedLayers};
pub use op::{Activation, Interpolation, Op, Padding, Reduction};
pub use randomised::{Randomisation, Randomised, units};
pub use source::{LoadError, Source, Weight};
pub use table::{Layer, LayerTable};
pub use trace::{Rectifier, Tap, Trace};
