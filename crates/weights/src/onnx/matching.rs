//! Which architecture an ONNX graph belongs to, by its structure; and its layers and weights in the
//! form of that one.

use std::collections::{HashMap, HashSet};

use burncam_net::{Layer, LayerTable, Op, Variant, Weight};

use crate::Checkpoint;
use crate::keras::config::{Graph, Node};
use crate::keras::h5::{StoredLayer, StoredWeight};
use crate::matching::{Failure, FileNames};
use crate::onnx::walk::{LayerNodes, Walk, refused};
use crate::onnx::weight_origin::{WeightOrigin, neutral_variance};
use crate::store::Store;

/// What follows a node's name where a convolution is meant without what is folded into it.
pub(crate) const KERNEL: &str = " (kernel)";

/// Every layer of the table in the file.
pub(crate) struct Matched {
    /// The file's name of each layer, and its node if it has one.
    layers: Vec<Place>,
    /// Nodes that have a place in the network.
    used: HashSet<String>,
}

/// Where a layer of the table is.
struct Place {
    name: Option<String>,
    /// Its weights are those of this node.
    holder: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Absent,
    Own,
    Kernel,
    Folded,
}

/// Compares a graph with the layers of an architecture.
pub(crate) fn match_graph(table: &LayerTable, graph: &Graph) -> Result<Matched, Failure> {
    let mut walk = Walk::new(table, graph);
    let last = table.layers().len().saturating_sub(1);
    for end in walk.ends(graph)? {
        if walk.layer(last, end).is_ok() {
            return Ok(Matched::new(walk));
        }
        walk.back_to(0);
    }
    // What cannot be used is why all that reads it cannot be either.
    let first = graph.nodes.iter().find_map(refused);
    let Failure { matched, difference } = walk.best;
    Err(Failure { matched, difference: first.unwrap_or(difference) })
}

/// How much of a file's names is looked at, in bytes: every name of InceptionV3 is, several times over.
const MOST_TEXT: usize = 1 << 17;

/// And how many of them.
const MOST_NAMES: usize = 5_000;

/// The share of an architecture's own layer names that nodes or tensors of the file have as a part
/// of theirs, at most 1.
pub(crate) fn known_names(table: &LayerTable, file: &Checkpoint) -> f64 {
    let nodes = file.graph.iter().flat_map(|graph| graph.nodes.iter().map(|node| &node.name));
    let weights = file.layers.iter().flat_map(|layer| &layer.weights);
    let mut left = MOST_TEXT;
    let some = nodes.chain(weights.map(|weight| &weight.path)).take_while(|name| {
        left = left.saturating_sub(name.len());
        left > 0
    });
    let names: Vec<&String> = some.take(MOST_NAMES).collect();
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let has = |whole: &str, part: &str| {
        whole.match_indices(part).any(|(start, found)| {
            let (before, rest) = whole.split_at_checked(start).unwrap_or_default();
            let after = rest.strip_prefix(found).unwrap_or_default();
            !inside(before.chars().next_back()) && !inside(after.chars().next())
        })
    };
    let own: Vec<&Layer> = table.layers().iter().filter(|layer| !layer.auto_named).collect();
    let known = own.iter().filter(|layer| names.iter().any(|name| has(name, &layer.name)));
    known.count() as f64 / own.len().max(1) as f64
}

/// How well a variant that fits a graph suits it, at least 1. Where several variants fit, as those
/// do whose batch normalisation may be folded, names tell them apart, then the program that wrote
/// the file, then what is folded.
pub(crate) fn likeness(
    variant: &Variant,
    matched: &Matched,
    known_names: f64,
    graph: &Graph,
) -> f64 {
    let of_keras = variant.name.starts_with("keras");
    let keras_wrote = !graph.producer.contains("pytorch");
    let folded = matched.layers.iter().any(|place| place.kind == Kind::Folded);
    let points = [(known_names, 4.0), (f64::from(of_keras == keras_wrote), 2.0)];
    let points: f64 = points.into_iter().map(|(share, weight)| share * weight).sum();
    2.0 + points - f64::from(folded)
}

impl Matched {
    fn new(walk: Walk<'_>) -> Self {
        let mut used = HashSet::new();
        let mut layers = Vec::with_capacity(walk.found.len());
        for found in walk.found {
            let (name, holder, kind) = match found.map(|(found, _)| found) {
                None | Some(LayerNodes::Absent) => (None, String::new(), Kind::Absent),
                Some(LayerNodes::Nodes { output, holder }) => {
                    (Some(output.name.clone()), holder.name.clone(), Kind::Own)
                }
                Some(LayerNodes::Kernel(node)) => {
                    (Some(format!("{}{KERNEL}", node.name)), node.name.clone(), Kind::Kernel)
                }
                Some(LayerNodes::Folded(node)) => {
                    (Some(node.name.clone()), node.name.clone(), Kind::Folded)
                }
            };
            used.extend(name.clone());
            used.insert(holder.clone());
            // A padding that was written as a layer of its own.
            let reads = walk.nodes.get(holder.as_str()).map_or(&[][..], |node| &node.inputs);
            let padding = |name: &&String| {
                let node = walk.nodes.get(name.as_str());
                kind != Kind::Absent
                    && node.is_some_and(|n| matches!(n.op, Ok(Op::ZeroPadding2D { .. })))
            };
            used.extend(reads.iter().filter(padding).cloned());
            layers.push(Place { name, holder, kind });
        }
        Self { layers, used }
    }

