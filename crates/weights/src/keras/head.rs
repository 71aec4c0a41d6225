//! The head: what a Keras file has after the network's last layer.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use burncam_net::{Activation, HeadConfig, LayerTable, Op, Padding, Weight};

use crate::head_weights::{HeadChoice, HeadParts, HeadWeights, HeadWeightsKind, is_entrance};
use crate::keras::config::{Graph, Node};
use crate::keras::h5::{StoredLayer, StoredWeight};
use crate::keras::v3;
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

/// Epsilon of Keras's batch normalisation unless told otherwise.
const EPSILON: f32 = 1e-3;

/// What a file without a configuration has beside the network, in its order.
struct Stored {
    layers: Vec<(String, Op)>,
    /// Layers without weights of which it is not known what they do, as an activation.
    unknown: Vec<String>,
    /// Whether the order is that of the model; Keras 3's layout has none across classes.
    ordered: bool,
}

/// Reads the head from the names and shapes of its weights. A single dense layer and the family's own
/// heads are certain; activations inside other heads are not in the file.
pub(crate) fn from_weights(
    file: &Checkpoint,
    names: &FileNames,
    table: &LayerTable,
) -> Result<HeadLayers, Error> {
    let stored = stored(file, names, table)?;
    let [height, width, _] = table.last().output;
    let area = height.saturating_mul(width);
    let entrances: Vec<&Op> =
        stored.layers.iter().map(|(_, op)| op).filter(|op| is_entrance(op)).collect();
    let parts = HeadParts { weights: weights(file, &stored.layers), table, epsilon: EPSILON };
    let suits = |layers: &[(String, Op)]| {
        let entrance = layers.iter().map(|(_, op)| op).find(|op| is_entrance(op));
        let same =
            area <= 1 || entrances.is_empty() || entrance.is_some_and(|op| entrances.contains(&op));
        // A layer may have its activation beside it, under its own name: `fc6/relu`.
        let beside = |unknown: &String| {
            layers.iter().any(|(name, _)| {
                unknown.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'))
            })
        };
        same && stored.unknown.iter().all(beside)
    };
    let sequence = match stored.ordered {
        true => Some(stored.layers.clone()),
        false => parts.sequence().map(|(entrance, weights)| {
            let own = weights.iter().filter_map(|weights| {
                stored.layers.iter().find(|(name, _)| *name == weights.name).cloned()
            });
            let entrance = entrances.first().map_or(entrance, |op| (*op).clone());
            [(entrance.auto_name().to_owned(), entrance)].into_iter().chain(own).collect()
        }),
    };
    let sequence = sequence.unwrap_or_default();
    let choice = HeadChoice {
        certain: certain(&stored, &parts, area),
        candidates: candidates(&sequence, area),
        parts,
        asked: file.stated.head.as_ref(),
        suits: &suits,
    };
    let config = choice.decide(&file.path)?.config;
    Ok(HeadLayers { config, notes: Vec::new() })
}

