//! Every method beside the libraries that have it, and beside its formula in NumPy.
//!
//! `goldens/attributions.zip` was made by `tests/reference/make_attributions.py`, which writes larger networks, too:
//! `BURNCAM_ATTRIBUTIONS` is the folder of those. With `--nocapture` the table of `docs/accuracy.md` is printed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use burncam_attribution::{
    Explanation, Likeness, METHODS, Peer, Question, Settings, Target, explain, find,
    max_relative_error,
};
use burncam_models::ARCHS;
use burncam_net::{Arithmetic, Build, Classifier};
use burncam_weights::Checkpoint;
use npyz::NpyFile;
use parity::folder;
use serde::Deserialize;
use zip::ZipArchive;

/// A map of a library, and how Burncam is asked for it.
#[derive(Deserialize)]
struct Golden {
    network: String,
    peer: String,
    method: String,
    /// Options of the method; `like` is the library.
    options: String,
    layer: String,
    class: usize,
    kind: String,
    file: String,
    tolerance: f32,
    remark: String,
}

/// Shape and numbers of an array.
fn array(path: &Path) -> (Vec<usize>, Vec<f32>) {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file = NpyFile::new(file).expect("an array");
    let shape = file.shape().iter().map(|&side| side as usize).collect();
    (shape, file.into_vec().expect("numbers"))
}

struct Network {
    classifier: Classifier,
    images: Tensor<4>,
}

/// A network, which convolves by plain sums if it is `exact`.
fn network(place: &Path, exact: bool) -> Network {
    let path = place.join("net.onnx");
    let resolved = Checkpoint::open(&path).and_then(|file| file.resolve(&ARCHS, None));
    let resolved = resolved.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let device = Device::flex();
    let arithmetic = if exact { Arithmetic::Exact } else { Arithmetic::default() };
    let how = Build { arithmetic, ..Build::default() };
    let classifier = resolved.build_with(&device, how).expect("a network");
    let (shape, values) = array(&place.join("images.npy"));
    let shape = [shape[0], shape[1], shape[2], shape[3]];
    Network { classifier, images: Tensor::from_data(TensorData::new(values, shape), &device) }
}

fn explanation(golden: &Golden, classifier: &Classifier) -> Explanation {
    let method = find(&golden.method).unwrap_or_else(|| panic!("no method {}", golden.method));
    let mut settings = Settings::defaults(method.options);
    let mut options: Vec<&str> = golden.options.split(',').collect();
    let mut peer = None;
    if options[0] == "like" {
        peer = Peer::find(&golden.peer);
        let like = peer.expect("a library").options(method).expect("its options");
        settings.set(like).expect("options");
        options.remove(0);
    }
    settings.set(&options.join(",")).unwrap_or_else(|error| panic!("{}: {error}", golden.method));
    // A network that is known has names of its own; the layer is the one that it is explained at.
    let layer = match classifier.layers.get(&golden.layer) {
        Some(_) => &golden.layer,
        None => classifier.variant.cam_layer,
    };
    Explanation { settings, peer, ..Explanation::at(method, layer, &classifier.layers) }
}

/// How far Burncam's maps are from the golden ones: the worst image.
fn difference(golden: &Golden, network: &Network, place: &Path) -> f32 {
    let (shape, expected) = array(&place.join(&golden.file));
    let explanations = [explanation(golden, &network.classifier)];
    let seeds: Vec<u64> = (0..shape[0] as u64).map(|image| 1000 + image).collect();
    let target = Target::Class(golden.class);
    let question = Question { seeds: &seeds, ..Question::new(&explanations, target) };
    let found = explain(&network.classifier, network.images.clone(), &question);
    let found = found.unwrap_or_else(|error| panic!("{}: {error}", golden.file));
    assert_eq!(found.sizes[0].as_slice(), &shape[1..], "{}", golden.file);
    let maps = found.maps[0].iter().zip(expected.chunks_exact(shape[1] * shape[2]));
    maps.map(|(own, expected)| max_relative_error(own, expected)).fold(0.0, f32::max)
}

