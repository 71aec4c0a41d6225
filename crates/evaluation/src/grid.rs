//! Maps of all models on one grid, small enough to be kept for every image.

use std::fmt::Write as _;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Values, resample};

/// The grid's cells on a side: that of the finest of the notebook's maps.
pub const GRID: usize = 14;

/// Levels from 0 to the ends of a signed map's scale.
const SIDE: f32 = 127.0;

/// The level of 0 in a signed map.
const ZERO: u8 = 128;

/// What a signed map begins with in JSON.
const SIGNED: char = '±';

/// A map on [`GRID`] × [`GRID`] cells over the whole frame, in 256 levels of 0..=1, or, if it is signed,
/// in 255 of -1..=1. In JSON it is two hexadecimal digits a cell, row by row; a signed one has `±` before them, and
/// `80` is 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    levels: Vec<u8>,
    signed: bool,
}

impl Grid {
    /// A raw map, `[height, width]` of `size`, brought to the grid.
    ///
    /// Of positive values, those below 0 first become 0, and all are divided by the largest. Signed
    /// values and sizes are first brought to the grid, where single pixels do not count much, and then
    /// divided by the largest cell by size. `None` where there is nothing to divide by, or a value is
    /// not finite.
    #[must_use]
    pub fn from_map(raw: &[f32], size: (usize, usize), values: Values) -> Option<Self> {
        if !is_map(raw, size) {
            return None;
        }
        let grid = (GRID, GRID);
        let shares = match values {
            Values::Positive => {
                let max = raw.iter().copied().fold(0.0, f32::max);
                let shares = divided(raw.iter().map(|value| value.max(0.0)), max)?;
                resample(&shares, size, grid)
            }
            Values::Signed | Values::Sizes => {
                let cells = resample(raw, size, grid);
                let most = largest(&cells);
                divided(cells.into_iter(), most)?
            }
        };
        Some(Self::from_shares(&shares, values))
    }

    /// What [`from_map`](Self::from_map) divides signed values and sizes by: the largest cell by size. `None` where it
    /// gives no grid, and of positive values, which are divided by the raw map's largest.
    #[must_use]
    pub fn largest_cell(raw: &[f32], size: (usize, usize), values: Values) -> Option<f32> {
        if values == Values::Positive || !is_map(raw, size) {
            return None;
        }
        Some(largest(&resample(raw, size, (GRID, GRID)))).filter(|most| *most > 0.0)
    }

    /// Values in 0..=1, or -1..=1 of signed ones, one a cell.
    ///
    /// # Panics
    ///
    /// If there are more or fewer.
    #[must_use]
    pub fn from_shares(shares: &[f32], values: Values) -> Self {
        assert_eq!(shares.len(), GRID * GRID, "one value a cell");
        let signed = values == Values::Signed;
        let level = |share: &f32| match signed {
            true => (share * SIDE + f32::from(ZERO)).round() as u8,
            false => (share * 255.0).round() as u8,
        };
        Self { levels: shares.iter().map(level).collect(), signed }
    }

    /// The levels row by row: 255 is 1, and 0 is 0; of a signed map 128 is 0, 1 is -1 and 255 is 1.
    #[must_use]
    pub fn levels(&self) -> &[u8] {
        &self.levels
    }

    /// The values in 0..=1, or -1..=1 of signed ones, row by row.
    #[must_use]
    pub fn shares(&self) -> Vec<f32> {
        let share = |&level: &u8| match self.signed {
            true => ((f32::from(level) - f32::from(ZERO)) / SIDE).max(-1.0),
            false => f32::from(level) / 255.0,
        };
        self.levels.iter().map(share).collect()
    }
}

/// Whether these are as many finite values as the size says.
fn is_map(raw: &[f32], size: (usize, usize)) -> bool {
    raw.iter().all(|value| value.is_finite()) && raw.len() == size.0 * size.1
}

/// The largest value by size.
fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |most, value| most.max(value.abs()))
}

/// Values as shares of the largest, if that is above 0.
fn divided(values: impl Iterator<Item = f32>, most: f32) -> Option<Vec<f32>> {
    (most > 0.0).then(|| values.map(|value| value / most).collect())
}

