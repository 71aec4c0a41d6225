//! Logits, probabilities, channel weights and maps against Keras, on reproducible weights.
//!
//! The tolerances are those of `f32` arithmetic in another order: TensorFlow itself differs from
//! `f64` by up to 2.3e-5 in a logit and 8.4e-6 of a map's maximum on these images.

use burn::tensor::{Device, Tensor};
use burncam_attribution::{MapStatus, MapSummary, Sign, Target, predicted};
use burncam_imaging::to_tensor;
use burncam_models::{INCEPTION_V3, NCNN, RESNET50, SENET50, VGG16};
use burncam_net::{Arch, Classifier, Op};
use burncam_record::confidence;
use burncam_render::{levels, overlay};
use parity::{
    Face, Golden, Numbers, classifier, crc32, crc32_f32, hidden, manifest, notebook_head, observe,
    pillow_frame, softmax, tensor,
};

/// Absolute, of logits between -10 and 10.
const LOGIT: f32 = 1e-4;
/// Absolute, of probabilities.
const PROBABILITY: f32 = 1e-5;
/// Of the largest absolute value of a map, or of an image's channel weights.
const MAP: f32 = 1e-4;
/// One cell in so many, rounded up, may differ by 1 level: it lies on the edge between two.
/// (ResNet50's only such cell of 980 is 85.995 in `f64`; Keras says 85 and Burncam 86.)
const LEVELS: usize = 1000;

#[test]
fn the_weights_are_the_references() {
    let manifest = manifest();
    assert_eq!(manifest.len(), 1028, "tensors of the five networks");
    for (key, shape, crc) in manifest {
        let mut parts = key.splitn(3, '/');
        let mut part = || parts.next().expect("three parts");
        let values = tensor(part(), part(), part(), &shape);
        assert_eq!(crc32_f32(&values), crc, "{key}");
    }
}

#[test]
fn ncnn_gives_kerass_numbers() {
    compare(&NCNN, 8);
}

#[test]
fn vgg16_gives_kerass_numbers() {
    compare(&VGG16, 5);
}

#[test]
fn resnet50_gives_kerass_numbers() {
    compare(&RESNET50, 5);
}

#[test]
fn senet50_gives_kerass_numbers() {
    compare(&SENET50, 5);
}

#[test]
fn inception_v3_gives_kerass_numbers() {
    compare(&INCEPTION_V3, 5);
}

/// keras.applications' own, ImageNet head included.
#[test]
fn vgg16_of_keras_applications_gives_kerass_numbers() {
    let head = [
        ("flatten", Op::Flatten),
        ("fc1", hidden(4096)),
        ("fc2", hidden(4096)),
        ("predictions", softmax(1000)),
    ];
    compare_applications(&VGG16, &head, "VGG16-applications");
}

#[test]
fn resnet50_of_keras_applications_gives_kerass_numbers() {
    let last = softmax(1000);
    let head = [("avg_pool", Op::GlobalAveragePooling2D), ("predictions", last)];
    compare_applications(&RESNET50, &head, "ResNet50-applications");
}

/// One of the notebook's networks: its numbers, and what follows from them.
fn compare(arch: &'static Arch, batch: usize) {
    let golden = Golden::read(arch.title);
    let head = notebook_head(arch.title);
    let classifier = classifier(arch, &arch.variants[0], &head, arch.title, &Device::flex());
    let found = check_numbers(&classifier, &golden.numbers, batch);
    let mut off_levels = 0;
    let mut equal_overlays = 0;
    for (index, found) in found.iter().enumerate() {
        let (off, overlay_equal) = check_notebook(arch, &golden, index, found);
        off_levels += off;
        equal_overlays += usize::from(overlay_equal);
    }
    let cells: usize = golden.level.iter().map(Vec::len).sum();
    assert!(off_levels <= cells.div_ceil(LEVELS), "{off_levels} of {cells} levels differ");
    assert!(equal_overlays + off_levels >= golden.rows.len(), "{equal_overlays} overlays equal");
}

