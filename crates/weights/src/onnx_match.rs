//! Which architecture an ONNX graph belongs to, by its structure.
//!
//! The graph is walked from its end to the images, beside the layer table. An exporter may split a
//! layer from its activation, fold batch normalisation into the convolution before it, leave out
//! what does nothing, and write a padding in another way; all else must be equal.

use std::collections::{HashMap, HashSet};

use burncam_net::{Activation, Layer, LayerTable, Op, Padding, Weight};

use crate::Checkpoint;
use crate::keras_config::{Graph, Node};
use crate::keras_h5::{StoredLayer, StoredWeight};
use crate::matching::{Failure, FileNames, first_difference, quoted};
use crate::onnx_recipe::{Recipe, neutral_variance};
use crate::onnx_window::same_pads;
use crate::store::Store;

/// What follows a node's name where a convolution is meant without what is folded into it.
pub(crate) const KERNEL: &str = " (kernel)";

/// Steps of the walk, in layers of the table. A network takes about two for each layer.
const MOST_STEPS: usize = 200;

/// What a layer of the table is in the file.
#[derive(Clone, Copy)]
enum Found<'a> {
    /// It does nothing, or the next one does it.
    Absent,
    /// The node that gives the layer's output, and the one that holds its weights.
    Nodes { output: &'a Node, holder: &'a Node },
    /// A convolution whose batch normalisation is folded into it.
    Kernel(&'a Node),
    /// A batch normalisation that is folded into this convolution.
    Folded(&'a Node),
}

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

/// A walk beside a table.
struct Walk<'a> {
    table: &'a LayerTable,
    nodes: HashMap<&'a str, &'a Node>,
    /// What each layer is, and the node at which it was met.
    found: Vec<Option<(Found<'a>, &'a str)>>,
    /// Layers in the order in which they were found.
    trail: Vec<usize>,
    best: Failure,
    steps: usize,
}

/// Compares a graph with the layers of an architecture.
pub(crate) fn match_graph(table: &LayerTable, graph: &Graph) -> Result<Matched, Failure> {
    let nodes = graph.nodes.iter().map(|node| (node.name.as_str(), node)).collect();
    let best = Failure { matched: 0, difference: String::new() };
    let found = vec![None; table.layers().len()];
    let steps = MOST_STEPS * found.len();
    let mut walk = Walk { table, nodes, found, trail: Vec::new(), best, steps };
    let last = table.layers().len() - 1;
    for end in walk.ends(graph)? {
        if walk.layer(last, end).is_ok() {
            return Ok(walk.matched());
        }
        walk.back_to(0);
    }
    // What cannot be used is why all that reads it cannot be either.
    let first = graph.nodes.iter().find_map(|node| refused(node));
    let Failure { matched, difference } = walk.best;
    Err(Failure { matched, difference: first.unwrap_or(difference) })
}

/// The share of an architecture's own layer names that nodes or tensors of the file have as a part
/// of theirs, at most 1.
pub(crate) fn known_names(table: &LayerTable, file: &Checkpoint) -> f64 {
    let nodes = file.graph.iter().flat_map(|graph| graph.nodes.iter().map(|node| &node.name));
    let weights = file.layers.iter().flat_map(|layer| &layer.weights);
    let names: Vec<&String> = nodes.chain(weights.map(|weight| &weight.path)).collect();
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let has = |whole: &str, part: &str| {
        whole.match_indices(part).any(|(start, _)| {
            let (before, after) = (&whole[..start], &whole[start + part.len()..]);
            !inside(before.chars().next_back()) && !inside(after.chars().next())
        })
    };
    let own: Vec<&Layer> = table.layers().iter().filter(|layer| !layer.auto_named).collect();
    let known = own.iter().filter(|layer| names.iter().any(|name| has(name, &layer.name)));
    known.count() as f64 / own.len().max(1) as f64
}

