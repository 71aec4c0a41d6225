//! Every method of attribution against its formula in `f64`, and what must hold for all of them.

use burn::tensor::{Device, Tensor, TensorData};
use burncam_attribution::{
    Explanation, Inference, METHODS, MapSummary, Method, Question, Random, Target, explain,
};
use burncam_models::find;
use burncam_net::{
    Activation, Build, Classifier, HeadConfig, LoadError, Op, Rectifier, Source, Trace, Weight,
};
use parity::observe;

use crate::registry::Swinging;

const TARGET: usize = 1;
const SEED: u64 = 77;

fn ncnn(source: &mut dyn Source) -> Classifier {
    let dense = Op::Dense { units: 3, use_bias: true, activation: Activation::Softmax };
    let head = vec![("flat".to_owned(), Op::Flatten), ("dense".to_owned(), dense)];
    let head = HeadConfig::new(head).expect("a head");
    let arch = find("ncnn").expect("N-CNN");
    let device = Device::flex();
    Classifier::build(arch, &arch.variants[0], head, source, &device, Build::default())
        .expect("weights")
}

fn images(classifier: &Classifier, count: usize) -> Tensor<4> {
    let input = &classifier.variant.input;
    let shape = [count, 3, input.height, input.width];
    let value = |i: usize| 0.5 + 0.5 * (i as f32 * 0.37 + (i as f32 * 0.0021).sin() * 40.0).sin();
    let values: Vec<f32> = (0..shape.iter().product()).map(value).collect();
    Tensor::from_data(TensorData::new(values, shape), classifier.device())
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("numbers")
}

fn f64s<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    values(tensor).into_iter().map(f64::from).collect()
}

fn explanation(name: &str, layer: &str) -> Explanation {
    let method = burncam_attribution::find(name).expect("a method");
    let table = (burncam_models::NCNN.variants[0].layers)();
    let mut explanation = Explanation::at(method, layer, &table);
    // Fewer passes show the same.
    for (name, count) in
        [("samples", 3), ("masks", 24), ("steps", 4), ("patch", 40), ("stride", 30)]
    {
        let is_few = name != "steps" || method.name == "is-cam";
        if explanation.settings.has(name) && is_few {
            explanation.settings.set(&format!("{name}={count}")).expect("an option");
        }
    }
    explanation
}

/// The methods that fit N-CNN.
fn fitting(classifier: &Classifier) -> impl Iterator<Item = &'static Method> {
    let (table, head) = (&classifier.layers, classifier.head.config());
    let layer = [classifier.variant.cam_layer.to_owned()];
    let fits = move |method: &&Method| method.needs.network.check(table, head, &layer).is_ok();
    METHODS.iter().copied().filter(fits)
}

/// The raw maps of one method.
fn maps(classifier: &Classifier, images: Tensor<4>, name: &str, layer: &str) -> Vec<Vec<f32>> {
    let explanations = [explanation(name, layer)];
    let [batch, ..] = images.dims();
    let seeds = vec![SEED; batch];
    let question =
        Question { seeds: &seeds, ..Question::new(&explanations, Target::Class(TARGET)) };
    explain(classifier, images, &question).expect("maps").maps.remove(0)
}

fn assert_close(name: &str, found: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let largest = expected.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    assert!(largest > 0.0 && largest.is_finite(), "{name}: {largest}");
    for (found, expected) in found.iter().zip(expected) {
        let apart = (f64::from(*found) - expected).abs() / largest;
        assert!(apart <= tolerance, "{name}: {found} and {expected}, {apart:e} of the largest");
    }
}

/// For each channel, what `weight` makes of its activations and gradients; then the sum of all at each position.
fn summed(
    (activations, gradients): (&[f64], &[f64]),
    positions: usize,
    channel: impl Fn(&[f64], &[f64]) -> Vec<f64>,
) -> Vec<f64> {
    let mut map = vec![0.0; positions];
    for (a, g) in activations.chunks(positions).zip(gradients.chunks(positions)) {
        map.iter_mut().zip(channel(a, g)).for_each(|(sum, value)| *sum += value);
    }
    map
}

