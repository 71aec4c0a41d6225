//! What measures with a mask have in common.

use crate::order::varied;
use crate::{Evidence, Undefined};

/// The number of places in the mask, where a measure with a mask is defined.
///
/// # Errors
///
/// If the mask has no place or all, or the map has but one value.
pub(super) fn places(map: &Evidence, mask: &[bool]) -> Result<usize, Undefined> {
    assert_eq!(map.values.len(), mask.len(), "a map and a mask of one size");
    let places = mask.iter().filter(|&&inside| inside).count();
    if places == 0 {
        return Err(Undefined::EmptyMask);
    }
    if places == mask.len() {
        return Err(Undefined::FullMask);
    }
    varied(map)?;
    Ok(places)
}

/// The highest places of a map, as many as a mask has; of equal values that compete for the last of them, each is
/// as likely as another.
pub(super) struct Highest {
    /// Places in the mask that are taken for sure.
    pub(super) sure: usize,
    /// Places whose equal values compete.
    pub(super) equal: usize,
    /// Those of them in the mask.
    pub(super) equal_inside: usize,
    /// How many of them are taken.
    pub(super) taken: usize,
}

/// The highest `count` places of a map, and how they meet a mask; `count` is at least 1.
pub(super) fn highest(map: &Evidence, mask: &[bool], count: usize) -> Highest {
    let mut sorted = map.values.clone();
    let (_, &mut least, _) = sorted.select_nth_unstable_by(count - 1, |a, b| b.total_cmp(a));
    let number = |is_one: &dyn Fn(f32, bool) -> bool| {
        map.values.iter().zip(mask).filter(|&(&value, &inside)| is_one(value, inside)).count()
    };
    Highest {
        sure: number(&|value, inside| value > least && inside),
        equal: number(&|value, _| value == least),
        equal_inside: number(&|value, inside| value == least && inside),
        taken: count - number(&|value, _| value > least),
    }
}
