//! Bilinear resizing with half-pixel centres, without antialiasing, and its way back.

use crate::parallel::each_chunk;

/// Between which two rows or columns of the input one of the output lies, and how near it is to the second.
#[derive(Clone, Copy, Debug)]
struct Tap {
    near: usize,
    far: usize,
    share: f32,
}

/// A resizing of maps of one size.
#[derive(Clone, Debug)]
pub struct Bilinear {
    from: [usize; 2],
    rows: Vec<Tap>,
    columns: Vec<Tap>,
}

impl Bilinear {
    /// From a height and width to others.
    #[must_use]
    pub fn new(from: [usize; 2], to: [usize; 2]) -> Self {
        let taps = |axis: usize| (0..to[axis]).map(move |at| Tap::new(at, from[axis], to[axis]));
        Self { from, rows: taps(0).collect(), columns: taps(1).collect() }
    }

    /// Resizes maps with the channels of a position next to each other.
    ///
    /// # Panics
    ///
    /// If there are not whole images.
    pub fn run(&self, input: &[f32], output: &mut [f32], channels: usize) {
        let [height, width] = self.from;
        let line = (self.columns.len() * channels).max(1);
        each_chunk(output, line, |at, output| {
            let (image, row) = (at / self.rows.len(), self.rows[at % self.rows.len()]);
            let start = |y: usize| (image * height + y) * width * channels;
            let (above, below) = (&input[start(row.near)..], &input[start(row.far)..]);
            for (column, output) in self.columns.iter().zip(output.chunks_exact_mut(channels)) {
                let (left, right) = (column.near * channels, column.far * channels);
                for (channel, output) in output.iter_mut().enumerate() {
                    let between = |line: &[f32]| {
                        let (left, right) = (line[left + channel], line[right + channel]);
                        left + (right - left) * column.share
                    };
                    let (above, below) = (between(above), between(below));
                    *output = above + (below - above) * row.share;
                }
            }
        });
    }

    /// Hands the gradient of each number of the output to those that it was made of.
    ///
    /// # Panics
    ///
    /// As [`run`](Self::run).
    pub fn back(&self, gradient: &[f32], output: &mut [f32], channels: usize) {
        let [height, width] = self.from;
        let (image, line) = ((height * width * channels).max(1), self.columns.len() * channels);
        output.fill(0.0);
        each_chunk(output, image, |at, output| {
            let gradient = &gradient[at * self.rows.len() * line..][..self.rows.len() * line];
            for (row, gradient) in self.rows.iter().zip(gradient.chunks_exact(line.max(1))) {
                for (column, gradient) in self.columns.iter().zip(gradient.chunks_exact(channels)) {
                    for (y, down) in [(row.near, 1.0 - row.share), (row.far, row.share)] {
                        for (x, right) in
                            [(column.near, 1.0 - column.share), (column.far, column.share)]
                        {
                            let output = &mut output[(y * width + x) * channels..][..channels];
                            for (output, gradient) in output.iter_mut().zip(gradient) {
                                *output += gradient * (down * right);
                            }
                        }
                    }
                }
            }
        });
    }
}

impl Tap {
    fn new(at: usize, from: usize, to: usize) -> Self {
        let position = (at as f64 + 0.5) * (from as f64 / to as f64) - 0.5;
        let (floor, last) = (position.floor(), from.saturating_sub(1));
        let (near, far) = (floor.max(0.0) as usize, position.ceil().max(0.0) as usize);
        Self { near: near.min(last), far: far.min(last), share: (position - floor) as f32 }
    }
}