/// What the file has beside the network.
fn stored(file: &Checkpoint, names: &FileNames, table: &LayerTable) -> Result<Stored, Error> {
    let (path, stored) = (file.path.as_path(), file.layers.as_slice());
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
    // Of layers without weights, Keras 3's layout tells the class alone: the network has so many.
    let mut of_network: HashMap<String, usize> = HashMap::new();
    for layer in table.layers().iter().filter(|_| !ordered && !inner) {
        let count = of_network.entry(v3::snake_case(layer.op.class())).or_default();
        *count = count.saturating_add(1);
    }
    let end = stored.iter().rposition(|layer| trunk.contains(layer.name.as_str())).unwrap_or(0);
    let (mut layers, mut unknown) = (Vec::new(), Vec::new());
    for (position, layer) in stored.iter().enumerate() {
        // The first layer is the input, whatever its name.
        let input = ordered && position == 0 && layer.weights.is_empty();
        if input || trunk.contains(layer.name.as_str()) {
            continue;
        }
        if !ordered && layer.weights.is_empty() {
            let left = of_network.get_mut(&v3::rank(&layer.name).0).filter(|left| **left > 0);
            if let Some(left) = left {
                *left = left.saturating_sub(1);
                continue;
            }
        }
        let reason = match inferred(layer) {
            // Dropout and augmentation do nothing wherever they stand.
            Some(Op::Dropout) if position < end || !ordered => continue,
            Some(_) if ordered && position < end => "it has no place inside the network",
            Some(op) => {
                layers.push((layer.name.clone(), op));
                continue;
            }
            None if layer.weights.is_empty() && (!ordered || position > end) => {
                unknown.push(layer.name.clone());
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
    Ok(Stored { layers, unknown, ordered })
}

fn weights(file: &Checkpoint, layers: &[(String, Op)]) -> Vec<HeadWeights> {
    let one = |(name, op): &(String, Op)| {
        let layer = file.layers.iter().find(|layer| layer.name == *name)?;
        let find = |weight: Weight| layer.weights.iter().find(|own| own.name == weight.name());
        let (kind, [inputs, outputs]) = match *op {
            Op::Dense { use_bias, .. } => {
                let &[inputs, outputs] = find(Weight::Kernel)?.shape.as_slice() else {
                    return None;
                };
                (HeadWeightsKind::Dense { use_bias }, [inputs, outputs])
            }
            Op::BatchNormalization { scale, center, .. } => {
                let &[channels] = find(Weight::MovingVariance)?.shape.as_slice() else {
                    return None;
                };
                (HeadWeightsKind::Norm { scale, center }, [channels; 2])
            }
            _ => return None,
        };
        Some(HeadWeights { name: name.clone(), kind, inputs, outputs })
    };
    layers.iter().filter_map(one).collect()
}

/// The head with a single dense layer, where the file tells how a map becomes a vector.
fn certain(stored: &Stored, parts: &HeadParts<'_>, area: usize) -> Option<Vec<(String, Op)>> {
    let layers = &stored.layers;
    let dense: Vec<usize> = (0..layers.len())
        .filter(|&at| matches!(layers.get(at), Some((_, Op::Dense { .. }))))
        .collect();
    let normed = layers.iter().any(|(_, op)| matches!(op, Op::BatchNormalization { .. }));
    let &[dense] = dense.as_slice() else { return None };
    if !stored.unknown.is_empty() || (normed && !stored.ordered) {
        return None;
    }
    let inputs =
        parts.weights.iter().find(|weights| matches!(weights.kind, HeadWeightsKind::Dense { .. }));
    let flat = inputs.is_some_and(|weights| weights.inputs == parts.flattened());
    match layers.iter().filter(|(_, op)| is_entrance(op)).count() {
        // Of a map of one position, all ways give the same.
        0 if flat || area <= 1 => {
            let mut layers = layers.clone();
            layers.insert(dense, (Op::Flatten.auto_name().to_owned(), Op::Flatten));
            Some(layers)
        }
        1 if stored.ordered => Some(layers.clone()),
        1 => {
            let mut layers = layers.clone();
            layers.sort_by_key(|(_, op)| !is_entrance(op));
            Some(layers)
        }
        _ => None,
    }
}

/// Heads of these layers, in words: hidden layers with a rectifier, as is common, and without.
fn candidates(layers: &[(String, Op)], area: usize) -> Vec<String> {
    let last = layers.iter().rposition(|(_, op)| matches!(op, Op::Dense { .. }));
    let stated = layers.iter().any(|(_, op)| is_entrance(op));
    let mut all = Vec::new();
    for activation in [" relu", ""] {
        let word = |(at, (_, op)): (usize, &(String, Op))| match op {
            Op::Dense { units, .. } if Some(at) == last => format!("dense {units}"),
            Op::Dense { units, .. } => format!("dense {units}{activation}"),
            Op::Flatten => "flatten".to_owned(),
            Op::GlobalAveragePooling2D => "avgpool".to_owned(),
            Op::GlobalMaxPooling2D => "maxpool".to_owned(),
            Op::BatchNormalization { .. } => "batchnorm".to_owned(),
            _ => "dropout".to_owned(),
        };
        let words: Vec<String> = layers.iter().enumerate().map(word).collect();
        let entrances: &[&str] =
            if stated || area <= 1 { &[""] } else { &["flatten; ", "avgpool; ", "maxpool; "] };
        all.extend(entrances.iter().map(|entrance| format!("{entrance}{}", words.join("; "))));
    }
    all
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
        return Some(Op::BatchNormalization { epsilon: EPSILON, scale, center });
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
