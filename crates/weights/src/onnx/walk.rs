//! The walk through an ONNX graph beside a layer table, from the end to the images.
//!
//! An exporter may split a layer from its activation, fold batch normalisation into the convolution
//! before it, leave out what does nothing, and write a padding in another way; all else must be
//! equal.

use std::collections::HashMap;

use burncam_net::{Activation, LayerTable, Op, Padding};

use crate::keras::config::{Graph, Node};
use crate::matching::{Failure, first_difference, quoted};
use crate::onnx::slide::same_pads;
use crate::onnx::zeros::{Zeros, pads};

/// Steps of the walk, in layers of the table. A network takes about two for each layer.
const MOST_STEPS: usize = 200;

/// Classes that a head may have beside dense layers and flattening.
const HEAD: [&str; 5] = [
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "AveragePooling2D",
    "BatchNormalization",
    "Activation",
];

/// What a layer of the table is in the file.
#[derive(Clone, Copy)]
pub(crate) enum LayerNodes<'a> {
    /// It does nothing, or the next one does it.
    Absent,
    /// The node that gives the layer's output, and the one that holds its weights.
    Nodes { output: &'a Node, holder: &'a Node },
    /// A convolution whose batch normalisation is folded into it.
    Kernel(&'a Node),
    /// A batch normalisation that is folded into this convolution.
    Folded(&'a Node),
}

/// A walk beside a table.
pub(crate) struct Walk<'a> {
    table: &'a LayerTable,
    pub(crate) nodes: HashMap<&'a str, &'a Node>,
    /// What each layer is, and the node at which it was met.
    pub(crate) found: Vec<Option<(LayerNodes<'a>, &'a str)>>,
    /// Layers in the order in which they were found.
    trail: Vec<usize>,
    pub(crate) best: Failure,
    steps: usize,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(table: &'a LayerTable, graph: &'a Graph) -> Self {
        let nodes = graph.nodes.iter().map(|node| (node.name.as_str(), node)).collect();
        let best = Failure { matched: 0, difference: String::new() };
        let found = vec![None; table.layers().len()];
        let steps = MOST_STEPS.saturating_mul(found.len());
        Self { table, nodes, found, trail: Vec::new(), best, steps }
    }

    /// Where the network may end and its head begin: before the layers that only a head has.
    pub(crate) fn ends(&self, graph: &'a Graph) -> Result<Vec<&'a str>, Failure> {
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

    #[expect(clippy::indexing_slicing, reason = "places in the table, which are the table's own")]
    pub(crate) fn back_to(&mut self, length: usize) {
        for index in self.trail.drain(length..) {
            self.found[index] = None;
        }
    }

    #[expect(clippy::indexing_slicing, reason = "places in the table, which are the table's own")]
    fn set(&mut self, index: usize, found: LayerNodes<'a>, at: &'a str) {
        self.found[index] = Some((found, at));
        self.trail.push(index);
    }

    /// Whether the value of this node is that of this layer.
    #[expect(clippy::indexing_slicing, reason = "places in the table, which are the table's own")]
    pub(crate) fn layer(&mut self, index: usize, name: &'a str) -> Result<(), ()> {
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
                self.set(index, LayerNodes::Absent, name);
                self.layer(layer.inputs[0], name)
            }
            Op::Conv2D { activation, .. } if *activation != Activation::Linear => {
                self.settings(&Op::Activation { activation: *activation }, node)?;
                let Some(conv) = node.inputs.first().and_then(|n| self.nodes.get(n.as_str()))
                else {
                    return self.fail(format!("layer `{name}` reads nothing"));
                };
                self.conv(index, conv, LayerNodes::Nodes { output: node, holder: conv }, name)
            }
            Op::Conv2D { .. } => {
                self.conv(index, node, LayerNodes::Nodes { output: node, holder: node }, name)
            }
            Op::BatchNormalization { center: true, .. }
                if matches!(node.op, Ok(Op::Conv2D { .. })) =>
            {
                self.set(index, LayerNodes::Folded(node), name);
                self.conv(layer.inputs[0], node, LayerNodes::Kernel(node), name)
            }
            op => {
                self.settings(&self.harmonised(index, node, op), node)?;
                self.set(index, LayerNodes::Nodes { output: node, holder: node }, name);
                self.inputs(index, node)
            }
        }
    }

    /// Compares a convolution, and what it reads. The padding may be its own or a layer's.
    #[expect(clippy::indexing_slicing, reason = "places in the table, which are the table's own")]
    fn conv(
        &mut self,
        index: usize,
        node: &'a Node,
        found: LayerNodes<'a>,
        at: &'a str,
    ) -> Result<(), ()> {
        let layer = &self.table.layers()[index];
        if self.found[index].is_some() {
            return self.fail(format!("layer `{}` is met twice", layer.name));
        }
        let mut op = layer.op.clone();
        if let (Op::Conv2D { padding: own, use_bias, activation, .. }, Ok(stored)) =
            (&mut op, &node.op)
            && let Op::Conv2D { padding, use_bias: has_bias, .. } = stored
        {
            // A bias of 0 may be left out, and that of a folded one is the normalisation's.
            *use_bias = *has_bias && (*use_bias || matches!(found, LayerNodes::Kernel(_)));
            *activation = Activation::Linear;
            *own = *padding;
        }
        self.settings(&op, node)?;
        let input = node.inputs.first().map_or("", String::as_str);
        let padded = self.nodes.get(input).copied().filter(|node| pads(node).is_some());
        let zeros = Zeros::new(self.table, index, &op, padded.and_then(pads));
        let Zeros { expected, given, .. } = zeros;
        if !zeros.alike {
            let why = format!(
                "layer `{}` pads by {given:?}, before and after in height and width, expected \
                 {expected:?}",
                node.name
            );
            return self.fail(why);
        }
        self.set(index, found, at);
        if zeros.source != layer.inputs[0] {
            let pads = padded.map(|node| LayerNodes::Nodes { output: node, holder: node });
            self.set(layer.inputs[0], pads.unwrap_or(LayerNodes::Absent), at);
        }
        let input = padded.map_or(input, |node| node.inputs.first().map_or("", String::as_str));
        self.layer(zeros.source, input)
    }

    /// The table's operation, written as the node writes it where that means the same.
    #[expect(clippy::indexing_slicing, reason = "places in the table, which are the table's own")]
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
                // A mean counts the zeros around a map, and not those of `same`.
                let counts = |p| matches!(p, Padding::Around(zeros) if zeros > 0);
                let alike = counts(*own) == counts(*padding) || layer.op.class() == "MaxPooling2D";
                if alike && pads(*own) == pads(*padding) {
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
    #[expect(clippy::indexing_slicing, reason = "places in the table, which are the table's own")]
    fn inputs(&mut self, index: usize, node: &'a Node) -> Result<(), ()> {
        let table = self.table;
        let layer = &table.layers()[index];
        let mut own = layer.inputs.clone();
        if own.len() != node.inputs.len() && layer.op == Op::Concatenate {
            // A joint of joints may be written as one.
            let inner = self.joined(&mut own);
            inner.into_iter().for_each(|joint| self.set(joint, LayerNodes::Absent, &node.name));
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
    #[expect(clippy::indexing_slicing, reason = "places in the table, which are the table's own")]
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
}

/// Why a layer cannot be used, if it cannot.
pub(crate) fn refused(node: &Node) -> Option<String> {
    let why = &node.op.as_ref().err()?.0;
    Some(format!("layer `{}` ({}) cannot be used: {why}", node.name, node.class))
}
