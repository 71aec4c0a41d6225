//! GradientSHAP: each pixel times its mean gradient at random points of the way from an empty image.

use burncam_net::Tap;

use super::baseline::BASELINE;
use super::noise::{Noise, UNIT};
use crate::{
    AttributionError, Explanation, Inference, Likeness, Maps, Method, MethodOption, Needs, Passes,
    Peer, Sign,
};

pub(super) static GRADIENT_SHAP: Method = Method {
    name: "gradient-shap",
    title: "GradientSHAP",
    folder: "GradientSHAP",
    summary: "each pixel times its mean gradient at random points of the way from an empty image",
    paper: "Lundberg, Lee, A Unified Approach to Interpreting Model Predictions, NeurIPS 2017",
    url: "https://arxiv.org/abs/1705.07874",
    needs: Needs { passes: Passes::Option("samples"), seeded: true, ..Needs::COPIES },
    sign: Sign::Signed,
    options: &[SAMPLES, NOISE, UNIT, BASELINE],
    peers: &[(Peer::Captum, Likeness::Options("samples=5"))],
    attribute,
};

const SAMPLES: MethodOption = MethodOption::count("samples", 50, "random points of the way");
const NOISE: MethodOption =
    MethodOption::number("noise", 0.0, [0.0, 1000.0], "deviation of noise on the image");

/// The beginning is one empty image, so an image's map does not depend on other images.
fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let (images, samples) = (inference.images(), explanation.settings.count("samples"));
    let baseline = explanation.settings.number("baseline") as f32;
    let is_noisy = explanation.settings.number("noise") > 0.0;
    let mut noise = Noise::new(inference, explanation);
    let mut sum = None;
    for _ in 0..samples {
        let place = noise.shares();
        let image = if is_noisy { noise.on(images.clone()) } else { images.clone() };
        let way = image - baseline;
        let at = way.clone() * place + baseline;
        let product = way * inference.gradients_of(at, &Tap::Input)?;
        sum = Some(match sum {
            None => product,
            Some(sum) => sum + product,
        });
    }
    let sum = sum.ok_or(AttributionError::Layers { count: 0 })?;
    Ok(Maps::sum(sum / samples as f32))
}
