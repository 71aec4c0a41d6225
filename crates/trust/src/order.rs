//! Which places a map puts first.

use std::cmp::Ordering;

use crate::{Evidence, Undefined};

/// The places of a map `[height, width]` from the largest value to the smallest; equal values row
/// by row. So a share of the places is always an exact count, however many values are equal.
///
/// # Errors
///
/// If the map has but one value.
pub(crate) fn descending(map: &Evidence) -> Result<Vec<usize>, Undefined> {
    varied(map)?;
    let mut order: Vec<usize> = (0..map.values.len()).collect();
    // Not `total_cmp`: -0 equals 0.
    let larger_first = |&a: &usize, &b: &usize| {
        map.values[b].partial_cmp(&map.values[a]).unwrap_or(Ordering::Equal)
    };
    order.sort_by(larger_first);
    Ok(order)
}

/// # Errors
///
/// If the map has but one value.
pub(crate) fn varied(map: &Evidence) -> Result<(), Undefined> {
    let first = map.values.first().copied().unwrap_or_default();
    if map.values.iter().any(|&value| value != first) {
        return Ok(());
    }
    Err(if first == 0.0 { Undefined::EmptyMap } else { Undefined::ConstantMap })
}

/// The map in 0..=1: values below 0 are 0, and the largest is 1.
///
/// # Errors
///
/// If no value is above 0.
pub(crate) fn shares(map: &Evidence) -> Result<Vec<f64>, Undefined> {
    let largest = map.values.iter().copied().fold(0.0, f32::max);
    if largest <= 0.0 {
        return Err(Undefined::EmptyMap);
    }
    Ok(map.values.iter().map(|&v| f64::from(v.max(0.0)) / f64::from(largest)).collect())
}
