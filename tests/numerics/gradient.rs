//! The tapped gradient against finite differences and against its closed form.

use burn::tensor::{Device, Tensor, s};
use burncam_attribution::{Question, Target, explain};
use burncam_imaging::to_tensor;
use burncam_models::{NCNN, RESNET50};
use burncam_net::layers::weighted_sums;
use burncam_net::{Build, Classifier, LoadError, Rectifier, Source, Tap, Trace, Weight};
use parity::{
    Numbers, classifier, classifier_with, explanation, notebook_head, observe, pillow_frame, tensor,
};

/// Long enough for the logit's `f32` to move by thousands of its last digits, short enough that
/// few rectifiers and max-pools further on switch.
const STEP: f32 = 1e-3;
/// Of the gradient's length: what rounding and switching leave of a difference quotient.
const SLOPE: f32 = 2e-2;
/// Of the largest channel weight: two ways of computing the same sums in `f32`.
const CLOSED_FORM: f32 = 1e-5;

fn ncnn() -> Classifier {
    classifier(&NCNN, &NCNN.variants[0], &notebook_head("NCNN"), "NCNN", &Device::flex())
}

fn images(classifier: &Classifier, rows: &[usize]) -> Tensor<4> {
    let faces = Numbers::read("NCNN").faces;
    let frames: Vec<_> = rows.iter().map(|&row| pillow_frame(&faces[row], 120)).collect();
    let frames: Vec<_> = frames.iter().collect();
    to_tensor(&frames, &classifier.variant.input, classifier.device())
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("numbers")
}

/// The logit of class 0 when `step` is added to the output of `layer`.
fn logit(classifier: &Classifier, images: &Tensor<4>, layer: &str, step: &Tensor<4>) -> f32 {
    let mut add = |name: &str, output: Tensor<4>| match name == layer {
        true => output + step.clone(),
        false => output,
    };
    values(classifier.logits(images.clone(), &mut Trace::new(&mut add)))[0]
}

/// There the gradient passes the shortcut of a sum, and not the convolution that is computed with it.
#[test]
fn a_layer_beside_the_main_path_can_be_explained() {
    let (variant, device) = (&RESNET50.variants[0], Device::flex());
    let table = (variant.layers)();
    let name = &table.layers().iter().find(|l| l.name.ends_with("proj/bn")).expect("one").name;
    let scene = |how| {
        let head = notebook_head("ResNet50");
        let network = classifier_with(&RESNET50, variant, &head, "ResNet50", &device, how);
        let frame = pillow_frame(&Numbers::read("ResNet50").faces[0], 224);
        let images = to_tensor(&[&frame], &variant.input, &device);
        observe(&network, images, name, Target::Predicted).expect("an observation")
    };
    let taps = [Tap::Layer(name.clone())];
    let built_for_it = scene(Build { taps: Some(&taps), ..Build::default() });
    let built_for_any = scene(Build::default());
    let [own, any] = [built_for_it, built_for_any].map(|scene| values(scene.gradients));
    assert!(own.iter().any(|value| *value != 0.0));
    assert_eq!(own, any);
}

/// Max-pools have kinks, and after a rectifier many cells tie at 0. Only the cells that a pool
/// takes have a gradient, so when just these rise, each stays the largest of its window: along
/// the absolute value of the gradient the one-sided slope exists.
#[test]
fn the_gradient_is_the_slope_of_the_logit_at_every_layer() {
    let classifier = ncnn();
    let images = images(&classifier, &[3]);
    for layer in classifier.layers.layers().iter().skip(1) {
        let name = &layer.name;
        let scene = observe(&classifier, images.clone(), name, Target::Class(0));
        let gradient = scene.unwrap_or_else(|error| panic!("{name}: {error}")).gradients;
        let length = values(gradient.clone().square().sum().sqrt())[0];
        assert!(length > 0.0, "{name}: the gradient vanishes");
        let direction = gradient.clone().abs().div_scalar(length);
        let expected = values((gradient * direction.clone()).sum())[0];
        let base = logit(&classifier, &images, name, &direction.zeros_like());
        let raised = logit(&classifier, &images, name, &direction.mul_scalar(STEP));
        let slope = (raised - base) / STEP;
        let error = (slope - expected).abs() / length;
        assert!(error < SLOPE, "{name}: slope {slope}, gradient {expected} of {length}");
    }
}

