//! Whether a map may be believed: measures of maps, and the controls that every map has to beat.
//!
//! A [`Measure`] of [`MEASURES`] is one file in `measures`. It takes [`Evidence`], a map at its image's size, and what
//! else it needs: the image and a way through the network, a mask, or a second map. A measure that is not defined is an
//! [`Undefined`] with a name and never 0. A [`Control`] of [`CONTROLS`] is a map that is made without the network. This
//! crate must never know Burn, a file or a model: it takes numbers.

mod assessment;
mod baseline;
mod cascade;
mod controls;
mod copies;
mod correlation;
mod curve;
mod draws;
mod evidence;
mod filter;
mod imputation;
mod measure;
mod measures;
mod order;
mod protocol;
pub mod regions;
mod shown;
mod undefined;

pub use assessment::{
    Assessment, ControlAssessment, Observation, Point, Profile, Tally, Trust, Verdict,
};
pub use cascade::{RANDOM_NETWORKS, steps};
pub use controls::{CONTROLS, Control, control};
pub use curve::curve;
pub use evidence::Evidence;
pub use measure::{
    Better, ByRegion, Compare, Compute, Counterpart, Explain, Group, Image, Measure, Measured,
    Memory, Network, NetworkError, Pass, Score, WithChance,
};
pub use measures::{JPEG_QUALITY, MEASURES, find};
pub use protocol::{Baseline, Protocol, Scale};
pub use undefined::Undefined;
