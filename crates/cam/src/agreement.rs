//! How far one device's results are from another's.

use std::collections::HashMap;
use std::time::Instant;

use burn::tensor::{FloatDType, Tensor};
use burncam_net::{Classifier, Trace};

use crate::methods::{channel_weights, grad_cam};
use crate::{CamError, Scene, Target};

/// How far a network on some device is from the same network on a reference device.
///
/// Every difference is the largest absolute one, divided by the reference's largest absolute
/// value; it is infinite where a value is not finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Of the logits.
    pub logits: f32,
    /// Of the channel weights, the mean gradients of the target's logit at the layer. (At single
    /// places the gradient may jump: a max-pool hands it to the larger of two all but equal values.)
    pub channels: f32,
    /// Of the raw Grad-CAM maps.
    pub map: f32,
    /// Whether each image has the same class.
    pub same_classes: bool,
    /// Seconds that the other device took for the first image, in which it also prepares its
    /// programs, and for the last.
    pub seconds: [f64; 2],
}

impl Agreement {
    /// Runs both networks on `images`, `[images, 3, height, width]`, one at a time, and compares logits, and
    /// channel weights and Grad-CAM map at `layer`. Both explain the reference's predicted classes. A `batch`
    /// of more than one is also given to the other network, filled with the images again and again, since
    /// a GPU may have other programs for it.
    ///
    /// # Errors
    ///
    /// As [`Scene::observe`].
    pub fn of(
        reference: &Classifier,
        other: &Classifier,
        images: &Tensor<4>,
        layer: &str,
        batch: usize,
    ) -> Result<Self, CamError> {
        let (logits, channels, map) = (0.0, 0.0, 0.0);
        let mut worst = Self { logits, channels, map, same_classes: true, seconds: [0.0; 2] };
        let mut all = Vec::new();
        for (index, image) in images.clone().split(1, 0).into_iter().enumerate() {
            let expected = of_image(reference, &image, layer, Target::Predicted)?;
            let clock = Instant::now();
            let found = of_image(other, &image, layer, Target::Class(expected.target))?;
            worst.seconds[index.min(1)] = clock.elapsed().as_secs_f64();
            worst.compare(&found, &expected);
            all.push((image, expected));
        }
        if batch > 1 {
            let filled = all.iter().cycle().take(batch).map(|(image, _)| image.clone()).collect();
            let images = given(&Tensor::cat(filled, 0), other)?;
            let found = each(other, Scene::observe(other, images, layer, Target::Predicted)?)?;
            for (found, (_, expected)) in found.iter().zip(all.iter().cycle()) {
                worst.compare(found, expected);
            }
        }
        Ok(worst)
    }

    fn compare(&mut self, found: &Seen, expected: &Seen) {
        self.same_classes &= found.predicted == expected.target;
        self.logits = self.logits.max(apart(&found.logits, &expected.logits));
        // Another class has another gradient.
        if found.target == expected.target {
            self.channels = self.channels.max(apart(&found.channels, &expected.channels));
            self.map = self.map.max(apart(&found.map, &expected.map));
        }
    }
}

/// What a network said of an image.
struct Seen {
    logits: Vec<f32>,
    predicted: usize,
    target: usize,
    channels: Vec<f32>,
    map: Vec<f32>,
}

fn of_image(
    network: &Classifier,
    image: &Tensor<4>,
    layer: &str,
    target: Target,
) -> Result<Seen, CamError> {
    let scene = Scene::observe(network, given(image, network)?, layer, target)?;
    let mut seen = each(network, scene)?;
    seen.pop().ok_or_else(|| CamError::read_back("the results", &"there is none"))
}

/// The images of a batch, one by one.
fn each(network: &Classifier, scene: Scene) -> Result<Vec<Seen>, CamError> {
    let maps = grad_cam(&scene)?;
    let channels = channel_weights(&scene);
    let [_, count] = channels.dims();
    let channels = values(channels)?;
    let results = scene.logits.into_iter().zip(scene.targets).zip(channels.chunks(count));
    let mut seen = Vec::new();
    for (((logits, target), channels), map) in results.zip(maps) {
        let probabilities = network.head.config().output().probabilities(&logits);
        let predicted = crate::predicted(&probabilities);
        seen.push(Seen { logits, predicted, target, channels: channels.to_vec(), map });
    }
    Ok(seen)
}

/// How far the output of each layer is from the reference's for the same images, in the order in
/// which the layers run; as the differences of [`Agreement`]. Of layers that are computed together it is the
/// last.
///
/// # Errors
///
/// If a device cannot hand a layer's output back.
pub fn layers_apart(
    reference: &Classifier,
    other: &Classifier,
    images: &Tensor<4>,
) -> Result<Vec<(String, f32)>, CamError> {
    let mut expected = HashMap::new();
    each_layer(reference, images, |name, output| {
        expected.insert(name, values(output)?);
        Ok(())
    })?;
    let mut found = Vec::new();
    each_layer(other, images, |name, output| {
        // The reference may compute more layers together.
        if let Some(expected) = expected.remove(&name) {
            let apart = apart(&values(output)?, &expected);
            found.push((name, apart));
        }
        Ok(())
    })?;
    // What the reference has and the other has not is as far as can be.
    found.extend(expected.into_keys().map(|name| (name, f32::INFINITY)));
    Ok(found)
}

/// Runs a network and hands over each layer's output.
fn each_layer(
    network: &Classifier,
    images: &Tensor<4>,
    mut see: impl FnMut(String, Tensor<4>) -> Result<(), CamError>,
) -> Result<(), CamError> {
    let mut failed = None;
    let mut observer = |name: &str, output: Tensor<4>| {
        if failed.is_none() {
            failed = see(name.to_owned(), output.clone()).err();
        }
        output
    };
    let images = given(images, network)?;
    let _ = network.logits(images, &mut Trace::together(&mut observer));
    failed.map_or(Ok(()), Err)
}

/// The images on the network's device, in the precision that it computes in.
fn given(images: &Tensor<4>, network: &Classifier) -> Result<Tensor<4>, CamError> {
    let data = images.clone().try_into_data();
    let data = data.map_err(|error| CamError::read_back("the images", &error))?;
    Ok(Tensor::from_data(data, network.device()))
}

fn values<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, CamError> {
    let what = "a layer's values";
    let tensor = tensor.cast(FloatDType::F32);
    let data = tensor.try_into_data().map_err(|error| CamError::read_back(what, &error))?;
    data.try_to_vec::<f32>().map_err(|error| CamError::read_back(what, &error))
}

/// The largest absolute difference, divided by the reference's largest absolute value; infinite
/// where a value is not finite or there are not as many.
#[must_use]
pub fn apart(own: &[f32], reference: &[f32]) -> f32 {
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
    use super::apart;

    #[test]
    fn differences_are_relative_to_the_references_largest_value() {
        assert_eq!(apart(&[1.0, -3.5], &[1.0, -4.0]), 0.125);
        assert_eq!(apart(&[0.0], &[0.0]), 0.0);
        assert_eq!(apart(&[1e-9], &[0.0]), f32::INFINITY);
    }

    #[test]
    fn what_is_not_a_number_is_infinitely_far() {
        for (own, reference) in [(f32::NAN, 1.0), (1.0, f32::NAN), (f32::INFINITY, f32::INFINITY)] {
            assert_eq!(apart(&[own, 0.0], &[reference, 0.0]), f32::INFINITY);
        }
        assert_eq!(apart(&[1.0], &[1.0, 2.0]), f32::INFINITY);
    }
}