/// What the program reads at once is what follows from activations and gradients, to the last bit, also for a
/// class that was asked for.
#[test]
fn a_map_is_the_weighted_sum_of_activations() {
    let classifier = ncnn();
    let images = images(&classifier, &[0, 3, 7]);
    for target in [Target::Predicted, Target::Class(0), Target::Class(1)] {
        let found = observe(&classifier, images.clone(), "conv_2x2_", target).expect("maps");
        let sums = weighted_sums(found.activations.clone(), found.gradients.clone());
        assert_eq!(values(sums), found.maps.concat());
        assert_eq!(found.size, [12, 12]);
    }
}

/// Two layers in one pass give what each gives alone: the later one's gradient passes a leaf in the midst of the
/// graph.
#[test]
fn layers_that_are_explained_together_are_explained_alike() {
    let classifier = ncnn();
    let images = images(&classifier, &[0, 3, 7]);
    let layers = ["concatenate", "conv_2x2_"].map(|layer| explanation("grad-cam", layer));
    let both = Question::new(&layers, Target::Class(1));
    let both = explain(&classifier, images.clone(), &both).expect("maps");
    for (at, layer) in layers.iter().enumerate() {
        let one = Question::new(std::slice::from_ref(layer), Target::Class(1));
        let one = explain(&classifier, images.clone(), &one).expect("maps");
        assert_eq!(one.logits, both.logits);
        assert_eq!((&one.maps[0], one.sizes[0]), (&both.maps[at], both.sizes[at]), "{layer:?}");
    }
}

/// The layers behind a cut give the network's logits, to the last bit; a layer beside others is no cut.
#[test]
fn the_tail_of_a_network_gives_its_logits() {
    for (arch, size) in [(&NCNN, 120), (&RESNET50, 224)] {
        let variant = &arch.variants[0];
        let head = notebook_head(arch.title);
        let network = classifier(arch, variant, &head, arch.title, &Device::flex());
        let frame = pillow_frame(&Numbers::read(arch.title).faces[0], size);
        let images = to_tensor(&[&frame], &variant.input, &Device::flex());
        let (mut cuts, mut others) = (0, 0);
        let layers: Vec<_> = network.layers.layers().iter().skip(1).collect();
        // Every layer of the small network, and of the large one some of each kind.
        let step = layers.len().div_ceil(40);
        for layer in layers.iter().step_by(step) {
            let mut output = None;
            let mut keep = |_: &str, tensor: Tensor<4>| output.insert(tensor).clone();
            let names = [layer.name.as_str()];
            let expected =
                values(network.logits(images.clone(), &mut Trace::at(&names, &mut keep)));
            let Some(output) = output else { continue };
            match network.tail(&layer.name, output) {
                Ok(logits) => {
                    cuts += 1;
                    assert_eq!(values(logits), expected, "{}", layer.name);
                }
                Err(error) => {
                    others += 1;
                    assert!(error.to_string().contains(&layer.name));
                }
            }
        }
        assert!(cuts > 2 && others > 2, "{}: {cuts} cuts, {others} others", arch.title);
    }
}

/// Guided gradients at the input are never larger where they pass, and deconvolution's pass where the rectifier
/// was closed: against the rules written out on a network of one convolution and one rectifier.
#[test]
fn rectifiers_pass_gradients_by_the_rule() {
    let classifier = ncnn();
    let images = images(&classifier, &[3]);
    let input = |rectifier| {
        let mut leaf = images.clone().autodiff().require_grad();
        let mut trace = Trace::none().with_rectifier(rectifier);
        let logits = classifier.logits(leaf.clone(), &mut trace);
        let gradients = logits.slice(s![.., 0..1]).sum().backward();
        leaf = leaf.grad(&gradients).map(Tensor::from_inner).expect("a gradient");
        values(leaf.inner())
    };
    let [plain, guided, deconvolution] =
        [Rectifier::Gradient, Rectifier::Guided, Rectifier::Deconvolution].map(input);
    assert!(plain != guided && guided != deconvolution && plain != deconvolution);
    let zeros = |gradient: &[f32]| gradient.iter().filter(|value| **value == 0.0).count();
    assert!(zeros(&guided) >= zeros(&plain), "a guided gradient passes in fewer places");
}

