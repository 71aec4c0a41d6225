//! Mean maps on one face: maps are brought together by eyes and mouth before they are averaged.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use burncam_evaluation::{GRID, Outcome, Values, resample};
use burncam_trust::regions::{MEAN_EYES_AND_MOUTH, MeanFace, Similarity, Warped, warp};

/// Cells of the face on a side.
pub(super) const FACE: usize = 56;

/// Groups of an explanation that have a mean on the face at most: each takes 50 kB while maps are added. Where there
/// would be more, there is none.
pub(super) const MOST_FACES: usize = 64;

/// What a cell without a value is in JSON.
const NONE: &str = "--";

/// What a signed map begins with in JSON.
const SIGNED: char = '±';

/// Levels from 0 to the ends of a signed map's scale, and the level of 0.
const SIDE: f32 = 127.0;
const ZERO: u8 = 128;

/// The mean of maps on one face.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnFace {
    /// The number of maps: those of images whose eyes and mouth are known.
    pub maps: usize,
    /// Their mean.
    pub map: FaceMap,
}

/// A map on 56 × 56 cells of a face whose eyes and mouth are where
/// [`MEAN_EYES_AND_MOUTH`](burncam_trust::regions::MEAN_EYES_AND_MOUTH) has them. In JSON it is two hexadecimal digits a
/// cell, row by row, as a [`Grid`](burncam_evaluation::Grid) has them, and `--` where fewer than half of the images have
/// a pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaceMap {
    levels: Vec<Option<u8>>,
    signed: bool,
}

impl FaceMap {
    /// The values in 0..=1, or -1..=1 of signed ones, row by row; `None` where there is none.
    #[must_use]
    pub fn shares(&self) -> Vec<Option<f32>> {
        let share = |level: u8| match self.signed {
            true => ((f32::from(level) - f32::from(ZERO)) / SIDE).max(-1.0),
            false => f32::from(level) / 255.0,
        };
        self.levels.iter().map(|level| level.map(share)).collect()
    }

    fn new(map: &Warped, values: Values) -> Self {
        let signed = values == Values::Signed;
        let level = |share: f32| match signed {
            true => (share * SIDE + f32::from(ZERO)).round() as u8,
            false => (share * 255.0).round() as u8,
        };
        let cells = map.values.iter().zip(&map.valid);
        Self { levels: cells.map(|(&share, &valid)| valid.then(|| level(share))).collect(), signed }
    }
}

impl Serialize for FaceMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(2 * self.levels.len() + SIGNED.len_utf8());
        text.extend(self.signed.then_some(SIGNED));
        for level in &self.levels {
            match level {
                Some(level) => _ = write!(text, "{level:02x}"),
                None => text.push_str(NONE),
            }
        }
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for FaceMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix(SIGNED).unwrap_or(&text);
        let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
        let cell = |pair: &[u8]| match pair == NONE.as_bytes() {
            true => Some(None),
            false => Some(Some(digit(pair[0])? << 4 | digit(pair[1])?)),
        };
        let cells: Option<Vec<_>> = digits.as_bytes().chunks_exact(2).map(cell).collect();
        match cells {
            Some(levels) if digits.len() == 2 * FACE * FACE => {
                Ok(Self { levels, signed: digits.len() < text.len() })
            }
            _ => Err(de::Error::custom(format!(
                "a map on the face is {} hexadecimal digits, and this one is {} bytes",
                2 * FACE * FACE,
                digits.len()
            ))),
        }
    }
}

/// The sums of the maps of an explanation on the face, by class and outcome.
pub(super) struct FaceSums(Option<BTreeMap<(String, Outcome), MeanFace>>);

impl Default for FaceSums {
    fn default() -> Self {
        Self(Some(BTreeMap::new()))
    }
}

impl FaceSums {
    /// Adds a map of an image whose eyes and mouth are known.
    pub(super) fn add(
        &mut self,
        (class, outcome): (&str, Outcome),
        shares: &[f32],
        eyes_and_mouth: &[[f64; 2]; 3],
    ) {
        let Some(groups) = &mut self.0 else { return };
        let Some(similarity) = to_face(eyes_and_mouth) else { return };
        let map = resample(shares, (GRID, GRID), (FACE, FACE));
        let map = warp(&map, [FACE; 2], &similarity, [FACE; 2]);
        let group = groups.entry((class.to_owned(), outcome));
        group.or_insert_with(|| MeanFace::new([FACE; 2])).add(&map);
        if groups.len() > MOST_FACES {
            self.0 = None;
        }
    }

