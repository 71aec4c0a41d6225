//! The structural similarity of two maps.

use crate::filter::{blur, gaussian};
use crate::order::varied;
use crate::{Better, Compute, Evidence, Group, Measure, Undefined};

pub(super) static SSIM: Measure = Measure {
    name: "ssim",
    title: "Structural similarity",
    group: Group::Agreement,
    question: "Do two maps look alike, patch by patch?",
    formula: "mean of (2 m_a m_b + C1)(2 s_ab + C2) / ((m_a² + m_b² + C1)(s_a² + s_b² + C2)) over \
              11 x 11 Gaussian windows of deviation 1.5 that lie in the map, C1 = 0.01², \
              C2 = 0.03², both maps brought to 0..1 by their smallest and largest value",
    source: "Wang, Bovik, Sheikh, Simoncelli, Image Quality Assessment: From Error Visibility to \
             Structural Similarity, 2004",
    url: "https://doi.org/10.1109/TIP.2003.819861",
    misleads: "Where both maps are flat and dark the windows agree perfectly, so two maps of few \
               places come near 1 though they point to different ones. One very high place \
               flattens a whole map.",
    better: Some(Better::Higher),
    range: [-1.0, 1.0],
    limit: None,
    compute: Compute::Pair(ssim),
};

const DEVIATION: f64 = 1.5;
const RADIUS: usize = 5;
const C1: f64 = 0.01 * 0.01;
const C2: f64 = 0.03 * 0.03;

/// Maps with a side below 11 get the largest odd window that fits.
pub(super) fn ssim(a: &Evidence, b: &Evidence) -> Result<f64, Undefined> {
    assert_eq!(a.size, b.size, "maps of one size");
    let (size, [height, width]) = (a.size, a.size);
    let radius = ((height.min(width) - 1) / 2).min(RADIUS);
    let weights = gaussian(DEVIATION, radius);
    let (a, b) = (unit(a)?, unit(b)?);
    let mean = |a: &[f64], b: &[f64]| {
        let products: Vec<f64> = a.iter().zip(b).map(|(a, b)| a * b).collect();
        blur(&products, size, &weights)
    };
    let (mean_a, mean_b) = (blur(&a, size, &weights), blur(&b, size, &weights));
    let (mean_aa, mean_bb, mean_ab) = (mean(&a, &a), mean(&b, &b), mean(&a, &b));
    let one = |place: usize| {
        let (m_a, m_b) = (mean_a[place], mean_b[place]);
        let (s_aa, s_bb) = (mean_aa[place] - m_a * m_a, mean_bb[place] - m_b * m_b);
        let s_ab = mean_ab[place] - m_a * m_b;
        (2.0 * m_a * m_b + C1) * (2.0 * s_ab + C2)
            / ((m_a * m_a + m_b * m_b + C1) * (s_aa + s_bb + C2))
    };
    let columns = radius..width - radius;
    let rows = (radius..height - radius).flat_map(|y| columns.clone().map(move |x| (y, x)));
    let sum: f64 = rows.map(|(y, x)| one(y * width + x)).sum();
    Ok(sum / ((height - 2 * radius) * (width - 2 * radius)) as f64)
}

/// The map in 0..=1.
fn unit(map: &Evidence) -> Result<Vec<f64>, Undefined> {
    varied(map)?;
    let values = || map.values.iter().map(|&value| f64::from(value));
    let smallest = values().fold(f64::INFINITY, f64::min);
    let largest = values().fold(f64::NEG_INFINITY, f64::max);
    Ok(values().map(|value| (value - smallest) / (largest - smallest)).collect())
}
