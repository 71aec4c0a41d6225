//! Sizes of batches and windows.

use std::ops::Range;

/// The size of a batch of maps whose channels lie next to each other: `[batch, height, width,
/// channels]`, row-major.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Images.
    pub batch: usize,
    /// Rows of each.
    pub height: usize,
    /// Columns of each.
    pub width: usize,
    /// Numbers at each position.
    pub channels: usize,
}

impl Shape {
    /// Positions over all images.
    #[must_use]
    pub fn positions(self) -> usize {
        self.batch * self.height * self.width
    }

    /// Numbers over all images.
    #[must_use]
    pub fn len(self) -> usize {
        self.positions() * self.channels
    }

    /// Whether there is no number at all.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// A window that slides over a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Height and width.
    pub size: [usize; 2],
    /// Steps down and to the right.
    pub strides: [usize; 2],
    /// Positions beyond the border: top and left. Those at the bottom and right follow from the
    /// size of the output.
    pub before: [usize; 2],
    /// Steps from one position of the window to the next, down and to the right: 1 where it has no
    /// gaps.
    pub dilation: [usize; 2],
}

impl Window {
    /// The rows (axis 0) or columns (axis 1) of the input under output row or column `at`: the
    /// first one, which may lie before the border, and so many.
    pub(crate) fn start(self, axis: usize, at: usize) -> isize {
        (at * self.strides[axis]) as isize - self.before[axis] as isize
    }

    /// Rows (axis 0) or columns (axis 1) from the first position of the window to the last, both
    /// included.
    pub(crate) fn extent(self, axis: usize) -> usize {
        (self.size[axis] - 1) * self.dilation[axis] + 1
    }

    /// The taps of output row or column `at` that lie within the border of an input of `size` rows
    /// or columns.
    pub(crate) fn taps(self, axis: usize, at: usize, size: usize) -> Range<usize> {
        let (start, step) = (self.start(axis, at), self.dilation[axis]);
        let end = (size as isize - start).max(0) as usize;
        let first = (-start).max(0) as usize;
        first.div_ceil(step).min(self.size[axis])..end.div_ceil(step).min(self.size[axis])
    }

    /// Whether the window has no gaps.
    pub(crate) fn is_dense(self) -> bool {
        self.dilation == [1, 1]
    }

    /// Whether the window is one position and steps by one.
    #[must_use]
    pub fn is_point(self) -> bool {
        self.size == [1, 1] && self.strides == [1, 1] && self.before == [0, 0]
    }
}
