//! Heads of state_dicts against what PyTorch computes: weights do not say what stands between them, so
//! where nothing else does, the user has to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use burncam_imaging::{DecodeOptions, Resize, decode, resize, to_tensor};
use burncam_models::ARCHS;
use burncam_net::Trace;
use burncam_weights::{Checkpoint, Container, Error, Resolved, Statement, Wanted};
use parity::{TorchTensor, folder, listed_tensors, write_state_dict};

/// What torch_heads.py printed.
fn expected(network: &str) -> Vec<f32> {
    let text = fs::read_to_string(folder().join("torch/heads/logits.json")).expect("logits.json");
    let mut all: BTreeMap<String, Vec<f32>> = serde_json::from_str(&text).expect("JSON");
    all.remove(network).expect("the network")
}

struct File {
    _place: tempfile::TempDir,
    path: PathBuf,
}

/// The weights of torch_heads.py, changed, as a file.
fn file(network: &str, change: impl FnOnce(&mut Vec<TorchTensor>)) -> File {
    let place = tempfile::tempdir().expect("a temporary folder");
    let path = place.path().join("weights.safetensors");
    let mut tensors = listed_tensors(network, &format!("heads/{network}.tsv"));
    change(&mut tensors);
    write_state_dict(&path, &tensors);
    File { _place: place, path }
}

fn resolve(path: &Path, model: Option<&str>, head: Option<&str>) -> Result<Resolved, Error> {
    let head = head.map(|text| text.parse().expect("a head"));
    let wanted = model.map(|variant| {
        let arch = burncam_models::find("resnet50").expect("ResNet50");
        let variant = arch.variants.iter().find(|own| own.name == variant);
        Wanted { arch, variant: Some(variant.expect("the variant")) }
    });
    Checkpoint::open(path)?
        .with_statement(Statement { head, ..Statement::default() })
        .resolve(&ARCHS, wanted)
}

fn logits(resolved: &Resolved) -> Vec<f32> {
    let classifier = resolved.build(&Device::flex()).expect("every weight");
    let face = folder().join("faces/Fold0/S02_dor_01.png");
    let pixels = decode(&face, DecodeOptions::default()).expect("an image");
    let input = &resolved.input;
    let frame = resize(&pixels, input.height, input.width, Resize::Nearest);
    let images = to_tensor(&[&frame], input, classifier.device());
    classifier.logits(images, &mut Trace::none()).into_data().try_to_vec().expect("numbers")
}

fn assert_logits(resolved: &Resolved, network: &str) {
    let (found, expected) = (logits(resolved), expected(network));
    assert_eq!(found.len(), expected.len(), "{network}");
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-4, "{network}: {found} is not {expected}");
    }
}

#[test]
fn a_head_that_the_user_writes_gives_pytorchs_logits() {
    for (network, head) in [
        ("ncnn_dropout", "linear; dropout; linear"),
        ("ncnn_relu", "flatten; linear 16; relu; linear 2"),
        ("ncnn_tanh", "Flatten, Dense(16), Tanh, Dropout(0.5), Dense(2), Softmax"),
        ("ncnn_norms", "batchnorm; dropout; linear; relu; batchnorm; dropout; linear"),
    ] {
        let file = file(network, |_| ());
        let error = resolve(&file.path, None, None).err().expect("nothing tells the head");
        assert!(matches!(error, Error::UnknownHead { .. }), "{network}: {error}");
        assert_logits(&resolve(&file.path, None, Some(head)).expect(head), network);
    }
}

#[test]
fn heads_of_resnet50_give_pytorchs_logits() {
    let model = Some("torchvision");
    for (network, head) in [
        ("resnet50_dropout", "avgpool; linear; dropout; linear"),
        ("resnet50_norms", "batchnorm; dropout; linear; relu; batchnorm; dropout; linear"),
    ] {
        let file = file(network, |_| ());
        let error = resolve(&file.path, model, None).err().expect("nothing tells the head");
        assert!(matches!(error, Error::UnknownHead { .. }), "{network}: {error}");
        assert_logits(&resolve(&file.path, model, Some(head)).expect(head), network);
    }
}

/// torchvision's ResNet50 and that of VGGFace2-pytorch have the same names and shapes.
#[test]
fn what_is_not_known_is_said_with_what_fits() {
    let file = file("resnet50_dropout", |_| ());
    let error = resolve(&file.path, None, None).err().expect("nothing tells the head").to_string();
    for says in [
        "`fc.0` linear 2048 to 16, `fc.2` linear 16 to 2",
        "--head \"avgpool; linear; relu; linear\" --model resnet50:torchvision",
        "--head \"avgpool; linear; dropout; linear\" --model resnet50:torchvision",
        "or --model resnet50:vggface2-pytorch",
    ] {
        assert!(error.contains(says), "{error}");
    }
    let head = Some("linear; dropout; linear");
    let error = resolve(&file.path, None, head).err().expect("two networks").to_string();
    let says =
        "hint: say which it is: --model resnet50:torchvision or --model resnet50:vggface2-pytorch";
    assert!(error.contains(says), "{error}");
    let error = resolve(&file.path, Some("torchvision"), Some("linear")).err().expect("one layer");
    let says =
        "the head `linear` is not that of its weights: it has 1 layer with weights, and the file 2";
    assert!(error.to_string().contains(says), "{error}");
}