fn weighted(activations: &[f64], weight: f64) -> Vec<f64> {
    activations.iter().map(|a| a * weight).collect()
}

#[test]
fn methods_of_one_pass_compute_their_formulas() {
    let classifier = ncnn(&mut Swinging);
    let image = images(&classifier, 1);
    for layer in [classifier.variant.cam_layer, "leaky_2"] {
        let observation =
            observe(&classifier, image.clone(), layer, Target::Class(TARGET)).expect("a layer");
        let (a, g) = (f64s(observation.activations), f64s(observation.gradients));
        let positions = observation.maps[0].len();
        let both = (a.as_slice(), g.as_slice());
        let sum = |values: &[f64]| values.iter().sum::<f64>();
        let count = positions as f64;
        let formulas: [(&str, Vec<f64>); 8] = [
            ("grad-cam", summed(both, positions, |a, g| weighted(a, sum(g) / count))),
            (
                "hires-cam",
                summed(both, positions, |a, g| a.iter().zip(g).map(|(a, g)| a * g).collect()),
            ),
            (
                "elementwise-cam",
                summed(both, positions, |a, g| {
                    a.iter().zip(g).map(|(a, g)| (a * g).max(0.0)).collect()
                }),
            ),
            (
                "layer-cam",
                summed(both, positions, |a, g| {
                    a.iter().zip(g).map(|(a, g)| a * g.max(0.0)).collect()
                }),
            ),
            (
                "xgrad-cam",
                summed(both, positions, |a, g| {
                    let product: f64 = a.iter().zip(g).map(|(a, g)| a * g).sum();
                    weighted(a, if sum(a) == 0.0 { 0.0 } else { product / sum(a) })
                }),
            ),
            (
                // Equation 19 as it is printed.
                "grad-cam++",
                summed(both, positions, |a, g| {
                    let total = sum(a);
                    let alpha = |g: f64| match g {
                        0.0 => 0.0,
                        g => g * g / (2.0 * g * g + total * g * g * g),
                    };
                    weighted(a, g.iter().map(|&g| alpha(g) * g.max(0.0)).sum())
                }),
            ),
            (
                "fem",
                summed(both, positions, |a, _| {
                    let mean = sum(a) / count;
                    let variance = a.iter().map(|a| (a - mean).powi(2)).sum::<f64>() / count;
                    let least = mean + 2.0 * variance.sqrt();
                    a.iter().map(|&a| if a > least { mean } else { 0.0 }).collect()
                }),
            ),
            ("random-cam", {
                let mut random = Random::new(SEED);
                let weights: Vec<f64> =
                    (a.chunks(positions)).map(|_| f64::from(2.0 * random.share() - 1.0)).collect();
                let mut map = vec![0.0; positions];
                for (a, weight) in a.chunks(positions).zip(weights) {
                    map.iter_mut().zip(a).for_each(|(sum, a)| *sum += a * weight);
                }
                map
            }),
        ];
        for (name, expected) in formulas {
            let found = maps(&classifier, image.clone(), name, layer).remove(0);
            assert_close(&format!("{name} at {layer}"), &found, &expected, 1e-5);
        }
        for (name, product) in [("eigen-cam", false), ("eigen-grad-cam", true)] {
            let values: Vec<f64> =
                a.iter().zip(&g).map(|(a, g)| if product { a * g } else { *a }).collect();
            let expected = principal(&values, positions);
            let found = maps(&classifier, image.clone(), name, layer).remove(0);
            assert_close(&format!("{name} at {layer}"), &found, &expected, 1e-4);
        }
    }
}

