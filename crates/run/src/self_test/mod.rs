//! Whether a device computes what the CPU computes.

pub mod pattern;
mod verdicts;

use anyhow::Result;
use burn::tensor::Tensor;
use burncam_attribution::{Agreement, AttributionError, Explanation, METHODS, Method, Passes};
use burncam_net::{Activation, Classifier, HeadConfig, Op};

use crate::device::{Choice, Precision};

pub use verdicts::{Use, passes};

/// How far a device may be from the CPU, as a share of the largest absolute value.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// Of logits and of each layer.
    pub logits: f32,
    /// Of channel weights and of raw maps.
    pub map: f32,
}

impl Tolerance {
    /// Whether a device may be trusted with results.
    #[must_use]
    pub fn holds(self, agreement: &Agreement) -> bool {
        let Agreement { logits, channels, map, same_classes, .. } = *agreement;
        same_classes && logits <= self.logits && channels <= self.map && map <= self.map
    }

    /// The same for the maps of a method: of many passes and a softmax of their scores more is tolerated.
    #[must_use]
    pub fn for_method(self, method: &Method) -> Self {
        match method.needs.passes {
            Passes::One => self,
            _ => Self { map: self.map.max(1e-3), ..self },
        }
    }

    /// What is tolerated in a precision.
    #[must_use]
    pub fn for_precision(precision: Precision) -> Self {
        match precision {
            Precision::Single => Self { logits: 1e-3, map: 2e-4 },
            Precision::Half => Self { logits: 5e-2, map: 5e-2 },
        }
    }
}

/// The first method at a network's own layer, the one that is explained unless another is asked for.
pub fn default_explanation(layer: &str) -> Explanation {
    Explanation::new(METHODS[0], vec![layer.to_owned()])
}

/// Weights that need no file.
pub fn generated() -> impl burncam_net::Source {
    pattern::Generated
}

/// Weighs every place by itself, so that the gradient differs from place to place.
pub fn generated_head() -> Result<HeadConfig> {
    let dense = |units, activation| Op::Dense { units, use_bias: true, activation };
    let layers = [
        ("flatten", Op::Flatten),
        ("hidden", dense(16, Activation::Relu)),
        ("output", dense(2, Activation::Softmax)),
    ];
    Ok(HeadConfig::new(layers.map(|(name, op)| (name.to_owned(), op)).to_vec())?)
}

/// How far the second network, on the device that was chosen, is from the first, also with a batch of images
/// or as many of it as the device has memory for; a software rasteriser takes too long for more than one.
pub fn agreement(
    choice: &Choice,
    [reference, other]: [&Classifier; 2],
    images: &Tensor<4>,
    explanation: &Explanation,
    batch: usize,
) -> Result<Agreement> {
    let mut batch = if choice.kind() == "gpu" { batch } else { 1 };
    let found = loop {
        match Agreement::measure(reference, other, images, explanation, batch) {
            Err(AttributionError::ReadBack { .. }) if batch > 1 => batch /= 2,
            found => break found,
        }
    };
    choice.device.memory_cleanup();
    Ok(found?)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use burncam_attribution::layer_errors;
    use burncam_net::{Build, Source};

    use super::*;

    #[test]
    fn what_is_not_finite_or_flips_a_class_fails() {
        let (logits, channels, map) = (1e-6, 1e-6, 1e-6);
        let good = Agreement { logits, channels, map, same_classes: true, seconds: [1.0; 2] };
        for tolerance in [Precision::Single, Precision::Half].map(Tolerance::for_precision) {
            assert!(tolerance.holds(&good));
            assert!(!tolerance.holds(&Agreement { same_classes: false, ..good }));
            for bad in [f32::NAN, f32::INFINITY, 0.5] {
                assert!(!tolerance.holds(&Agreement { logits: bad, ..good }));
                assert!(!tolerance.holds(&Agreement { channels: bad, ..good }));
                assert!(!tolerance.holds(&Agreement { map: bad, ..good }));
            }
        }
    }

    #[test]
    fn a_wrong_weight_is_found_and_its_layer_named() {
        let (arch, device) = (&burncam_models::NCNN, Device::flex());
        let variant = &arch.variants[0];
        let build = |source: &mut dyn Source| {
            let head = generated_head().expect("a head");
            Classifier::build(arch, variant, head, source, &device, Build::default())
                .expect("a network")
        };
        let (reference, other) =
            (build(&mut pattern::Generated), build(&mut pattern::Spoilt("conv_5x5")));
        let images = pattern::images(&variant.input);
        let agreement = Agreement::measure(
            &reference,
            &other,
            &images,
            &default_explanation(variant.cam_layer),
            1,
        )
        .expect("an agreement");
        let tolerance = Tolerance::for_precision(Precision::Single);
        assert!(!tolerance.holds(&agreement), "{agreement:?}");
        let layers = layer_errors(&reference, &other, &images).expect("layers");
        let first = layers.iter().find(|(_, error)| *error > tolerance.logits);
        let first = first.map(|(name, _)| name.as_str());
        // With which the convolution is computed.
        assert_eq!(first, Some("leaky_1"));
    }
}
