//! The gradient of a pooling.

use crate::parallel::each_chunk;
use crate::pool::{Pooling, clip};
use crate::shape::{Shape, Window};

/// Hands the gradient of each window's result to the inputs under the window: that of a mean to all alike, that
/// of a maximum to the first that is the largest. `input` is what was pooled.
///
/// # Panics
///
/// If a shape and its numbers, or the shapes, do not fit, or the window is dilated.
pub fn unpool(
    pooling: Pooling,
    window: Window,
    (input, shape): (&[f32], Shape),
    (gradient, gradient_shape): (&[f32], Shape),
    output: &mut [f32],
) {
    assert_eq!(input.len(), shape.len(), "the input has its shape");
    assert_eq!(output.len(), shape.len(), "the output has the input's shape");
    assert_eq!(gradient.len(), gradient_shape.len(), "the gradient has its shape");
    assert_eq!(shape.batch, gradient_shape.batch, "as many images");
    assert_eq!(shape.channels, gradient_shape.channels, "as many channels");
    assert!(window.is_dense(), "a window without gaps");
    output.fill(0.0);
    let image = Shape { batch: 1, ..shape }.len().max(1);
    let small = Shape { batch: 1, ..gradient_shape }.len();
    each_chunk(output, image, |at, output| {
        let (input, gradient) = (&input[at * image..][..image], &gradient[at * small..][..small]);
        let one = Image { window, input, shape, gradient, width: gradient_shape.width };
        match pooling {
            Pooling::Max => one.maxima(output),
            Pooling::Mean => one.means(false, output),
            Pooling::MeanWithBorder => one.means(true, output),
        }
    });
}

struct Image<'a> {
    window: Window,
    input: &'a [f32],
    shape: Shape,
    gradient: &'a [f32],
    /// Windows in a row.
    width: usize,
}

impl Image<'_> {
    /// Calls `work` with the gradient of each window and the positions under it.
    fn each(&self, mut work: impl FnMut(&[f32], &mut dyn Iterator<Item = usize>, usize)) {
        let Shape { height, width, channels, .. } = self.shape;
        for (at, gradient) in self.gradient.chunks_exact(channels.max(1)).enumerate() {
            let rows = clip(self.window, 0, at / self.width, height);
            let columns = clip(self.window, 1, at % self.width, width);
            let count = (rows.1 - rows.0) * (columns.1 - columns.0);
            let line = |y: usize| (columns.0..columns.1).map(move |x| (y * width + x) * channels);
            work(gradient, &mut (rows.0..rows.1).flat_map(line), count);
        }
    }

    fn means(&self, with_border: bool, output: &mut [f32]) {
        let [high, wide] = self.window.size;
        self.each(|gradient, positions, count| {
            let share = 1.0 / (if with_border { high * wide } else { count }) as f32;
            for start in positions {
                let output = &mut output[start..start + gradient.len()];
                for (output, gradient) in output.iter_mut().zip(gradient) {
                    *output += gradient * share;
                }
            }
        });
    }

    fn maxima(&self, output: &mut [f32]) {
        let channels = self.shape.channels;
        let (mut largest, mut places) = (vec![0.0_f32; channels], vec![0; channels]);
        self.each(|gradient, positions, _| {
            for (nth, start) in positions.enumerate() {
                let values = &self.input[start..start + channels];
                for (channel, &value) in values.iter().enumerate() {
                    if nth == 0 || value > largest[channel] || value.is_nan() {
                        largest[channel] = value;
                        places[channel] = start + channel;
                    }
                }
            }
            for (gradient, place) in gradient.iter().zip(&places) {
                output[*place] += gradient;
            }
        });
    }
}