/// The first principal component without centring, by the power iteration on one side and then the other, which needs
/// no matrix of products.
fn principal(values: &[f64], positions: usize) -> Vec<f64> {
    let mut map: Vec<f64> = (0..positions).map(|at| 1.0 + (at as f64).sin()).collect();
    let mut size = 0.0;
    for _ in 0..5000 {
        let channels: Vec<f64> = values
            .chunks(positions)
            .map(|row| row.iter().zip(&map).map(|(a, b)| a * b).sum())
            .collect();
        let length = channels.iter().map(|c| c * c).sum::<f64>().sqrt();
        map = vec![0.0; positions];
        for (row, weight) in values.chunks(positions).zip(&channels) {
            map.iter_mut().zip(row).for_each(|(sum, a)| *sum += a * weight / length);
        }
        size = map.iter().map(|c| c * c).sum::<f64>().sqrt();
        map.iter_mut().for_each(|value| *value /= size);
    }
    let extreme = map.iter().fold(0.0_f64, |m, v| if v.abs() > m.abs() { *v } else { m });
    map.iter().map(|value| value * size * extreme.signum()).collect()
}

#[test]
fn channels_are_weighted_by_what_their_passes_give() {
    let classifier = ncnn(&mut Swinging);
    let (image, layer) = (images(&classifier, 1), classifier.variant.cam_layer);
    let observation =
        observe(&classifier, image.clone(), layer, Target::Class(TARGET)).expect("a layer");
    let [_, channels, height, width] = observation.activations.dims();
    let (positions, activations) = (height * width, observation.activations.clone());
    let a = f64s(activations.clone());
    let own = f64s(classifier.logits(image.clone(), &mut Trace::none()))[TARGET];

    let mut lost = Vec::new();
    for channel in 0..channels {
        let kept = (0..channels).map(|other| if other == channel { 0.0 } else { 1.0 });
        let kept = TensorData::new(kept.collect::<Vec<f32>>(), [1, channels, 1, 1]);
        let kept = Tensor::<4>::from_data(kept, classifier.device());
        let logits = classifier.tail(layer, activations.clone() * kept).expect("a cut");
        lost.push(own - f64s(logits)[TARGET]);
    }
    let map = |weights: &[f64]| {
        let mut map = vec![0.0; positions];
        for (a, weight) in a.chunks(positions).zip(weights) {
            map.iter_mut().zip(a).for_each(|(sum, a)| *sum += a * weight);
        }
        map
    };
    let found = maps(&classifier, image.clone(), "ablation-cam", layer).remove(0);
    assert_close("ablation-cam", &found, &map(&lost), 1e-4);

    let [.., rows, columns] = image.dims();
    let mut scores = Vec::new();
    for a in a.chunks(positions) {
        let large = bilinear(a, [height, width], [rows, columns]);
        let (least, most) = (
            large.iter().copied().fold(f64::INFINITY, f64::min),
            large.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        );
        let range = if most > least { most - least } else { 1.0 };
        let mask = large.iter().map(|value| ((value - least) / range) as f32).collect::<Vec<_>>();
        let mask = TensorData::new(mask, [1, 1, rows, columns]);
        let mask = Tensor::<4>::from_data(mask, classifier.device());
        let logits = f64s(classifier.logits(image.clone() * mask, &mut Trace::none()));
        let all: f64 = logits.iter().map(|z| (z - logits[TARGET]).exp()).sum();
        scores.push(1.0 / all);
    }
    let all: f64 = scores.iter().map(|score| score.exp()).sum();
    let weights: Vec<f64> = scores.iter().map(|score| score.exp() / all).collect();
    let found = maps(&classifier, image, "score-cam", layer).remove(0);
    assert_close("score-cam", &found, &map(&weights), 1e-4);
}

/// With half-pixel centres.
fn bilinear(map: &[f64], [height, width]: [usize; 2], [rows, columns]: [usize; 2]) -> Vec<f64> {
    let along = |at: usize, from: usize, to: usize| {
        let place = ((at as f64 + 0.5) * from as f64 / to as f64 - 0.5).max(0.0);
        let low = (place.floor() as usize).min(from - 1);
        (low, (low + 1).min(from - 1), place - low as f64)
    };
    let mut large = Vec::with_capacity(rows * columns);
    for row in 0..rows {
        let (top, bottom, down) = along(row, height, rows);
        for column in 0..columns {
            let (left, right, across) = along(column, width, columns);
            let line =
                |y: usize| map[y * width + left] * (1.0 - across) + map[y * width + right] * across;
            large.push(line(top) * (1.0 - down) + line(bottom) * down);
        }
    }
    large
}

