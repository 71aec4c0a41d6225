//! Explanation methods, one file each.

mod grad_cam;

pub(crate) use grad_cam::maps;
pub use grad_cam::{channel_weights, grad_cam};
