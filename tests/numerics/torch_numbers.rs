//! Logits, activations, gradients, channel weights and maps against PyTorch's autograd, for every
//! network that is taken from PyTorch. The weights go through a file each time.

use burn::tensor::{Device, Tensor};
use burncam_attribution::Target;
use burncam_imaging::{DecodeOptions, Frame, Resize, decode, resize, to_tensor};
use burncam_models::ARCHS;
use burncam_net::InputSpec;
use burncam_weights::{Checkpoint, Error, Format, Resolved, Statement, Wanted};
use parity::{array, folder, observe, torch_tensors, write_state_dict};

/// Absolute, of logits between -10 and 10.
const LOGIT: f32 = 1e-4;
/// Of the largest absolute value of an image's activations, gradients, channel weights or map.
const MAP: f32 = 1e-4;

/// The images of torch_networks.py.
const IMAGES: [&str; 3] =
    ["Fold0/S01_sem_dor_01.png", "Fold0/S02_dor_01.png", "Fold1/rgba_dor.png"];

/// The goldens' VGG16 has fewer neurons than torchvision's, so its head is somebody's own.
const NARROW: &str = "Flatten, Dense 64 relu, Dropout, Dense 64 relu, Dropout, Dense 10, softmax";

#[test]
fn torchvisions_resnet50() {
    compare("resnet50", "resnet50:torchvision", "GlobalAveragePooling2D, Dense 10, softmax");
}

#[test]
fn timms_resnet50() {
    compare("resnet50_timm", "resnet50:torchvision", "GlobalAveragePooling2D, Dense 10, softmax");
}

#[test]
fn vggface2s_resnet50() {
    let head = "GlobalAveragePooling2D, Dense 8631, softmax";
    compare("resnet50_vggface2", "resnet50:vggface2-pytorch", head);
}

#[test]
fn vggface2s_senet50() {
    let head = "GlobalAveragePooling2D, Dense 10, softmax";
    compare("senet50_vggface2", "senet50:vggface2-pytorch", head);
}

#[test]
fn timms_legacy_seresnet50() {
    let head = "GlobalAveragePooling2D, Dense 10, softmax";
    compare("seresnet50_timm", "senet50:timm-legacy", head);
}

/// With the auxiliary head in the file, and PyTorch's `transform_input` on.
#[test]
fn torchvisions_inception_v3() {
    let head = "GlobalAveragePooling2D, Dense 10, softmax";
    compare("inception_v3", "inception_v3:torchvision", head);
}

#[test]
fn timms_inception_v3() {
    let head = "GlobalAveragePooling2D, Dense 10, softmax";
    compare("inception_v3_timm", "inception_v3:torchvision", head);
}

#[test]
fn torchvisions_vgg16() {
    compare("vgg16", "vgg16:torchvision", NARROW);
}

#[test]
fn torchvisions_vgg16_bn() {
    compare("vgg16_bn", "vgg16:torchvision-bn", NARROW);
}

/// Its dense layers are convolutions.
#[test]
fn timms_vgg16() {
    let head = "Flatten, Dense 64 relu, Dropout, Dense 64 relu, Dense 10, softmax";
    compare("vgg16_timm", "vgg16:torchvision", head);
}

#[test]
fn darkrubiks_ncnn() {
    compare("ncnn_pain", "ncnn:darkrubiks", "Flatten, Dense 8 relu, Dropout, Dense 1, sigmoid");
}

#[test]
fn darkrubiks_vggface() {
    let head = "Flatten, Dense 64 relu, Dropout, Dense 64 relu, Dropout, Dense 1, sigmoid";
    compare("vgg16_pain", "vgg16:darkrubiks", head);
}

