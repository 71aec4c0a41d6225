//! Burncam's own files, whole and damaged.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use burn_pack::{Reader, Writer};
use burncam_models::ARCHS;
use burncam_weights::{Checkpoint, Container, Converted, Format};
use parity::{KerasFile, folder};
use serde_json::{Value, json};
use tempfile::TempDir;

/// N-CNN in both formats.
fn converted() -> (TempDir, [PathBuf; 2]) {
    let place = tempfile::tempdir().expect("a temporary folder");
    let files = ["ncnn.bpk", "ncnn.safetensors"].map(|name| place.path().join(name));
    for file in &files {
        let container = Container::from_path(file).expect("a known ending");
        let checkpoint = Checkpoint::open(&folder().join("h5/NCNN_k2.h5")).expect("a checkpoint");
        let resolved = checkpoint.resolve(&ARCHS, None).expect("N-CNN");
        let written = resolved.convert(file, container, false).expect("a writable folder");
        let bytes = fs::metadata(file).expect("the file").len();
        assert_eq!(written, Converted { tensors: 12, parameters: 78_234, bytes });
    }
    (place, files)
}

/// Everything that loading says, the causes too.
fn load(file: &Path) -> Result<(), String> {
    let load = || {
        let resolved = Checkpoint::open(file)?.resolve(&ARCHS, None)?;
        resolved.build(&Device::flex()).map(drop)
    };
    load().map_err(|error: burncam_weights::Error| format!("{:#}", anyhow::Error::from(error)))
}

/// A safetensors file in parts.
struct Parts {
    header: Value,
    data: Vec<u8>,
}

impl Parts {
    fn read(file: &Path) -> Self {
        let bytes = fs::read(file).expect("the file");
        let (length, rest) = bytes.split_first_chunk::<8>().expect("a length");
        let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
        Self { header: serde_json::from_slice(header).expect("JSON"), data: data.to_vec() }
    }

    fn write(&self, file: &Path) {
        let header = self.header.to_string();
        let length = (header.len() as u64).to_le_bytes();
        fs::write(file, [&length, header.as_bytes(), &self.data].concat()).expect("a file");
    }

    fn description(&self) -> Value {
        let text = self.header["__metadata__"]["burncam"].as_str().expect("a description");
        serde_json::from_str(text).expect("JSON")
    }

    fn describe(&mut self, description: &Value) {
        self.header["__metadata__"]["burncam"] = description.to_string().into();
    }

    fn rename(&mut self, from: &str, to: &str) {
        let tensors = self.header.as_object_mut().expect("an object");
        let tensor = tensors.remove(from).expect("the tensor");
        tensors.insert(to.to_owned(), tensor);
    }
}

#[test]
fn both_formats_load_and_say_what_they_are() {
    let (_place, files) = converted();
    for (file, format) in files.iter().zip([Format::Burnpack, Format::Safetensors]) {
        let resolved = Checkpoint::open(file).and_then(|c| c.resolve(&ARCHS, None)).expect("N-CNN");
        assert_eq!((resolved.format(), resolved.arch.name), (format, "ncnn"));
        assert_eq!(resolved.keras_version(), Some("2.15.0"));
        assert_eq!(resolved.head.describe(), "Flatten, Dense 8 relu, Dropout, Dense 2, softmax");
        assert_eq!(load(file), Ok(()));
    }
}

#[test]
fn the_same_checkpoint_gives_the_same_bytes() {
    let ((_one, first), (_two, second)) = (converted(), converted());
    for (a, b) in first.iter().zip(&second) {
        assert!(fs::read(a).expect("a file") == fs::read(b).expect("a file"), "{}", a.display());
    }
}

#[test]
fn names_of_the_first_file_are_kept() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let mut keras = KerasFile::ncnn();
    let layers = keras.config["config"]["layers"].as_array_mut().expect("layers");
    let text = serde_json::to_string(layers).expect("JSON");
    *layers = serde_json::from_str(&text.replace("\"resizing\"", "\"resizing_7\"")).expect("JSON");
    let (h5, own) = (place.path().join("a.h5"), place.path().join("a.bpk"));
    keras.write(&h5);
    let resolve = |file: &Path| {
        Checkpoint::open(file).and_then(|file| file.resolve(&ARCHS, None)).expect("N-CNN")
    };
    assert_eq!(resolve(&h5).canonical_name("resizing_7"), Some("resizing"));
    resolve(&h5).convert(&own, Container::Burnpack, false).expect("a writable folder");
    assert_eq!(resolve(&own).canonical_name("resizing_7"), Some("resizing"));
}

