//! What a classifier did with a batch of images, seen at one layer.

use burn::tensor::{DType, Device, FloatDType, Int, Tensor, TensorData};
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
        let forward = Forward::run(classifier, images, layer, target)?;
        let logits = rows(read(forward.logits(), "the logits")?, forward.classes);
        let targets = targets(&logits, forward.rule, target);
        let indices = indices(&targets, classifier.device());
        let (activations, gradients) = forward.back(indices, layer)?;
        Ok(Self { logits, targets, activations, gradients })
    }
}

/// A forward pass, the way back from its logits recorded.
pub(crate) struct Forward {
    output: Tensor<2>,
    leaf: Tensor<4>,
    pub(crate) classes: usize,
    pub(crate) rule: Output,
}

impl Forward {
    /// As [`Scene::observe`].
    pub(crate) fn run(
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
        Ok(Self { output, leaf, classes, rule: classifier.head.config().output() })
    }

    /// `[batch, classes]`, in `f32`.
    pub(crate) fn logits(&self) -> Tensor<2> {
        self.output.clone().inner().cast(FloatDType::F32)
    }

    /// Output of the layer and its gradient, each `[batch, channels, height, width]` in `f32`, for
    /// the target classes `[batch, 1]`.
    pub(crate) fn back(
        self,
        targets: Tensor<2, Int>,
        layer: &str,
    ) -> Result<(Tensor<4>, Tensor<4>), CamError> {
        let half = self.output.dtype() == DType::F16;
        // Images of a batch do not meet in the network, so the sum keeps their gradients apart.
        let sum = self.output.gather(1, targets).sum();
        let gradients = if half { sum * HALF_SCALE } else { sum }.backward();
        let gradients = self
            .leaf
            .grad(&gradients)
            .ok_or_else(|| CamError::NoGradient { layer: layer.to_owned() })?;
        let gradients = if half { gradients.cast(FloatDType::F32) / HALF_SCALE } else { gradients };
        Ok((self.leaf.inner().cast(FloatDType::F32), gradients))
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

/// The class that is explained for each image.
pub(crate) fn targets(logits: &[Vec<f32>], rule: Output, target: Target) -> Vec<usize> {
    let of = |row: &Vec<f32>| match target {
        Target::Predicted => predicted(&rule.probabilities(row)),
        Target::Class(class) => class,
    };
    logits.iter().map(of).collect()
}

/// Classes as `[batch, 1]`.
pub(crate) fn indices(classes: &[usize], device: &Device) -> Tensor<2, Int> {
    let values: Vec<i64> = classes.iter().map(|&class| class as i64).collect();
    Tensor::from_data(TensorData::new(values, [classes.len(), 1]), device)
}

fn read(tensor: Tensor<2>, what: &'static str) -> Result<Vec<f32>, CamError> {
    let data = tensor.try_into_data().map_err(|error| CamError::read_back(what, &error))?;
    data.try_to_vec().map_err(|error| CamError::read_back(what, &error))
}

/// Values as rows of so many.
pub(crate) fn rows(values: Vec<f32>, length: usize) -> Vec<Vec<f32>> {
    values.chunks(length).map(<[f32]>::to_vec).collect()
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
