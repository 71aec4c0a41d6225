//! What can be said of a checkpoint without reading its numbers.

use burncam_models::ARCHS;
use burncam_weights::Checkpoint;
use parity::{KerasFile, folder};

fn open(file: &KerasFile) -> Checkpoint {
    let place = tempfile::tempdir().expect("a temporary folder");
    let path = place.path().join("model.h5");
    file.write(&path);
    Checkpoint::open(&path).expect("a checkpoint")
}

#[test]
fn layers_are_listed_with_their_weights() {
    let layers = open(&KerasFile::ncnn()).file_layers();
    let conv = layers.iter().find(|layer| layer.name == "conv_2x2_").expect("the layer");
    assert_eq!((conv.class.as_deref(), conv.parameters), (Some("Conv2D"), 2 * 2 * 131 * 64 + 64));
    let shapes: Vec<_> = conv.weights.iter().map(|w| (w.name.as_str(), &w.shape[..])).collect();
    assert_eq!(shapes, [("kernel", &[2, 2, 131, 64][..]), ("bias", &[64])]);
}

#[test]
fn a_layer_has_the_networks_name_and_the_files() {
    let mut file = KerasFile::ncnn();
    let text = file.config.to_string();
    // In this order `dropout_1` becomes the file's name of another layer.
    let text =
        text.replace("\"dropout_1\"", "\"dropout_7\"").replace("\"dropout\"", "\"dropout_1\"");
    file.config = serde_json::from_str(&text).expect("JSON");
    let resolved = open(&file).resolve(&ARCHS, None).expect("N-CNN");
    for (own, in_file) in
        [("dropout", Some("dropout_1")), ("dropout_1", Some("dropout_7")), ("conv1_1", None)]
    {
        assert_eq!(resolved.file_name(own), in_file, "{own}");
    }
    let layers = resolved.layers();
    assert_eq!(layers.iter().map(|layer| layer.parameters).sum::<u64>(), 78_234);
    assert!(layers.iter().all(|layer| layer.file_name.is_some()));
    let tapped = layers.iter().rfind(|layer| layer.can_be_tapped).expect("a layer");
    assert_eq!((tapped.name.as_str(), &tapped.shape[..]), ("maxpool_2x2_", &[6, 6, 64][..]));
}

#[test]
fn what_is_ignored_is_named() {
    let named = |checkpoint: &Checkpoint| {
        let ignored = checkpoint.ignored().expect("a list");
        ignored.into_iter().map(|part| part.name).collect::<Vec<_>>()
    };
    let golden = |name: &str| {
        Checkpoint::open(&folder().join("h5").join(name)).expect("a golden checkpoint")
    };
    assert_eq!(
        named(&golden("NCNN_k2.h5")),
        ["optimizer_weights", "top_level_model_weights", "training_config"]
    );
    assert_eq!(named(&golden("NCNN_k2.weights_legacy.h5")), ["top_level_model_weights"]);
    assert_eq!(named(&open(&KerasFile::ncnn())), [""; 0]);
}
