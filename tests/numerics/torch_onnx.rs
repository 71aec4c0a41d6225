//! Graphs as `torch.onnx.export` writes them, each recognised by its structure.

use std::fs::{self, File};

use burncam_models::ARCHS;
use burncam_weights::{Checkpoint, Format, Resolved};
use parity::folder;

/// Longer than the weights of any of the graphs. The file has a length and nothing in it: what a
/// network is does not depend on the numbers.
const WEIGHTS: u64 = 128 << 20;

fn resolve(name: &str) -> Resolved {
    let place = tempfile::tempdir().expect("a temporary folder");
    let file = place.path().join(format!("{name}.onnx"));
    fs::copy(folder().join("torch/onnx").join(format!("{name}.onnx")), &file).expect("a graph");
    let weights = File::create(place.path().join("weights.bin")).expect("a file");
    weights.set_len(WEIGHTS).expect("a length");
    let resolved = Checkpoint::open(&file).and_then(|file| file.resolve(&ARCHS, None));
    resolved.unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Graph, network, head, and how many convolutions have batch normalisation folded in.
const GRAPHS: [(&str, &str, &str, usize); 4] = [
    ("resnet50", "resnet50:torchvision", "GlobalAveragePooling2D, Dense 10, softmax", 53),
    (
        "senet50_vggface2",
        "senet50:vggface2-pytorch",
        "GlobalAveragePooling2D, Flatten, Dense 10, softmax",
        53,
    ),
    ("inception_v3", "inception_v3:torchvision", "GlobalAveragePooling2D, Dense 10, softmax", 94),
    (
        "vgg16_timm",
        "vgg16:torchvision",
        "Flatten, Dense 64, relu, Dense 64, relu, Flatten, Dense 10, softmax",
        0,
    ),
];

#[test]
fn pytorchs_graphs_are_recognised() {
    for (name, network, head, folded) in GRAPHS {
        let resolved = resolve(name);
        assert_eq!(resolved.format(), Format::Onnx, "{name}");
        assert_eq!(format!("{}:{}", resolved.arch.name, resolved.variant.name), network, "{name}");
        assert_eq!(resolved.head.describe(), head, "{name}");
        let told =
            resolved.notes.iter().any(|note| note.contains(&format!("folded into {folded} ")));
        assert_eq!(told, folded > 0, "{name}: {:?}", resolved.notes);
    }
}