#[test]
fn every_method_gives_what_its_peers_and_its_formula_give() {
    let unpacked = tempfile::tempdir().expect("a temporary folder");
    let place = match std::env::var_os("BURNCAM_ATTRIBUTIONS") {
        Some(place) => PathBuf::from(place),
        None => {
            let archive = File::open(folder().join("attributions.zip")).expect("the archive");
            ZipArchive::new(archive).expect("a zip").extract(unpacked.path()).expect("room");
            unpacked.path().to_owned()
        }
    };
    let manifest = fs::read(place.join("manifest.csv")).expect("the list");
    let goldens: Vec<Golden> =
        csv::Reader::from_reader(&*manifest).deserialize().map(|row| row.expect("a row")).collect();
    let mut networks: BTreeMap<(&str, bool), Network> = BTreeMap::new();
    let (mut failed, mut worst) = (Vec::new(), Worst::new());
    for golden in &goldens {
        let Golden { network: name, peer, method, options, .. } = golden;
        // In an empty image all places of a pool are equal, unless a faster convolution rounds them apart.
        let exact = options.contains("trapezoid");
        let network = networks.entry((name, exact));
        let network = network.or_insert_with(|| self::network(&place.join(name), exact));
        let error = difference(golden, network, &place);
        let cell = worst.entry((method, peer)).or_default();
        cell.0 = cell.0.max(error);
        cell.1.push(golden);
        if error.is_nan() || error > golden.tolerance {
            failed.push(format!("{} {options}: {error:.1e}", golden.file));
        }
    }
    print_table(&worst);
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), goldens.len(), failed.join("\n"));
    if unpacked.path() == place {
        assert_all_are_there(&goldens);
    }
}

/// The worst difference of each method and peer, of these maps.
type Worst<'a> = BTreeMap<(&'a str, &'a str), (f32, Vec<&'a Golden>)>;

/// A row for each method and peer, with what their maps have in common.
#[expect(clippy::print_stdout, reason = "the table of docs/accuracy.md")]
fn print_table(worst: &Worst<'_>) {
    println!("| Method | Peer | Worst difference | Maps | Remark |");
    println!("| --- | --- | --- | --- | --- |");
    for ((method, peer), (error, goldens)) in worst {
        let remarks: BTreeSet<&str> = goldens
            .iter()
            .map(|golden| golden.remark.as_str())
            .filter(|remark| !remark.is_empty())
            .collect();
        let remarks = remarks.into_iter().collect::<Vec<_>>().join("; ");
        let finals = goldens.iter().filter(|golden| golden.kind == "final").count();
        let maps = match (goldens.len() - finals, finals) {
            (raw, 0) => format!("{raw} raw"),
            (raw, finals) => format!("{raw} raw, {finals} final"),
        };
        println!("| `{method}` | {peer} | {error:.1e} | {maps} | {remarks} |");
    }
}

/// Every method has its formula here, and every library the methods that it is said to have.
fn assert_all_are_there(goldens: &[Golden]) {
    let there: BTreeSet<(&str, &str)> =
        goldens.iter().map(|golden| (&*golden.method, &*golden.peer)).collect();
    let document = include_str!("../../docs/accuracy.md");
    for (method, peer) in &there {
        assert!(document.contains(&format!("| `{method}` | {peer} |")), "{method} of {peer}");
    }
    for method in METHODS {
        let peers =
            method.peers.iter().filter(|(_, likeness)| matches!(likeness, Likeness::Options(_)));
        let names = peers.map(|(peer, _)| peer.name());
        let formula = if method.name == "cam" { "torch-cam" } else { "numpy" };
        for peer in names.chain([formula]) {
            assert!(there.contains(&(method.name, peer)), "{} of {peer}", method.name);
        }
    }
}
