//! What a classifier did with a batch of images, seen at one layer.

use burn::tensor::{DType, FloatDType, Int, Tensor, TensorData};
use burncam_net::{Classifier, Output, Trace};

use crate::CamError;

/// Which logit is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// That of each image's predicted class.
    Predicted,
    /// That of one class, by index.
    Class(usize),
}

/// In half precision, gradients are computed so many times too large, and scaled back in `f32`:
/// below 6e-5, where a channel's mean gradient often is, half precision loses digits.
const HALF_SCALE: f32 = 1024.0;

/// A batch of images as the network saw it at one layer, in `f32` whatever the device computes in.
pub struct Scene {
    /// Logits of each image, one a class.
    pub logits: Vec<Vec<f32>>,
    /// The class whose logit is explained, for each image.
    pub targets: Vec<usize>,
    /// Output of the layer, `[batch, channels, height, width]`.
    pub activations: Tensor<4>,
    /// Gradient of each image's target logit at that output, `[batch, channels, height, width]`.
    pub gradients: Tensor<4>,
}

impl Scene {
    /// Runs `images`, `[batch, 3, height, width]`, once forward, and once backward from the
    /// target logits to the output of `layer`, given by its canonical name.
    ///
    /// # Errors
    ///
    /// If the network has no such layer or class, the logit does not depend on the layer, or
    /// the device fails.
    ///
    /// # Panics
    ///
    /// If the classifier was built to be looked at at another layer.
    pub fn observe(
        classifier: &Classifier,
        images: Tensor<4>,
        layer: &str,
        target: Target,
    ) -> Result<Self, CamError> {
        assert!(classifier.can_look_at(layer), "the network was built for another layer");
        let classes = classifier.head.config().classes();
        if let Target::Class(class) = target
            && class >= classes
        {
            return Err(CamError::UnknownClass { class, classes });
        }
        let mut leaf = None;
        // Nothing before the leaf is recorded: the network itself is not tracked.
        let mut tap =
            |_: &str, output: Tensor<4>| leaf.insert(output.autodiff().require_grad()).clone();
        let output = classifier.logits(images, &mut Trace::at(layer, &mut tap));
        let leaf = leaf.ok_or_else(|| CamError::UnknownLayer { layer: layer.to_owned() })?;
        let logits = rows(output.clone().inner().cast(FloatDType::F32), classes)?;
        let rule = classifier.head.config().output();
        let targets = targets(&logits, rule, target);
        let half = output.dtype() == DType::F16;
        // Images of a batch do not meet in the network, so the sum keeps their gradients apart.
        let sum = chosen(output, &targets).sum();
        let gradients = if half { sum * HALF_SCALE } else { sum }.backward();
        let gradients = leaf
            .grad(&gradients)
            .ok_or_else(|| CamError::NoGradient { layer: layer.to_owned() })?;
        let gradients = if half { gradients.cast(FloatDType::F32) / HALF_SCALE } else { gradients };
        Ok(Self { logits, targets, activations: leaf.inner().cast(FloatDType::F32), gradients })
    }
}

/// The class of largest probability, the first of equals.
///
/// Probabilities are compared rather than logits, since that is what a user sees.
#[must_use]
pub fn predicted(probabilities: &[f32]) -> usize {
    let best = (0..probabilities.len()).reduce(|best, class| {
        if probabilities[class] > probabilities[best] { class } else { best }
    });
    best.unwrap_or(0)
}

fn targets(logits: &[Vec<f32>], rule: Output, target: Target) -> Vec<usize> {
    let of = |row: &Vec<f32>| match target {
        Target::Predicted => predicted(&rule.probabilities(row)),
        Target::Class(class) => class,
    };
    logits.iter().map(of).collect()
}

/// The logit of each image's target, `[batch, 1]`.
fn chosen(logits: Tensor<2>, targets: &[usize]) -> Tensor<2> {
    let indices: Vec<i64> = targets.iter().map(|&class| class as i64).collect();
    let device = logits.device();
    let indices =
        Tensor::<2, Int>::from_data(TensorData::new(indices, [targets.len(), 1]), &device);
    logits.gather(1, indices)
}

fn rows(logits: Tensor<2>, classes: usize) -> Result<Vec<Vec<f32>>, CamError> {
    let data = logits.try_into_data().map_err(|error| CamError::read_back("the logits", &error))?;
    let values =
        data.try_to_vec::<f32>().map_err(|error| CamError::read_back("the logits", &error))?;
    Ok(values.chunks(classes).map(<[f32]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use super::predicted;

    #[test]
    fn the_first_of_equals_is_predicted() {
        assert_eq!(predicted(&[0.5, 0.5]), 0);
        assert_eq!(predicted(&[0.2, 0.4, 0.4]), 1);
    }
}
