//! Weights in the order in which tiles read them.

use crate::buffers::{LINE, to_line};
use crate::simd::Tiling;

/// A matrix `[depth, columns]` cut into panels of a tile's width. The last panel is as wide as one
/// vector where that is enough; columns that it lacks are zero.
#[derive(Debug)]
pub(crate) struct Panels {
    values: Vec<f32>,
    /// Where they begin: on a line of the cache.
    start: usize,
    depth: usize,
    columns: usize,
    tiling: Tiling,
}

/// One panel.
#[derive(Clone, Copy)]
pub(crate) struct Panel {
    /// `depth` rows of `vectors` vectors.
    pub values: *const f32,
    /// Its width in vectors.
    pub vectors: usize,
    /// Its first column.
    pub column: usize,
    /// Columns that count.
    pub columns: usize,
}

impl Panels {
    /// Room for a matrix of zeros.
    pub(crate) fn zeros(depth: usize, columns: usize, tiling: Tiling) -> Self {
        let mut panels = Self { values: Vec::new(), start: 0, depth, columns, tiling };
        panels.values = vec![0.0; depth * panels.width() + LINE];
        panels.start = to_line(&panels.values);
        panels
    }

    /// Sets row `k` from column `column` on, the first of a panel; `values` lie within the panel.
    pub(crate) fn set(&mut self, k: usize, column: usize, values: &[f32]) {
        let (_, vectors) = self.extent(column / self.tiling.width());
        let at = self.start + column * self.depth + k * vectors * self.tiling.lanes;
        self.values[at..at + values.len()].copy_from_slice(values);
    }

    /// Number of panels.
    pub(crate) fn count(&self) -> usize {
        self.columns.div_ceil(self.tiling.width())
    }

    /// A panel by its number.
    pub(crate) fn panel(&self, index: usize) -> Panel {
        let (column, vectors) = self.extent(index);
        let values = self.values[self.start + column * self.depth..].as_ptr();
        let columns = (self.columns - column).min(vectors * self.tiling.lanes);
        Panel { values, vectors, column, columns }
    }

    /// Columns of all panels together, zeros included.
    fn width(&self) -> usize {
        let last = self.count().checked_sub(1).map(|last| self.extent(last));
        last.map_or(0, |(column, vectors)| column + vectors * self.tiling.lanes)
    }

    /// First column and width in vectors.
    fn extent(&self, index: usize) -> (usize, usize) {
        let column = index * self.tiling.width();
        let one = self.columns - column <= self.tiling.lanes;
        (column, if one { 1 } else { self.tiling.columns })
    }
}
