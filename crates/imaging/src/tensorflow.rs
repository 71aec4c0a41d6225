//! `tf.image.resize`, as Keras's `Resizing` calls it: half-pixel centres, no antialiasing, `f32`.
//!
//! (`image_resizer_state.h`, `resize_bilinear_op.cc` and `resize_nearest_neighbor_op.cc` of
//! TensorFlow 2.15.) Images are `[height, width, 3]`, row-major; sizes are `[height, width]`.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "places in images whose sizes are known, and arithmetic of pixels"
)]

use burncam_net::Interpolation;

/// An image at another size.
pub(crate) fn resize<T: Copy + Into<f32>>(
    pixels: &[T],
    from: [usize; 2],
    to: [usize; 2],
    interpolation: Interpolation,
) -> Vec<f32> {
    match interpolation {
        Interpolation::Bilinear => bilinear(pixels, from, to),
        Interpolation::Nearest => nearest(pixels, from, to),
    }
}

/// Between the four neighbours of each position.
pub(crate) fn bilinear<T: Copy + Into<f32>>(
    pixels: &[T],
    from: [usize; 2],
    to: [usize; 2],
) -> Vec<f32> {
    let (rows, columns) = (taps(from[0], to[0]), taps(from[1], to[1]));
    let stride = from[1] * 3;
    let mut rgb = Vec::with_capacity(to[0] * to[1] * 3);
    for row in &rows {
        for column in &columns {
            for channel in 0..3 {
                let at = |y: usize, x: usize| pixels[y * stride + x * 3 + channel].into();
                let across = |y: usize| {
                    let (left, right): (f32, f32) = (at(y, column.low), at(y, column.high));
                    left + (right - left) * column.weight
                };
                let (top, bottom) = (across(row.low), across(row.high));
                rgb.push(top + (bottom - top) * row.weight);
            }
        }
    }
    rgb
}

/// The two neighbours of a position along an axis and the weight of the second.
struct Taps {
    low: usize,
    high: usize,
    weight: f32,
}

fn taps(from: usize, to: usize) -> Vec<Taps> {
    let scale = from as f32 / to as f32;
    (0..to)
        .map(|index| {
            let position = (index as f32 + 0.5) * scale - 0.5;
            let floor = position.floor();
            Taps {
                low: (floor.max(0.0) as usize).min(from - 1),
                high: (position.ceil() as usize).min(from - 1),
                weight: position - floor,
            }
        })
        .collect()
}

/// The pixel under each centre. Unlike Pillow's rule, each position is a product, not a sum.
fn nearest<T: Copy + Into<f32>>(pixels: &[T], from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
    let indices = |from: usize, to: usize| -> Vec<usize> {
        let scale = from as f32 / to as f32;
        (0..to).map(|i| (((i as f32 + 0.5) * scale) as usize).min(from - 1)).collect()
    };
    let (rows, columns) = (indices(from[0], to[0]), indices(from[1], to[1]));
    let mut rgb = Vec::with_capacity(to[0] * to[1] * 3);
    for row in rows {
        for column in &columns {
            let pixel = &pixels[(row * from[1] + column) * 3..][..3];
            rgb.extend(pixel.iter().map(|&value| value.into()));
        }
    }
    rgb
}
