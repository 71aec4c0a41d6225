//! Ablation-CAM: channels of a layer, each weighted by what the logit loses without it.

use burn::tensor::{Tensor, TensorData, s};

use crate::{
    AttributionError, Explanation, Inference, Likeness, Maps, Method, MethodOption, Needs, Passes,
    Peer, Sign,
};

pub(super) static ABLATION_CAM: Method = Method {
    name: "ablation-cam",
    title: "Ablation-CAM",
    folder: "AblationCAM",
    summary: "channels of a layer, each weighted by what the logit loses without it",
    paper: "Desai, Ramaswamy, Ablation-CAM, WACV 2020",
    url: "https://openaccess.thecvf.com/content_WACV_2020/html/Desai_Ablation-CAM_Visual_Explanations_for_Deep_Convolutional_Network_via_Gradient-free_Localization_WACV_2020_paper.html",
    needs: Needs { passes: Passes::Channels, ..Needs::ACTIVATIONS },
    sign: Sign::Positive,
    options: &[DIVIDE],
    peers: &[(Peer::PytorchGradCam, Likeness::Options("divide=yes"))],
    attribute,
};

/// Numbers of the activations that go through the rest of the network at a time.
const MOST_NUMBERS: usize = 1 << 22;

const DIVIDE: MethodOption = MethodOption::word(
    "divide",
    &["no", "yes"],
    "whether weights are divided by the class's score",
);

/// The paper's weight is `(y - y_k) / y`. By default the denominator, the same for all channels, is left out: where the
/// logit is negative it would turn the map around. A channel is ablated by zeros.
fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let (layer, score) = (explanation.layer()?, inference.question.score);
    let activations = inference.activations(layer)?;
    let ([batch, channels, height, width], device) = (activations.dims(), activations.device());
    let at_once = (MOST_NUMBERS / (channels * height * width)).clamp(1, channels);
    let mut weights = Vec::with_capacity(batch);
    for image in 0..batch {
        let map = activations.clone().slice(s![image..image + 1]);
        let whole = inference.tail(layer, map.clone())?;
        let whole = inference.scores_of(image, whole, score);
        let mut lost = Vec::new();
        for first in (0..channels).step_by(at_once) {
            let count = at_once.min(channels - first);
            let mut kept = vec![1.0_f32; count * channels];
            (0..count).for_each(|row| kept[row * channels + first + row] = 0.0);
            let kept = TensorData::new(kept, [count, channels, 1, 1]);
            let kept = Tensor::<4>::from_data(kept, &device);
            let logits = inference.tail(layer, map.clone().repeat_dim(0, count) * kept)?;
            let left = inference.scores_of(image, logits, score);
            lost.push(whole.clone().repeat_dim(0, count) - left);
        }
        let lost = Tensor::cat(lost, 0);
        let lost = if explanation.settings.is("divide", "yes") { lost / whole } else { lost };
        weights.push(lost.reshape([1, channels, 1, 1]));
    }
    explanation.total(activations * Tensor::cat(weights, 0))
}
