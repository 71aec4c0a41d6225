//! Checkpoint files into networks, strictly.
//!
//! [`Checkpoint::open`] reads what a file holds without its numbers, [`Checkpoint::resolve`]
//! finds the architecture that it belongs to and checks every setting, and
//! [`Resolved::build`] reads the numbers: every weight of the network must be there with the
//! right shape, and every weight of the file must be used. Whatever does not fit is an error
//! that names it, since a silent difference is a wrong explanation.
//!
//! Today's formats: Keras's full `.h5` (Keras 2 and 3), its legacy weights-only `.h5`, `.keras`
//! (Keras 2.15 and 3), `.weights.h5` (Keras 3), PyTorch's state_dicts (`.pt`, `.pth`, as safetensors,
//! or as pickled NumPy arrays; a pickle is never run), `.onnx` (of tf2onnx and PyTorch), and what [`Resolved::convert`] writes: Burn's
//! `.bpk` and `.safetensors`, both with a description of the network in their metadata.
//!
//! This crate must never know an architecture: those it may find are handed to it.
//!
//! ```no_run
//! # fn main() -> Result<(), burncam_weights::Error> {
//! # let (archs, device) = (&[], &burn::tensor::Device::flex());
//! use burncam_weights::Checkpoint;
//!
//! let checkpoint = Checkpoint::open("NCNN.h5".as_ref())?;
//! let resolved = checkpoint.resolve(archs, None)?;
//! println!("{} ({})", resolved.arch.name, resolved.variant.name);
//! let classifier = resolved.build(device)?;
//! # Ok(())
//! # }
//! ```

// A file is a stranger's: what it holds is looked up and computed with in ways that cannot fail.
#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
    )
)]

mod burncam_file;
mod burnpack;
mod checkpoint;
mod class_literal;
mod class_names;
mod contents;
mod convert;
mod described;
mod error;
mod head_weights;
mod keras;
mod limits;
mod matching;
mod onnx;
mod outputs;
mod resolved;
mod safetensors;
mod same;
mod scratch;
mod shapes;
mod slice;
mod statement;
mod store;
mod structure;
mod table;
mod tensors;
mod torch;
mod variant;
mod zip_file;

pub use checkpoint::{Checkpoint, ENDINGS, Format, Wanted, is_checkpoint_name};
pub use class_names::ClassNames;
pub use contents::{FileLayer, FileWeight, Ignored, NetworkLayer};
pub use convert::{Container, Converted};
pub use error::Error;
pub use resolved::Resolved;
pub use statement::{LastNumbers, Statement};
pub use structure::{Structure, Unknown};
pub use zip_file::{Archive, Entry, open_zip};