#[test]
fn every_head_survives() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let (h5, own) = (place.path().join("a.h5"), place.path().join("a.safetensors"));
    let mut keras = KerasFile::ncnn();
    let norm = json!({"axis": 3, "epsilon": 0.00123, "scale": false, "center": true});
    let dense = json!({"units": 1, "activation": "sigmoid", "use_bias": false});
    keras.set_head(&[
        ("GlobalMaxPooling2D", "pool", json!({"keepdims": false})),
        ("BatchNormalization", "norm", norm),
        ("Dense", "last", dense),
    ]);
    let vector: &[usize] = &[64];
    let weights = [("beta", vector), ("moving_mean", vector), ("moving_variance", vector)];
    keras.add_weights("norm", &weights);
    keras.add_weights("last", &[("kernel", &[64, 1])]);
    keras.write(&h5);
    let resolve = |file: &Path| {
        Checkpoint::open(file).and_then(|file| file.resolve(&ARCHS, None)).expect("N-CNN")
    };
    let first = resolve(&h5).head;
    resolve(&h5).convert(&own, Container::Safetensors, false).expect("a writable folder");
    assert_eq!(resolve(&own).head, first);
    assert_eq!(load(&own), Ok(()));
}

#[test]
fn a_damaged_description_is_refused() {
    let (place, [_, file]) = converted();
    let parts = Parts::read(&file);
    let broken = place.path().join("broken.safetensors");
    let refused = |pointer: &str, value: Value, words: &str| {
        let mut parts = Parts { header: parts.header.clone(), data: parts.data.clone() };
        let mut description = parts.description();
        *description.pointer_mut(pointer).expect(pointer) = value;
        parts.describe(&description);
        parts.write(&broken);
        let error = load(&broken).expect_err(pointer);
        assert!(error.contains(words) && error.contains("broken.safetensors"), "{error}");
    };
    refused("/version", json!(2), "format version 2, and this program reads version 1");
    refused("/version", json!("1"), "no format version");
    refused("/architecture", json!("alexnet"), "no architecture `alexnet`");
    refused("/variant", json!("torch"), "no variant `torch`");
    refused("/input/height", json!(121), "121 x 120 pixels");
    refused("/input/divisor", json!(0), "divides by zero");
    refused("/input/order", json!("grb"), "unknown variant `grb`");
    refused("/names", json!({"conv_9": "a"}), "no layer `conv_9`");
    refused("/head/output", json!("relu"), "unknown variant `relu`");
    refused("/head/layers/0/class", json!("Conv2D"), "missing field `settings`");
    refused("/head/layers/0/class", json!("Conv4D"), "unknown variant `Conv4D`");
    refused("/head/layers/1/settings", json!({"units": 8}), "missing field");
    refused("/head/layers/1/settings/units", json!(9), "has shape [2304, 8], expected [2304, 9]");
    refused("/head/layers", json!([]), "without a Dense layer");
    refused("/keras_version", json!(2), "invalid type");

    let input = |key: &str, value: Value| {
        let mut input = parts.description()["input"].clone();
        input[key] = value;
        input
    };
    let scale = |scale: Value| json!([{ "scale": { "scale": scale, "offset": [0, 0, 0] } }]);
    let resizing = |from: Value| json!({ "from": from, "interpolation": "nearest" });
    for (key, value, words) in [
        ("steps", scale(json!([1, 0, 1])), "or one of zeros"),
        ("steps", scale(json!([1, 1e300, 1])), "not finite"),
        ("steps", scale(json!([1, 1])), "invalid length"),
        ("steps", json!([{ "power": 2 }]), "unknown variant `power`"),
        ("resizing", resizing(json!([0, 120])), "not 1 to 4096 pixels"),
        ("resizing", resizing(json!([120, 1_000_000])), "not 1 to 4096 pixels"),
        ("resizing", resizing(json!("any")), "invalid type"),
    ] {
        refused("/input", input(key, value), words);
    }

    let mut bare = Parts { header: parts.header.clone(), data: parts.data.clone() };
    bare.header["__metadata__"]["burncam"] = "{\"version\":1".into();
    bare.write(&broken);
    assert!(load(&broken).expect_err("cut JSON").contains("EOF"));
    bare.header.as_object_mut().expect("an object").remove("__metadata__");
    bare.write(&broken);
    let error = load(&broken).expect_err("no description");
    assert!(error.contains("no `burncam` entry"), "{error}");
}

