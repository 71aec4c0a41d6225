//! RandomCAM: channels of a layer, each weighted at random: what a map looks like that explains nothing.

use burn::tensor::{Tensor, TensorData};

use crate::{AttributionError, Explanation, Inference, Maps, Method, Needs, Sign};

pub(super) static RANDOM_CAM: Method = Method {
    name: "random-cam",
    title: "RandomCAM",
    folder: "RandomCAM",
    summary: "channels of a layer, each weighted at random: what a map looks like that explains nothing",
    paper: "Gildenblat and contributors, pytorch-grad-cam, RandomCAM, 2021",
    url: "https://github.com/jacobgil/pytorch-grad-cam",
    needs: Needs { seeded: true, ..Needs::ACTIVATIONS },
    sign: Sign::Positive,
    options: &[],
    peers: &[],
    attribute,
};

fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let activations = inference.activations(explanation.layer()?)?;
    let [batch, channels, ..] = activations.dims();
    let mut weights = Vec::with_capacity(batch * channels);
    for image in 0..batch {
        let mut random = inference.random(image);
        weights.extend((0..channels).map(|_| 2.0 * random.share() - 1.0));
    }
    let weights = TensorData::new(weights, [batch, channels, 1, 1]);
    let weights = Tensor::<4>::from_data(weights, &activations.device());
    explanation.total(activations * weights)
}
