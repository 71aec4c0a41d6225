//! How far one device's results are from another's.

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
    /// Runs both networks on `images`, `[batch, 3, height, width]`, and compares logits, and
    /// channel weights and Grad-CAM map at `layer`. Both explain the reference's predicted classes.
    ///
    /// # Errors
    ///
    /// As [`Scene::observe`].
    pub fn of(
        reference: &Classifier,
        other: &Classifier,
        images: &Tensor<4>,
        layer: &str,
    ) -> Result<Self, CamError> {
        let (logits, channels, map) = (0.0, 0.0, 0.0);
        let mut worst = Self { logits, channels, map, same_classes: true, seconds: [0.0; 2] };
        for (index, image) in images.clone().split(1, 0).into_iter().enumerate() {
            let on = |network: &Classifier, target| {
                Scene::observe(network, given(&image, network)?, layer, target)
            };
            let expected = on(reference, Target::Predicted)?;
            let clock = Instant::now();
            let found = on(other, Target::Class(expected.targets[0]))?;
            let own = grad_cam(&found)?;
            worst.seconds[index.min(1)] = clock.elapsed().as_secs_f64();
            let predicted = other.head.config().output().probabilities(&found.logits[0]);
            worst.same_classes &= crate::predicted(&predicted) == expected.targets[0];
            worst.logits = worst.logits.max(apart(&found.logits[0], &expected.logits[0]));
            let [channels, reference] =
                [&found, &expected].map(|scene| values(channel_weights(scene)));
            worst.channels = worst.channels.max(apart(&channels?, &reference?));
            worst.map = worst.map.max(apart(&own[0], &grad_cam(&expected)?[0]));
        }
        Ok(worst)
    }
}

/// How far the output of each layer is from the reference's for the same images, in the order in
/// which the layers run; as the differences of [`Agreement`].
///
/// # Errors
///
/// If a device cannot hand a layer's output back.
pub fn layers_apart(
    reference: &Classifier,
    other: &Classifier,
    images: &Tensor<4>,
) -> Result<Vec<(String, f32)>, CamError> {
    let mut expected = Vec::new();
    each_layer(reference, images, |_, output| {
        expected.push(values(output)?);
        Ok(())
    })?;
    let mut expected = expected.into_iter();
    let mut found = Vec::new();
    each_layer(other, images, |name, output| {
        let own = values(output)?;
        let expected = expected.next().unwrap_or_default();
        found.push((name, apart(&own, &expected)));
        Ok(())
    })?;
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
    let _ = network.logits(images, &mut Trace::new(&mut observer));
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