#[test]
fn methods_at_the_input_are_made_of_its_gradient() {
    let classifier = ncnn(&mut Swinging);
    let image = images(&classifier, 1);
    let map = |name: &str| maps(&classifier, image.clone(), name, "").remove(0);
    // The logit is nearly linear along a pixel's gradient.
    let saliency = map("saliency");
    assert!(saliency.iter().all(|value| *value >= 0.0));
    let score = |images: Tensor<4>| f64s(classifier.logits(images, &mut Trace::none()))[TARGET];
    // Integrated gradients sum to what the logit gains on the way from zeros.
    let gained = score(image.clone()) - score(image.clone() * 0.0);
    let sum: f64 = map("integrated-gradients").iter().map(|value| f64::from(*value)).sum();
    assert!((sum - gained).abs() < 2e-3 * gained.abs().max(0.1), "{sum} and {gained}");
    // A small step along the image changes the logit by the sum of pixels times their gradients.
    let step = 1e-3;
    let slope =
        (score(image.clone() * (1.0 + step)) - score(image.clone() * (1.0 - step))) / (2.0 * step);
    let sum: f64 = map("input-x-gradient").iter().map(|value| f64::from(*value)).sum();
    assert!((sum - slope).abs() < 2e-2 * slope.abs().max(0.1), "{sum} and {slope}");
    for name in ["guided-backprop", "deconvolution", "smooth-grad"] {
        let found = map(name);
        assert!(found.iter().any(|value| *value > 0.0), "{name}");
        assert_ne!(found, saliency, "{name}");
    }
}

#[test]
fn an_image_has_the_same_maps_alone_and_in_company() {
    let classifier = ncnn(&mut Swinging);
    let (pair, layer) = (images(&classifier, 2), classifier.variant.cam_layer);
    for method in fitting(&classifier) {
        let both = maps(&classifier, pair.clone(), method.name, layer);
        assert_eq!(both.len(), 2, "{}", method.name);
        for (place, map) in both.iter().enumerate() {
            let own = pair.clone().narrow(0, place, 1);
            let alone = maps(&classifier, own, method.name, layer).remove(0);
            assert_eq!(alone, *map, "{}, image {place}", method.name);
        }
        let again = maps(&classifier, pair.clone(), method.name, layer);
        assert_eq!(again, both, "{} again", method.name);
    }
}

/// Weights that are all zero.
struct Zeros;

impl Source for Zeros {
    fn take(&mut self, _: &str, weight: Weight, shape: &[usize]) -> Result<Vec<f32>, LoadError> {
        let value = if weight == Weight::MovingVariance { 1.0 } else { 0.0 };
        Ok(vec![value; shape.iter().product()])
    }
}

#[test]
fn a_network_of_zeros_gives_a_status_and_no_nan() {
    let classifier = ncnn(&mut Zeros);
    let (image, layer) = (images(&classifier, 1), classifier.variant.cam_layer);
    for method in fitting(&classifier) {
        let explanations = [explanation(method.name, layer)];
        let question =
            Question { seeds: &[SEED], ..Question::new(&explanations, Target::Class(TARGET)) };
        let found = explain(&classifier, image.clone(), &question).expect("maps");
        let map = &found.maps[0][0];
        let summary = MapSummary::compute(map, method.sign).with_undefined(found.undefined[0][0]);
        assert!(map.iter().all(|value| value.is_finite()), "{}", method.name);
        assert_ne!(summary.status.name(), "ok", "{}", method.name);
    }
}

