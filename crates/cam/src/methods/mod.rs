//! Explanation methods, one file each.

mod grad_cam;

pub use grad_cam::{channel_weights, grad_cam};
