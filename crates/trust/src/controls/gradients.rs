//! How an image changes from place to place.

use crate::Image;

/// The mean over the channels: `[height, width]`.
pub(super) fn mean(image: &Image) -> Vec<f64> {
    let places = image.size[0] * image.size[1];
    let mut mean = vec![0.0; places];
    for channel in image.values.chunks_exact(places) {
        mean.iter_mut().zip(channel).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    mean.iter_mut().for_each(|sum| *sum /= image.channels as f64);
    mean
}

/// Sobel's gradient at each place, downwards and to the right; the edge's values go on beyond it. The weights across are
/// 1/4, 1/2, 1/4, so a slope of 1 a pixel has the gradient 2.
pub(super) fn gradients(values: &[f64], [height, width]: [usize; 2]) -> Vec<[f64; 2]> {
    let at = |y: isize, x: isize| {
        let row = y.clamp(0, height as isize - 1) as usize;
        values[row * width + x.clamp(0, width as isize - 1) as usize]
    };
    let gradient = |place: usize| {
        let (y, x) = ((place / width) as isize, (place % width) as isize);
        let row = |y| 0.25 * at(y, x - 1) + 0.5 * at(y, x) + 0.25 * at(y, x + 1);
        let column = |x| 0.25 * at(y - 1, x) + 0.5 * at(y, x) + 0.25 * at(y + 1, x);
        [row(y + 1) - row(y - 1), column(x + 1) - column(x - 1)]
    };
    (0..values.len()).map(gradient).collect()
}
