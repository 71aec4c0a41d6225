//! Whether two classes seem to have each other's names.

use super::wilson::wilson_interval;

/// The level of the intervals that have to lie below one half.
const LEVEL: f64 = 0.95;

/// What speaks for two names being the wrong way round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SwappedNames {
    /// The share of images that is right.
    pub accuracy: f64,
    /// The share that would be right if the classes had each other's names.
    pub swapped: f64,
}

/// Whether two classes probably have each other's names, by how often each true class, in rows, was
/// taken for each. That is so where the 95 % intervals of the accuracy and of the balanced accuracy
/// lie below one half: then the network tells the classes apart, and is mostly wrong. A network that
/// always says the same, or a handful of images, does not make it so.
///
/// The accuracy's interval is Wilson's; that of the balanced accuracy, which has no formula of its
/// own, is put together from Wilson's of both classes. Source: Newcombe, "Interval estimation for the
/// difference between independent proportions", Statistics in Medicine 17, 1998, method 10.
#[must_use]
pub fn swapped_names(counts: [[usize; 2]; 2]) -> Option<SwappedNames> {
    let images = |right: usize, wrong: usize| right.saturating_add(wrong);
    let recall = |right: usize, wrong: usize| {
        let all = images(right, wrong);
        let share = right as f64 / all as f64;
        wilson_interval(share, all, LEVEL).map(|[_, high]| (share, high))
    };
    let [[first, first_wrong], [second_wrong, second]] = counts;
    let (right, wrong) = (images(first, second), images(first_wrong, second_wrong));
    let (accuracy, above) = recall(right, wrong)?;
    let classes = [recall(first, first_wrong), recall(second, second_wrong)];
    let occurring = classes.iter().flatten().count() as f64;
    let mean: f64 = classes.iter().flatten().map(|(share, _)| share / occurring).sum();
    let squares = classes.iter().flatten().map(|(share, high)| (high - share).powi(2));
    let balanced_above = mean + squares.sum::<f64>().sqrt() / occurring;
    (above < 0.5 && balanced_above < 0.5)
        .then_some(SwappedNames { accuracy, swapped: 1.0 - accuracy })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_that_is_mostly_wrong_has_its_names_swapped() {
        let found = swapped_names([[2, 18], [22, 3]]).expect("swapped");
        assert!((found.accuracy - 5.0 / 45.0).abs() < 1e-12);
        assert!((found.swapped - 40.0 / 45.0).abs() < 1e-12);
        assert!(swapped_names([[0, 20], [0, 0]]).is_some(), "one class, all wrong");
        assert!(swapped_names([[0, 2], [2, 0]]).is_some());
    }

    #[test]
    fn chance_a_constant_answer_and_few_images_say_nothing() {
        for counts in [
            [[0, 0], [0, 0]],
            [[0, 1], [0, 0]],
            [[0, 2], [1, 0]],
            [[9, 11], [11, 9]],
            [[18, 2], [3, 22]],
            // Always the second class, which is rare.
            [[0, 200], [0, 50]],
            [[1, 199], [1, 49]],
        ] {
            assert_eq!(swapped_names(counts), None, "{counts:?}");
        }
    }
}
