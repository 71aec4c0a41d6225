//! Methods of attribution, one file each.

mod grad_cam;
mod hires_cam;

pub use grad_cam::GRAD_CAM;

use crate::Method;

/// Every method; the first is the default.
pub static METHODS: &[&Method] = &[&GRAD_CAM, &hires_cam::HIRES_CAM];

/// The method of this name: `grad-cam`, in any case.
#[must_use]
pub fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().copied().find(|method| method.name.eq_ignore_ascii_case(name))
}
