//! How far one device's results are from another's.

use std::collections::HashMap;
use std::time::Instant;

use burn::tensor::{FloatDType, Tensor, TensorData};
use burncam_net::layers::channel_means;
use burncam_net::{Classifier, Rectifier, Trace};

use crate::{AttributionError, Explanation, Inference, Question, Target, predicted};

/// How far a network on some device is from the same network on a reference device.
///
/// Every difference is a [`max_relative_error`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Of the logits.
    pub logits: f32,
    /// Of the channel weights, the mean gradients of the target's logit at the layer. (At single
    /// places the gradient may jump: a max-pool hands it to the larger of two all but equal values.)
    pub channels: f32,
    /// Of the raw maps.
    pub map: f32,
    /// Whether each image has the same class.
    pub same_classes: bool,
    /// Seconds that the other device took for the first image, in which it also prepares its
    /// programs, and for the last.
    pub seconds: [f64; 2],
}

impl Agreement {
    /// Runs both networks on `images`, `[images, 3, height, width]`, one at a time, and compares logits,
    /// the raw map of an explanation, and the channel weights at its layers. Both explain the reference's
    /// predicted classes. A `batch` of more than one is also given to the other network, filled with the images again
    /// and again, since a GPU may have other programs for it.
    ///
    /// # Errors
    ///
    /// As [`explain`](crate::explain).
    pub fn measure(
        reference: &Classifier,
        other: &Classifier,
        images: &Tensor<4>,
        explanation: &Explanation,
        batch: usize,
    ) -> Result<Self, AttributionError> {
        let (logits, channels, map) = (0.0, 0.0, 0.0);
        let mut worst = Self { logits, channels, map, same_classes: true, seconds: [0.0; 2] };
        let mut all = Vec::new();
        for (index, image) in images.clone().split(1, 0).into_iter().enumerate() {
            let expected = results(reference, &image, explanation, Target::Predicted)?;
            let Some(expected) = expected.into_iter().next() else { continue };
            let clock = Instant::now();
            let own = results(other, &image, explanation, Target::Class(expected.target))?;
            worst.seconds[index.min(1)] = clock.elapsed().as_secs_f64();
            own.iter().for_each(|own| worst.compare(own, &expected));
            all.push((image, expected));
        }
        if batch > 1 {
            let filled = all.iter().cycle().take(batch).map(|(image, _)| image.clone()).collect();
            let images = Tensor::cat(filled, 0);
            let own = results(other, &images, explanation, Target::Predicted)?;
            for (own, (_, expected)) in own.iter().zip(all.iter().cycle()) {
                worst.compare(own, expected);
            }
        }
        Ok(worst)
    }

    fn compare(&mut self, own: &ImageResults, expected: &ImageResults) {
        self.same_classes &= own.predicted == expected.target;
        self.logits = self.logits.max(max_relative_error(&own.logits, &expected.logits));
        // Another class has another gradient.
        if own.target == expected.target {
            let channels = max_relative_error(&own.channels, &expected.channels);
            self.channels = self.channels.max(channels);
            self.map = self.map.max(max_relative_error(&own.map, &expected.map));
        }
    }
}

/// What a network gives for an image.
struct ImageResults {
    logits: Vec<f32>,
    predicted: usize,
    target: usize,
    channels: Vec<f32>,
    map: Vec<f32>,
}

/// The results of each image of a batch.
fn results(
    network: &Classifier,
    images: &Tensor<4>,
    explanation: &Explanation,
    target: Target,
) -> Result<Vec<ImageResults>, AttributionError> {
    let images = copied(images, network)?;
    let question = Question::new(std::slice::from_ref(explanation), target);
    let mut inference = Inference::new(network, images, &question, None)?;
    let (found, _) = inference.attributions()?;
    let channels = channel_weights(&inference, found.targets.len())?;
    let maps = found.maps.into_iter().next().unwrap_or_default();
    let output = network.head.config().output();
    let all = found.logits.into_iter().zip(found.targets).zip(channels).zip(maps);
    let one = |(((logits, target), channels), map): (((Vec<f32>, _), _), _)| ImageResults {
        predicted: predicted(&output.probabilities(&logits)),
        logits,
        target,
        channels,
        map,
    };
    Ok(all.map(one).collect())
}

