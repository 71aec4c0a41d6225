//! Networks that Burncam does not have: which one a file seems to hold, and the way to explain it all the same.

use std::collections::HashSet;
use std::path::Path;

use burncam_net::GRAPH;
use burncam_weights::{Checkpoint, Format, Wanted};

/// Names of Keras's own models, as their files have them in lower case; of two that fit the longer counts.
const OF_KERAS: [(&str, &str); 19] = [
    ("mobilenetv2", "MobileNetV2"),
    ("mobilenetv3", "MobileNetV3"),
    ("mobilenet", "MobileNet"),
    ("densenet", "DenseNet"),
    ("efficientnetv2", "EfficientNetV2"),
    ("efficientnet", "EfficientNet"),
    ("inception_resnet_v2", "InceptionResNetV2"),
    ("nasnet", "NASNet"),
    ("xception", "Xception"),
    ("vgg19", "VGG19"),
    ("resnet101v2", "ResNet101V2"),
    ("resnet152v2", "ResNet152V2"),
    ("resnet50v2", "ResNet50V2"),
    ("resnet101", "ResNet101"),
    ("resnet152", "ResNet152"),
    ("convnext", "ConvNeXt"),
    ("regnet", "RegNet"),
    ("vit_", "a vision transformer"),
    ("swin_", "a Swin transformer"),
];

/// Layers, or modules of a state_dict, that one family has and no other; the first that is there counts.
const BY_LAYER: [(&str, &str); 27] = [
    // Keras
    ("block_1_expand", "MobileNetV2"),
    ("conv_dw_1", "MobileNet"),
    ("expanded_conv_project", "MobileNetV3"),
    ("conv2_block1_0_bn", "DenseNet"),
    ("block2a_expand_conv", "EfficientNet"),
    ("block2_sepconv1", "Xception"),
    ("conv_7b", "InceptionResNetV2"),
    ("block5_conv4", "VGG19"),
    ("conv4_block23_out", "ResNet101"),
    ("post_bn", "ResNet50V2"),
    // PyTorch
    ("features.denseblock1.denselayer1.conv1", "DenseNet"),
    ("features.49", "VGG19 with batch normalisation"),
    ("features.18.0", "MobileNetV2"),
    ("features.1.conv.0.0", "MobileNetV2"),
    ("features.1.block.0.0", "MobileNetV3"),
    ("features.1.0.block.0.0", "EfficientNet"),
    ("blocks.0.0.conv_dw", "EfficientNet"),
    ("features.3.squeeze", "SqueezeNet"),
    ("inception3a.branch1.conv", "GoogLeNet"),
    ("stage2.0.branch1.0", "ShuffleNetV2"),
    ("mixed_5b.branch0.conv", "InceptionResNetV2"),
    ("stages.0.blocks.0.conv_dw", "ConvNeXt"),
    ("features.1.0.block.0", "ConvNeXt"),
    ("blocks.0.attn.qkv", "a vision transformer"),
    ("encoder.layers.encoder_layer_0.self_attention", "a vision transformer"),
    ("encoder.layer.0.attention.attention.query", "a vision transformer"),
    ("layers.0.blocks.0.attn", "a Swin transformer"),
];

/// Blocks of the four stages of PyTorch's ResNets.
const RESNETS: [([usize; 4], bool, &str); 4] = [
    ([2, 2, 2, 2], false, "ResNet18"),
    ([3, 4, 6, 3], false, "ResNet34"),
    ([3, 4, 23, 3], true, "ResNet101"),
    ([3, 8, 36, 3], true, "ResNet152"),
];

/// How to run a file's network as it is described, where that can be done.
pub(crate) fn as_graph(path: &Path) -> Option<String> {
    let wanted = Wanted { arch: &GRAPH, variant: None };
    let resolved = Checkpoint::open(path).ok()?.resolve(&[], Some(wanted)).ok()?;
    let preprocess = if resolved.is_prepared { "" } else { " and a --preprocess" };
    Some(format!("--model graph{preprocess} runs the network as its file describes it"))
}

/// What to do with a file that no network of Burncam fits.
pub(crate) fn way_on(path: &Path) -> Option<String> {
    if let Some(graph) = as_graph(path) {
        return Some(graph);
    }
    let checkpoint = Checkpoint::open(path).ok()?;
    let name = name(&checkpoint);
    let seems = name.map_or(String::new(), |name| format!("by its names it is {name}; "));
    if name.is_some_and(|name| name.contains("transformer")) {
        return Some(format!(
            "{seems}it has no map of a convolution to explain: Burncam explains convolutional networks"
        ));
    }
    let whole = whole_model(&checkpoint)?;
    Some(format!(
        "{seems}a file of the whole model says what its layers compute, and Burncam runs it: {whole}"
    ))
}

/// Whether a file has the names of a network that Burncam does not have.
pub(crate) fn is_known(path: &Path) -> bool {
    Checkpoint::open(path).is_ok_and(|checkpoint| name(&checkpoint).is_some())
}

/// How to make a file of the whole model of one that holds weights only.
fn whole_model(checkpoint: &Checkpoint) -> Option<String> {
    let [height, width] = checkpoint.input_size().unwrap_or([224, 224]);
    match checkpoint.format {
        format if format.is_state_dict() => Some(format!(
            "in Python load the weights into the model, then `torch.onnx.export(model.eval(), \
             (torch.zeros(1, 3, {height}, {width}),), \"model.onnx\")`; exported once with dynamo=True, optimize=False, \
             the file serves all weights of the network, with --like model.onnx"
        )),
        Format::Onnx => None,
        format if format.is_full_model() => None,
        _ => Some(
            "in Python load the weights into the model, then `model.save(\"model.keras\")`"
                .to_owned(),
        ),
    }
}

/// The network that a file seems to hold, by the names in it.
fn name(checkpoint: &Checkpoint) -> Option<&'static str> {
    let models = checkpoint.model_names();
    let by_model = models.iter().find_map(|model| {
        let model = model.to_lowercase();
        let known = OF_KERAS.iter().filter(|(start, _)| model.starts_with(start));
        known.max_by_key(|(start, _)| start.len()).map(|(_, name)| *name)
    });
    let layers = checkpoint.file_layers();
    let layers: HashSet<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
    let has = |name: &str| {
        let inside = format!("{name}.");
        layers.contains(name) || layers.iter().any(|layer| layer.starts_with(&inside))
    };
    let vgg19 = || (has("features.34") && !has("features.1")).then_some("VGG19");
    by_model
        .or_else(|| BY_LAYER.iter().find(|(layer, _)| has(layer)).map(|(_, name)| *name))
        .or_else(vgg19)
        .or_else(|| resnet(&layers))
}

/// A ResNet of PyTorch by its number of blocks, and whether these have three convolutions.
fn resnet(layers: &HashSet<&str>) -> Option<&'static str> {
    const MOST: usize = 64;
    let blocks = [1, 2, 3, 4].map(|stage| {
        (0..MOST)
            .take_while(|block| layers.contains(&*format!("layer{stage}.{block}.conv1")))
            .count()
    });
    let bottleneck = layers.contains("layer1.0.conv3");
    let known = RESNETS.iter().find(|(own, deep, _)| *own == blocks && *deep == bottleneck);
    known.map(|(.., name)| *name)
}
