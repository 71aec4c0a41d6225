//! Ablation-CAM: channels of a layer, each weighted by what the logit loses without it.

use burn::tensor::{Tensor, TensorData, s};

use crate::{AttributionError, Gradient, Inference, Maps, Method, Needs, Passes, Sign};

pub(super) static ABLATION_CAM: Method = Method {
    name: "ablation-cam",
    title: "Ablation-CAM",
    folder: "AblationCAM",
    summary: "channels of a layer, each weighted by what the logit loses without it",
    paper: "Desai, Ramaswamy, Ablation-CAM, WACV 2020",
    url: "https://openaccess.thecvf.com/content_WACV_2020/html/Desai_Ablation-CAM_Visual_Explanations_for_Deep_Convolutional_Network_via_Gradient-free_Localization_WACV_2020_paper.html",
    needs: Needs { gradient: Gradient::None, passes: Passes::OfChannels, ..Needs::ONE_LAYER },
    sign: Sign::Positive,
    attribute,
};

/// Numbers of the activations that go through the rest of the network at a time.
const MOST_NUMBERS: usize = 1 << 22;

/// The paper's weight is `(y - y_k) / y`. The denominator is the same for all channels, so it is left out: where the
/// logit is negative it would turn the map around.
fn attribute(inference: &mut Inference<'_>, layers: &[String]) -> Result<Maps, AttributionError> {
    let [layer] = layers else { return Err(AttributionError::layers(layers, "one")) };
    let activations = inference.activations(layer)?;
    let ([batch, channels, height, width], device) = (activations.dims(), activations.device());
    let at_once = (MOST_NUMBERS / (channels * height * width)).clamp(1, channels);
    let mut weights = Vec::with_capacity(batch);
    for image in 0..batch {
        let own = activations.clone().slice(s![image..image + 1]);
        let whole = inference.tail(layer, own.clone())?;
        let class = inference.classes().slice(s![image..image + 1]);
        let score = whole.gather(1, class.clone());
        let mut lost = Vec::new();
        for first in (0..channels).step_by(at_once) {
            let count = at_once.min(channels - first);
            let mut kept = vec![1.0_f32; count * channels];
            (0..count).for_each(|row| kept[row * channels + first + row] = 0.0);
            let kept = TensorData::new(kept, [count, channels, 1, 1]);
            let kept = Tensor::<4>::from_data(kept, &device);
            let logits = inference.tail(layer, own.clone().repeat_dim(0, count) * kept)?;
            let left = logits.gather(1, class.clone().repeat_dim(0, count));
            lost.push(score.clone().repeat_dim(0, count) - left);
        }
        weights.push(Tensor::cat(lost, 0).reshape([1, channels, 1, 1]));
    }
    Ok(Maps::sum(activations * Tensor::cat(weights, 0)))
}
