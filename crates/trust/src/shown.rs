//! The image as far as its map shows it.

use crate::baseline::Removal;
use crate::copies::scores;
use crate::order::shares;
use crate::{Evidence, Network, NetworkError, Undefined};

/// The image times its map in 0..=1, `[channels, height, width]`; the rest of each pixel is the
/// baseline's.
///
/// # Errors
///
/// If no value of the map is above 0.
pub(crate) fn shown_image(map: &Evidence, network: &Network<'_>) -> Result<Vec<f32>, Undefined> {
    let (shares, image) = (shares(map)?, network.image);
    let empty = Removal::new(network, network.protocol.baseline).everything(image);
    let mix = |((&value, empty), share): ((&f32, f32), &f64)| {
        (share * f64::from(value) + (1.0 - share) * f64::from(empty)) as f32
    };
    Ok(image.values.iter().zip(empty).zip(shares.iter().cycle()).map(mix).collect())
}

/// The probability of the image and that of an image in its place.
///
/// # Errors
///
/// If the image cannot go through the network, or a probability is not finite.
pub(crate) fn probabilities(
    network: &mut Network<'_>,
    image: &[f32],
) -> Result<Result<[f64; 2], Undefined>, NetworkError> {
    let scores = scores(network, 1, |_, copy| copy.copy_from_slice(image))?;
    let probabilities = [network.whole.probability, scores[0].probability];
    let finite = probabilities.iter().all(|probability| probability.is_finite());
    Ok(if finite { Ok(probabilities) } else { Err(Undefined::NotFinite) })
}

/// The probabilities of the image and of the image times its map.
///
/// # Errors
///
/// As [`shown_image`] and [`probabilities`].
pub(crate) fn shown_probabilities(
    map: &Evidence,
    network: &mut Network<'_>,
) -> Result<Result<[f64; 2], Undefined>, NetworkError> {
    let both = network.remembered("probabilities", |network| match shown_image(map, network) {
        Ok(shown) => Ok(probabilities(network, &shown)?.map(Vec::from)),
        Err(undefined) => Ok(Err(undefined)),
    })?;
    Ok(both.map(|both| [both[0], both[1]]))
}
