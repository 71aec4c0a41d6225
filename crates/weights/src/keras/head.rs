//! The head: what a Keras file has after the network's last layer.

use std::collections::HashSet;
use std::path::Path;

use burncam_net::{Activation, HeadConfig, LayerTable, Op, Padding, Weight};

use crate::keras::config::{Graph, Node};
use crate::keras::h5::{StoredLayer, StoredWeight};
use crate::limits::MOST_HEAD;
use crate::matching::FileNames;
use crate::{Checkpoint, Error, Format};

/// A head and what had to be assumed to read it.
pub(crate) struct HeadLayers {
    pub(crate) config: HeadConfig,
    pub(crate) notes: Vec<String>,
}

/// Follows the only path from the network's last layer to the end of the model.
pub(crate) fn from_graph(
    path: &Path,
    graph: &Graph,
    names: &FileNames,
    table: &LayerTable,
) -> Result<HeadLayers, Error> {
    let mut claimed: HashSet<&str> = names.values().map(String::as_str).collect();
    let unsupported = |node: &Node, reason: &str| Error::Unsupported {
        path: path.to_owned(),
        layer: node.name.clone(),
        class: node.class.clone(),
        reason: reason.to_owned(),
    };
    let mut layers = Vec::new();
    let mut last = names[&table.last().name].as_str();
    loop {
        let mut readers = graph.readers(last);
        let Some(node) = readers.next() else { break };
        if let Some(second) = readers.next() {
            return Err(unsupported(second, "the head must be one path, and it branches here"));
        }
        if node.inputs.len() > 1 || !claimed.insert(&node.name) {
            return Err(unsupported(node, "the head must be one path, and paths meet here"));
        }
        if layers.len() >= MOST_HEAD {
            let reason = format!("the head has more than {MOST_HEAD} layers");
            return Err(unsupported(node, &reason));
        }
        let op = node.op.clone().map_err(|refused| unsupported(node, &refused.0))?;
        layers.push((node.name.clone(), whole_map(op, table.last().output)));
        last = &node.name;
    }
    if let Some(stray) = graph.nodes.iter().find(|node| !claimed.contains(node.name.as_str())) {
        return Err(unsupported(stray, "it has no place in the network or its head"));
    }
    let mut notes = Vec::new();
    if let Some((name, Op::Dense { activation: Activation::Linear, .. })) = layers.last() {
        notes.push(format!(
            "the last layer `{name}` has no activation: its outputs are taken for logits"
        ));
    }
    Ok(HeadLayers { config: checked(path, layers)?, notes })
}

/// The mean of a window that is the whole map is that of each channel, as Caffe writes it.
fn whole_map(op: Op, [height, width, _]: [usize; 3]) -> Op {
    match op {
        Op::AveragePooling2D { pool_size, padding: Padding::Valid, .. }
            if pool_size == [height, width] =>
        {
            Op::GlobalAveragePooling2D
        }
        op => op,
    }
}

/// Reads the head from the names and shapes of its weights; activations are assumed.
pub(crate) fn from_weights(
    file: &Checkpoint,
    names: &FileNames,
    table: &LayerTable,
) -> Result<HeadLayers, Error> {
    let (path, stored) = (file.path.as_path(), file.layers.as_slice());
    // Keras 3's layout has no order across classes.
    let ordered = file.format != Format::KerasV3Weights;
    // Inside a model used as a layer only layers with weights are listed, so a layer without
    // weights that is called like one of the network's is another.
    let inner = stored.iter().any(|layer| layer.inner);
    let own = |layer: &&StoredLayer| !inner || !layer.weights.is_empty();
    let named: HashSet<&str> = names.values().map(String::as_str).collect();
    let trunk: HashSet<&str> = (stored.iter().filter(own))
        .map(|layer| layer.name.as_str())
        .filter(|name| named.contains(name))
        .collect();
    let features = table.last().output;
    let end = stored.iter().rposition(|layer| trunk.contains(layer.name.as_str())).unwrap_or(0);
    let mut layers: Vec<(String, Op)> = Vec::new();
    for (position, layer) in stored.iter().enumerate() {
        // The first layer is the input, whatever its name.
        let input = ordered && position == 0 && layer.weights.is_empty();
        let pooling = !ordered && layer.weights.is_empty();
        if input || pooling || trunk.contains(layer.name.as_str()) {
            continue;
        }
        let reason = match inferred(layer) {
            Some(Op::BatchNormalization { .. }) if !ordered => {
                "the file does not say where in the head it stands"
            }
            // Dropout and augmentation do nothing wherever they stand.
            Some(Op::Dropout) if position < end => continue,
            Some(_) if ordered && position < end => "it has no place inside the network",
            Some(op) => {
                layers.push((layer.name.clone(), op));
                continue;
            }
            None if layer.weights.is_empty() => "its name does not tell what it does",
            None => "its weights are not those of a Dense or BatchNormalization",
        };
        return Err(Error::Unsupported {
            path: path.to_owned(),
            layer: layer.name.clone(),
            class: "in a file without configuration".to_owned(),
            reason: format!("{reason}\nhint: save the whole model as .keras or .h5"),
        });
    }
    add_pooling(stored, &mut layers, features);
    assume_activations(&mut layers);
    let config = checked(path, layers)?;
    let note = format!(
        "the file holds weights only: its head is taken to be {} (activations, pooling and preprocessing \
         are assumed)",
        config.describe()
    );
    Ok(HeadLayers { config, notes: vec![note] })
}

