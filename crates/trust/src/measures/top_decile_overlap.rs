//! The overlap of the highest tenth of two maps.

use crate::order::varied;
use crate::{Better, Compute, Evidence, Group, Measure, Undefined};

pub(super) static TOP_DECILE_OVERLAP: Measure = Measure {
    name: "top-decile-overlap",
    title: "Overlap of the top tenth",
    group: Group::Agreement,
    question: "How many of the places that one map puts first does the other put first too?",
    formula: "|A ∩ B| / |A|, where A and B are each map's n/10 highest places, rounded up; of equal \
              values the upper rows come first, then the left. By chance: 0.1",
    source: "Ghorbani, Abid, Zou, Interpretation of Neural Networks is Fragile, AAAI 2019 (top-k \
             intersection)",
    url: "https://arxiv.org/abs/1710.10547",
    misleads: "Where less than a tenth of both maps is above 0, zeros of the upper rows fill up \
               both sides and count as agreement. Places just below the tenth do not count at all.",
    better: Some(Better::Higher),
    range: [0.0, 1.0],
    limit: None,
    compute: Compute::Pair(top_decile_overlap),
};

fn top_decile_overlap(a: &Evidence, b: &Evidence) -> Result<f64, Undefined> {
    assert_eq!(a.size, b.size, "maps of one size");
    [a, b].into_iter().try_for_each(varied)?;
    let count = a.values.len().div_ceil(10);
    let [a, b] = [a, b].map(|map| top(&map.values, count));
    let both = a.iter().zip(&b).filter(|&(&a, &b)| a && b).count();
    Ok(both as f64 / count as f64)
}

/// Whether each place is one of the `count` highest; of equal values the first ones are.
fn top(values: &[f32], count: usize) -> Vec<bool> {
    let mut sorted = values.to_vec();
    let (_, &mut least, _) = sorted.select_nth_unstable_by(count - 1, |a, b| b.total_cmp(a));
    let mut left = count - values.iter().filter(|&&value| value > least).count();
    let is_top = |&value: &f32| {
        let is_equal = value == least && left > 0;
        left -= usize::from(is_equal);
        value > least || is_equal
    };
    values.iter().map(is_top).collect()
}
