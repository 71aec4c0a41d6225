//! The empty image, where the way of methods that integrate begins.

use crate::MethodOption;

/// The number that it has everywhere.
pub(super) const BASELINE: MethodOption = MethodOption::number(
    "baseline",
    0.0,
    [-1e6, 1e6],
    "the number that enters the network everywhere at the way's beginning",
);
