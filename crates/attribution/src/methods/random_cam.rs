//! RandomCAM: channels of a layer, each weighted at random: what a map looks like that explains nothing.

use burn::tensor::{Tensor, TensorData};

use crate::{AttributionError, Gradient, Inference, Maps, Method, Needs, Sign};

pub(super) static RANDOM_CAM: Method = Method {
    name: "random-cam",
    title: "RandomCAM",
    folder: "RandomCAM",
    summary: "channels of a layer, each weighted at random: what a map looks like that explains nothing",
    paper: "Gildenblat and contributors, pytorch-grad-cam, RandomCAM, 2021",
    url: "https://github.com/jacobgil/pytorch-grad-cam",
    needs: Needs { gradient: Gradient::None, seeded: true, ..Needs::ONE_LAYER },
    sign: Sign::Positive,
    attribute,
};

fn attribute(inference: &mut Inference<'_>, layers: &[String]) -> Result<Maps, AttributionError> {
    let [layer] = layers else { return Err(AttributionError::layers(layers, "one")) };
    let activations = inference.activations(layer)?;
    let [batch, channels, ..] = activations.dims();
    let mut weights = Vec::with_capacity(batch * channels);
    for image in 0..batch {
        let mut random = inference.random(image);
        weights.extend((0..channels).map(|_| 2.0 * random.share() - 1.0));
    }
    let weights = TensorData::new(weights, [batch, channels, 1, 1]);
    let weights = Tensor::<4>::from_data(weights, &activations.device());
    Ok(Maps::sum(activations * weights))
}
