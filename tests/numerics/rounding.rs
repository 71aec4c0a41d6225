//! How far the CPU's arithmetic is from exact: against what the networks compute in `f64`.
//!
//! `cargo xtask test --test numerics rounding -- --nocapture` prints the table of docs/performance.md.

#![expect(clippy::print_stdout, reason = "the table of docs/performance.md")]

use burn::tensor::Device;
use burncam_attribution::Target;
use burncam_imaging::to_tensor;
use burncam_models::{INCEPTION_V3, NCNN, RESNET50, SENET50, VGG16};
use burncam_net::{Arch, Arithmetic, Build, Classifier};
use parity::{Numbers, array, classifier_with, folder, notebook_head, observe, pillow_frame};

/// Absolute, of logits between -10 and 10.
const LOGIT: f64 = 1e-4;
/// Of a map's largest absolute value.
const MAP: f64 = 1e-4;
/// Images at a time.
const BATCH: usize = 4;

/// The worst difference of logits, and of maps relative to their largest value.
#[derive(Clone, Copy, Default)]
struct Worst {
    logit: f64,
    map: f64,
}

impl Worst {
    fn see(&mut self, logits: (&[f32], &[f64]), map: (&[f32], &[f64])) {
        let apart = |(found, exact): (&[f32], &[f64])| {
            let both = found.iter().zip(exact);
            both.map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0_f64, f64::max)
        };
        let largest = map.1.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        self.logit = self.logit.max(apart(logits));
        self.map = self.map.max(apart(map) / largest);
    }
}

/// Logits and maps in `f64`.
struct Exact {
    logits: Vec<Vec<f64>>,
    maps: Vec<Vec<f64>>,
}

fn of_keras(numbers: &Numbers, exact: &Exact) -> Worst {
    let mut worst = Worst::default();
    for index in 0..numbers.faces.len() {
        let map = (numbers.raw[index].as_slice(), exact.maps[index].as_slice());
        worst.see((&numbers.logits[index], &exact.logits[index]), map);
    }
    worst
}

fn of_burncam(classifier: &Classifier, numbers: &Numbers, exact: &Exact) -> Worst {
    let (mut worst, input) = (Worst::default(), &classifier.variant.input);
    for (batch, faces) in numbers.faces.chunks(BATCH).enumerate() {
        let frames: Vec<_> = faces.iter().map(|face| pillow_frame(face, input.height)).collect();
        let images = to_tensor(&frames.iter().collect::<Vec<_>>(), input, classifier.device());
        let layer = classifier.variant.cam_layer;
        let scene = observe(classifier, images, layer, Target::Predicted).expect("an observation");
        for (place, map) in scene.maps.iter().enumerate() {
            let index = batch * BATCH + place;
            let logits = (scene.logits[place].as_slice(), exact.logits[index].as_slice());
            worst.see(logits, (map, &exact.maps[index]));
        }
    }
    worst
}

fn compare(arch: &'static Arch) -> [Worst; 3] {
    let (numbers, goldens) = (Numbers::read(arch.title), folder().join(arch.title));
    let exact = Exact {
        logits: array(&goldens.join("logits64.npy")),
        maps: array(&goldens.join("raw64.npy")),
    };
    let [fast, plain] = [Arithmetic::Fast, Arithmetic::Exact].map(|arithmetic| {
        let (head, how) = (notebook_head(arch.title), Build { arithmetic, ..Build::default() });
        let (variant, device) = (&arch.variants[0], Device::flex());
        let classifier = classifier_with(arch, variant, &head, arch.title, &device, how);
        of_burncam(&classifier, &numbers, &exact)
    });
    [fast, plain, of_keras(&numbers, &exact)]
}

#[test]
fn rounding_is_as_small_as_keras_has_it() {
    println!("| | logits | | | maps | | |");
    println!("| | default | `--exact` | Keras | default | `--exact` | Keras |");
    for arch in [&VGG16, &RESNET50, &SENET50, &INCEPTION_V3, &NCNN] {
        let [fast, plain, keras] = compare(arch);
        println!(
            "| {} | {:.1e} | {:.1e} | {:.1e} | {:.1e} | {:.1e} | {:.1e} |",
            arch.title, fast.logit, plain.logit, keras.logit, fast.map, plain.map, keras.map
        );
        for (found, name) in [(fast, "default"), (plain, "--exact")] {
            assert!(found.logit < LOGIT, "{} {name}: {:e} in a logit", arch.title, found.logit);
            assert!(found.map < MAP, "{} {name}: {:e} of a map", arch.title, found.map);
        }
    }
}
