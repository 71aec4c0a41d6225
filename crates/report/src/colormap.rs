//! The colours of a map.

use std::sync::LazyLock;

/// A piecewise-linear channel: positions in 0..=1 and the values there.
type Segments = &'static [(f64, f64)];

const RED: Segments = &[(0.0, 0.0), (0.35, 0.0), (0.66, 1.0), (0.89, 1.0), (1.0, 0.5)];
const GREEN: Segments =
    &[(0.0, 0.0), (0.125, 0.0), (0.375, 1.0), (0.64, 1.0), (0.91, 0.0), (1.0, 0.0)];
const BLUE: Segments = &[(0.0, 0.5), (0.11, 1.0), (0.34, 1.0), (0.65, 0.0), (1.0, 0.0)];

const LEVELS: usize = 256;

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
    use super::jet;

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
}
