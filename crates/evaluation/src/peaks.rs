//! Where maps have their largest value: in the middle, or in a border cell.

use serde::{Deserialize, Serialize};

/// Maps that can be read, and how many have their largest value in the first or last row or column.
/// Of equal values the first counts, row by row. Maps of fewer than 3 × 3 cells have no others than
/// border cells, and do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Peaks {
    /// The maps that count.
    pub maps: usize,
    /// Those of them whose largest value is in a border cell.
    pub border: usize,
    /// The share of a map's cells that are border cells, the mean over these maps.
    pub border_cells: f64,
}

impl Peaks {
    /// Counts one more map that can be read, by its height and width in cells, and the row and column
    /// of its largest value.
    pub fn add(&mut self, (height, width): (usize, usize), (row, column): (usize, usize)) {
        if height < 3 || width < 3 || row >= height || column >= width {
            return;
        }
        let inner = |side: usize| (side as f64 - 2.0) / side as f64;
        self.maps += 1;
        let is_border = |at: usize, side: usize| at == 0 || at + 1 == side;
        self.border += usize::from(is_border(row, height) || is_border(column, width));
        let share = 1.0 - inner(height) * inner(width);
        self.border_cells += (share - self.border_cells) / self.maps as f64;
    }

    /// Whether so many maps peak in a border cell that it should be said: more than a quarter.
    #[must_use]
    pub fn are_notable(&self) -> bool {
        self.border.saturating_mul(4) > self.maps
    }
}

#[cfg(test)]
mod tests {
    use super::Peaks;

    #[test]
    fn the_first_and_last_row_and_column_are_the_border() {
        let mut peaks = Peaks::default();
        for row in 0..4 {
            for column in 0..5 {
                peaks.add((4, 5), (row, column));
            }
        }
        assert_eq!((peaks.maps, peaks.border), (20, 14));
        assert!((peaks.border_cells - 14.0 / 20.0).abs() < 1e-12);
    }

    #[test]
    fn maps_without_an_inner_cell_do_not_count() {
        let mut peaks = Peaks::default();
        for size in [(1, 1), (2, 9), (9, 2), (0, 3)] {
            peaks.add(size, (0, 0));
        }
        assert_eq!(peaks, Peaks::default());
        peaks.add((3, 3), (1, 1));
        peaks.add((3, 3), (3, 1));
        assert_eq!((peaks.maps, peaks.border), (1, 0));
    }

    #[test]
    fn more_than_a_quarter_is_notable() {
        let peaks = |border, maps| Peaks { maps, border, border_cells: 0.5 };
        assert!(peaks(43, 52).are_notable() && peaks(2, 4).are_notable());
        assert!(peaks(1, 3).are_notable());
        assert!(!peaks(13, 52).are_notable() && !peaks(1, 4).are_notable());
        assert!(!peaks(0, 0).are_notable());
    }
}