/// Weights of zero, and two biases that differ in their last digit: the second logit is larger, the
/// probabilities are equal, so the first class is predicted, and explained.
#[test]
fn equal_probabilities_of_unequal_logits_are_the_first_class() {
    struct Nearly;
    impl Source for Nearly {
        fn take(
            &mut self,
            layer: &str,
            of: Weight,
            shape: &[usize],
        ) -> Result<Vec<f32>, LoadError> {
            let last = layer == "output" && of == Weight::Bias;
            Ok(if last { vec![0.1, 0.1_f32.next_up()] } else { vec![0.0; shape.iter().product()] })
        }
    }
    let like = ncnn();
    let (head, device) = (like.head.config().clone(), Device::flex());
    let variant = like.variant;
    let classifier =
        Classifier::build(&NCNN, variant, head, &mut Nearly, &device, Build::default());
    let classifier = classifier.expect("a network");
    let images = images(&classifier, &[0]);
    let found = observe(&classifier, images, "conv_2x2_", Target::Predicted);
    let found = found.expect("an observation");
    assert!(found.logits[0][1] > found.logits[0][0], "{:?}", found.logits);
    let probabilities = like.head.config().output().probabilities(&found.logits[0]);
    assert_eq!(probabilities[0], probabilities[1]);
    assert_eq!(found.targets, [0]);
}

/// After the last layer come a 2×2 max-pool, Flatten and dense layers: each window hands its
/// gradient to exactly one cell, so a channel's weight is a sum over the head's inputs.
#[test]
fn channel_weights_follow_from_the_head_alone() {
    let classifier = ncnn();
    let images = images(&classifier, &[0, 3, 7, 15]);
    let scene = observe(&classifier, images, "conv_2x2_", Target::Class(1));
    let scene = scene.expect("an observation");
    let found = values(scene.channel_weights());
    let activations = values(scene.activations.clone());
    for (image, found) in found.chunks(64).enumerate() {
        let maps = &activations[image * 64 * 144..][..64 * 144];
        let expected = closed_form(maps);
        let scale = expected.iter().fold(0.0_f32, |max, value| max.max(value.abs()));
        assert!(scale > 0.0, "image {image} has no evidence at all");
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() <= CLOSED_FORM * scale, "{found} {expected}");
        }
    }
}

fn closed_form(maps: &[f32]) -> Vec<f32> {
    let first = tensor("NCNN", "FC1", "kernel", &[2304, 8]);
    let bias = tensor("NCNN", "FC1", "bias", &[8]);
    let last = tensor("NCNN", "output", "kernel", &[8, 2]);
    let pooled = |channel: usize, row: usize, column: usize| {
        let cell = |dy, dx| maps[channel * 144 + (2 * row + dy) * 12 + 2 * column + dx];
        cell(0, 0).max(cell(0, 1)).max(cell(1, 0)).max(cell(1, 1))
    };
    // Keras flattens [row, column, channel].
    let inputs: Vec<f32> = (0..6)
        .flat_map(|row| (0..6).flat_map(move |column| (0..64).map(move |c| (c, row, column))))
        .map(|(channel, row, column)| pooled(channel, row, column))
        .collect();
    let active: Vec<bool> = (0..8)
        .map(|unit| {
            let sum: f64 = (inputs.iter().enumerate())
                .map(|(i, x)| f64::from(*x) * f64::from(first[i * 8 + unit]))
                .sum();
            sum + f64::from(bias[unit]) > 0.0
        })
        .collect();
    let slope = |input: usize| -> f64 {
        (0..8)
            .filter(|&unit| active[unit])
            .map(|unit| f64::from(first[input * 8 + unit]) * f64::from(last[unit * 2 + 1]))
            .sum()
    };
    (0..64)
        .map(|channel| ((0..36).map(|w| slope(w * 64 + channel)).sum::<f64>() / 144.0) as f32)
        .collect()
}