fn compare(network: &str, variant: &str, head: &str) {
    let place = tempfile::tempdir().expect("a temporary folder");
    let path = place.path().join("weights.safetensors");
    let tensors = torch_tensors(network);
    write_state_dict(&path, &tensors);
    let resolved = resolve(&path, variant, head);
    assert_eq!((resolved.format(), resolved.head.describe().as_str()), (Format::StateDict, head));
    let device = Device::flex();
    let classifier = resolved.build(&device).expect("every weight");
    let left_out = tensors.iter().filter(|tensor| tensor.name.starts_with("AuxLogits."));
    let size = |tensor: &parity::TorchTensor| tensor.shape.iter().product::<usize>();
    let (all, aux): (usize, usize) = (tensors.iter().map(size).sum(), left_out.map(size).sum());
    assert_eq!(classifier.parameters, all - aux);

    let images = images(&resolved.input, &device);
    let layer = classifier.variant.cam_layer;
    let scene = observe(&classifier, images, layer, Target::Predicted).expect("an observation");
    let expected = |name: &str| array(&folder().join(format!("torch/{network}/{name}.npy")));
    for (image, (found, expected)) in scene.logits.iter().zip(&expected("logits")).enumerate() {
        assert_within(found, expected, LOGIT, &format!("logits of {}", IMAGES[image]));
    }
    let weights = by_image(scene.channel_weights());
    let maps = scene.maps.clone();
    let (activations, gradients) = (by_image(scene.activations), by_image(scene.gradients));
    for (what, found, file) in [
        ("activation", activations, "activation"),
        ("gradient", gradients, "gradient"),
        ("channel weights", weights, "pooled"),
        ("raw map", maps, "raw"),
    ] {
        for (image, (found, expected)) in found.iter().zip(&expected(file)).enumerate() {
            let scale = found.iter().fold(0.0_f32, |max, value| max.max(value.abs()));
            let found = sampled(found, expected.len());
            assert_within(&found, expected, MAP * scale, &format!("{what} of {}", IMAGES[image]));
        }
    }
}

/// The network, told what its file does not say.
fn resolve(path: &std::path::Path, variant: &str, head: &str) -> Resolved {
    let (arch, name) = variant.split_once(':').expect("a variant");
    let arch = burncam_models::find(arch).expect("an architecture");
    let own = arch.variants.iter().find(|own| own.name == name);
    let wanted = Wanted { arch, variant: own };
    let open = || Checkpoint::open(path).expect("a checkpoint");
    let resolved = match open().resolve(&ARCHS, None) {
        Err(Error::SeveralNetworks { models, .. }) => {
            assert!(models.iter().any(|model| model == variant), "{models:?}");
            open().resolve(&ARCHS, Some(wanted))
        }
        Err(Error::UnknownHead { .. }) => open()
            .with_statement(Statement {
                head: Some(head.parse().expect("a head")),
                ..Statement::default()
            })
            .resolve(&ARCHS, None),
        resolved => resolved,
    };
    let resolved = resolved.expect("a network");
    assert_eq!(format!("{}:{}", resolved.arch.name, resolved.variant.name), variant);
    resolved
}

fn images(input: &InputSpec, device: &Device) -> Tensor<4> {
    let frame = |path: &&str| {
        let file = folder().join("faces").join(path);
        let pixels = decode(&file, DecodeOptions::default()).expect("an image");
        resize(&pixels, input.height, input.width, Resize::Nearest)
    };
    let frames: Vec<Frame> = IMAGES.iter().map(frame).collect();
    to_tensor(&frames.iter().collect::<Vec<_>>(), input, device)
}

fn by_image<const D: usize>(tensor: Tensor<D>) -> Vec<Vec<f32>> {
    let count = tensor.dims()[0];
    let values: Vec<f32> = tensor.into_data().try_to_vec().expect("numbers");
    values.chunks(values.len() / count).map(<[f32]>::to_vec).collect()
}

/// What torch_networks.py keeps of an array: every so many-th value.
fn sampled(values: &[f32], count: usize) -> Vec<f32> {
    if values.len() == count {
        return values.to_vec();
    }
    values.iter().copied().step_by((values.len() / 1024).max(1) | 1).collect()
}

fn assert_within(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let worst = (found.iter().zip(expected)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(
        worst.is_finite() && worst <= tolerance,
        "{what}: off by {worst:e}, {tolerance:e} allowed"
    );
}