/// Its body lies under `0`, with numbers for the modules; `concat_pool` joins maxima and means.
#[test]
fn fastais_heads_need_no_words() {
    for (network, head) in [
        (
            "resnet50_fastai",
            "GlobalConcatPooling2D, Flatten, BatchNormalization, Dropout, Dense 512 relu \
                             without bias, BatchNormalization, Dropout, Dense 3 without bias, softmax",
        ),
        (
            "resnet50_fastai_mean",
            "GlobalAveragePooling2D, Flatten, BatchNormalization, Dropout, Dense 512 \
                                  relu without bias, BatchNormalization, Dropout, Dense 3 without bias, \
                                  softmax",
        ),
    ] {
        let file = file(network, |_| ());
        let resolved = resolve(&file.path, None, None).expect(network);
        assert_eq!((resolved.variant.name, &*resolved.head.describe()), ("torchvision", head));
        assert_logits(&resolved, network);
    }
}

#[test]
fn numbered_modules_with_one_layer_beside_them_need_no_words() {
    let file = file("resnet50_wrapped", |_| ());
    let resolved = resolve(&file.path, Some("torchvision"), None).expect("a network");
    assert_eq!(resolved.canonical_name("backbone.7.2.conv3"), Some("layer4.2.conv3"));
    assert_logits(&resolved, "resnet50_wrapped");
}

/// A tensor of the loss, a moving average and a wrapper's names stand in one file.
#[test]
fn what_only_training_needs_is_listed_and_changes_nothing() {
    let file = file("ncnn_relu", |tensors| {
        let mut average = tensors.clone();
        for tensor in &mut average {
            tensor.name.insert_str(0, "ema.module.");
        }
        for tensor in tensors.iter_mut() {
            tensor.name.insert_str(0, "net.module._orig_mod.");
        }
        let mut loss = tensors.last().expect("a bias").clone();
        loss.name = "criterion.weight".to_owned();
        tensors.extend(average);
        tensors.push(loss);
    });
    let resolved = resolve(&file.path, None, Some("linear; relu; linear")).expect("a network");
    let unused: Vec<_> = resolved.left_out().into_iter().map(|part| part.name).collect();
    assert_eq!(unused, ["net.module._orig_mod.", "criterion.weight", "ema.module.* (12 tensors)"]);
    let note = "not used of the file: criterion.weight, ema.module.* (12 tensors)";
    assert!(resolved.notes.iter().any(|own| own == note), "{:?}", resolved.notes);
    assert_logits(&resolved, "ncnn_relu");
}

#[test]
fn two_networks_or_two_heads_in_one_file_are_refused() {
    let twice = file("ncnn_relu", |tensors| {
        let mut teacher = tensors.clone();
        teacher.iter_mut().for_each(|tensor| tensor.name.insert_str(0, "teacher."));
        tensors.iter_mut().for_each(|tensor| tensor.name.insert_str(0, "student."));
        tensors.extend(teacher);
    });
    let error = resolve(&twice.path, None, Some("linear; relu; linear")).err().expect("two");
    assert!(error.to_string().contains("it holds this network twice, under `"), "{error}");
    let heads = file("ncnn_relu", |tensors| {
        let mut second = tensors.last().expect("a bias").clone();
        second.name = "projection.weight".to_owned();
        second.shape = vec![2, 1600];
        tensors.push(second);
    });
    let error = resolve(&heads.path, None, None).err().expect("two heads").to_string();
    assert!(
        error.contains("do not follow each other")
            && error.contains("`projection` linear 1600 to 2"),
        "{error}"
    );
}

#[test]
fn a_converted_file_keeps_the_head() {
    let file = file("ncnn_dropout", |_| ());
    let own = file.path.with_file_name("own.bpk");
    let head = "linear; dropout; linear";
    let resolved = resolve(&file.path, None, Some(head)).expect("a network");
    let before = (resolved.head.describe(), logits(&resolved));
    resolved.convert(&own, Container::Burnpack, false).expect("a writable folder");
    let again = resolve(&own, None, None).expect("a network");
    assert_eq!((again.head.describe(), logits(&again)), before);
    let error = resolve(&own, None, Some(head)).err().expect("a stated head").to_string();
    assert!(error.contains("states its head itself"), "{error}");
}