#[test]
fn what_methods_need_is_what_they_say() {
    for method in METHODS {
        let explanation = Explanation::new(method, Vec::new());
        assert!(explanation.passes(512, [224; 2]) >= 1, "{}", method.name);
        for option in method.options {
            let text = format!("{}={}", option.name, option.default());
            let mut settings = explanation.settings.clone();
            settings.set(&text).expect("the default is a value");
            assert_eq!(settings, explanation.settings, "{} {text}", method.name);
            assert!(!option.about.is_empty(), "{}", option.name);
        }
        for (peer, _) in method.peers {
            if let Ok(options) = peer.options(method) {
                explanation.settings.clone().set(options).expect("options of a library");
            }
        }
        for text in [method.title, method.folder, method.summary, method.paper] {
            assert!(!text.is_empty(), "{}", method.name);
        }
        assert!(method.url.starts_with("https://"), "{}", method.name);
    }
}

/// Other weights, with biases that are all zero.
struct Unbiased;

impl Source for Unbiased {
    fn take(
        &mut self,
        layer: &str,
        weight: Weight,
        shape: &[usize],
    ) -> Result<Vec<f32>, LoadError> {
        match weight {
            Weight::Bias => Ok(vec![0.0; shape.iter().product()]),
            _ => Swinging.take(layer, weight, shape),
        }
    }
}

fn logit(classifier: &Classifier, images: Tensor<4>) -> f64 {
    f64s(classifier.logits(images, &mut Trace::none()))[TARGET]
}

/// A network of rectifiers and pools without biases is linear around an image, and 0 where that is.
#[test]
fn without_biases_input_x_gradient_sums_to_the_logit() {
    let classifier = ncnn(&mut Unbiased);
    let image = images(&classifier, 1);
    let map = maps(&classifier, image.clone(), "input-x-gradient", "").remove(0);
    let sum: f64 = map.iter().map(|value| f64::from(*value)).sum();
    let expected = logit(&classifier, image);
    assert!((sum - expected).abs() < 1e-4 * expected.abs().max(1.0), "{sum} {expected}");
}

/// The logit is the sum of what pixels and offsets give; the last layer's bias has no place.
#[test]
fn what_full_grad_sums_is_the_logit_but_for_the_heads_bias() {
    let classifier = ncnn(&mut Swinging);
    let explanations = [explanation("full-grad", "")];
    let mut rests = Vec::new();
    for place in 0..2 {
        let image = images(&classifier, 2).narrow(0, place, 1);
        let question = Question::new(&explanations, Target::Class(TARGET));
        let inference =
            Inference::new(&classifier, image.clone(), &question, None).expect("a pass");
        let gradients = inference.input_gradients(Rectifier::Gradient).expect("a gradient");
        let mut sum: f64 = f64s(image.clone() * gradients).iter().sum();
        for layer in &explanations[0].layers {
            let (offsets, activation) = classifier.offsets(layer).expect("offsets");
            let gradients = inference.gradients(layer).expect("a gradient");
            let gradients = match activation {
                Activation::Relu => {
                    let output = inference.activations(layer).expect("an output");
                    gradients * output.greater_elem(0.0).float()
                }
                _ => gradients,
            };
            let [_, channels, height, width] = gradients.dims();
            assert_eq!(offsets.len(), channels);
            let gradients = f64s(gradients);
            for (offset, own) in offsets.iter().zip(gradients.chunks_exact(height * width)) {
                sum += f64::from(*offset) * own.iter().sum::<f64>();
            }
        }
        rests.push(logit(&classifier, image) - sum);
    }
    assert!((rests[0] - rests[1]).abs() < 1e-4, "{rests:?}");
}

#[test]
fn occlusion_of_everything_is_what_the_image_has_more_than_the_baseline() {
    let classifier = ncnn(&mut Swinging);
    let image = images(&classifier, 1);
    let mut own = explanation("occlusion", "");
    own.settings.set("patch=1000,score=logit").expect("options");
    let explanations = [own];
    let question = Question::new(&explanations, Target::Class(TARGET));
    let found = explain(&classifier, image.clone(), &question).expect("a map");
    let expected = logit(&classifier, image.clone()) - logit(&classifier, image * 0.0);
    assert!(expected.abs() > 1e-3, "{expected}");
    for value in &found.maps[0][0] {
        assert!((f64::from(*value) - expected).abs() < 1e-5 * expected.abs().max(1.0), "{value}");
    }
}
