//! Sizes of a map's values over its channels.

use crate::parallel::{each, each_chunk};
use crate::shape::Shape;

/// Positions that a thread does at a time.
const CHUNK: usize = 1 << 10;

/// Numbers that are added side by side, which round less than one sum and fill a vector.
const SUMS: usize = 16;

/// The largest size among the channels of each position: `[batch, height, width]`.
///
/// # Panics
///
/// If the shape and the numbers do not fit.
#[must_use]
pub fn largest_sizes(map: &[f32], shape: Shape) -> Vec<f32> {
    assert_eq!(map.len(), shape.len(), "the map has its shape");
    // A NaN stays one.
    let larger = |a: f32, b: f32| if a > b || a.is_nan() { a } else { b };
    let channels = shape.channels.max(1);
    let largest = |position: &[f32]| position.iter().map(|value| value.abs()).fold(0.0_f32, larger);
    map.chunks_exact(channels).map(largest).collect()
}

/// The sizes of a map's values, each times the factor of its channel, brought to 0..1 within an image or within each of
/// its channels, and summed over the channels: `[batch, height, width]`. `epsilon` is added to the range that sizes are
/// divided by; where that is 0, sizes are 0.
///
/// # Panics
///
/// If the shape and the numbers do not fit.
#[must_use]
pub fn relative_sizes(
    (map, shape): (&[f32], Shape),
    factors: &[f32],
    by_channel: bool,
    epsilon: f32,
) -> Vec<f32> {
    assert_eq!(map.len(), shape.len(), "the map has its shape");
    assert_eq!(factors.len(), shape.channels, "a factor for each channel");
    let (plane, channels) = ((shape.height * shape.width).max(1), shape.channels.max(1));
    let mut sums = vec![0.0; shape.positions()];
    for (image, sums) in map.chunks_exact(plane * channels).zip(sums.chunks_exact_mut(plane)) {
        let mut ranges = ranges(image, factors);
        if !by_channel {
            let least = ranges.iter().fold(f32::INFINITY, |least, range| least.min(range[0]));
            let most = ranges.iter().fold(f32::NEG_INFINITY, |most, range| most.max(range[1]));
            ranges.fill([least, most]);
        }
        let shares = |[least, most]: [f32; 2]| {
            let range = most - least + epsilon;
            (least, if range == 0.0 { 1.0 } else { 1.0 / range })
        };
        let (least, shares): (Vec<f32>, Vec<f32>) = ranges.into_iter().map(shares).unzip();
        each_chunk(sums, CHUNK, |at, sums| {
            let positions = image[at * CHUNK * channels..].chunks_exact(channels);
            for (sum, position) in sums.iter_mut().zip(positions) {
                *sum = relative_sum(position, factors, &least, &shares);
            }
        });
    }
    sums
}

fn relative_sum(position: &[f32], factors: &[f32], least: &[f32], shares: &[f32]) -> f32 {
    let mut sums = [0.0_f32; SUMS];
    let numbers = position.chunks(SUMS).zip(factors.chunks(SUMS));
    let scales = least.chunks(SUMS).zip(shares.chunks(SUMS));
    for ((values, factors), (least, shares)) in numbers.zip(scales) {
        let numbers = values.iter().zip(factors).zip(least.iter().zip(shares));
        for (sum, ((value, factor), (least, share))) in sums.iter_mut().zip(numbers) {
            *sum += ((value * factor).abs() - least) * share;
        }
    }
    sums.iter().sum()
}

/// The smallest and the largest size of each channel of an image.
fn ranges(image: &[f32], factors: &[f32]) -> Vec<[f32; 2]> {
    let channels = factors.len().max(1);
    let count = image.len().div_ceil(CHUNK * channels);
    let mut chunks = vec![Vec::new(); count];
    let own = |chunk: &[f32]| {
        let (mut least, mut most) = (vec![f32::INFINITY; channels], vec![0.0_f32; channels]);
        for position in chunk.chunks_exact(channels) {
            let extremes = least.iter_mut().zip(&mut most);
            for ((value, factor), (least, most)) in position.iter().zip(factors).zip(extremes) {
                let size = (value * factor).abs();
                *least = if size < *least { size } else { *least };
                *most = if size > *most { size } else { *most };
            }
        }
        least.into_iter().zip(most).map(|(least, most)| [least, most]).collect::<Vec<_>>()
    };
    let slots: Vec<_> = chunks.iter_mut().map(std::sync::Mutex::new).collect();
    each(count, |at| {
        let chunk = image[at * CHUNK * channels..].chunks(CHUNK * channels).next();
        if let (Some(chunk), Ok(mut slot)) = (chunk, slots[at].lock()) {
            **slot = own(chunk);
        }
    });
    drop(slots);
    let wider = |a: [f32; 2], b: [f32; 2]| [a[0].min(b[0]), a[1].max(b[1])];
    let join = |a: Vec<[f32; 2]>, b: Vec<[f32; 2]>| {
        a.into_iter().zip(b).map(|(a, b)| wider(a, b)).collect()
    };
    chunks.into_iter().reduce(join).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_relative_to_those_of_an_image_or_of_a_channel() {
        let shape = Shape { batch: 2, height: 1, width: 3, channels: 2 };
        let map = [1.0, -2.0, -3.0, 0.0, 2.0, 4.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0];
        // Times the factors, the sizes are 2, 2; 6, 0; 4, 4, and then 10, 5 everywhere.
        let by_image = relative_sizes((&map, shape), &[2.0, -1.0], false, 0.0);
        let expected = [2.0 / 3.0, 1.0, 4.0 / 3.0, 1.0, 1.0, 1.0];
        assert!(by_image.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{by_image:?}");
        let by_channel = relative_sizes((&map, shape), &[2.0, -1.0], true, 0.0);
        assert_eq!(by_channel, [0.5, 1.0, 1.5, 0.0, 0.0, 0.0]);
        let with_epsilon = relative_sizes((&map, shape), &[2.0, -1.0], true, 4.0);
        assert_eq!(with_epsilon, [0.25, 0.5, 0.75, 0.0, 0.0, 0.0]);
        assert_eq!(largest_sizes(&map, shape), [2.0, 3.0, 4.0, 5.0, 5.0, 5.0]);
        assert!(largest_sizes(&[f32::NAN, 1.0], Shape { batch: 1, width: 1, ..shape })[0].is_nan());
    }

    #[test]
    fn threads_do_not_change_a_bit() {
        let shape = Shape { batch: 1, height: 64, width: 50, channels: 19 };
        let map: Vec<f32> = (0..shape.len()).map(|at| (at as f32 * 0.37).sin()).collect();
        let factors: Vec<f32> = (0..19).map(|channel| channel as f32 - 5.0).collect();
        let run = |threads: usize| {
            let pool =
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| relative_sizes((&map, shape), &factors, true, 0.0))
        };
        assert_eq!(run(1), run(3));
    }
}
