//! How alike two maps are.

/// A map on a grid of another size: each cell of the new grid is the mean of the cells around it,
/// weighted by a triangle that is two cells of the coarser grid wide. Where the grid gets finer,
/// this is linear interpolation between the cells' centres.
///
/// # Shapes
///
/// `map` is `[height, width]` of `from`, row by row; the result `[height, width]` of `to`.
///
/// # Panics
///
/// If the map does not have its size, or a side is 0.
#[must_use]
pub fn resample(map: &[f32], from: (usize, usize), to: (usize, usize)) -> Vec<f32> {
    assert_eq!(map.len(), from.0 * from.1, "the map must have its size");
    assert!([from.0, from.1, to.0, to.1].iter().all(|&side| side > 0), "a side of 0");
    if from == to {
        return map.to_vec();
    }
    let across = weights(from.1, to.1);
    let mut wide = Vec::with_capacity(from.0 * to.1);
    for row in map.chunks_exact(from.1) {
        wide.extend(across.iter().map(|cell| cell.iter().map(|&(x, w)| row[x] * w).sum::<f32>()));
    }
    let mut result = Vec::with_capacity(to.0 * to.1);
    for cell in weights(from.0, to.0) {
        result.extend(
            (0..to.1)
                .map(|x| cell.iter().map(|&(y, weight)| wide[y * to.1 + x] * weight).sum::<f32>()),
        );
    }
    result
}

/// For each new cell the old ones that it is made of, with weights that add up to 1.
fn weights(from: usize, to: usize) -> Vec<Vec<(usize, f32)>> {
    let scale = from as f64 / to as f64;
    let reach = scale.max(1.0);
    let one = |cell: usize| {
        let centre = (cell as f64 + 0.5) * scale;
        let first = (centre - reach).floor().max(0.0) as usize;
        let last = ((centre + reach).ceil() as usize).min(from);
        let weight = |old: usize| (1.0 - (old as f64 + 0.5 - centre).abs() / reach).max(0.0);
        let sum: f64 = (first..last).map(weight).sum();
        let parts = (first..last).map(|old| (old, (weight(old) / sum) as f32));
        parts.filter(|&(_, weight)| weight > 0.0).collect()
    };
    (0..to).map(one).collect()
}

/// Spearman's rank correlation of two maps, in -1..=1; equal values share their mean rank. `None`
/// where a map has but one value.
///
/// # Panics
///
/// If the maps are not of one size.
#[must_use]
pub fn spearman(a: &[f32], b: &[f32]) -> Option<f64> {
    Ranks::from_map(a).correlation(&Ranks::from_map(b))
}

/// The ranks of a map's cells, to be compared with those of many other maps.
pub struct Ranks {
    /// Each rank less the mean of all.
    distances: Vec<f64>,
    /// The sum of their squares.
    squares: f64,
}

impl Ranks {
    /// Equal values share their mean rank.
    pub fn from_map(map: &[f32]) -> Self {
        let mean = (map.len() as f64 + 1.0) / 2.0;
        let distances: Vec<f64> = ranks(map).into_iter().map(|rank| rank - mean).collect();
        let squares = product(&distances, &distances);
        Self { distances, squares }
    }

    /// As [`spearman`] of the two maps.
    pub fn correlation(&self, other: &Self) -> Option<f64> {
        assert_eq!(self.distances.len(), other.distances.len(), "maps of one size");
        let spread = (self.squares * other.squares).sqrt();
        let product = || product(&self.distances, &other.distances);
        (spread > 0.0).then(|| (product() / spread).clamp(-1.0, 1.0))
    }
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let (mut ranks, mut before) = (vec![0.0; values.len()], 0);
    for group in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = before as f64 + (group.len() as f64 + 1.0) / 2.0;
        group.iter().for_each(|&index| ranks[index] = rank);
        before += group.len();
    }
    ranks
}