#[test]
fn weights_that_do_not_fit_are_refused() {
    let (place, [_, file]) = converted();
    let broken = place.path().join("broken.safetensors");
    let refused = |change: &dyn Fn(&mut Parts), words: &[&str]| {
        let mut parts = Parts::read(&file);
        change(&mut parts);
        parts.write(&broken);
        let error = load(&broken).expect_err(words[0]);
        for word in words {
            assert!(error.contains(word), "no `{word}` in {error}");
        }
    };
    refused(&|p| p.rename("FC1/bias", "FC1/offset"), &["`FC1` has no `bias`"]);
    refused(&|p| p.rename("FC1/bias", "bias"), &["`FC1` has no `bias`"]);
    refused(&|p| p.header["FC1/bias"]["shape"] = json!([2, 4]), &["[2, 4], expected [8]"]);
    refused(&|p| p.header["FC1/bias"]["dtype"] = "I32".into(), &["`FC1/bias` holds I32, not F32"]);
    refused(
        &|p| {
            let end = p.data.len();
            p.header["extra/kernel"] =
                json!({"dtype": "F32", "shape": [1], "data_offsets": [end, end + 4]});
            p.data.extend(1.0_f32.to_le_bytes());
        },
        &["1 weight has no place", "`extra` kernel [1]"],
    );
    refused(
        &|p| p.data[..4].copy_from_slice(&f32::NAN.to_le_bytes()),
        &["holds 1 values that are NaN or infinite"],
    );
    refused(&|p| p.data.push(0), &["its header says"]);
    refused(&|p| p.header["FC1/bias"]["shape"] = json!([u64::MAX, 8]), &["cannot be read"]);
}

/// A length that would be allocated before anything is read must lie inside the file.
#[test]
fn declared_sizes_are_checked_before_they_are_allocated() {
    let (_place, [bpk, safetensors]) = converted();
    let overwrite = |file: &Path, at: usize, with: &[u8]| {
        let mut bytes = fs::read(file).expect("the file");
        bytes[at..at + with.len()].copy_from_slice(with);
        fs::write(file, bytes).expect("the file");
    };
    overwrite(&safetensors, 0, &99_000_000_u64.to_le_bytes());
    overwrite(&bpk, 6, &99_000_000_u32.to_le_bytes());
    for file in [bpk, safetensors] {
        let error = load(&file).expect_err("too long");
        assert!(error.contains("its header says that it is longer"), "{error}");
    }
}

#[test]
fn a_burnpack_file_of_someone_else_is_refused() {
    let (place, [file, _]) = converted();
    let other = place.path().join("other.bpk");
    let tensors =
        || Reader::from_file_exact(&file).and_then(Reader::into_tensors).expect("tensors");
    Writer::new(tensors()).write_to_file(&other).expect("a file");
    assert!(load(&other).expect_err("no description").contains("no `burncam` entry"));

    let reader = Reader::from_file_exact(&file).expect("a file");
    let text = reader.metadata()["burncam"].clone();
    let fewer = tensors().into_iter().filter(|tensor| tensor.name != "output/kernel");
    let writer = Writer::new(fewer.collect()).with_metadata("burncam", &text);
    writer.write_to_file(&other).expect("a file");
    let error = load(&other).expect_err("a missing weight");
    assert!(error.contains("`output` has no `kernel`"), "{error}");
}

/// Bytes of the header changed one by one: an error or the same network, never a panic.
#[test]
fn damaged_headers_do_not_panic() {
    let (place, files) = converted();
    for file in files {
        let bytes = fs::read(&file).expect("the file");
        let broken = place.path().join("broken");
        for at in (0..2_000.min(bytes.len())).step_by(7) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x2a;
            fs::write(&broken, changed).expect("a file");
            let _ = load(&broken);
        }
    }
}
