//! The first principal component of a map's channels.

use burn::tensor::{Tensor, TensorData};

use crate::{AttributionError, MapStatus, Maps, MethodOption};

/// Whether channels are centred first.
pub(super) const CENTRE: MethodOption =
    MethodOption::word("centre", &["no", "yes"], "whether each channel's mean is subtracted first");

/// Steps of the power iteration at most: with components that are nearly alike it gains few digits in a step.
const MOST_STEPS: usize = 2000;

/// A step that turns the component by less ends the iteration.
const STILL: f64 = 1e-12;

/// The projection of each position's channels on the direction in which they are largest, `[batch, 1, height *
/// width]`: the first left singular vector of the matrix of positions and channels, times its singular value.
///
/// A singular vector has no sign of its own. The map's largest value by size is positive, as in SegEigenCAM of
/// pytorch-grad-cam. Sums are of `f64` and in one order, on every device. Each channel's mean is subtracted first where
/// channels are to be `centred`.
///
/// # Shapes
///
/// `maps`: `[batch, channels, height, width]`.
pub(crate) fn project(maps: Tensor<4>, centred: bool) -> Result<Maps, AttributionError> {
    let ([batch, channels, height, width], device) = (maps.dims(), maps.device());
    let mut values: Vec<f32> = maps
        .into_data()
        .try_to_vec()
        .map_err(|error| AttributionError::read_back("activations", &error))?;
    let positions = height * width;
    if centred {
        values.chunks_exact_mut(positions).for_each(centre);
    }
    let maps: Vec<Vec<f32>> =
        values.chunks_exact(channels * positions).map(|map| component(map, positions)).collect();
    let constant: Vec<f32> = maps.iter().map(|map| f32::from(u8::from(is_constant(map)))).collect();
    let data = TensorData::new(maps.concat(), [batch, 1, positions]);
    let constant = Tensor::from_data(TensorData::new(constant, [batch, 1]), &device);
    let maps = Maps::new(Tensor::from_data(data, &device), [height, width]);
    Ok(maps.undefined_where(MapStatus::ConstantComponent, constant))
}

fn centre(channel: &mut [f32]) {
    let mean = channel.iter().map(|value| f64::from(*value)).sum::<f64>() / channel.len() as f64;
    channel.iter_mut().for_each(|value| *value = (f64::from(*value) - mean) as f32);
}

/// Whether values differ by no more than rounding.
fn is_constant(map: &[f32]) -> bool {
    let (least, most) = map
        .iter()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(least, most), v| (least.min(*v), most.max(*v)));
    most - least <= 1e-6 * most.abs().max(least.abs())
}

/// Of one image, whose channels are rows of `positions` numbers.
fn component(map: &[f32], positions: usize) -> Vec<f32> {
    if map.iter().any(|value| !value.is_finite()) {
        return vec![f32::NAN; positions];
    }
    let rows: Vec<&[f32]> = map.chunks_exact(positions).collect();
    // The smaller of the two matrices of products has the same singular values.
    let mut projected = match rows.len() < positions {
        true => {
            let products = products(rows.len(), |a, b| dot(rows[a], rows[b]));
            let direction = largest(&products, rows.len());
            weighted(&rows, &direction, positions)
        }
        false => {
            let mut columns = vec![0.0_f32; map.len()];
            for (channel, row) in rows.iter().enumerate() {
                for (position, value) in row.iter().enumerate() {
                    columns[position * rows.len() + channel] = *value;
                }
            }
            let columns: Vec<&[f32]> = columns.chunks_exact(rows.len()).collect();
            let products = products(positions, |a, b| dot(columns[a], columns[b]));
            let direction = largest(&products, positions);
            let size = dot_f64(&direction, &times(&products, &direction)).max(0.0).sqrt();
            direction.iter().map(|value| value * size).collect()
        }
    };
    let extreme = projected
        .iter()
        .fold(0.0_f64, |most, value| if value.abs() > most.abs() { *value } else { most });
    if extreme < 0.0 {
        projected.iter_mut().for_each(|value| *value = -*value);
    }
    projected.into_iter().map(|value| value as f32).collect()
}

/// A symmetric matrix, row by row.
fn products(size: usize, product: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let mut matrix = vec![0.0; size * size];
    for a in 0..size {
        for b in 0..=a {
            let value = product(a, b);
            (matrix[a * size + b], matrix[b * size + a]) = (value, value);
        }
    }
    matrix
}

/// The unit eigenvector of the largest eigenvalue of a matrix of products, which is not negative.
fn largest(matrix: &[f64], size: usize) -> Vec<f64> {
    // Where the products are largest the component is not 0.
    let start = (0..size).max_by(|&a, &b| matrix[a * size + a].total_cmp(&matrix[b * size + b]));
    let mut vector = start.map_or(Vec::new(), |row| matrix[row * size..][..size].to_vec());
    for _ in 0..MOST_STEPS {
        let length = dot_f64(&vector, &vector).sqrt();
        if length == 0.0 {
            return vector;
        }
        vector.iter_mut().for_each(|value| *value /= length);
        let next = times(matrix, &vector);
        let size = dot_f64(&next, &next).sqrt();
        let apart = vector.iter().zip(&next).map(|(a, b)| (a - b / size).powi(2)).sum::<f64>();
        if size == 0.0 || apart.sqrt() < STILL {
            break;
        }
        vector = next;
    }
    let length = dot_f64(&vector, &vector).sqrt();
    vector.iter().map(|value| if length > 0.0 { value / length } else { 0.0 }).collect()
}

fn times(matrix: &[f64], vector: &[f64]) -> Vec<f64> {
    matrix.chunks_exact(vector.len().max(1)).map(|row| dot_f64(row, vector)).collect()
}

fn weighted(rows: &[&[f32]], weights: &[f64], positions: usize) -> Vec<f64> {
    let mut sums = vec![0.0; positions];
    for (row, weight) in rows.iter().zip(weights) {
        for (sum, value) in sums.iter_mut().zip(*row) {
            *sum += weight * f64::from(*value);
        }
    }
    sums
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn dot_f64(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::component;

    /// Channels that are multiples of one map, with as many positions as channels, and more.
    #[test]
    fn channels_of_one_map_give_that_map() {
        for map in [vec![1.0, -2.0, 0.5], vec![1.0, -2.0, 0.5, 3.0, 0.0, 4.0, -1.0]] {
            let channels = [2.0_f32, -1.0, 0.5];
            let maps: Vec<f32> = channels
                .iter()
                .flat_map(|factor| map.iter().map(move |value| value * factor))
                .collect();
            let size = channels.iter().map(|factor| factor * factor).sum::<f32>().sqrt();
            let extreme = map.iter().fold(0.0_f32, |m, v| if v.abs() > m.abs() { *v } else { m });
            let found = component(&maps, map.len());
            for (found, value) in found.iter().zip(&map) {
                let expected = value * size * extreme.signum();
                assert!((found - expected).abs() < 1e-5, "{found} {expected}");
            }
        }
    }

    #[test]
    fn zeros_give_zeros_and_what_is_no_number_stays_none() {
        assert_eq!(component(&[0.0; 12], 4), [0.0; 4]);
        assert!(component(&[0.0, f32::NAN, 1.0, 2.0], 2).iter().all(|value| value.is_nan()));
    }
}
