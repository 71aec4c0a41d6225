//! FEM: the strongest places of a layer's channels, each channel weighted by its mean.

use super::channels::sums;
use crate::{AttributionError, Gradient, Inference, Maps, Method, Needs, Sign};

pub(super) static FEM: Method = Method {
    name: "fem",
    title: "FEM",
    folder: "FEM",
    summary: "the strongest places of a layer's channels, each channel weighted by its mean",
    paper: "Fuad et al., Features Understanding in 3D CNNs for Actions Recognition in Video, IPTA 2020",
    url: "https://doi.org/10.1109/IPTA50016.2020.9286629",
    needs: Needs { gradient: Gradient::None, ..Needs::ONE_LAYER },
    sign: Sign::Positive,
    attribute,
};

/// Deviations above the mean from which on a place is among the strongest.
const DEVIATIONS: f32 = 2.0;

fn attribute(inference: &mut Inference<'_>, layers: &[String]) -> Result<Maps, AttributionError> {
    let [layer] = layers else { return Err(AttributionError::layers(layers, "one")) };
    let activations = inference.activations(layer)?;
    let [.., height, width] = activations.dims();
    let count = (height * width) as f32;
    let means = sums(activations.clone()) / count;
    let apart = activations.clone() - means.clone();
    let deviations = (sums(apart.clone().powi_scalar(2)) / count).sqrt();
    let strongest = apart.greater(deviations * DEVIATIONS).float();
    Ok(Maps::sum(strongest * means))
}
