//! Convolution whose results are pooled before they are written, so that a large map never goes through memory.

use std::ops::Range;

use crate::parallel::{Shared, each, scratch};
use crate::pool::{Line, Pooling};
use crate::shape::{Shape, Window};
use crate::simd::Level;

/// Numbers of a band of results, which should stay in the second-level cache until they are pooled.
const BAND: usize = 1 << 16;

/// Whether each result is in one window at most, and no window reaches over the border.
pub(crate) fn are_tiles(pool: Window, made: Shape, pooled: Shape) -> bool {
    let fits = |axis: usize, made: usize, pooled: usize| pooled * pool.size[axis] <= made;
    pool.is_dense()
        && pool.before == [0, 0]
        && pool.size == pool.strides
        && fits(0, made.height, pooled.height)
        && fits(1, made.width, pooled.width)
}

/// The largest value of each window of a convolution's results, of the shape `made`; the windows [are
/// tiles](are_tiles). `rows` computes some rows of an image into where it is told.
pub(crate) fn run(
    level: Level,
    (made, pool): (Shape, Window),
    (output, pooled): (&mut [f32], Shape),
    rows: impl Fn(usize, Range<usize>, &mut [f32]) + Sync + Send,
) {
    assert_eq!(output.len(), pooled.len(), "the output has its shape");
    assert_eq!([made.batch, made.channels], [pooled.batch, pooled.channels], "as many of each");
    assert!(are_tiles(pool, made, pooled), "windows that are tiles");
    let row = made.width * made.channels;
    let in_band = (BAND / (pool.size[0] * row).max(1)).clamp(1, pooled.height.max(1));
    let bands = pooled.height.div_ceil(in_band);
    let output = Shared::new(output);
    each(made.batch * bands, |task| {
        let (image, first) = (task / bands, task % bands * in_band);
        let lines = first..(first + in_band).min(pooled.height);
        let made_rows = lines.start * pool.size[0]..lines.end * pool.size[0];
        let band = Shape { batch: 1, height: made_rows.len(), ..made };
        scratch(band.len(), |results| {
            rows(image, made_rows, &mut *results);
            let output_shape = Shape { batch: 1, height: lines.len(), ..pooled };
            let at = (image * pooled.height + lines.start) * pooled.width * pooled.channels;
            // SAFETY: the output has its shape, and each task has lines of its own.
            let output = Shared::new(unsafe {
                std::slice::from_raw_parts_mut(output.at(at), output_shape.len())
            });
            for line in 0..lines.len() {
                let (pooling, window, input) = (Pooling::Max, pool, &*results);
                let input_shape = band;
                level.run(Line { pooling, window, input, input_shape, output, output_shape, line });
            }
        });
    });
}