fn checked(path: &Path, layers: Vec<(String, Op)>) -> Result<HeadConfig, Error> {
    HeadConfig::new(layers).map_err(|source| Error::Head { path: path.to_owned(), source })
}

/// What a layer of the head is, by its weights, else by its name.
fn inferred(layer: &StoredLayer) -> Option<Op> {
    let weight = |weight: Weight| layer.weights.iter().find(|own| own.name == weight.name());
    if let Some(StoredWeight { shape, .. }) = weight(Weight::Kernel) {
        let [_, units] = shape.as_slice() else { return None };
        return Some(Op::Dense {
            units: usize::try_from(*units).ok()?,
            use_bias: weight(Weight::Bias).is_some(),
            activation: Activation::Linear,
        });
    }
    if weight(Weight::MovingVariance).is_some() {
        let (scale, center) = (weight(Weight::Gamma).is_some(), weight(Weight::Beta).is_some());
        return Some(Op::BatchNormalization { epsilon: 1e-3, scale, center });
    }
    let starts = |prefix: &str| layer.name.starts_with(prefix);
    match () {
        () if !layer.weights.is_empty() => None,
        () if starts("flatten") => Some(Op::Flatten),
        () if starts("global_average_pooling") => Some(Op::GlobalAveragePooling2D),
        () if starts("global_max_pooling") => Some(Op::GlobalMaxPooling2D),
        // keras.applications' own name for a network's last global average.
        () if layer.name == "avg_pool" => Some(Op::GlobalAveragePooling2D),
        () if starts("dropout") || starts("random_") => Some(Op::Dropout),
        () => None,
    }
}

/// Adds the flattening or pooling that the first dense layer's width asks for, where no layer's
/// name told.
fn add_pooling(
    stored: &[StoredLayer],
    layers: &mut Vec<(String, Op)>,
    [height, width, channels]: [usize; 3],
) {
    let told =
        |op: &Op| matches!(op, Op::Flatten | Op::GlobalAveragePooling2D | Op::GlobalMaxPooling2D);
    if layers.iter().any(|(_, op)| told(op)) {
        return;
    }
    let mut dense = layers.iter().enumerate().filter(|(_, (_, op))| matches!(op, Op::Dense { .. }));
    let Some((first, (name, _))) = dense.next() else { return };
    let kernel = stored.iter().find(|layer| layer.name == *name).and_then(|l| l.weights.first());
    let inputs = kernel.and_then(|weight| weight.shape.first()).copied().unwrap_or_default();
    let op = match inputs {
        n if n == channels as u64 && [height, width] != [1; 2] => match stored {
            _ if stored.iter().any(|layer| layer.name.starts_with("global_max_pooling")) => {
                Op::GlobalMaxPooling2D
            }
            _ => Op::GlobalAveragePooling2D,
        },
        _ => Op::Flatten,
    };
    layers.insert(first, (op.auto_name().to_owned(), op));
}

/// Keras heads rectify between dense layers and end in a softmax, or in one sigmoid neuron.
fn assume_activations(layers: &mut [(String, Op)]) {
    let last = layers.iter().rposition(|(_, op)| matches!(op, Op::Dense { .. }));
    for (position, (_, op)) in layers.iter_mut().enumerate() {
        if let Op::Dense { activation, units, .. } = op {
            *activation = match (Some(position) == last, *units) {
                (false, _) => Activation::Relu,
                (true, 1) => Activation::Sigmoid,
                (true, _) => Activation::Softmax,
            };
        }
    }
}
