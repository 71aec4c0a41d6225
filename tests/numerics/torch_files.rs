//! Files as PyTorch, safetensors and NumPy write them, and what is wrong with others.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use burncam_imaging::{DecodeOptions, Resize, decode, resize, to_tensor};
use burncam_models::{ARCHS, RESNET50};
use burncam_net::Trace;
use burncam_weights::{Checkpoint, Container, Format, Resolved, Wanted};
use parity::{TorchTensor, folder, torch_tensors, write_state_dict};

fn files() -> PathBuf {
    folder().join("torch/files")
}

fn resolve(path: &Path) -> Result<Resolved, String> {
    let resolved = Checkpoint::open(path).and_then(|file| file.resolve(&ARCHS, None));
    resolved.map_err(|error| format!("{:#}", anyhow::Error::from(error)))
}

/// Everything that loading says, the causes too.
fn load(path: &Path) -> Result<(), String> {
    let built = resolve(path)?.build(&Device::flex());
    built.map(drop).map_err(|error| format!("{:#}", anyhow::Error::from(error)))
}

fn logit(resolved: &Resolved) -> f32 {
    let classifier = resolved.build(&Device::flex()).expect("every weight");
    let file = folder().join("faces/Fold0/S02_dor_01.png");
    let pixels = decode(&file, DecodeOptions::default()).expect("an image");
    let frame = resize(&pixels, 120, 120, Resize::Nearest);
    let images = to_tensor(&[&frame], &resolved.input, classifier.device());
    let logits = classifier.logits(images, &mut Trace::none()).into_data();
    logits.try_to_vec::<f32>().expect("numbers")[1]
}

#[test]
fn real_files_give_pytorchs_logits() {
    let text = fs::read_to_string(files().join("logits.json")).expect("logits.json");
    let expected: BTreeMap<String, f32> = serde_json::from_str(&text).expect("JSON");
    let formats = [
        ("ncnn.pt", Format::PyTorch),
        ("ncnn.safetensors", Format::StateDict),
        ("ncnn_arrays.pkl", Format::Pickle),
        ("ncnn_arrays5.pkl", Format::Pickle),
        ("ncnn_averaged.pth", Format::PyTorch),
        ("ncnn_checkpoint.pth", Format::PyTorch),
        ("ncnn_legacy.pth", Format::PyTorchLegacy),
    ];
    assert!(expected.keys().map(String::as_str).eq(formats.map(|(name, _)| name)));
    for (name, format) in formats {
        let resolved = resolve(&files().join(name)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((resolved.arch.name, resolved.variant.name), ("ncnn", "darkrubiks"), "{name}");
        assert_eq!(resolved.format(), format, "{name}");
        let found = logit(&resolved);
        assert!((found - expected[name]).abs() < 1e-4, "{name}: {found}, {}", expected[name]);
    }
}

#[test]
fn one_output_is_pain_and_no_pain_comes_first() {
    let resolved = resolve(&files().join("ncnn.pt")).expect("N-CNN");
    let names = resolved.arch.class_names(resolved.variant, resolved.head.classes());
    assert_eq!(names, ["No_pain", "Pain"]);
}

#[test]
fn what_a_checkpoint_has_beside_the_weights_is_named() {
    let checkpoint = Checkpoint::open(&files().join("ncnn_checkpoint.pth")).expect("a checkpoint");
    let names: Vec<_> = checkpoint.layer_names().collect();
    assert!(names.contains(&"module.merge_branch.0"), "{names:?}");
    let ignored = checkpoint.ignored().expect("a list").into_iter().map(|part| part.name);
    assert_eq!(ignored.collect::<Vec<_>>(), ["epoch", "loss", "best_acc1", "args", "optimizer"]);
    let resolved = checkpoint.resolve(&ARCHS, None).expect("N-CNN");
    let left_out: Vec<_> = resolved.left_out().into_iter().map(|part| part.name).collect();
    assert_eq!(left_out, ["module."]);
}

#[test]
fn layers_go_by_the_names_of_modules() {
    let resolved = resolve(&files().join("ncnn_checkpoint.pth")).expect("N-CNN");
    for (asked, layer) in [
        ("merge_branch.1", Some("merge_branch.1")),
        ("module.merge_branch.1", Some("merge_branch.1")),
        ("merge_branch", Some("merge_branch.2")),
        ("merge", None),
    ] {
        assert_eq!(resolved.canonical_name(asked), layer, "{asked}");
    }
}

#[test]
fn a_converted_file_gives_the_same_numbers() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let own = place.path().join("ncnn.bpk");
    let resolved = resolve(&files().join("ncnn_checkpoint.pth")).expect("N-CNN");
    let before = logit(&resolved);
    resolved.convert(&own, Container::Burnpack, false).expect("a writable folder");
    let again = resolve(&own).expect("N-CNN");
    assert_eq!((again.variant.name, logit(&again)), ("darkrubiks", before));
}

