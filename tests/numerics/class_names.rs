//! Names of classes that files keep beside their weights.
//!
//! `goldens/class_names.zip` was made by `tests/reference/class_names.py` with PyTorch 2.15 and
//! torchvision 0.29, whose ImageFolder gave `{'No_pain': 0, 'Pain': 1}`.

use std::fs::{self, File};
use std::path::Path;

use burncam_models::ARCHS;
use burncam_weights::{Checkpoint, Container, Resolved};
use parity::Message;
use tempfile::TempDir;
use zip::ZipArchive;

/// Unpacks the goldens.
fn unpacked() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let archive = File::open(parity::folder().join("class_names.zip")).expect("the archive");
    ZipArchive::new(archive).expect("a zip").extract(folder.path()).expect("room");
    folder
}

fn resolve(path: &Path) -> Resolved {
    let file = Checkpoint::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    file.resolve(&ARCHS, None).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The entry and the names, or what is wrong with them.
fn names(path: &Path) -> Result<Option<(String, Vec<String>)>, String> {
    let resolved = resolve(path);
    let found = resolved.class_names().map_err(|error| error.to_string())?;
    Ok(found.map(|found| (found.entry.clone(), found.names.clone())))
}

#[test]
fn training_checkpoints_name_their_classes() {
    let folder = unpacked();
    for (file, entry, expected) in [
        ("image_folder.pth", "class_to_idx", ["No_pain", "Pain"]),
        ("reversed.pth", "idx_to_class", ["Pain", "No_pain"]),
        ("arguments.pth", "args.classes", ["calm", "crying"]),
        ("hyper.pth", "hyper_parameters.data.class_names", ["calm", "crying"]),
        ("beside.pth", "labels", ["calm", "crying"]),
    ] {
        let path = folder.path().join(file);
        let expected = (entry.to_owned(), expected.map(str::to_owned).to_vec());
        assert_eq!(names(&path), Ok(Some(expected.clone())), "{file}");
        for (container, ending) in
            [(Container::Burnpack, "bpk"), (Container::Safetensors, "safetensors")]
        {
            let out = path.with_extension(ending);
            resolve(&path).convert(&out, container, true).expect("a file");
            assert_eq!(names(&out), Ok(Some(expected.clone())), "{file} as {ending}");
        }
    }
    assert_eq!(names(&folder.path().join("numbers.pth")), Ok(None));
}

#[test]
fn names_that_do_not_fit_are_refused() {
    let folder = unpacked();
    for (file, says) in [
        ("disagree.pth", "`classes` has calm, crying, and `class_to_idx` has crying, calm"),
        (
            "three.pth",
            "`classes` has 3 names (calm, crying, asleep), and the network has 2 classes",
        ),
        ("gap.pth", "`class_to_idx` does not number its 2 classes from 0 to 1"),
    ] {
        let path = folder.path().join(file);
        let error = names(&path).expect_err(file);
        assert!(error.contains(says), "{file}: {error}");
        // What cannot be used is not lost either.
        let out = path.with_extension("bpk");
        resolve(&path).convert(&out, Container::Burnpack, true).expect("a file");
        assert!(names(&out).expect_err(file).contains(says), "{file} as bpk");
    }
}

/// `str({0: 'No_pain', 1: 'Pain'})` is what ultralytics writes as `names`.
#[test]
fn onnx_files_name_their_classes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let golden = fs::read(parity::folder().join("onnx/NCNN_13.onnx")).expect("a golden");
    let with = |entries: &[(&str, &str)]| {
        let mut model = Message::parse(&golden);
        for (key, value) in entries {
            model = model.message(14, &Message::default().text(1, key).text(2, value));
        }
        let path = folder.path().join("named.onnx");
        fs::write(&path, model.encode()).expect("a file");
        names(&path).map(|found| found.map(|(_, names)| names))
    };
    let no_pain_first = Ok(Some(vec!["No_pain".to_owned(), "Pain".to_owned()]));
    let long = "x".repeat(10_000);
    for (key, value) in [
        ("names", "{0: 'No_pain', 1: 'Pain'}"),
        ("classes", r#"["No_pain", "Pain"]"#),
        ("class_names", "No_pain,Pain"),
        ("labels", r#"{"Pain": 1, "No_pain": 0}"#),
    ] {
        assert_eq!(with(&[("description", &long), (key, value)]), no_pain_first, "{key}");
    }
    assert_eq!(with(&[("author", "someone"), (&long, "a,b")]), Ok(None));
    let error = with(&[("names", "{0: 'a', 1: 'b'}"), ("classes", "b,a")]).expect_err("two orders");
    assert!(error.contains("`names` has a, b, and `classes` has b, a"), "{error}");
    let error = with(&[("names", "[{'a': 0}]")]).expect_err("no list");
    assert!(error.contains("`names` is no list of names"), "{error}");
}

#[test]
fn safetensors_name_their_classes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let golden = fs::read(parity::folder().join("torch/files/ncnn.safetensors")).expect("a golden");
    let length = u64::from_le_bytes(golden[..8].try_into().expect("8 bytes")) as usize;
    let (header, numbers) = golden[8..].split_at(length);
    let mut header: serde_json::Value = serde_json::from_slice(header).expect("JSON");
    header["__metadata__"] = serde_json::json!({ "format": "pt", "class_names": "calm, crying" });
    let header = header.to_string();
    let path = folder.path().join("named.safetensors");
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), numbers].concat();
    fs::write(&path, bytes).expect("a file");
    let expected = vec!["calm".to_owned(), "crying".to_owned()];
    assert_eq!(names(&path), Ok(Some(("class_names".to_owned(), expected))));
}

#[test]
fn files_without_names_have_none() {
    for file in ["h5/NCNN_k2.h5", "onnx/NCNN_13.onnx", "torch/files/ncnn_checkpoint.pth"] {
        assert_eq!(names(&parity::folder().join(file)), Ok(None), "{file}");
    }
}