fn compare_applications(arch: &'static Arch, head: &[(&str, Op)], weights: &'static str) {
    let mut variants = arch.variants.iter();
    let variant = variants.find(|variant| variant.name == "keras-applications").expect("a variant");
    let numbers = Numbers::read(&format!("{}-{}", arch.title, variant.name));
    let classifier = classifier(arch, variant, head, weights, &Device::flex());
    check_numbers(&classifier, &numbers, numbers.faces.len());
}

struct Explained {
    logits: Vec<f32>,
    probabilities: Vec<f32>,
    weights: Vec<f32>,
    map: Vec<f32>,
}

/// Compares what the network computes for every face, and hands it back.
fn check_numbers(classifier: &Classifier, expected: &Numbers, batch: usize) -> Vec<Explained> {
    assert!(!expected.faces.is_empty(), "no goldens");
    let batches = expected.faces.chunks(batch);
    let found: Vec<_> = batches.flat_map(|faces| explain(classifier, faces)).collect();
    for (index, (face, found)) in expected.faces.iter().zip(&found).enumerate() {
        let name = &face.image;
        let within = |found: &[f32], expected: &[Vec<f32>], tolerance, what: &str| {
            assert_within(found, &expected[index], tolerance, &format!("{what} of {name}"));
        };
        within(&found.logits, &expected.logits, LOGIT, "logits");
        within(&found.probabilities, &expected.probs, PROBABILITY, "probabilities");
        for (what, found, expected) in [
            ("channel weights", &found.weights, &expected.pooled),
            ("raw map", &found.map, &expected.raw),
        ] {
            let scale = expected[index].iter().fold(0.0_f32, |max, value| max.max(value.abs()));
            within(found, expected, MAP * scale, what);
        }
        assert_eq!(predicted(&found.probabilities), face.index, "class of {name}");
    }
    found
}

fn explain(classifier: &Classifier, faces: &[Face]) -> Vec<Explained> {
    let input = &classifier.variant.input;
    let frames: Vec<_> = faces.iter().map(|face| pillow_frame(face, input.height)).collect();
    let frames: Vec<_> = frames.iter().collect();
    let images = to_tensor(&frames, input, classifier.device());
    let layer = classifier.variant.cam_layer;
    let scene = observe(classifier, images, layer, Target::Predicted).expect("an observation");
    let maps = scene.maps.clone();
    let [_, channels, ..] = scene.activations.dims();
    let weights = values(scene.channel_weights());
    let weights = weights.chunks(channels).map(<[f32]>::to_vec);
    (scene.logits.into_iter().zip(weights).zip(maps))
        .map(|((logits, weights), map)| {
            let probabilities = burncam_net::Output::Softmax.probabilities(&logits);
            Explained { logits, probabilities, weights, map }
        })
        .collect()
}

/// Compares what the notebook made of one image; returns how many levels differ and whether the
/// overlay is equal.
fn check_notebook(arch: &Arch, golden: &Golden, index: usize, found: &Explained) -> (usize, bool) {
    let (face, row) = (&golden.numbers.faces[index], &golden.rows[index]);
    let name = &face.image;
    let sure = confidence(found.probabilities[face.index]);
    assert_eq!(sure, row.csv_row[4], "confidence of {name}");

    // The status decides as in the program: what cannot be read is at the lowest level.
    let level = match MapSummary::compute(&found.map, Sign::Positive).status {
        MapStatus::Ok => levels(&found.map),
        _ => vec![0; found.map.len()],
    };
    let off: Vec<_> = level.iter().zip(&golden.level[index]).map(|(a, b)| a.abs_diff(*b)).collect();
    assert!(off.iter().all(|&difference| difference <= 1), "levels of {name}");
    let size = (arch.variants[0].input.height, arch.variants[0].input.width);
    let side = level.len().isqrt();
    let frame = pillow_frame(face, size.0);
    let picture = overlay(&level, (side, side), &frame.rgb, size, 0.4);
    let differing = off.iter().filter(|&&difference| difference > 0).count();
    let equal = crc32(picture.as_raw()) == row.overlay_crc32;
    assert!(equal || differing > 0, "overlay of {name} differs at equal levels");
    (differing, equal)
}

fn assert_within(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let worst = (found.iter().zip(expected)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(
        worst.is_finite() && worst <= tolerance,
        "{what}: off by {worst:e}, {tolerance:e} allowed"
    );
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("numbers")
}
