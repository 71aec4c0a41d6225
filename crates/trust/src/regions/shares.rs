//! What a map has in each region.

use burncam_evaluation::Values;

use super::Regions;
use crate::{Evidence, Undefined};

/// What a map has in a region.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionShare {
    /// The region's name.
    pub name: String,
    /// Its share of the map's mass, in 0..=1.
    pub mass: f64,
    /// Its share of the image's pixels, in 0..=1.
    pub area: f64,
    /// `mass` over `area`: 1 is what chance gives. `None` where the region has no pixel.
    pub density: Option<f64>,
}

/// What a value adds to the map's mass: itself if it is above 0, and of signed maps its size.
fn weight(value: f32, kind: Values) -> f64 {
    match kind {
        Values::Positive => f64::from(value.max(0.0)),
        Values::Signed | Values::Sizes => f64::from(value.abs()),
    }
}

/// What a map has in each region, in the order of the regions' names. The mass is the sum of the values above 0, and
/// of signed maps the sum of the values' sizes.
///
/// # Errors
///
/// If the map has no mass, or a value is not finite.
///
/// # Panics
///
/// If the map and the regions are not of one size.
pub fn region_shares(map: &Evidence, regions: &Regions) -> Result<Vec<RegionShare>, Undefined> {
    assert_eq!(map.size, regions.size(), "a map and regions of one size");
    let mut sums = vec![(0.0, 0_usize); regions.names().len()];
    for (&value, &label) in map.values.iter().zip(regions.labels()) {
        let (mass, pixels) = &mut sums[usize::from(label)];
        *mass += weight(value, map.kind);
        *pixels += 1;
    }
    let all: f64 = sums.iter().map(|(mass, _)| mass).sum();
    if !all.is_finite() {
        return Err(Undefined::NotFinite);
    }
    if all <= 0.0 {
        return Err(Undefined::EmptyMap);
    }
    let share = |(name, (mass, pixels)): (&String, (f64, usize))| {
        let (mass, area) = (mass / all, pixels as f64 / regions.labels().len() as f64);
        let density = (pixels > 0).then(|| mass / area);
        RegionShare { name: name.clone(), mass, area, density }
    };
    Ok(regions.names().iter().zip(sums).map(share).collect())
}

/// The region of the map's largest value, of signed maps the largest size; the first of equal ones.
///
/// # Errors
///
/// If the map is 0 or the same everywhere.
///
/// # Panics
///
/// If the map and the regions are not of one size.
pub fn peak_region<'a>(map: &Evidence, regions: &'a Regions) -> Result<&'a str, Undefined> {
    assert_eq!(map.size, regions.size(), "a map and regions of one size");
    let mut weights = map.values.iter().map(|&value| weight(value, map.kind)).enumerate();
    let (mut peak, mut most) = weights.next().ok_or(Undefined::EmptyMap)?;
    let mut least = most;
    for (place, weight) in weights {
        least = least.min(weight);
        if weight > most {
            (peak, most) = (place, weight);
        }
    }
    match () {
        () if most <= 0.0 => Err(Undefined::EmptyMap),
        () if least == most => Err(Undefined::ConstantMap),
        () => Ok(&regions.names()[usize::from(regions.labels()[peak])]),
    }
}

/// How far the densest regions of two maps are the same: those among the first `count` of both, over `count`. Of
/// equal densities the first in the list is the denser. Chance gives `count` over the number of regions. The
/// background is one of them unless the caller leaves it out. `None` if `count` is 0 or a map has fewer regions with
/// pixels.
#[must_use]
pub fn top_regions_agreement(a: &[RegionShare], b: &[RegionShare], count: usize) -> Option<f64> {
    let [a, b] = [densest(a, count)?, densest(b, count)?];
    let both = a.iter().filter(|name| b.contains(name)).count();
    (count > 0).then(|| both as f64 / count as f64)
}

/// The names of the `count` densest regions.
fn densest(shares: &[RegionShare], count: usize) -> Option<Vec<&str>> {
    let mut regions: Vec<(f64, &str)> =
        shares.iter().filter_map(|share| Some((share.density?, share.name.as_str()))).collect();
    regions.sort_by(|a, b| b.0.total_cmp(&a.0));
    Some(regions.get(..count)?.iter().map(|&(_, name)| name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regions::read_region_names;

    #[test]
    fn maps_without_mass_have_no_shares() {
        let names = read_region_names(r#"{"eyes": 1, "mouth": 2}"#).expect("names");
        let regions = Regions::from_pixels(&[0, 1, 1, 1], [2, 2], &names).expect("regions");
        let map = |values: [f32; 4]| {
            Evidence::new(values.to_vec(), [2, 2], Values::Positive).expect("finite values")
        };
        assert_eq!(region_shares(&map([0.0; 4]), &regions), Err(Undefined::EmptyMap));
        assert_eq!(peak_region(&map([0.0; 4]), &regions), Err(Undefined::EmptyMap));
        assert_eq!(peak_region(&map([1.0; 4]), &regions), Err(Undefined::ConstantMap));
        assert_eq!(peak_region(&map([1.0, 2.0, 2.0, 0.0]), &regions), Ok("eyes"));
        let shares = region_shares(&map([3.0, 1.0, 0.0, 0.0]), &regions).expect("shares");
        let density: Vec<Option<f64>> = shares.iter().map(|share| share.density).collect();
        assert_eq!(density, [Some(3.0), Some(1.0 / 3.0), None]);
    }

    #[test]
    fn the_densest_regions_of_two_maps() {
        let shares = |densities: [Option<f64>; 4]| -> Vec<RegionShare> {
            let share = |(name, density): (&str, Option<f64>)| RegionShare {
                name: name.to_owned(),
                mass: 0.0,
                area: 0.0,
                density,
            };
            ["a", "b", "c", "d"].into_iter().zip(densities).map(share).collect()
        };
        let one = shares([Some(3.0), Some(2.0), Some(1.0), Some(0.0)]);
        let other = shares([Some(0.0), Some(1.0), Some(2.0), Some(3.0)]);
        assert_eq!(top_regions_agreement(&one, &other, 3), Some(2.0 / 3.0));
        assert_eq!(top_regions_agreement(&one, &other, 2), Some(0.0));
        assert_eq!(top_regions_agreement(&one, &one, 4), Some(1.0));
        assert_eq!(top_regions_agreement(&one, &one, 0), None);
        assert_eq!(
            top_regions_agreement(&one, &shares([None, None, Some(1.0), Some(1.0)]), 3),
            None
        );
    }
}
