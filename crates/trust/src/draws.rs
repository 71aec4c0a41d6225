//! Draws without replacement.

use burncam_evaluation::Random;

/// `count` different indices below `end`: the first ones of a Fisher-Yates shuffle.
pub(crate) fn subset(random: &mut Random, count: usize, end: usize) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..end).collect();
    for place in 0..count {
        let other = place + random.below(end - place);
        indices.swap(place, other);
    }
    indices.truncate(count);
    indices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subset_is_that_of_the_reference() {
        let drawn = [31, 40, 45, 18, 65, 36, 73, 39, 37, 56, 7, 10, 67, 57, 11, 23];
        assert_eq!(subset(&mut Random::new(77), 16, 81), drawn);
    }

    #[test]
    fn a_subset_has_no_index_twice() {
        let mut drawn = subset(&mut Random::new(9), 81, 81);
        drawn.sort_unstable();
        assert_eq!(drawn, (0..81).collect::<Vec<_>>());
    }
}
