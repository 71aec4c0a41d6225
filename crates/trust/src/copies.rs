//! Changed copies of an image on their way through the network.

use rayon::prelude::*;

use crate::baseline::Removal;
use crate::{Baseline, Network, NetworkError, Score, Undefined};

/// The scores of `count` copies of the image. `change` gets the index of a copy and the image
/// `[channels, height, width]`, and makes the copy of it; copies are made on all cores, and never
/// more than `at_once` are held.
///
/// # Errors
///
/// If the copies cannot go through the network.
pub(crate) fn scores(
    network: &mut Network<'_>,
    count: usize,
    change: impl Fn(usize, &mut [f32]) + Sync,
) -> Result<Vec<Score>, NetworkError> {
    let image = &network.image.values;
    let at_once = network.at_once.clamp(1, count.max(1));
    let mut copies = vec![0.0; at_once * image.len()];
    let mut scores = Vec::with_capacity(count);
    while scores.len() < count {
        let first = scores.len();
        let chunk = &mut copies[..at_once.min(count - first) * image.len()];
        chunk.par_chunks_mut(image.len()).enumerate().for_each(|(index, copy)| {
            copy.copy_from_slice(image);
            change(first + index, copy);
        });
        let passed = (network.pass)(chunk)?;
        assert_eq!(passed.len() * image.len(), chunk.len(), "a score for each copy");
        scores.extend(passed);
    }
    Ok(scores)
}

/// The protocol's scores of `count` copies of the image without some of its places: `removed` gets
/// the index of a copy and says which, `[height, width]`. They become what `baseline` says.
///
/// # Errors
///
/// If the copies cannot go through the network, or a score is not finite.
pub(crate) fn scores_without(
    network: &mut Network<'_>,
    baseline: Baseline,
    count: usize,
    removed: impl Fn(usize) -> Vec<bool> + Sync,
) -> Result<Result<Vec<f64>, Undefined>, NetworkError> {
    let (image, scale) = (network.image, network.protocol.scale);
    let removal = Removal::new(network, baseline);
    let change = |index, copy: &mut [f32]| removal.apply(image, &removed(index), copy);
    let scores: Vec<f64> = scores(network, count, change)?.iter().map(|s| s.on(scale)).collect();
    let finite = scores.iter().all(|s| s.is_finite()) && network.whole.on(scale).is_finite();
    Ok(if finite { Ok(scores) } else { Err(Undefined::NotFinite) })
}

/// Which of so many places are in a list of them.
pub(crate) fn mask(places: usize, list: &[usize]) -> Vec<bool> {
    let mut mask = vec![false; places];
    list.iter().for_each(|&place| mask[place] = true);
    mask
}
