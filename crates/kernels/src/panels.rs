//! Weights in the order in which tiles read them.

use std::ops::Range;

use crate::buffers::{LINE, to_line};
use crate::simd::Tiling;

/// For each group a matrix `[depth, columns]`, cut into panels of a tile's width. The last panel of a
/// group is as wide as one vector where that is enough; columns that it lacks are zero.
#[derive(Debug)]
pub(crate) struct Panels {
    values: Vec<f32>,
    /// Where they begin: on a line of the cache.
    start: usize,
    groups: usize,
    depth: usize,
    /// Of one group.
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
    /// The group that it belongs to.
    pub group: usize,
    /// Its first column, over all groups.
    pub column: usize,
    /// Columns that count.
    pub columns: usize,
}

impl Panels {
    /// Room for a matrix of zeros for each group.
    pub(crate) fn zeros(groups: usize, depth: usize, columns: usize, tiling: Tiling) -> Self {
        let mut panels = Self { values: Vec::new(), start: 0, groups, depth, columns, tiling };
        panels.values = vec![0.0; groups * depth * panels.width() + LINE];
        panels.start = to_line(&panels.values);
        panels
    }

    /// Sets row `k` from column `column` on, the first of a panel; `values` lie within the panel.
    pub(crate) fn set(&mut self, k: usize, column: usize, values: &[f32]) {
        let (group, column) = (column / self.columns, column % self.columns);
        let (_, vectors) = self.extent(column / self.tiling.width());
        let at = self.place(group, column) + k * vectors * self.tiling.lanes;
        self.values[at..at + values.len()].copy_from_slice(values);
    }

    /// Number of groups.
    pub(crate) fn groups(&self) -> usize {
        self.groups
    }

    /// Number of panels, over all groups.
    pub(crate) fn count(&self) -> usize {
        self.groups * self.in_group()
    }

    /// A panel by its number.
    pub(crate) fn panel(&self, index: usize) -> Panel {
        let group = index / self.in_group();
        let (column, vectors) = self.extent(index % self.in_group());
        let values = self.values[self.place(group, column)..].as_ptr();
        let columns = (self.columns - column).min(vectors * self.tiling.lanes);
        Panel { values, vectors, group, column: group * self.columns + column, columns }
    }

    /// The columns of each panel.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let panels: Vec<_> = (0..self.count()).map(|index| self.panel(index)).collect();
        panels.into_iter().map(|panel| panel.column..panel.column + panel.columns)
    }

    /// Where the panel begins whose first column in its group is `column`.
    fn place(&self, group: usize, column: usize) -> usize {
        self.start + (group * self.width() + column) * self.depth
    }

    /// Number of panels of a group.
    fn in_group(&self) -> usize {
        self.columns.div_ceil(self.tiling.width())
    }

    /// Columns of all panels of a group together, zeros included.
    fn width(&self) -> usize {
        let last = self.in_group().checked_sub(1).map(|last| self.extent(last));
        last.map_or(0, |(column, vectors)| column + vectors * self.tiling.lanes)
    }

    /// First column and width in vectors of a group's panel.
    fn extent(&self, index: usize) -> (usize, usize) {
        let column = index * self.tiling.width();
        let one = self.columns - column <= self.tiling.lanes;
        (column, if one { 1 } else { self.tiling.columns })
    }
}
