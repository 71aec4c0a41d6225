//! From the whole image to the empty one in steps.

/// How many places are gone at each point: 0, then `places / steps` more each time, rounded up,
/// until all are. Where the steps do not divide the places, the last step is smaller, or there are
/// fewer steps.
pub(crate) fn counts(places: usize, steps: usize) -> Vec<usize> {
    let step = places.div_ceil(steps.max(1)).max(1);
    (0..places).step_by(step).chain([places]).collect()
}

/// The area under scores by trapezoids, over the true share of places at each of them.
pub(crate) fn area(counts: &[usize], scores: &[f64]) -> f64 {
    let places = counts.last().copied().unwrap_or_default() as f64;
    let trapezoid = |(counts, scores): (&[usize], &[f64])| {
        (counts[1] - counts[0]) as f64 / places * (scores[0] + scores[1]) / 2.0
    };
    counts.windows(2).zip(scores.windows(2)).map(trapezoid).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_exact_counts() {
        assert_eq!(counts(10, 4), [0, 3, 6, 9, 10]);
        assert_eq!(counts(9, 20), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(counts(6, 1), [0, 6]);
        assert_eq!(counts(50_176, 20).len(), 21);
    }

    #[test]
    fn the_area_is_over_the_true_share() {
        assert_eq!(area(&[0, 3, 4], &[1.0, 0.0, 2.0]), 0.375 + 0.25);
        assert_eq!(area(&[0, 1, 2], &[0.5, 0.5, 0.5]), 0.5);
    }
}
