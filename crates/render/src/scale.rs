//! From the values of a map to colours.

use burncam_evaluation::Values;

use crate::colormap::{Colormap, diverging};

/// What colours the values of a map have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The colours of positive values and of sizes. Signed values have those of [`diverging`].
    pub colormap: Colormap,
    /// What the values mean.
    pub values: Values,
    /// The value at the top; signed values have the bottom as far below 0.
    pub top: f32,
}

impl Scale {
    /// A value's place, in 0..=1, or -1..=1 of signed values; 0 where it has none.
    #[must_use]
    pub fn share(&self, value: f32) -> f32 {
        let share = value / self.top;
        if share.is_finite() { share.clamp(self.bottom(), 1.0) } else { 0.0 }
    }

    /// The place of the lowest value: 0, or -1 of signed values.
    #[must_use]
    pub fn bottom(&self) -> f32 {
        if self.values == Values::Signed { -1.0 } else { 0.0 }
    }

    /// The colour of a place.
    #[must_use]
    pub fn colour(&self, share: f32) -> [u8; 3] {
        let share = share.clamp(self.bottom(), 1.0);
        match self.values {
            Values::Signed => diverging()[((share + 1.0) * 127.5).round() as usize],
            _ => self.colormap.colours()[(share * 255.0).round() as usize],
        }
    }

    /// The weight of a place's colour over the image, of 1, where the map has the weight `alpha`.
    ///
    /// Of positive values it is `alpha`. Of others it grows from 0 at 0 to 1 at the ends of the scale, by
    /// the power of the size whose mean over the scale is `alpha`.
    #[must_use]
    pub fn weight(&self, share: f32, alpha: f32) -> f32 {
        match self.values {
            Values::Positive => alpha,
            _ if alpha <= 0.0 => 0.0,
            _ => share.abs().min(1.0).powf((1.0 - alpha.min(1.0)) / alpha),
        }
    }
}

/// The share of a map's values that is not above its top, where it has one for each pixel.
pub const PIXELS_BELOW_TOP: f64 = 0.99;

/// The top of the scale of a map by itself: the largest value, by size unless values are positive.
///
/// Where a map has a value for `each_pixel`, a few of them would set the scale, and all else have the lowest
/// colour. There the top is the 99th percentile of the sizes ([`PIXELS_BELOW_TOP`]), if that is not 0.
#[must_use]
pub fn top(map: &[f32], values: Values, each_pixel: bool) -> f32 {
    if values == Values::Positive {
        return map.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    }
    let mut sizes: Vec<f32> = map.iter().map(|value| value.abs()).collect();
    let most = sizes.iter().copied().fold(0.0, f32::max);
    if !each_pixel || sizes.is_empty() {
        return most;
    }
    let place = (PIXELS_BELOW_TOP * (sizes.len() - 1) as f64).round() as usize;
    let (_, &mut top, _) = sizes.select_nth_unstable_by(place, f32::total_cmp);
    if top > 0.0 { top } else { most }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(values: Values) -> Scale {
        Scale { colormap: Colormap::Viridis, values, top: 2.0 }
    }

    #[test]
    fn values_have_places_on_the_scale() {
        let share = |values, value| scale(values).share(value);
        for values in [Values::Positive, Values::Sizes] {
            assert_eq!([-1.0, 0.0, 1.0, 9.0].map(|v| share(values, v)), [0.0, 0.0, 0.5, 1.0]);
        }
        let signed = [-9.0, -1.0, 0.0, 1.0, 9.0].map(|v| share(Values::Signed, v));
        assert_eq!(signed, [-1.0, -0.5, 0.0, 0.5, 1.0]);
        let none = Scale { top: 0.0, ..scale(Values::Positive) };
        assert_eq!([none.share(1.0), scale(Values::Signed).share(f32::NAN)], [0.0, 0.0]);
    }

    #[test]
    fn signed_values_are_blue_below_zero_and_red_above() {
        let colour = |share| scale(Values::Signed).colour(share);
        let ([r, _, b], [red, _, blue]) = (colour(-0.7), colour(0.7));
        assert!(b > r && red > blue);
        let zero = colour(0.0);
        assert!(zero.iter().all(|value| value.abs_diff(zero[0]) <= 1), "{zero:?}");
        assert_eq!([colour(-1.0), colour(1.0)], [diverging()[0], diverging()[255]]);
        assert_eq!(scale(Values::Sizes).colour(1.0), Colormap::Viridis.colours()[255]);
    }

    #[test]
    fn the_weight_grows_with_the_size_and_is_alpha_on_average() {
        for alpha in [0.1, 0.4, 0.5, 0.8, 1.0] {
            let weight = |share: f32| scale(Values::Signed).weight(share, alpha);
            assert_eq!(weight(1.0), 1.0);
            assert_eq!(weight(-0.3), weight(0.3));
            assert!(alpha == 1.0 || weight(0.0) == 0.0 && weight(0.2) < weight(0.6));
            let mean = (0..1000).map(|at| weight((at as f32 + 0.5) / 1000.0)).sum::<f32>() / 1000.0;
            assert!((mean - alpha).abs() < 0.01, "{alpha} {mean}");
            assert_eq!(scale(Values::Positive).weight(0.3, alpha), alpha);
        }
        assert_eq!(scale(Values::Sizes).weight(1.0, 0.0), 0.0);
    }

    #[test]
    fn single_pixels_do_not_set_the_scale() {
        let mut map: Vec<f32> = (0..1001).map(|at| at as f32 / 1000.0).collect();
        map[1000] = -50.0;
        assert_eq!(top(&map, Values::Signed, true), 0.99);
        assert_eq!(top(&map, Values::Signed, false), 50.0);
        assert_eq!(top(&map, Values::Positive, true), 0.999);
        let mut sparse = vec![0.0; 1000];
        sparse[3] = 2.0;
        assert_eq!(top(&sparse, Values::Sizes, true), 2.0);
        assert_eq!(top(&[], Values::Sizes, true), 0.0);
    }
}