/// How far the strongest cells of two maps are the same: cells in both over cells in either. The
/// strongest cells are those at least as large as the one that ends the map's top `share`, as long
/// as they are above 0; so equal values are in or out together. `None` where a map has none.
///
/// # Panics
///
/// If the maps are not of one size.
#[must_use]
pub fn top_overlap(a: &[f32], b: &[f32], share: f64) -> Option<f64> {
    assert_eq!(a.len(), b.len(), "maps of one size");
    Strongest::from_map(a, share)?.overlap(&Strongest::from_map(b, share)?)
}

/// The strongest cells of a map, a bit each, to be compared with those of many other maps.
pub struct Strongest(Vec<u64>);

impl Strongest {
    /// Nothing where no cell is above 0.
    pub fn from_map(map: &[f32], share: f64) -> Option<Self> {
        let mut sorted = map.to_vec();
        sorted.sort_by(|a, b| b.total_cmp(a));
        let cells = (share * map.len() as f64).ceil().max(1.0) as usize;
        let least = *sorted.get(cells - 1).or(sorted.last())?;
        let bit =
            |(place, &value): (usize, &f32)| u64::from(value >= least && value > 0.0) << place;
        let bits = |cells: &[f32]| cells.iter().enumerate().map(bit).sum();
        let words: Vec<u64> = map.chunks(64).map(bits).collect();
        words.iter().any(|&word| word != 0).then_some(Self(words))
    }

    /// As [`top_overlap`] of the two maps.
    pub fn overlap(&self, other: &Self) -> Option<f64> {
        let count = |of: fn(u64, u64) -> u64| -> u32 {
            self.0.iter().zip(&other.0).map(|(&a, &b)| of(a, b).count_ones()).sum()
        };
        let (both, either) = (count(|a, b| a & b), count(|a, b| a | b));
        (either > 0).then(|| f64::from(both) / f64::from(either))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finer_grid_is_interpolated() {
        assert_eq!(resample(&[0.0, 4.0], (1, 2), (1, 4)), [0.0, 1.0, 3.0, 4.0]);
        let square = resample(&[1.0, 1.0, 1.0, 1.0], (2, 2), (5, 7));
        assert!(square.len() == 35 && square.iter().all(|v| (v - 1.0).abs() < 1e-6));
        let same = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(resample(&same, (2, 2), (2, 2)), same);
    }

    #[test]
    fn a_coarser_grid_is_averaged() {
        let coarse = resample(&[0.0, 0.0, 8.0, 8.0], (1, 4), (1, 2));
        // Triangles two cells to each side of 1 and of 3: .25 .75 .75 .25, less what lies outside.
        assert!((coarse[0] - 8.0 / 7.0).abs() < 1e-6, "{coarse:?}");
        assert!((coarse[1] - 48.0 / 7.0).abs() < 1e-6, "{coarse:?}");
    }

    #[test]
    fn rank_correlation() {
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[10.0, 20.0, 1000.0]), Some(1.0));
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), Some(-1.0));
        // Ranks 1.5 1.5 3 against 1 2 3: 1.5 / sqrt(1.5 * 2).
        let tied = spearman(&[0.0, 0.0, 1.0], &[1.0, 2.0, 3.0]).expect("two values");
        assert!((tied - 1.5 / 3.0_f64.sqrt()).abs() < 1e-15);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(spearman(&[], &[]), None);
    }

    #[test]
    fn overlap_of_the_top() {
        let a = [9.0, 8.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let b = [9.0, 0.0, 8.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(top_overlap(&a, &b, 0.1), Some(1.0));
        assert_eq!(top_overlap(&a, &b, 0.2), Some(1.0 / 3.0));
        // Cells 2 and 3 of `a` are equal, so both are in: 0 to 3 against 0, 2 and 3.
        assert_eq!(top_overlap(&a, &b, 0.3), Some(0.75));
        assert_eq!(top_overlap(&a, &[0.0; 10], 0.1), None);
        assert_eq!(top_overlap(&[], &[], 0.1), None);
        // More cells than one word has bits.
        let long: Vec<f32> = (0..100).map(|cell| cell as f32).collect();
        let back: Vec<f32> = long.iter().rev().copied().collect();
        assert_eq!(top_overlap(&long, &back, 0.6), Some(0.2));
    }
}
