//! What must hold for every architecture and variant, with weights that are merely plausible.

use std::collections::HashSet;

use burn::tensor::{Device, Tensor, TensorData};
use burncam_attribution::{Explanation, Question, Target, explain};
use burncam_models::{ARCHS, find};
use burncam_net::{
    Activation, Arch, Build, Classifier, HeadConfig, LoadError, Op, Source, Trace, Variant, Weight,
};
use parity::{explanation, observe};

/// Kernels whose values swing and shrink with their fan-in, so that signals neither die nor grow.
pub(crate) struct Swinging;

impl Source for Swinging {
    fn take(&mut self, _: &str, weight: Weight, shape: &[usize]) -> Result<Vec<f32>, LoadError> {
        let count: usize = shape.iter().product();
        let fan_in = (count / shape[shape.len() - 1]) as f32;
        let value = |index: usize| match weight {
            Weight::Kernel
            | Weight::DepthwiseKernel
            | Weight::PointwiseKernel
            | Weight::Generated(_) => ((index as f32) * 12.9898).sin() * 1.7 / fan_in.sqrt(),
            Weight::Gamma | Weight::MovingVariance => 1.0,
            Weight::Alpha => 0.25,
            Weight::Bias | Weight::Beta | Weight::MovingMean => 0.01,
        };
        Ok((0..count).map(value).collect())
    }
}

fn pooled_head() -> HeadConfig {
    let dense = Op::Dense { units: 3, use_bias: true, activation: Activation::Softmax };
    let layers = vec![("gap".to_owned(), Op::GlobalAveragePooling2D), ("dense".to_owned(), dense)];
    HeadConfig::new(layers).expect("a head")
}

fn classifier(arch: &'static Arch, variant: &'static Variant) -> Classifier {
    Classifier::build(
        arch,
        variant,
        pooled_head(),
        &mut Swinging,
        &Device::flex(),
        Build::default(),
    )
    .expect("weights")
}

/// One image that is not the same everywhere.
fn image(classifier: &Classifier) -> Tensor<4> {
    let input = &classifier.variant.input;
    let shape = [1, 3, input.height, input.width];
    let values: Vec<f32> = (0..shape.iter().product()).map(|i| (i as f32 * 0.01).sin()).collect();
    Tensor::from_data(TensorData::new(values, shape), classifier.device())
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("numbers")
}

#[test]
fn names_are_unique_and_found() {
    let mut names = HashSet::new();
    for arch in ARCHS {
        for name in [arch.name, arch.title] {
            assert_eq!(find(name).map(|found| found.name), Some(arch.name), "{name}");
        }
        assert!(names.insert(arch.name) && !arch.variants.is_empty(), "{}", arch.name);
        for variant in arch.variants {
            let table = (variant.layers)();
            let layer = table.get(variant.cam_layer).expect(variant.cam_layer);
            assert!(layer.is_map, "{}", variant.cam_layer);
            let [height, width, channels] = table.layers()[0].output;
            let input = &variant.input;
            assert_eq!([input.height, input.width, 3], [height, width, channels]);
        }
    }
    assert_eq!(find("inceptionv3").map(|arch| arch.name), Some("inception_v3"));
    assert!(find("alexnet").is_none());
}

#[test]
fn every_layer_reaches_the_trace_with_the_shape_of_the_table() {
    for arch in ARCHS {
        for variant in arch.variants {
            let classifier = classifier(arch, variant);
            let mut seen = Vec::new();
            let mut record = |name: &str, output: Tensor<4>| {
                let [_, channels, height, width] = output.dims();
                seen.push((name.to_owned(), [height, width, channels]));
                output
            };
            let _ = classifier.logits(image(&classifier), &mut Trace::new(&mut record));
            seen.sort();
            let tapped = classifier.layers.layers().iter().filter(|l| l.is_map);
            let mut expected: Vec<_> = tapped.map(|l| (l.name.clone(), l.output)).collect();
            expected.sort();
            assert_eq!(seen, expected, "{} {}", arch.name, variant.name);
        }
    }
}

/// Of the map's largest value: three sums that are one by algebra, in `f64`.
const SAME: f64 = 1e-6;
/// Of the terms' sizes: what the order of a sum over up to 2,048 channels changes in `f32`. The terms
/// cancel, so of the sum itself it may be more.
const SUMMED_IN_F32: f64 = 1e-6;

/// Grad-CAM, HiResCAM and XGrad-CAM of one image, summed in `f64` so that they differ by what the
/// methods are and not by the order of their sums.
///
/// XGrad-CAM: Fu et al., *Axiom-based Grad-CAM*, BMVC 2020, <https://arxiv.org/abs/2008.02312>; its
/// weights are `sum(gradient * activation) / sum(activation)`, and 0 for a channel without activation.
fn three_maps(gradients: &[f32], activations: &[f32], positions: usize) -> [Vec<f64>; 3] {
    let mut maps = [(); 3].map(|()| vec![0.0; positions]);
    for (g, a) in gradients.chunks(positions).zip(activations.chunks(positions)) {
        let (g, a) = (g.iter().map(|&v| f64::from(v)), a.iter().map(|&v| f64::from(v)));
        let (g, a): (Vec<f64>, Vec<f64>) = (g.collect(), a.collect());
        let (mean, sum) = (g.iter().sum::<f64>() / positions as f64, a.iter().sum::<f64>());
        let product: f64 = g.iter().zip(&a).map(|(g, a)| g * a).sum();
        let weight = if sum == 0.0 { 0.0 } else { product / sum };
        for (at, (g, a)) in g.iter().zip(&a).enumerate() {
            maps[0][at] += mean * a;
            maps[1][at] += g * a;
            maps[2][at] += weight * a;
        }
    }
    maps
}

