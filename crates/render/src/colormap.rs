//! The colours of a map.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use crate::colormap_tables::{COOLWARM, MAGMA, TURBO, VIRIDIS};

/// A piecewise-linear channel: positions in 0..=1 and the values there.
type Segments = &'static [(f64, f64)];

const RED: Segments = &[(0.0, 0.0), (0.35, 0.0), (0.66, 1.0), (0.89, 1.0), (1.0, 0.5)];
const GREEN: Segments =
    &[(0.0, 0.0), (0.125, 0.0), (0.375, 1.0), (0.64, 1.0), (0.91, 0.0), (1.0, 0.0)];
const BLUE: Segments = &[(0.0, 0.5), (0.11, 1.0), (0.34, 1.0), (0.65, 0.0), (1.0, 0.0)];

const LEVELS: usize = 256;

/// Colours for the values of a map, from low to high.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colormap {
    /// Dark blue, green, yellow; even to the eye, and rising in grey.
    Viridis,
    /// Black, purple, cream; even to the eye, and rising in grey.
    Magma,
    /// The rainbow, smoothed. Both its ends are dark in grey.
    Turbo,
    /// The rainbow of the notebook. Both its ends are dark in grey.
    Jet,
}

impl Colormap {
    /// Every colour map.
    pub const ALL: [Self; 4] = [Self::Viridis, Self::Magma, Self::Turbo, Self::Jet];

    /// Its name, as in matplotlib.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viridis => "viridis",
            Self::Magma => "magma",
            Self::Turbo => "turbo",
            Self::Jet => "jet",
        }
    }

    /// Its 256 colours as red, green, blue.
    #[must_use]
    pub fn colours(self) -> &'static [[u8; 3]; LEVELS] {
        static TABLES: LazyLock<[[[u8; 3]; LEVELS]; 4]> = LazyLock::new(|| {
            let rounded = |level: usize| jet()[level].map(|value| (value * 255.0).round() as u8);
            let jet = std::array::from_fn(rounded);
            [unpacked(VIRIDIS), unpacked(MAGMA), unpacked(TURBO), jet]
        });
        &TABLES[self as usize]
    }
}

/// The 256 colours of `coolwarm`, for values on both sides of zero: blue below, light grey at zero, red
/// above. The two ends are as dark as each other, and differ for people who do not tell red from green.
#[must_use]
pub fn diverging() -> &'static [[u8; 3]; LEVELS] {
    static TABLE: LazyLock<[[u8; 3]; LEVELS]> = LazyLock::new(|| unpacked(COOLWARM));
    &TABLE
}

/// Six hexadecimal digits a colour.
fn unpacked(digits: &str) -> [[u8; 3]; LEVELS] {
    let nibble = |place: usize| {
        let digit = char::from(digits.as_bytes()[place]).to_digit(16);
        digit.expect("a table of hexadecimal digits") as u8
    };
    let byte = |place: usize| nibble(2 * place) << 4 | nibble(2 * place + 1);
    std::array::from_fn(|level| std::array::from_fn(|channel| byte(3 * level + channel)))
}

impl fmt::Display for Colormap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Colormap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|map| map.name() == text);
        found.ok_or_else(|| format!("the colour maps are {}", known()))
    }
}

/// The 256 colours of matplotlib's `jet`, red, green and blue in 0..=1, equal to matplotlib's
/// table to the last bit.
#[must_use]
pub fn jet() -> &'static [[f64; 3]; LEVELS] {
    static JET: LazyLock<[[f64; 3]; LEVELS]> = LazyLock::new(|| {
        let channels = [RED, GREEN, BLUE].map(table);
        std::array::from_fn(|level| channels.map(|channel| channel[level]))
    });
    &JET
}

/// The channel at 256 evenly spaced positions.
///
/// Positions are scaled to 0..=255 before they are compared and divided, and a level on a
/// segment's end belongs to the segment before it: both decide the last bit.
fn table(segments: Segments) -> [f64; LEVELS] {
    let last = (LEVELS - 1) as f64;
    let step = 1.0 / last;
    std::array::from_fn(|level| {
        if level == 0 || level == LEVELS - 1 {
            let (_, value) = segments[if level == 0 { 0 } else { segments.len() - 1 }];
            return value;
        }
        let position = last * (level as f64 * step);
        let after = segments.partition_point(|&(start, _)| start * last < position);
        let ((x0, y0), (x1, y1)) = (segments[after - 1], segments[after]);
        let (x0, x1) = (x0 * last, x1 * last);
        ((position - x0) / (x1 - x0) * (y1 - y0) + y0).clamp(0.0, 1.0)
    })
}

#[cfg(test)]
mod tests {
    use super::{Colormap, diverging, jet};

    #[test]
    fn all_levels_are_matplotlibs() {
        let bytes: Vec<u8> = jet().as_flattened().iter().map(|&v| (v * 255.0) as u8).collect();
        assert_eq!(crc32fast::hash(&bytes), 0x49d4_ba7c);
        let bits: Vec<u8> = jet().as_flattened().iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(crc32fast::hash(&bits), 0x09c4_c9fa);
    }

    #[test]
    fn landmarks() {
        assert_eq!(jet()[0], [0.0, 0.0, 0.5]);
        assert_eq!(jet()[255], [0.5, 0.0, 0.0]);
        assert_eq!(jet()[31], [0.0, 0.0, 1.0]);
        assert_eq!(jet()[100], [0.13598987982289687, 1.0, 0.8317520556609741]);
        assert_eq!(jet()[128], [0.4901960784313725, 1.0, 0.4775458570524984]);
        assert_eq!(jet()[200], [1.0, 0.46550472040668145, 0.0]);
    }

    #[test]
    fn tables_begin_and_end_as_matplotlibs() {
        for (map, first, middle, last) in [
            (Colormap::Viridis, [68, 1, 84], [33, 145, 140], [253, 231, 37]),
            (Colormap::Magma, [0, 0, 4], [183, 55, 121], [252, 253, 191]),
            (Colormap::Turbo, [48, 18, 59], [164, 252, 60], [122, 4, 3]),
            (Colormap::Jet, [0, 0, 128], [125, 255, 122], [128, 0, 0]),
        ] {
            let colours = map.colours();
            assert_eq!([colours[0], colours[128], colours[255]], [first, middle, last], "{map}");
            assert_eq!(map.name().parse(), Ok(map));
        }
        assert!("rainbow".parse::<Colormap>().is_err());
    }

    #[test]
    fn the_diverging_colours_are_matplotlibs() {
        let colours = [0, 64, 128, 192, 255].map(|level| diverging()[level]);
        let expected =
            [[59, 76, 192], [141, 176, 254], [221, 220, 220], [244, 152, 122], [180, 4, 38]];
        assert_eq!(colours, expected);
    }

    #[test]
    fn viridis_and_magma_rise_in_grey() {
        let grey =
            |[r, g, b]: [u8; 3]| 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
        let rises =
            |map: Colormap| map.colours().windows(2).all(|w| grey(w[0]) <= grey(w[1]) + 0.5);
        assert!(rises(Colormap::Viridis) && rises(Colormap::Magma));
        assert!(!rises(Colormap::Turbo) && !rises(Colormap::Jet));
    }
}