    /// The mean of a group, if it has a map.
    pub(super) fn mean(&self, (class, outcome): (&str, Outcome), values: Values) -> Option<OnFace> {
        let sum = self.0.as_ref()?.get(&(class.to_owned(), outcome))?;
        let mean = sum.mean(sum.images().div_ceil(2));
        Some(OnFace { maps: sum.images(), map: FaceMap::new(&mean, values) })
    }
}

/// From an image's map of [`FACE`] cells to the face of as many, by shares of width and height.
fn to_face(eyes_and_mouth: &[[f64; 2]; 3]) -> Option<Similarity> {
    let cells = |points: &[[f64; 2]; 3]| points.map(|point| point.map(|at| at * FACE as f64 - 0.5));
    Similarity::fit(&cells(eyes_and_mouth), &cells(&MEAN_EYES_AND_MOUTH))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(points: &[[[f64; 2]; 3]], shares: &[f32], values: Values) -> Option<OnFace> {
        let mut sums = FaceSums::default();
        points.iter().for_each(|points| sums.add(("Pain", Outcome::Right), shares, points));
        sums.mean(("Pain", Outcome::Right), values)
    }

    #[test]
    fn a_face_that_is_in_its_place_keeps_its_map() {
        let shares: Vec<f32> = (0..196).map(|cell| (cell * 5 % 196) as f32 / 195.0).collect();
        let found = mean(&[MEAN_EYES_AND_MOUTH], &shares, Values::Positive).expect("a map");
        let wanted = resample(&shares, (GRID, GRID), (FACE, FACE));
        assert_eq!(found.maps, 1);
        for (found, wanted) in found.map.shares().into_iter().zip(wanted) {
            assert!((found.expect("inside") - wanted).abs() < 0.003, "{found:?} {wanted}");
        }
        let signed: Vec<f32> = shares.iter().map(|share| share * 2.0 - 1.0).collect();
        let found = mean(&[MEAN_EYES_AND_MOUTH], &signed, Values::Signed).expect("a map");
        let wanted = resample(&signed, (GRID, GRID), (FACE, FACE));
        let close = |(found, wanted): (Option<f32>, f32)| (found.expect("inside") - wanted).abs();
        assert!(found.map.shares().into_iter().zip(wanted).map(close).all(|error| error < 0.005));
    }

    #[test]
    fn places_that_half_of_the_images_have_count() {
        let aside = MEAN_EYES_AND_MOUTH.map(|[x, y]| [x + 0.5, y]);
        let ones = [1.0; GRID * GRID];
        let at = |points: &[[[f64; 2]; 3]]| {
            let shares = mean(points, &ones, Values::Sizes).expect("a map").map.shares();
            (shares[FACE / 2 * FACE], shares[FACE / 2 * FACE + FACE - 1])
        };
        // The face lies on the right of the picture, so the picture ends in the middle of the mean face.
        assert_eq!(at(&[aside]), (Some(1.0), None));
        assert_eq!(at(&[aside, MEAN_EYES_AND_MOUTH]), (Some(1.0), Some(1.0)));
        assert_eq!(at(&[aside, aside, MEAN_EYES_AND_MOUTH]), (Some(1.0), None));
        for nowhere in [[[0.5; 2]; 3], [[f64::MAX; 2], [0.0; 2], [0.1, 0.0]]] {
            assert_eq!(mean(&[nowhere], &ones, Values::Positive), None);
        }
    }

    #[test]
    fn json_and_back() {
        let shares: Vec<f32> = (0..196).map(|cell| cell as f32 / 97.5 - 1.0).collect();
        let aside = MEAN_EYES_AND_MOUTH.map(|[x, y]| [x, y - 0.25]);
        let map = mean(&[aside], &shares, Values::Signed).expect("a map").map;
        let text = serde_json::to_string(&map).expect("text");
        assert!(text.starts_with("\"±--"), "{}", &text[..20]);
        assert_eq!(serde_json::from_str::<FaceMap>(&text).expect("a map"), map);
        for bad in ["\"--\"".to_owned(), text.replace("--", "-f"), text.replace("--", "é")] {
            assert!(serde_json::from_str::<FaceMap>(&bad).is_err(), "{bad}");
        }
    }
}