/// N-CNN's tensors, altered, as a file.
fn altered(alter: impl FnOnce(&mut Vec<TorchTensor>)) -> String {
    let place = tempfile::tempdir().expect("a temporary folder");
    let path = place.path().join("weights.safetensors");
    let mut tensors = torch_tensors("ncnn_pain");
    alter(&mut tensors);
    write_state_dict(&path, &tensors);
    load(&path).expect_err("a refusal")
}

fn tensor<'a>(tensors: &'a mut [TorchTensor], name: &str) -> &'a mut TorchTensor {
    tensors.iter_mut().find(|tensor| tensor.name == name).expect("the tensor")
}

#[test]
fn missing_misshapen_and_unused_tensors_are_named_as_the_file_names_them() {
    let error = altered(|tensors| {
        tensors.retain(|tensor| tensor.name != "center_branch.3.weight");
        for tensor in tensors {
            tensor.name.insert_str(0, "module.");
        }
    });
    let says = "no tensor `module.center_branch.3.weight` of shape [64, 64, 2, 2]";
    assert!(error.contains(says), "{error}");

    let error = altered(|tensors| tensor(tensors, "merge_branch.0.weight").shape[1] = 130);
    let says = "`merge_branch.0.weight` has shape [64, 130, 2, 2], expected [64, 131, 2, 2]";
    assert!(error.contains(says), "{error}");

    let error = altered(|tensors| tensor(tensors, "classifier.0.weight").shape[1] = 1599);
    assert!(
        error.contains("`classifier.0` linear 1599 to 8, `classifier.3` linear 8 to 1"),
        "{error}"
    );

    let error = altered(|tensors| {
        let mut spare = tensors[1].clone();
        spare.name = "center_branch.3.running_mean".to_owned();
        tensors.push(spare);
    });
    let says = "1 weight has no place in ncnn: `center_branch.3.running_mean` [64]";
    assert!(error.contains(says), "{error}");

    let error = altered(|tensors| tensors.retain(|t| !t.name.starts_with("classifier.")));
    assert!(error.contains("from 64 or 1600 inputs: none"), "{error}");

    let error = altered(|tensors| {
        let mut spare = tensors[0].clone();
        spare.name = "decoder.0.weight".to_owned();
        tensors.push(spare);
    });
    assert!(error.contains("`decoder.0`"), "{error}");
}

/// torchvision's names and shapes are VGGFace2's too.
#[test]
fn a_network_that_names_do_not_tell_has_to_be_named() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let path = place.path().join("resnet50.safetensors");
    write_state_dict(&path, &torch_tensors("resnet50"));
    let error = resolve(&path).err().expect("two networks");
    let hint = "say which it is: --model resnet50:torchvision or --model resnet50:vggface2-pytorch";
    assert!(error.contains(hint), "{error}");
    for name in ["torchvision", "vggface2-pytorch"] {
        let variant = RESNET50.variants.iter().find(|variant| variant.name == name);
        let file = Checkpoint::open(&path).expect("a checkpoint");
        let named = file.resolve(&ARCHS, Some(Wanted { arch: &RESNET50, variant }));
        assert_eq!(named.expect("ResNet50").variant.name, name);
    }
    // The published networks have 1,000 and 8,631 classes.
    for (classes, name) in [(1000, "torchvision"), (8631, "vggface2-pytorch")] {
        let mut tensors = torch_tensors("resnet50");
        tensor(&mut tensors, "fc.weight").shape[0] = classes;
        tensor(&mut tensors, "fc.bias").shape[0] = classes;
        write_state_dict(&path, &tensors);
        assert_eq!(resolve(&path).expect("ResNet50").variant.name, name);
    }
}
