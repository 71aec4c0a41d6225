//! Class activation maps by automatic differentiation.
//!
//! [`Scene::observe`] runs a batch through a classifier once. The tapped layer's output becomes
//! the leaf of a gradient graph, so that only what follows it is recorded; one backward pass
//! from the target logits gives the gradient at that layer. The methods turn activations and
//! gradients into maps, and [`MapSummary`] says whether a map can be read.
//!
//! This crate must never know more of a network than its [`Classifier`](burncam_net::Classifier).

mod agreement;
mod error;
mod explanation;
pub mod methods;
mod scene;
mod summary;

pub use agreement::{Agreement, apart, layers_apart};
pub use error::CamError;
pub use explanation::Explanation;
pub use scene::{Scene, Target, predicted};
pub use summary::{MapStatus, MapSummary};