impl Serialize for Grid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(2 * self.levels.len() + SIGNED.len_utf8());
        text.extend(self.signed.then_some(SIGNED));
        for level in &self.levels {
            let _ = write!(text, "{level:02x}");
        }
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Grid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix(SIGNED).unwrap_or(&text);
        let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
        let cell = |pair: &[u8]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
        let cells: Option<Vec<u8>> = digits.as_bytes().chunks_exact(2).map(cell).collect();
        match cells {
            Some(levels) if digits.len() == 2 * GRID * GRID => {
                Ok(Self { levels, signed: digits.len() < text.len() })
            }
            _ => Err(de::Error::custom(format!(
                "a map is {} hexadecimal digits, and this one is {} bytes",
                2 * GRID * GRID,
                digits.len()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_divided_by_its_largest_value() {
        let grid = Grid::from_map(&[-1.0, 0.0, 2.0, 4.0], (2, 2), Values::Positive);
        let grid = grid.expect("positive values");
        let shares = grid.shares();
        assert_eq!((shares[0], shares[GRID - 1]), (0.0, 0.0));
        assert_eq!(shares[GRID * GRID - 1], 1.0);
        assert!((shares[GRID * (GRID - 1)] - 0.5).abs() < 0.003);
    }

    #[test]
    fn the_largest_cell_turns_shares_into_values() {
        let raw: Vec<f32> = (0..28 * 28).map(|pixel| ((pixel * 7) % 19) as f32 - 12.0).collect();
        let cells = resample(&raw, (28, 28), (GRID, GRID));
        for values in [Values::Signed, Values::Sizes] {
            let raw: Vec<f32> = match values {
                Values::Sizes => raw.iter().map(|value| value.abs()).collect(),
                _ => raw.clone(),
            };
            let cells = resample(&raw, (28, 28), (GRID, GRID));
            let most = Grid::largest_cell(&raw, (28, 28), values).expect("a grid");
            let grid = Grid::from_map(&raw, (28, 28), values).expect("a grid");
            for (share, cell) in grid.shares().iter().zip(&cells) {
                assert!((share * most - cell).abs() <= most / 250.0, "{share} {most} {cell}");
            }
        }
        assert!(cells.iter().any(|cell| *cell < 0.0));
        assert_eq!(Grid::largest_cell(&raw, (28, 28), Values::Positive), None);
        assert_eq!(Grid::largest_cell(&[0.0; 4], (2, 2), Values::Signed), None);
        assert_eq!(Grid::largest_cell(&[f32::NAN, 1.0], (1, 2), Values::Sizes), None);
    }

    #[test]
    fn unreadable_maps_have_none() {
        for raw in [[-1.0, 0.0], [0.0, 0.0], [f32::NAN, 1.0], [f32::INFINITY, 1.0]] {
            assert_eq!(Grid::from_map(&raw, (1, 2), Values::Positive), None, "{raw:?}");
        }
        for values in [Values::Signed, Values::Sizes] {
            assert_eq!(Grid::from_map(&[0.0; 4], (2, 2), values), None);
            assert_eq!(Grid::from_map(&[f32::NAN, 1.0], (1, 2), values), None);
        }
    }

    #[test]
    fn signed_values_keep_their_sign() {
        let grid = Grid::from_map(&[-4.0, 0.0, 0.0, 2.0], (2, 2), Values::Signed).expect("values");
        let shares = grid.shares();
        assert_eq!((shares[0], shares[GRID - 1]), (-1.0, 0.0));
        assert!((shares[GRID * GRID - 1] - 0.5).abs() < 0.004);
        assert_eq!(Grid::from_shares(&shares, Values::Signed), grid);
    }

    #[test]
    fn a_single_pixel_does_not_set_the_scale() {
        let side = 20 * GRID;
        let mut map = vec![1.0; side * side];
        map[0] = 1000.0;
        let least = |values| {
            let grid = Grid::from_map(&map, (side, side), values).expect("values");
            grid.shares().into_iter().fold(f32::INFINITY, f32::min)
        };
        assert!(least(Values::Sizes) > 0.1 && least(Values::Signed) > 0.1);
        assert!(least(Values::Positive) < 0.01);
    }

    #[test]
    fn json_and_back() {
        let raw: Vec<f32> = (0..196).map(|i| i as f32).collect();
        let grid = Grid::from_map(&raw, (14, 14), Values::Positive).expect("positive values");
        let text = serde_json::to_string(&grid).expect("text");
        assert!(text.starts_with("\"000103") && text.ends_with("ff\"") && text.len() == 394);
        assert_eq!(serde_json::from_str::<Grid>(&text).expect("a grid"), grid);
        for bad in ["\"00\"".to_owned(), text.replace("ff", "fg"), text.replace("ff", "é")] {
            assert!(serde_json::from_str::<Grid>(&bad).is_err(), "{bad}");
        }
        let raw: Vec<f32> = raw.iter().map(|value| value - 97.5).collect();
        let grid = Grid::from_map(&raw, (14, 14), Values::Signed).expect("values");
        let text = serde_json::to_string(&grid).expect("text");
        assert!(text.starts_with("\"±0102") && text.ends_with("ff\""), "{text}");
        assert_eq!(serde_json::from_str::<Grid>(&text).expect("a grid"), grid);
    }
}
