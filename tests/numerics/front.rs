//! Files as Keras writes them that prepare their own input, against what Keras computes.
//!
//! `goldens/front.zip` was made by `tests/reference/front_models.py` with Keras 2.13, 2.15 and 3.15.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;

use burn::tensor::Device;
use burncam_imaging::{DecodeOptions, Frame, Resize, decode, fit, preprocess, to_tensor};
use burncam_models::ARCHS;
use burncam_net::{InputSpec, Trace};
use burncam_weights::{Checkpoint, Container, Error, Resolved};
use parity::{crc32_f32, folder};
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use zip::ZipArchive;

/// Of the largest logit.
const TOLERANCE: f32 = 1e-5;

/// Every file of the archive, in a folder that lasts as long as this.
struct Files(TempDir);

impl Files {
    fn unpack() -> Self {
        let place = tempfile::tempdir().expect("a temporary folder");
        let archive = File::open(folder().join("front.zip")).expect("the archive");
        let mut archive = ZipArchive::new(archive).expect("a zip");
        archive.extract(place.path()).expect("room");
        Self(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn resolve(&self, name: &str) -> Result<Resolved, Error> {
        Checkpoint::open(&self.path(name))?.resolve(&ARCHS, None)
    }

    /// What Keras computed, by the path of a table and its own names.
    fn table<T: DeserializeOwned>(&self, name: &str) -> BTreeMap<String, T> {
        let mut found = BTreeMap::new();
        for keras in ["k2", "k213", "k3"] {
            let text = fs::read_to_string(self.path(&format!("{keras}/{name}"))).expect(name);
            let own: BTreeMap<String, T> = serde_json::from_str(&text).expect("JSON");
            found.extend(own.into_iter().map(|(name, value)| (format!("{keras}/{name}"), value)));
        }
        found
    }
}

/// The golden face at the size of a network.
fn frame(input: &InputSpec) -> Frame {
    let face = folder().join("faces/Fold0/S02_dor_01.png");
    let pixels = decode(&face, DecodeOptions::default()).expect("an image");
    fit(&pixels, input, Resize::Nearest)
}

/// CRC-32 of what enters the network, `[height, width, 3]`.
fn values_crc32(input: &InputSpec) -> u32 {
    let planes = preprocess(&frame(input), input);
    let size = input.height * input.width;
    let values = (0..size).flat_map(|at| [planes[at], planes[size + at], planes[2 * size + at]]);
    crc32_f32(&values.collect::<Vec<_>>())
}

fn logits(resolved: &Resolved) -> Vec<f32> {
    let classifier = resolved.build(&Device::flex()).expect("every weight");
    let frame = frame(&resolved.input);
    let images = to_tensor(&[&frame], &resolved.input, classifier.device());
    let logits = classifier.logits(images, &mut Trace::new(&mut |_, output| output));
    logits.into_data().try_to_vec().expect("numbers")
}

/// Whether a file says too little of what it does to its input: weights alone tell of numbers that
/// were learned, and of nothing that was given.
fn is_silent(name: &str) -> bool {
    let weights = name.ends_with(".weights.h5") || name.ends_with(".legacy.h5");
    weights && !["adapted", "sigmoid"].iter().any(|told| name.contains(told))
}

#[test]
fn inputs_are_keras_own_to_the_bit_and_logits_survive_conversion() {
    let files = Files::unpack();
    let values = files.table::<u32>("values.json");
    let mut checked = 0;
    for (name, expected) in files.table::<Vec<f32>>("logits.json") {
        if !files.path(&name).exists() {
            continue;
        }
        if is_silent(&name) {
            let error = files.resolve(&name).err().map(|error| error.to_string());
            let error = error.unwrap_or_else(|| panic!("{name} is taken"));
            assert!(error.contains("save the whole model"), "{name}: {error}");
            continue;
        }
        let resolved = files.resolve(&name).unwrap_or_else(|error| panic!("{name}: {error}"));
        if name.contains("sigmoid") {
            assert_eq!(resolved.variant.name, "keras-sigmoid", "{name}");
            assert!(resolved.has_unnamed_output(), "{name}");
        }
        if name.contains("bilinear") {
            // The one in front took the name that the network has for its own.
            let found = ["resizing", "resizing_1"].map(|layer| resolved.canonical_name(layer));
            assert_eq!(found, [None, Some("resizing")], "{name}");
        }
        let stem = name.split('.').next();
        let front = stem.map(|stem| stem.trim_end_matches("_nested").trim_end_matches("_boxed"));
        let expected_values = &values[front.expect("a name")];
        assert_eq!(values_crc32(&resolved.input), *expected_values, "{name}: the values differ");
        let found = logits(&resolved);
        let largest = expected.iter().fold(0.0_f32, |max, value| max.max(value.abs()));
        for (found, expected) in found.iter().zip(&expected) {
            let difference = (found - expected).abs() / largest;
            assert!(difference <= TOLERANCE, "{name}: {found} and {expected}: {difference:e}");
        }
        let (notes, input) = (resolved.notes.clone(), resolved.input.clone());
        let resized = resolved.canonical_name("resizing_1").map(str::to_owned);
        for (to, container) in
            [("a.bpk", Container::Burnpack), ("a.safetensors", Container::Safetensors)]
        {
            let again = files.resolve(&name).expect("as before");
            again.convert(&files.path(to), container, true).expect("a writable folder");
            let own = files.resolve(to).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!((&own.input, &own.notes), (&input, &notes), "{name}");
            assert_eq!(own.canonical_name("resizing_1"), resized.as_deref(), "{name}");
            assert_eq!(logits(&own), found, "{name}: {to}");
        }
        checked += 1;
    }
    assert!(checked > 40, "{checked} files are few");
}
