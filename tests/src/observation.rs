//! What the program computes of a batch of images, and what lies behind it.

use burn::tensor::Tensor;
use burncam_attribution::{
    AttributionError, Explanation, Inference, Question, Target, explain, find,
};
use burncam_net::Classifier;
use burncam_net::layers::channel_means;

/// Logits and Grad-CAM maps as `explain` computes them, and the tensors behind them.
pub struct Observation {
    /// Logits of each image, one a class.
    pub logits: Vec<Vec<f32>>,
    /// The class whose logit is explained, for each image.
    pub targets: Vec<usize>,
    /// The raw map of each image, row by row.
    pub maps: Vec<Vec<f32>>,
    /// Height and width of a map.
    pub size: [usize; 2],
    /// Output of the layer, `[batch, channels, height, width]`.
    pub activations: Tensor<4>,
    /// Gradient of each image's target logit at that output, `[batch, channels, height, width]`.
    pub gradients: Tensor<4>,
}

impl Observation {
    /// The mean gradient of each channel, `[batch, channels]`.
    #[must_use]
    pub fn channel_weights(&self) -> Tensor<2> {
        channel_means(self.gradients.clone())
    }
}

/// A method at a layer.
///
/// # Panics
///
/// If there is no such method.
#[must_use]
pub fn explanation(method: &str, layer: &str) -> Explanation {
    Explanation::new(find(method).expect("a method"), vec![layer.to_owned()])
}

/// Runs a network as the program does, with Grad-CAM at a layer.
///
/// # Errors
///
/// As [`explain`].
pub fn observe(
    classifier: &Classifier,
    images: Tensor<4>,
    layer: &str,
    target: Target,
) -> Result<Observation, AttributionError> {
    let explanations = [explanation("grad-cam", layer)];
    let question = Question::new(&explanations, target);
    let mut found = explain(classifier, images.clone(), &question)?;
    let inference = Inference::new(classifier, images, &question, Some(&found.targets))?;
    Ok(Observation {
        logits: found.logits,
        targets: found.targets,
        maps: found.maps.remove(0),
        size: found.sizes[0],
        activations: inference.activations(layer)?,
        gradients: inference.gradients(layer)?,
    })
}
