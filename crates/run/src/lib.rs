//! What `burncam explain` does, without a command line and without printing.
//!
//! [`explain()`] takes [`ExplainOptions`] and does a run: plan, labels, devices, the pipeline from files to records,
//! resume, shards, the page. Everything that a user should be told on the way goes to an [`Observer`]. [`join()`]
//! makes the page of finished runs again, or as one.

pub mod class_names;
pub mod classes;
pub mod data;
pub mod device;
mod explain;
pub mod interrupt;
pub mod labels;
mod message;
mod methods;
pub mod networks;
pub mod npy;
mod observer;
mod options;
mod page;
mod preprocess;
mod relative_path;
pub mod self_test;
mod text;
mod version;

pub use explain::{FinishedModel, FinishedRun, ModelTrust, explain, read_record};
pub use message::{Message, NO_THREAD, SHOWN, counted, images};
pub use methods::MethodRequest;
pub use observer::Observer;
pub use options::{
    ExplainOptions, JoinOptions, MapFormat, NetworkChoice, Norm, Overlay, PageOptions,
    PictureOptions, Shard, input_size,
};
pub use page::{JoinedRuns, Subject, join};
pub use preprocess::Preprocess;
pub use relative_path::relative;
pub use text::bounded;
pub use version::{COMMIT, other, short, warn_of_others};