impl<'a> Walk<'a> {
    /// Where the network may end and its head begin: before the layers that only a head has.
    fn ends(&self, graph: &'a Graph) -> Result<Vec<&'a str>, Failure> {
        let fail = |difference: String| Err(Failure { matched: 0, difference });
        let [output] = graph.outputs.as_slice() else {
            let names: Vec<&str> = graph.outputs.iter().map(String::as_str).collect();
            return fail(format!("its outputs are {}, and one is needed", quoted(&names)));
        };
        if let Some(reader) = graph.readers(output).next() {
            return fail(format!("its output `{output}` is read by `{}`", reader.name));
        }
        let (mut name, mut ends) = (output.as_str(), Vec::new());
        while let Some(node) = self.nodes.get(name) {
            let flat = matches!(node.op, Ok(Op::Dense { .. } | Op::Flatten));
            if flat {
                ends.clear();
            } else {
                ends.push(node.name.as_str());
            }
            let head = match &node.op {
                Ok(op) => flat || HEAD.contains(&op.class()),
                Err(_) => false,
            };
            match node.inputs.as_slice() {
                [input] if head => name = input,
                _ => break,
            }
        }
        // What is nearest to the images comes first: a head may have activations of its own.
        ends.reverse();
        Ok(ends)
    }

    fn fail<T>(&mut self, difference: String) -> Result<T, ()> {
        let matched = self.trail.len();
        if self.best.difference.is_empty() || matched > self.best.matched {
            self.best = Failure { matched, difference };
        }
        Err(())
    }

    fn back_to(&mut self, length: usize) {
        for index in self.trail.drain(length..) {
            self.found[index] = None;
        }
    }

    fn set(&mut self, index: usize, found: Found<'a>, at: &'a str) {
        self.found[index] = Some((found, at));
        self.trail.push(index);
    }

    /// Whether the value of this node is that of this layer.
    fn layer(&mut self, index: usize, name: &'a str) -> Result<(), ()> {
        let table = self.table;
        let layer = &table.layers()[index];
        if let Some((_, before)) = self.found[index] {
            return match before == name {
                true => Ok(()),
                false => self.fail(format!("`{before}` and `{name}` are both {}", layer.name)),
            };
        }
        self.steps = match self.steps.checked_sub(1) {
            Some(left) => left,
            None => return self.fail("its parts are alike in too many ways".to_owned()),
        };
        let Some(&node) = self.nodes.get(name) else {
            return self.fail(format!("there is no layer `{name}`"));
        };
        match &layer.op {
            Op::Dropout | Op::Reshape { .. } => {
                self.set(index, Found::Absent, name);
                self.layer(layer.inputs[0], name)
            }
            Op::Conv2D { activation, .. } if *activation != Activation::Linear => {
                self.settings(&Op::Activation { activation: *activation }, node)?;
                let Some(conv) = node.inputs.first().and_then(|n| self.nodes.get(n.as_str()))
                else {
                    return self.fail(format!("layer `{name}` reads nothing"));
                };
                self.conv(index, conv, Found::Nodes { output: node, holder: conv }, name)
            }
            Op::Conv2D { .. } => {
                self.conv(index, node, Found::Nodes { output: node, holder: node }, name)
            }
            Op::BatchNormalization { center: true, .. }
                if matches!(node.op, Ok(Op::Conv2D { .. })) =>
            {
                self.set(index, Found::Folded(node), name);
                self.conv(layer.inputs[0], node, Found::Kernel(node), name)
            }
            op => {
                self.settings(&self.harmonised(index, node, op), node)?;
                self.set(index, Found::Nodes { output: node, holder: node }, name);
                self.inputs(index, node)
            }
        }
    }

    /// Compares a convolution, and what it reads. The padding may be its own or a layer's.
    fn conv(
        &mut self,
        index: usize,
        node: &'a Node,
        found: Found<'a>,
        at: &'a str,
    ) -> Result<(), ()> {
        let table = self.table;
        let layer = &table.layers()[index];
        let Op::Conv2D { kernel_size: k, strides: s, .. } = layer.op else {
            return self.fail(format!(
                "layer `{}` is {}, expected {}",
                node.name,
                node.class,
                layer.op.class()
            ));
        };
        if self.found[index].is_some() {
            return self.fail(format!("layer `{}` is met twice", layer.name));
        }
        let before = layer.inputs[0];
        let padded = self.nodes.get(node.inputs.first().map_or("", String::as_str)).copied();
        let padded = padded.filter(|node| matches!(node.op, Ok(Op::ZeroPadding2D { .. })));
        let Ok(Op::Conv2D { padding, .. }) = &node.op else {
            self.settings(&layer.op, node)?;
            return Err(());
        };
        let Op::Conv2D { padding: wanted, .. } = layer.op else { return Err(()) };
        let (explicit, source) = match table.layers()[before].op {
            Op::ZeroPadding2D { padding } => (padding, table.layers()[before].inputs[0]),
            _ => ([[0; 2]; 2], before),
        };
        let stored = match padded.map(|node| &node.op) {
            Some(Ok(Op::ZeroPadding2D { padding })) => *padding,
            _ => [[0; 2]; 2],
        };
        let own = |padding, layer: usize| {
            let [height, width, _] = table.layers()[layer].output;
            [same_pads(padding, height, k[0], s[0]), same_pads(padding, width, k[1], s[1])]
        };
        // Zeros on each side, by the table and by the file.
        let expected = sum(explicit, own(wanted, before));
        let (given, alike) = match (padded, padding) {
            (Some(_), Padding::Same) => (stored, (explicit, wanted) == (stored, *padding)),
            (Some(_), Padding::Valid) => (stored, expected == stored),
            (None, _) => (own(*padding, source), expected == own(*padding, source)),
        };
        let mut op = layer.op.clone();
        let has_bias = matches!(node.op, Ok(Op::Conv2D { use_bias: true, .. }));
        if let Op::Conv2D { padding: own, use_bias, activation, .. } = &mut op {
            // A bias of 0 may be left out, and that of a folded one is the normalisation's.
            *use_bias = has_bias && (*use_bias || matches!(found, Found::Kernel(_)));
            *activation = Activation::Linear;
            *own = *padding;
        }
        self.settings(&op, node)?;
        if !alike {
            let why = format!(
                "layer `{}` pads by {given:?}, before and after in height and width, expected \
                 {expected:?}",
                node.name
            );
            return self.fail(why);
        }
        self.set(index, found, at);
        if source != before {
            let pads = padded.map(|node| Found::Nodes { output: node, holder: node });
            self.set(before, pads.unwrap_or(Found::Absent), at);
        }
        let reader = padded.unwrap_or(node);
        match reader.inputs.first() {
            Some(input) => self.layer(source, input),
            None => self.fail(format!("layer `{}` reads nothing", reader.name)),
        }
    }

    /// The table's operation, written as the node writes it where that means the same.
    fn harmonised(&self, index: usize, node: &Node, op: &Op) -> Op {
        let layer = &self.table.layers()[index];
        let mut op = op.clone();
        match (&mut op, &node.op) {
            (
                Op::MaxPooling2D { pool_size: k, strides: s, padding: own }
                | Op::AveragePooling2D { pool_size: k, strides: s, padding: own },
                Ok(Op::MaxPooling2D { padding, .. } | Op::AveragePooling2D { padding, .. }),
            ) => {
                let [height, width, _] = self.table.layers()[layer.inputs[0]].output;
                let pads = |p| [same_pads(p, height, k[0], s[0]), same_pads(p, width, k[1], s[1])];
                if pads(*own) == pads(*padding) {
                    *own = *padding;
                }
            }
            // A scale of 1 throughout is one that the network has, too.
            (
                Op::BatchNormalization { scale, .. },
                Ok(Op::BatchNormalization { scale: false, .. }),
            ) => *scale = false,
            _ => {}
        }
        op
    }

    /// Compares the class and the settings.
    fn settings(&mut self, expected: &Op, node: &Node) -> Result<(), ()> {
        let name = &node.name;
        let op = match &node.op {
            Ok(op) => op,
            Err(_) => return self.fail(refused(node).unwrap_or_default()),
        };
        if op.class() != expected.class() {
            let class = expected.class();
            return self
                .fail(format!("layer `{name}` is of class {}, expected {class}", op.class()));
        }
        match first_difference(op, expected) {
            Some((setting, found, expected)) => {
                self.fail(format!("layer `{name}`: `{setting}` is {found}, expected {expected}"))
            }
            None => Ok(()),
        }
    }

    /// Compares what a layer reads, in either order where that does not matter.
    fn inputs(&mut self, index: usize, node: &'a Node) -> Result<(), ()> {
        let table = self.table;
        let layer = &table.layers()[index];
        let mut own = layer.inputs.clone();
        if own.len() != node.inputs.len() && layer.op == Op::Concatenate {
            // A joint of joints may be written as one.
            let inner = self.joined(&mut own);
            inner.into_iter().for_each(|joint| self.set(joint, Found::Absent, &node.name));
        }
        if own.len() != node.inputs.len() {
            let (name, found, expected) = (&node.name, node.inputs.len(), layer.inputs.len());
            return self.fail(format!("layer `{name}` reads {found} layers, expected {expected}"));
        }
        let (mark, pairs) = (self.trail.len(), own.iter().zip(&node.inputs));
        let mut result = Ok(());
        for (&input, name) in pairs {
            result = result.and_then(|()| self.layer(input, name));
        }
        if let ([a, b], [first, second]) = (layer.inputs.as_slice(), node.inputs.as_slice())
            && result.is_err()
            && layer.op.commutes()
        {
            self.back_to(mark);
            result = self.layer(*a, second).and_then(|()| self.layer(*b, first));
        }
        result
    }

    /// Puts the inputs of a joint's joints in their place, and gives those joints.
    fn joined(&self, inputs: &mut Vec<usize>) -> Vec<usize> {
        let layers = self.table.layers();
        let is_joint = |&input: &usize| layers[input].op == Op::Concatenate;
        let mut joints = Vec::new();
        while let Some(place) = inputs.iter().position(is_joint) {
            let joint = inputs[place];
            joints.push(joint);
            inputs.splice(place..=place, layers[joint].inputs.iter().copied());
        }
        joints
    }

    fn matched(self) -> Matched {
        let mut used = HashSet::new();
        let mut layers = Vec::with_capacity(self.found.len());
        for found in self.found {
            let (name, holder, kind) = match found.map(|(found, _)| found) {
                None | Some(Found::Absent) => (None, String::new(), Kind::Absent),
                Some(Found::Nodes { output, holder }) => {
                    (Some(output.name.clone()), holder.name.clone(), Kind::Own)
                }
                Some(Found::Kernel(node)) => {
                    (Some(format!("{}{KERNEL}", node.name)), node.name.clone(), Kind::Kernel)
                }
                Some(Found::Folded(node)) => {
                    (Some(node.name.clone()), node.name.clone(), Kind::Folded)
                }
            };
            used.extend(name.clone());
            used.insert(holder.clone());
            // A padding that was written as a layer of its own.
            let reads = self.nodes.get(holder.as_str()).map_or(&[][..], |node| &node.inputs);
            let padding = |name: &&String| {
                let node = self.nodes.get(name.as_str());
                kind != Kind::Absent
                    && node.is_some_and(|n| matches!(n.op, Ok(Op::ZeroPadding2D { .. })))
            };
            used.extend(reads.iter().filter(padding).cloned());
            layers.push(Place { name, holder, kind });
        }
        Matched { layers, used }
    }
}

/// Why a layer cannot be used, if it cannot.
fn refused(node: &Node) -> Option<String> {
    let why = &node.op.as_ref().err()?.0;
    Some(format!("layer `{}` ({}) cannot be used: {why}", node.name, node.class))
}

/// Classes that a head may have beside dense layers and flattening.
const HEAD: [&str; 4] =
    ["GlobalAveragePooling2D", "GlobalMaxPooling2D", "BatchNormalization", "Activation"];

fn sum(a: [[usize; 2]; 2], b: [[usize; 2]; 2]) -> [[usize; 2]; 2] {
    [0, 1].map(|axis| [a[axis][0] + b[axis][0], a[axis][1] + b[axis][1]])
}

impl Matched {
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
                let weights = weights(place.kind, layer, own, &mut store.recipes);
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
            nodes.push(Node { name, class, op, inputs, group: String::new() });
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
    recipes: &mut HashMap<String, Recipe>,
) -> Vec<StoredWeight> {
    let take = |weight: Weight| own.iter().find(|own| own.name == weight.name()).cloned();
    let mut filled = |weight: Weight, value: f32| {
        let (path, count) = (format!("{} {weight} filled", layer.name), layer.output[2]);
        recipes.insert(path.clone(), Recipe::Filled { value, count });
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
