//! Networks of `cargo xtask port` against PyTorch.
//!
//! `goldens/ported` has the code and weights that were generated for a tiny network, and what
//! PyTorch and pytorch-grad-cam computed with it (`tests/reference/port_reference.py`).

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use burncam_attribution::Target;
use burncam_net::Arch;
use burncam_weights::{Checkpoint, Container, Error, Resolved};
use parity::observe;

#[path = "../goldens/ported/tiny/mod.rs"]
#[rustfmt::skip]
mod tiny;

/// Differences that are allowed, as a share of the largest value.
const TOLERANCE: f32 = 1e-4;

fn goldens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("goldens/ported")
}

fn resolve(file: &Path, arch: &'static Arch) -> Result<Resolved, Error> {
    Checkpoint::open(file)?.resolve(&[arch], None)
}

fn array(folder: &Path, name: &str) -> (Vec<usize>, Vec<f32>) {
    let path = folder.join(format!("{name}.npy"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file = npyz::NpyFile::new(&bytes[..]).expect("an .npy file");
    let shape = file.shape().iter().map(|&size| size as usize).collect();
    (shape, file.into_vec().expect("numbers"))
}

/// The largest difference, as a share of the largest expected value.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0_f32, |max, value| max.max(value.abs()));
    let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(largest > 0.0 && found.iter().all(|value| value.is_finite()));
    worst / largest
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("numbers")
}

/// Compares a network with what PyTorch computed for two images, and says how far they are apart.
#[expect(clippy::print_stdout, reason = "shown with `--nocapture`")]
fn compare(arch: &'static Arch, weights: &Path, reference: &Path) {
    let device = Device::flex();
    let classifier = resolve(weights, arch).and_then(|r| r.build(&device)).expect("a network");
    let (shape, images) = array(reference, "images");
    let images = Tensor::<4>::from_data(TensorData::new(images, shape), &device);
    let layer = classifier.variant.cam_layer;
    let scene = observe(&classifier, images, layer, Target::Predicted).expect("an observation");
    let map = scene.maps.concat();
    let mut report = String::new();
    let mut worst = 0.0_f32;
    for (name, found) in [
        ("logits", scene.logits.concat()),
        ("activations", values(scene.activations)),
        ("gradients", values(scene.gradients)),
        ("map", map),
    ] {
        let difference = difference(&found, &array(reference, name).1);
        report.push_str(&format!("  {name} {difference:.1e}"));
        worst = worst.max(difference);
    }
    println!("{}:{report}", arch.name);
    assert!(worst <= TOLERANCE, "{}:{report}", arch.name);
}

#[test]
fn a_ported_network_computes_what_pytorch_does() {
    compare(&tiny::ARCH, &goldens().join("tiny/tiny.bpk"), &goldens().join("reference"));
}

#[test]
fn its_file_says_what_it_is() {
    let resolved = resolve(&goldens().join("tiny/tiny.bpk"), &tiny::ARCH).expect("a network");
    assert_eq!(resolved.head.describe(), "Generated, softmax");
    let layers = resolved.layers();
    let layers: Vec<_> = layers
        .iter()
        .map(|layer| (layer.name.as_str(), layer.shape.clone(), layer.can_be_tapped))
        .collect();
    let expected =
        [("x", vec![32, 32, 3], false), ("relu_2", vec![8, 8, 8], true), ("head", vec![3], false)];
    assert_eq!(layers, expected);
    let parameters: u64 = resolved.layers().iter().map(|layer| layer.parameters).sum();
    let built = resolved.build(&Device::flex()).expect("a network");
    assert_eq!(parameters, built.parameters as u64);
}

#[test]
fn it_can_be_converted_and_read_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tiny.safetensors");
    let resolved = resolve(&goldens().join("tiny/tiny.bpk"), &tiny::ARCH).expect("a network");
    resolved.convert(&file, Container::Safetensors, false).expect("a file");
    compare(&tiny::ARCH, &file, &goldens().join("reference"));
}

#[test]
fn keras_files_are_not_taken_for_it() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("goldens/h5/NCNN_k3.weights.h5");
    assert!(resolve(&file, &tiny::ARCH).is_err());
    let archs: Vec<&'static Arch> =
        burncam_models::ARCHS.into_iter().chain([&tiny::ARCH]).collect();
    let resolved = Checkpoint::open(&file).and_then(|file| file.resolve(&archs, None));
    assert_eq!(resolved.expect("N-CNN").arch.name, "ncnn");
}

/// For each ported network that has a folder of its name in `$BURNCAM_PORT_REFERENCE`.
#[test]
#[ignore = "needs ported networks: tests/reference/README.md says how to make them"]
fn large_ported_networks_compute_what_pytorch_does() {
    let reference = std::env::var_os("BURNCAM_PORT_REFERENCE").expect("$BURNCAM_PORT_REFERENCE");
    let ported = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ported");
    let mut compared = 0;
    for arch in burncam_ported::ARCHS {
        let folder = Path::new(&reference).join(arch.name);
        if folder.is_dir() {
            let weights = ported.join(arch.name).join(format!("{}.bpk", arch.name));
            compare(arch, &weights, &folder);
            compared += 1;
        }
    }
    assert!(compared > 0, "no ported network has a reference");
}
