//! Gaussian filters of maps.

/// The weights of a Gaussian from `-radius` to `radius`. They add up to 1.
pub(crate) fn gaussian(deviation: f64, radius: usize) -> Vec<f64> {
    let weight = |index: usize| {
        let distance = (index as f64 - radius as f64) / deviation;
        (-0.5 * distance * distance).exp()
    };
    let weights: Vec<f64> = (0..=2 * radius).map(weight).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// A map `[height, width]`, weighted along both sides; the edge's values go on beyond it. `weights` are symmetric and
/// odd in number.
pub(crate) fn blur(values: &[f64], [height, width]: [usize; 2], weights: &[f64]) -> Vec<f64> {
    let mut wide = Vec::with_capacity(values.len());
    for row in values.chunks_exact(width) {
        wide.extend((0..width).map(|x| weighted(weights, x, width, |x| row[x])));
    }
    let mut blurred = Vec::with_capacity(values.len());
    for y in 0..height {
        let value = |x| weighted(weights, y, height, |y| wide[y * width + x]);
        blurred.extend((0..width).map(value));
    }
    blurred
}

/// The weighted sum of the values around a place on a line of `side` places.
fn weighted(weights: &[f64], place: usize, side: usize, value: impl Fn(usize) -> f64) -> f64 {
    let beside = |index: usize| (place + index).saturating_sub(weights.len() / 2).min(side - 1);
    weights.iter().enumerate().map(|(index, weight)| weight * value(beside(index))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blur_keeps_a_flat_map_and_spreads_a_point() {
        let weights = gaussian(1.0, 4);
        let flat = blur(&[2.0; 15], [3, 5], &weights);
        assert!(flat.iter().all(|value| (value - 2.0).abs() < 1e-12));
        let mut point = vec![0.0; 81];
        point[40] = 1.0;
        let spread = blur(&point, [9, 9], &weights);
        assert!((spread[40] - weights[4] * weights[4]).abs() < 1e-15);
        assert!((spread[0] - weights[0] * weights[0]).abs() < 1e-15);
    }
}
