//! Files as Keras writes them that prepare their own input, against what Keras computes.
//!
//! `goldens/front.zip` was made by `tests/reference/front_models.py` with Keras 2.15 and 3.15.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use burn::tensor::Device;
use burncam_imaging::{DecodeOptions, Resize, decode, fit, to_tensor};
use burncam_models::ARCHS;
use burncam_net::Trace;
use burncam_weights::{Checkpoint, Container, Error, Resolved};
use parity::folder;
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

    /// What Keras computes, by file.
    fn logits(&self) -> BTreeMap<String, Vec<f32>> {
        let mut found = BTreeMap::new();
        for keras in ["k2", "k3"] {
            let mut text = String::new();
            let file = File::open(self.path(&format!("{keras}/logits.json")));
            file.and_then(|mut file| file.read_to_string(&mut text)).expect("logits");
            let own: BTreeMap<String, Vec<f32>> = serde_json::from_str(&text).expect("JSON");
            found.extend(own.into_iter().map(|(name, values)| (format!("{keras}/{name}"), values)));
        }
        found.retain(|name, _| self.path(name).exists());
        found
    }
}

fn logits(resolved: &Resolved) -> Vec<f32> {
    let classifier = resolved.build(&Device::flex()).expect("every weight");
    let face = folder().join("faces/Fold0/S02_dor_01.png");
    let pixels = decode(&face, DecodeOptions::default()).expect("an image");
    let frame = fit(&pixels, &resolved.input, Resize::Nearest);
    let images = to_tensor(&[&frame], &resolved.input, classifier.device());
    let logits = classifier.logits(images, &mut Trace::new(&mut |_, output| output));
    logits.into_data().try_to_vec().expect("numbers")
}

/// Whether a file says too little of what it does to its input: weights alone tell of numbers that
/// were learned, and of nothing that was given.
fn is_silent(name: &str) -> bool {
    let weights = name.ends_with(".weights.h5") || name.ends_with(".legacy.h5");
    weights && !name.contains("adapted")
}

#[test]
fn logits_are_keras_own_and_survive_conversion() {
    let files = Files::unpack();
    let mut checked = 0;
    for (name, expected) in files.logits() {
        if is_silent(&name) {
            let error = files.resolve(&name).err().map(|error| error.to_string());
            let error = error.unwrap_or_else(|| panic!("{name} is taken"));
            assert!(error.contains("save the whole model"), "{name}: {error}");
            continue;
        }
        let resolved = files.resolve(&name).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = logits(&resolved);
        let largest = expected.iter().fold(0.0_f32, |max, value| max.max(value.abs()));
        for (found, expected) in found.iter().zip(&expected) {
            let difference = (found - expected).abs() / largest;
            assert!(difference <= TOLERANCE, "{name}: {found} and {expected}: {difference:e}");
        }
        let (notes, input) = (resolved.notes.clone(), resolved.input.clone());
        for (to, container) in
            [("a.bpk", Container::Burnpack), ("a.safetensors", Container::Safetensors)]
        {
            let again = files.resolve(&name).expect("as before");
            again.convert(&files.path(to), container, true).expect("a writable folder");
            let own = files.resolve(to).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!((&own.input, &own.notes), (&input, &notes), "{name}");
            assert_eq!(logits(&own), found, "{name}: {to}");
        }
        checked += 1;
    }
    assert!(checked > 40, "{checked} files are few");
}