/// The mean gradient of each channel of each image, wherever gradients were read.
fn channel_weights(
    inference: &Inference<'_>,
    images: usize,
) -> Result<Vec<Vec<f32>>, AttributionError> {
    let mut weights = vec![Vec::new(); images];
    for tap in inference.question.gradient_taps(Rectifier::Gradient) {
        let gradients = channel_means(inference.gradients_at(&tap, Rectifier::Gradient)?);
        let [_, channels] = gradients.dims();
        for (weights, own) in weights.iter_mut().zip(values(gradients)?.chunks(channels)) {
            weights.extend_from_slice(own);
        }
    }
    Ok(weights)
}

/// The [`max_relative_error`] of each layer's output for the same images, in the order in which the layers
/// run. Of layers that are computed together it is the last.
///
/// # Errors
///
/// If a device cannot hand a layer's output back.
pub fn layer_errors(
    reference: &Classifier,
    other: &Classifier,
    images: &Tensor<4>,
) -> Result<Vec<(String, f32)>, AttributionError> {
    let mut expected = HashMap::new();
    each_layer(reference, images, |name, output| {
        expected.insert(name, values(output)?);
        Ok(())
    })?;
    let mut errors = Vec::new();
    each_layer(other, images, |name, output| {
        // The reference may compute more layers together.
        if let Some(expected) = expected.remove(&name) {
            let error = max_relative_error(&values(output)?, &expected);
            errors.push((name, error));
        }
        Ok(())
    })?;
    // What the reference has and the other has not is as far as can be.
    errors.extend(expected.into_keys().map(|name| (name, f32::INFINITY)));
    Ok(errors)
}

/// Runs a network and hands over each layer's output.
fn each_layer(
    network: &Classifier,
    images: &Tensor<4>,
    mut take: impl FnMut(String, Tensor<4>) -> Result<(), AttributionError>,
) -> Result<(), AttributionError> {
    let mut failed = None;
    let mut observer = |name: &str, output: Tensor<4>| {
        if failed.is_none() {
            failed = take(name.to_owned(), output.clone()).err();
        }
        output
    };
    let images = copied(images, network)?;
    let _ = network.logits(images, &mut Trace::together(&mut observer));
    failed.map_or(Ok(()), Err)
}

/// The images on the network's device, in the precision that it computes in.
fn copied(images: &Tensor<4>, network: &Classifier) -> Result<Tensor<4>, AttributionError> {
    let data = images.clone().try_into_data();
    let data = data.map_err(|error| AttributionError::read_back("the images", &error))?;
    Ok(Tensor::from_data(data, network.device()))
}

fn values<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, AttributionError> {
    let failed =
        |error: &dyn std::fmt::Debug| AttributionError::read_back("a layer's values", &error);
    let data: TensorData =
        tensor.cast(FloatDType::F32).try_into_data().map_err(|error| failed(&error))?;
    data.try_to_vec::<f32>().map_err(|error| failed(&error))
}

/// The largest absolute difference, divided by the reference's largest absolute value; infinite
/// where a value is not finite or there are not as many.
#[must_use]
pub fn max_relative_error(own: &[f32], reference: &[f32]) -> f32 {
    if own.len() != reference.len() {
        return f32::INFINITY;
    }
    let differences = own.iter().zip(reference).map(|(a, b)| match (a - b).abs() {
        d if d.is_nan() => f32::INFINITY,
        d => d,
    });
    let largest = reference.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    match differences.fold(0.0, f32::max) {
        0.0 => 0.0,
        difference if difference.is_finite() => difference / largest,
        _ => f32::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use super::max_relative_error;

    #[test]
    fn differences_are_relative_to_the_references_largest_value() {
        assert_eq!(max_relative_error(&[1.0, -3.5], &[1.0, -4.0]), 0.125);
        assert_eq!(max_relative_error(&[0.0], &[0.0]), 0.0);
        assert_eq!(max_relative_error(&[1e-9], &[0.0]), f32::INFINITY);
    }

    #[test]
    fn what_is_not_a_number_is_infinitely_far() {
        for (own, reference) in [(f32::NAN, 1.0), (1.0, f32::NAN), (f32::INFINITY, f32::INFINITY)] {
            assert_eq!(max_relative_error(&[own, 0.0], &[reference, 0.0]), f32::INFINITY);
        }
        assert_eq!(max_relative_error(&[1.0], &[1.0, 2.0]), f32::INFINITY);
    }
}