/// For each position, the sum of the sizes of what a Grad-CAM map adds up.
fn terms(weights: &[f32], activations: &[f32], positions: usize) -> Vec<f64> {
    let mut terms = vec![0.0; positions];
    for (weight, activations) in weights.iter().zip(activations.chunks(positions)) {
        for (term, activation) in terms.iter_mut().zip(activations) {
            *term += f64::from(*weight * *activation).abs();
        }
    }
    terms
}

/// The largest difference of two maps.
fn apart(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Before a global average pooling and one dense layer the gradient is the same at every
/// position, so Grad-CAM, HiResCAM and XGrad-CAM are one: the products of gradient and
/// activation, summed over the channels.
#[test]
fn behind_a_global_average_the_gradient_is_flat_and_three_methods_are_one() {
    for arch in ARCHS {
        for variant in arch.variants {
            let classifier = classifier(arch, variant);
            // The map layer where the head pools it, else the last layer, which it does pool.
            let last = classifier.layers.last().name.clone();
            let images = image(&classifier);
            let scene = observe(&classifier, images, &last, Target::Class(1));
            let scene = scene.unwrap_or_else(|error| panic!("{}: {error}", arch.name));
            let [_, _, height, width] = scene.activations.dims();

            let gradients = values(scene.gradients.clone());
            let largest = gradients.iter().fold(0.0_f32, |max, g| max.max(g.abs()));
            assert!(largest.is_finite() && largest > 0.0, "{}: no gradient", arch.name);
            let weights = values(scene.channel_weights());
            for (positions, weight) in gradients.chunks(height * width).zip(&weights) {
                for gradient in positions {
                    assert!((gradient - weight).abs() <= 1e-6 * largest, "{}", arch.name);
                }
            }

            let own = &scene.maps[0];
            let activations = values(scene.activations);
            let maps = three_maps(&gradients, &activations, height * width);
            let scale = maps[0].iter().fold(0.0_f64, |max, value| max.max(value.abs()));
            for (method, map) in ["HiResCAM", "XGrad-CAM"].iter().zip(&maps[1..]) {
                let apart = apart(map, &maps[0]) / scale;
                assert!(apart <= SAME, "{}: {method} is {apart:e} from Grad-CAM", arch.name);
            }
            let terms = terms(&weights, &activations, height * width);
            for ((own, map), terms) in own.iter().zip(&maps[0]).zip(&terms) {
                let apart = (f64::from(*own) - map).abs();
                assert!(apart <= SUMMED_IN_F32 * terms, "{}: {own} and {map}", arch.name);
            }
        }
    }
}

/// Where a maximum follows, the gradient differs from place to place, and so do the methods. What two of
/// them share is computed once, and gives each the same numbers as when it is alone.
#[test]
fn methods_compute_their_formulas_alone_and_together() {
    let ncnn = find("ncnn").expect("N-CNN");
    let classifier = classifier(ncnn, &ncnn.variants[0]);
    let target = Target::Class(1);
    for layer in [ncnn.variants[0].cam_layer, "leaky_2"] {
        let observation =
            observe(&classifier, image(&classifier), layer, target).expect("an observation");
        let [.., height, width] = observation.activations.dims();
        let (gradients, activations) =
            (values(observation.gradients), values(observation.activations));
        let formulas = three_maps(&gradients, &activations, height * width);
        let both = ["grad-cam", "hires-cam"].map(|method| explanation(method, layer));
        let maps = |explanations: &[Explanation]| {
            let question = Question::new(explanations, target);
            let found = explain(&classifier, image(&classifier), &question).expect("maps");
            found.maps.into_iter().map(|mut images| images.remove(0)).collect::<Vec<_>>()
        };
        let together = maps(&both);
        // Grad-CAM's weights are sums in `f32`, too, so its terms are as large as their gradients.
        let sizes: Vec<f32> = gradients.iter().map(|gradient| gradient.abs()).collect();
        let magnitudes: Vec<f32> = activations.iter().map(|value| value.abs()).collect();
        let terms = three_maps(&sizes, &magnitudes, height * width);
        for (index, explanation) in both.iter().enumerate() {
            let (name, map) = (explanation.method.name, &together[index]);
            assert_eq!(maps(std::slice::from_ref(explanation))[0], *map, "{name} alone");
            for ((value, formula), terms) in map.iter().zip(&formulas[index]).zip(&terms[index]) {
                let error = (f64::from(*value) - formula).abs();
                assert!(error <= SUMMED_IN_F32 * terms, "{name} at {layer}: {value}, {formula}");
            }
        }
        let largest = formulas[0].iter().fold(0.0_f64, |max, value| max.max(value.abs()));
        assert!(apart(&formulas[0], &formulas[1]) > 1e-3 * largest, "{layer}: the methods are one");
    }
}

/// Statistics of a batch must not leak into its images.
#[test]
fn an_image_has_the_same_logits_alone_and_in_company() {
    for arch in ARCHS {
        for variant in arch.variants {
            let classifier = classifier(arch, variant);
            let one = image(&classifier);
            let both = Tensor::cat(vec![one.clone(), one.clone().mul_scalar(-3.0)], 0);
            let scene = |images| {
                observe(&classifier, images, variant.cam_layer, Target::Class(0))
                    .expect("an observation")
                    .logits
            };
            let (alone, company, again) = (scene(one.clone()), scene(both), scene(one));
            assert_eq!(alone, again, "{}: a run changes the network", arch.name);
            assert_eq!(alone[0], company[0], "{}", arch.name);
        }
    }
}
