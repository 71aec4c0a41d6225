//! The structural similarity of maps on the grid.

use burncam_evaluation::GRID;

/// Cells of a window on a side; windows lie in the map.
const SIDE: usize = 11;
const PLACES: usize = GRID - SIDE + 1;
const DEVIATION: f64 = 1.5;
const C1: f64 = 0.01 * 0.01;
const C2: f64 = 0.03 * 0.03;

/// A map in 0..=1 with the means and variances of its windows, to be compared with many others. The numbers are those
/// of `ssim` in `burncam_trust`, where the formula is.
pub(super) struct Structure {
    cells: Vec<f64>,
    means: Vec<f64>,
    variances: Vec<f64>,
}

impl Structure {
    /// Nothing where all cells are equal.
    pub(super) fn from_map(shares: &[f32]) -> Option<Self> {
        let values = || shares.iter().map(|&share| f64::from(share));
        let (low, high) = (values().fold(f64::MAX, f64::min), values().fold(f64::MIN, f64::max));
        if shares.len() != GRID * GRID || high <= low {
            return None;
        }
        let cells: Vec<f64> = values().map(|value| (value - low) / (high - low)).collect();
        let means = windows(&cells, &[1.0; GRID * GRID]);
        let squares = windows(&cells, &cells);
        let variances = squares.iter().zip(&means).map(|(square, mean)| square - mean * mean);
        Some(Self { variances: variances.collect(), cells, means })
    }

    /// In -1..=1; 1 for maps that are the same.
    pub(super) fn similarity(&self, other: &Self) -> f64 {
        let products = windows(&self.cells, &other.cells);
        let one = |place: usize| {
            let (a, b) = (self.means[place], other.means[place]);
            let (var_a, var_b) = (self.variances[place], other.variances[place]);
            let covariance = products[place] - a * b;
            (2.0 * a * b + C1) * (2.0 * covariance + C2)
                / ((a * a + b * b + C1) * (var_a + var_b + C2))
        };
        (0..PLACES * PLACES).map(one).sum::<f64>() / (PLACES * PLACES) as f64
    }
}

/// The weighted mean of the products of two maps, window by window.
fn windows(a: &[f64], b: &[f64]) -> Vec<f64> {
    let weight = |at: usize| {
        let distance = at as f64 - (SIDE / 2) as f64;
        (-distance * distance / (2.0 * DEVIATION * DEVIATION)).exp()
    };
    let weights: [f64; SIDE] = std::array::from_fn(weight);
    let sum: f64 = weights.iter().sum();
    let mut across = [0.0; GRID * PLACES];
    for (row, line) in across.chunks_exact_mut(PLACES).enumerate() {
        for (column, mean) in line.iter_mut().enumerate() {
            let cells = (0..SIDE).map(|at| row * GRID + column + at);
            let products = cells.zip(weights).map(|(cell, weight)| a[cell] * b[cell] * weight);
            *mean = products.sum::<f64>() / sum;
        }
    }
    let mut all = Vec::with_capacity(PLACES * PLACES);
    for row in 0..PLACES {
        for column in 0..PLACES {
            let lines = (0..SIDE).map(|at| across[(row + at) * PLACES + column]);
            all.push(lines.zip(weights).map(|(mean, weight)| mean * weight).sum::<f64>() / sum);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncam_evaluation::Values;
    use burncam_trust::{Compute, Evidence, find};

    #[test]
    fn as_the_measure_of_trust() {
        let Compute::Pair(ssim) = find("ssim").expect("a measure").compute else {
            panic!("a measure of two maps")
        };
        let map = |factor: usize| -> Vec<f32> {
            (0..GRID * GRID).map(|cell| (cell * factor % 97) as f32 / 48.0 - 1.0).collect()
        };
        let maps = [map(3), map(7), map(1), map(96)];
        for a in &maps {
            for b in &maps {
                let evidence = |map: &[f32]| {
                    Evidence::new(map.to_vec(), [GRID; 2], Values::Signed).expect("finite values")
                };
                let wanted = ssim(&evidence(a), &evidence(b)).expect("maps that vary");
                let structure = |map: &[f32]| Structure::from_map(map).expect("a map that varies");
                let found = structure(a).similarity(&structure(b));
                assert!((found - wanted).abs() < 1e-9, "{found} {wanted}");
            }
        }
        assert!(Structure::from_map(&[0.5; GRID * GRID]).is_none());
    }
}
