//! The maps of an image with little noise.

use burncam_evaluation::Random;

use crate::{Evidence, Network, NetworkError, Undefined};

/// Copies that noise is added to.
const COPIES: usize = 10;
/// The most that is added, over the image's range.
const RADIUS: f32 = 0.02;

/// How far the map of each noisy copy is from the map: `||M - M'|| / ||M||`.
///
/// The noise of a copy is drawn number by number, copy after copy, from the seed, so equal seeds give equal copies.
pub(super) fn distances(
    map: &Evidence,
    network: &mut Network<'_>,
) -> Result<Result<Vec<f64>, Undefined>, NetworkError> {
    network.remembered("distances under noise", |network| noisy_distances(map, network))
}

fn noisy_distances(
    map: &Evidence,
    network: &mut Network<'_>,
) -> Result<Result<Vec<f64>, Undefined>, NetworkError> {
    let values = &network.image.values;
    let smallest = values.iter().copied().fold(f32::INFINITY, f32::min);
    let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let size = norm(&map.values);
    if size == 0.0 {
        return Ok(Err(Undefined::EmptyMap));
    }
    if smallest >= largest {
        return Ok(Err(Undefined::ConstantImage));
    }
    let (mut random, reach) = (Random::new(network.seed), RADIUS * (largest - smallest));
    let mut distances = Vec::with_capacity(COPIES);
    let at_once = network.at_once.max(1);
    while distances.len() < COPIES {
        let count = at_once.min(COPIES - distances.len());
        let noisy = values.iter().cycle().take(count * values.len());
        let copies: Vec<f32> =
            noisy.map(|value| value + reach * (2.0 * random.share() - 1.0)).collect();
        for other in (network.explain)(&copies)? {
            match other {
                Ok(other) => distances.push(distance(map, &other) / size),
                Err(undefined) => return Ok(Err(undefined)),
            }
        }
    }
    Ok(Ok(distances))
}

pub(super) fn norm(values: &[f32]) -> f64 {
    values.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt()
}

pub(super) fn distance(a: &Evidence, b: &Evidence) -> f64 {
    assert_eq!(a.size, b.size, "maps of one size");
    let square = |(&a, &b): (&f32, &f32)| (f64::from(a) - f64::from(b)).powi(2);
    a.values.iter().zip(&b.values).map(square).sum::<f64>().sqrt()
}
