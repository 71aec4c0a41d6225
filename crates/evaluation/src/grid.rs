//! Maps of all models on one grid, small enough to be kept for every image.

use std::fmt::Write as _;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::resample;

/// The grid's cells on a side: that of the finest of the notebook's maps.
pub const GRID: usize = 14;

/// A map on [`GRID`] × [`GRID`] cells over the whole frame, in 256 levels of 0..=1. In JSON it is two
/// hexadecimal digits a cell, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid(Vec<u8>);

impl Grid {
    /// A raw map, `[height, width]` of `size`: its negative values become 0, it is divided by its
    /// largest value, and brought to the grid. `None` where it has no value above 0, or one that is
    /// not finite.
    #[must_use]
    pub fn from_map(raw: &[f32], size: (usize, usize)) -> Option<Self> {
        let max = raw.iter().copied().fold(0.0, f32::max);
        if raw.iter().any(|value| !value.is_finite()) || max <= 0.0 || raw.len() != size.0 * size.1
        {
            return None;
        }
        let shares: Vec<f32> = raw.iter().map(|value| value.max(0.0) / max).collect();
        Some(Self::from_shares(&resample(&shares, size, (GRID, GRID))))
    }

    /// Values in 0..=1, one a cell.
    ///
    /// # Panics
    ///
    /// If there are more or fewer.
    #[must_use]
    pub fn from_shares(shares: &[f32]) -> Self {
        assert_eq!(shares.len(), GRID * GRID, "one value a cell");
        Self(shares.iter().map(|share| (share * 255.0).round() as u8).collect())
    }

    /// The values in 0..=1, row by row.
    #[must_use]
    pub fn shares(&self) -> Vec<f32> {
        self.0.iter().map(|&level| f32::from(level) / 255.0).collect()
    }
}

impl Serialize for Grid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(2 * self.0.len());
        for level in &self.0 {
            let _ = write!(text, "{level:02x}");
        }
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Grid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
        let cell = |pair: &[u8]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
        let cells: Option<Vec<u8>> = text.as_bytes().chunks_exact(2).map(cell).collect();
        match cells {
            Some(cells) if text.len() == 2 * GRID * GRID => Ok(Self(cells)),
            _ => Err(de::Error::custom(format!(
                "a map is {} hexadecimal digits, and this one is {} bytes",
                2 * GRID * GRID,
                text.len()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_divided_by_its_largest_value() {
        let grid = Grid::from_map(&[-1.0, 0.0, 2.0, 4.0], (2, 2)).expect("positive values");
        let shares = grid.shares();
        assert_eq!((shares[0], shares[GRID - 1]), (0.0, 0.0));
        assert_eq!(shares[GRID * GRID - 1], 1.0);
        assert!((shares[GRID * (GRID - 1)] - 0.5).abs() < 0.003);
    }

    #[test]
    fn unreadable_maps_have_none() {
        for raw in [[-1.0, 0.0], [0.0, 0.0], [f32::NAN, 1.0], [f32::INFINITY, 1.0]] {
            assert_eq!(Grid::from_map(&raw, (1, 2)), None, "{raw:?}");
        }
    }

    #[test]
    fn json_and_back() {
        let raw: Vec<f32> = (0..196).map(|i| i as f32).collect();
        let grid = Grid::from_map(&raw, (14, 14)).expect("positive values");
        let text = serde_json::to_string(&grid).expect("text");
        assert!(text.starts_with("\"000103") && text.ends_with("ff\"") && text.len() == 394);
        assert_eq!(serde_json::from_str::<Grid>(&text).expect("a grid"), grid);
        for bad in ["\"00\"".to_owned(), text.replace("ff", "fg"), text.replace("ff", "é")] {
            assert!(serde_json::from_str::<Grid>(&bad).is_err(), "{bad}");
        }
    }
}
