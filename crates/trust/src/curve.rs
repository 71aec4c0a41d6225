//! From the whole image to the empty one in steps.

use crate::measures::End;
use crate::{Measure, Memory};

/// Points of a curve at most, save the last one; a drawing shows no more.
const MOST: usize = 50;

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

/// Shares of places and the scores there, one after the other, as they are remembered: every point, or where there are
/// many, some at equal distances and the last.
pub(crate) fn points(counts: &[usize], scores: &[f64]) -> Vec<f64> {
    let places = counts.last().copied().unwrap_or_default().max(1) as f64;
    let (last, every) = (counts.len().saturating_sub(1), counts.len().div_ceil(MOST).max(1));
    let all = counts.iter().zip(scores).enumerate();
    let kept = all.filter(|(place, _)| place % every == 0 || *place == last);
    kept.flat_map(|(_, (count, score))| [*count as f64 / places, *score]).collect()
}

/// The scores that a measure has just added up: `[share of the pixels, score]`, the smallest share first. The share is of
/// pixels that are gone; for insertion, of those that are back. It has four digits, the score six. Nothing for measures
/// without a curve, or that are not defined.
#[must_use]
pub fn curve(measure: &Measure, memory: &Memory) -> Vec<[f64; 2]> {
    let known = |name: &str| memory.get(name)?.as_ref().ok();
    let tenths = |end: End| {
        let scores = known(end.name()).into_iter().flatten();
        scores.zip(1..).map(|(score, tenth)| [f64::from(tenth) / 10.0, *score]).collect()
    };
    let points: Vec<[f64; 2]> = match measure.name {
        "road-most" => tenths(End::Most),
        "road-least" => tenths(End::Least),
        name => known(name).map(|flat| flat.as_chunks().0.to_vec()).unwrap_or_default(),
    };
    // Journals have a curve for every map.
    let rounded = |value: f64, digits: f64| (value * digits).round() / digits;
    points.into_iter().map(|[share, score]| [rounded(share, 1e4), rounded(score, 1e6)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_curves_keep_their_ends() {
        let counts = counts(1000, 1000);
        let scores: Vec<f64> = counts.iter().map(|count| *count as f64).collect();
        let points = points(&counts, &scores);
        assert!((60..=2 * (MOST + 2)).contains(&points.len()), "{}", points.len());
        assert_eq!(
            (&points[..2], &points[points.len() - 2..]),
            (&[0.0, 0.0][..], &[1.0, 1000.0][..])
        );
        assert_eq!(super::points(&[0, 2, 4], &[0.9, 0.5, 0.1]), [0.0, 0.9, 0.5, 0.5, 1.0, 0.1]);
    }

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