    /// Brings the file's layers and weights into the form of the table. Gives what the file calls
    /// each layer, and what the user should know.
    pub(crate) fn apply(
        &self,
        table: &LayerTable,
        file: &mut Checkpoint,
    ) -> (FileNames, Option<String>) {
        let places = || self.layers.iter().zip(table.layers());
        let called = |(place, layer): (&Place, &Layer)| {
            (layer.name.clone(), place.name.clone().unwrap_or(layer.name.clone()))
        };
        let names: FileNames = places().map(called).collect();
        let mut stored = std::mem::take(&mut file.layers);
        if let Store::Onnx(store) = &mut file.store {
            for (place, layer) in places() {
                let Some(name) = place.name.clone() else { continue };
                let own = stored.iter().find(|stored| stored.name == place.holder);
                let own = own.map_or(&[][..], |own| &own.weights);
                let weights = weights(place.kind, layer, own, &mut store.origins);
                if !weights.is_empty() {
                    file.layers.push(StoredLayer { name, weights, inner: false });
                }
            }
        }
        stored.retain(|layer| !self.used.contains(&layer.name));
        file.layers.extend(stored);
        if let Some(graph) = &mut file.graph {
            self.translate(table, graph, &names);
        }
        let folded = self.layers.iter().filter(|place| place.kind == Kind::Folded).count();
        let note = format!(
            "the file has batch normalisation folded into {folded} convolutions: what these give \
             before it is not what they gave in training; all that follows is"
        );
        (names, (folded > 0).then_some(note))
    }

    /// The nodes of the network become its layers; the others stay.
    #[expect(clippy::indexing_slicing, reason = "places and names of the table's own layers")]
    fn translate(&self, table: &LayerTable, graph: &mut Graph, names: &FileNames) {
        // What does nothing is passed over.
        let source = |mut index: usize| {
            while let (Kind::Absent, [input]) =
                (self.layers[index].kind, table.layers()[index].inputs.as_slice())
            {
                index = *input;
            }
            names[&table.layers()[index].name].clone()
        };
        let mut nodes = Vec::new();
        for (place, layer) in self.layers.iter().zip(table.layers()) {
            let Some(name) = place.name.clone() else { continue };
            let class = graph.get(&place.holder).map_or("", |node| &node.class).to_owned();
            let inputs = layer.inputs.iter().map(|&input| source(input)).collect();
            let op = Ok(layer.op.clone());
            nodes.push(Node::without_description(name, &class, op, inputs));
        }
        let rest = std::mem::take(&mut graph.nodes).into_iter();
        nodes.extend(rest.filter(|node| !self.used.contains(&node.name)).map(|mut node| {
            // In a head, a scale of 1 is read like any other.
            if let Ok(Op::BatchNormalization { scale, .. }) = &mut node.op {
                *scale = true;
            }
            node
        }));
        graph.nodes = nodes;
    }
}

/// The weights of a layer of the table, made of those of its node.
fn weights(
    kind: Kind,
    layer: &Layer,
    own: &[StoredWeight],
    origins: &mut HashMap<String, WeightOrigin>,
) -> Vec<StoredWeight> {
    let take = |weight: Weight| own.iter().find(|own| own.name == weight.name()).cloned();
    let mut filled = |weight: Weight, value: f32| {
        let (path, count) = (format!("{} {weight} filled", layer.name), layer.output[2]);
        origins.insert(path.clone(), WeightOrigin::Filled { value, count });
        StoredWeight { name: weight.name().to_owned(), path, shape: vec![count as u64] }
    };
    match (&layer.op, kind) {
        (Op::Conv2D { use_bias, .. }, _) => {
            let bias = take(Weight::Bias).filter(|_| kind == Kind::Own);
            let bias =
                if *use_bias { bias.or_else(|| Some(filled(Weight::Bias, 0.0))) } else { bias };
            take(Weight::Kernel).into_iter().chain(bias).collect()
        }
        (&Op::BatchNormalization { epsilon, scale, .. }, Kind::Folded) => {
            let beta = take(Weight::Bias);
            let beta =
                beta.map(|bias| StoredWeight { name: Weight::Beta.name().to_owned(), ..bias });
            let gamma = scale.then(|| filled(Weight::Gamma, 1.0));
            let beta = beta.unwrap_or_else(|| filled(Weight::Beta, 0.0));
            let mean = filled(Weight::MovingMean, 0.0);
            let variance = filled(Weight::MovingVariance, neutral_variance(epsilon));
            gamma.into_iter().chain([beta, mean, variance]).collect()
        }
        // Its scale was found to be 1 throughout.
        (Op::BatchNormalization { scale: false, .. }, _) => {
            own.iter().filter(|own| own.name != Weight::Gamma.name()).cloned().collect()
        }
        _ => own.to_vec(),
    }
}
