//! FEM: the strongest places of a layer's channels, each channel weighted by its mean.

use super::channels::sums;
use crate::{
    AttributionError, Explanation, Inference, Likeness, Maps, Method, MethodOption, Needs, Peer,
    Sign,
};

pub(super) static FEM: Method = Method {
    name: "fem",
    title: "FEM",
    folder: "FEM",
    summary: "the strongest places of a layer's channels, each channel weighted by its mean",
    paper: "Fuad et al., Features Understanding in 3D CNNs for Actions Recognition in Video, IPTA 2020",
    url: "https://doi.org/10.1109/IPTA50016.2020.9286629",
    needs: Needs::ACTIVATIONS,
    sign: Sign::Positive,
    options: &[DEVIATIONS, WEIGHTS],
    peers: &[
        (Peer::PytorchGradCam, Likeness::Options("weights=share")),
        (Peer::Xplique, Likeness::Options("")),
    ],
    attribute,
};

const DEVIATIONS: MethodOption = MethodOption::number(
    "deviations",
    2.0,
    [0.0, 100.0],
    "deviations above the mean from which on a place is among the strongest",
);
const WEIGHTS: MethodOption = MethodOption::word(
    "weights",
    &["mean", "share"],
    "the mean of a channel on its strongest places, or their share on its values",
);

fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let activations = inference.activations(explanation.layer()?)?;
    let [.., height, width] = activations.dims();
    let count = (height * width) as f32;
    let means = sums(activations.clone()) / count;
    let apart = activations.clone() - means.clone();
    let deviations = (sums(apart.clone().powi_scalar(2)) / count).sqrt();
    let strongest = apart.greater(deviations * explanation.settings.number("deviations")).float();
    match explanation.settings.is("weights", "share") {
        true => explanation.total(activations * (sums(strongest) / count)),
        false => explanation.total(strongest * means),
    }
}
