//! On the CPU an image's results are the same to the last bit, whatever batch it is in and however
//! many threads there are.

use burn::tensor::Device;
use burncam_attribution::Target;
use burncam_imaging::to_tensor;
use burncam_models::{INCEPTION_V3, NCNN, RESNET50, SENET50, VGG16};
use burncam_net::{Arch, Classifier};
use parity::{Face, Numbers, classifier, notebook_head, observe, pillow_frame};

/// Logits and maps of faces, as bits.
fn bits(classifier: &Classifier, faces: &[Face]) -> Vec<Vec<u32>> {
    let input = &classifier.variant.input;
    let frames: Vec<_> = faces.iter().map(|face| pillow_frame(face, input.height)).collect();
    let images = to_tensor(&frames.iter().collect::<Vec<_>>(), input, classifier.device());
    let layer = classifier.variant.cam_layer;
    let scene = observe(classifier, images, layer, Target::Predicted).expect("an observation");
    let both = scene.logits.iter().zip(scene.maps);
    both.map(|(logits, map)| logits.iter().chain(&map).map(|value| value.to_bits()).collect())
        .collect()
}

fn on_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads").install(work)
}

fn compare(arch: &'static Arch) {
    let head = notebook_head(arch.title);
    let faces = &Numbers::read(arch.title).faces[..9];
    let title = arch.title;
    on_threads(3, || {
        let classifier = classifier(arch, &arch.variants[0], &head, title, &Device::flex());
        let together = bits(&classifier, faces);
        for size in [1, 4] {
            let apart: Vec<_> =
                faces.chunks(size).flat_map(|faces| bits(&classifier, faces)).collect();
            assert!(apart == together, "{title} in batches of {size}");
        }
        let alone = on_threads(1, || {
            let head = notebook_head(title);
            bits(&parity::classifier(arch, &arch.variants[0], &head, title, &Device::flex()), faces)
        });
        assert!(alone == together, "{title} on one thread");
    });
}

#[test]
fn vgg16_does_not_depend_on_the_batch() {
    compare(&VGG16);
}

#[test]
fn resnet50_does_not_depend_on_the_batch() {
    compare(&RESNET50);
}

#[test]
fn senet50_does_not_depend_on_the_batch() {
    compare(&SENET50);
}

#[test]
fn inception_v3_does_not_depend_on_the_batch() {
    compare(&INCEPTION_V3);
}

#[test]
fn ncnn_does_not_depend_on_the_batch() {
    compare(&NCNN);
}
