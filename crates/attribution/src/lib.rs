//! Attribution: which places of an image a network's decision depends on.
//!
//! A [`Method`] declares what it needs: taps, gradients, passes. An [`Inference`] holds one batch of
//! images in a network and does the passes; it remembers logits, activations and gradients, so that
//! methods which need the same pass share it. [`explain`] runs several [`Explanation`]s, each a method at
//! its layers, over one batch, and [`MapSummary`] says whether a map can be read.
//!
//! A method is one file in `methods` and one line in [`METHODS`].
//!
//! This crate must never know more of a network than its [`Classifier`](burncam_net::Classifier).

mod agreement;
mod error;
mod explanation;
mod fuse;
mod inference;
mod map;
mod method;
pub mod methods;
mod peer;
mod settings;
mod smoothing;
mod target;

pub use agreement::{Agreement, layer_errors, max_relative_error};
pub use burncam_evaluation::Random;
pub use error::AttributionError;
pub use explanation::{Attributions, Explanation, Question, explain};
pub use fuse::Fuse;
pub use inference::Inference;
pub use map::{MapStatus, MapSummary, Maps};
pub use method::{Fit, Method, Needs, Passes, Place, Sign, Taps};
pub use methods::{METHODS, find};
pub use peer::{Likeness, Peer};
pub use settings::{MethodOption, Settings, Values};
pub use smoothing::Smoothing;
pub use target::{Score, Target, predicted};
