//! What depends on what in an ONNX graph, and where it can be cut.

use std::collections::{BTreeSet, HashMap, HashSet};

use anyhow::{Context, Result, ensure};
use onnx_ir::{AttributeProto, GraphProto, NodeProto, TensorProto};

/// A graph of one image input and one output.
pub(crate) struct Graph<'a> {
    pub(crate) proto: &'a GraphProto,
    pub(crate) input: &'a str,
    pub(crate) output: &'a str,
    /// Which node makes a value.
    makers: HashMap<&'a str, usize>,
    /// Values that depend on the image.
    live: HashSet<&'a str>,
    /// Values that are in the file.
    constants: HashMap<&'a str, &'a TensorProto>,
}

/// The nodes of both parts, in the graph's order. Nodes that depend on no image may be in both.
pub(crate) struct Cut {
    pub(crate) features: Vec<usize>,
    pub(crate) head: Vec<usize>,
}

impl<'a> Graph<'a> {
    /// Follows the values of a graph.
    ///
    /// # Errors
    ///
    /// If there is not one input and one output.
    pub(crate) fn new(proto: &'a GraphProto) -> Result<Self> {
        let mut constants: HashMap<&str, &TensorProto> =
            proto.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
        let names = proto.input.iter().map(|input| input.name.as_str());
        let inputs: Vec<&str> = names.filter(|name| !constants.contains_key(name)).collect();
        let outputs: Vec<&str> = proto.output.iter().map(|value| value.name.as_str()).collect();
        ensure!(inputs.len() == 1, "the graph has the inputs {inputs:?}, and one is needed");
        ensure!(
            outputs.len() == 1,
            "the graph has the outputs {outputs:?}, and one is needed: the classes\nhint: export the \
             network without its auxiliary outputs"
        );
        let mut makers = HashMap::new();
        let mut live = HashSet::from([inputs[0]]);
        for (index, node) in proto.node.iter().enumerate() {
            let made = node.output.iter().map(String::as_str).filter(|name| !name.is_empty());
            if node.input.iter().any(|input| live.contains(input.as_str())) {
                live.extend(made.clone());
            }
            if node.op_type == "Constant"
                && let Some(value) = attribute(node, "value").and_then(|value| value.t.as_ref())
            {
                constants.extend(made.clone().map(|name| (name, value)));
            }
            if node.op_type == "Identity"
                && let Some(value) = node.input.first().and_then(|v| constants.get(v.as_str()))
            {
                let value = *value;
                constants.extend(made.clone().map(|name| (name, value)));
            }
            makers.extend(made.map(|name| (name, index)));
        }
        let (input, output) = (inputs[0], outputs[0]);
        ensure!(live.contains(output), "the output `{output}` does not depend on the image");
        Ok(Self { proto, input, output, makers, live, constants })
    }

    /// The value of this name, if the file has it.
    pub(crate) fn constant(&self, name: &str) -> Option<&'a TensorProto> {
        self.constants.get(name).copied()
    }

    /// The node that makes this value.
    pub(crate) fn maker(&self, name: &str) -> Option<&'a NodeProto> {
        self.makers.get(name).map(|&index| &self.proto.node[index])
    }

    /// Values that depend on the image, in the graph's order.
    pub(crate) fn values(&self) -> impl Iterator<Item = &'a str> {
        let made = self.proto.node.iter().flat_map(|node| &node.output).map(String::as_str);
        made.filter(|name| self.live.contains(name))
    }

    /// Cuts the graph at `tensor`: what makes it, and what makes `output` of it.
    ///
    /// # Errors
    ///
    /// If there is no such tensor, or the output needs others beside it.
    pub(crate) fn cut(&self, tensor: &str, output: &str) -> Result<Cut> {
        ensure!(
            self.live.contains(tensor) && tensor != self.input,
            "the graph computes no tensor `{tensor}` from the image"
        );
        let others = self
            .beside(tensor, output)
            .with_context(|| format!("the output `{output}` does not depend on `{tensor}`"))?;
        ensure!(
            others.is_empty(),
            "the graph cannot be cut at `{tensor}`: what follows also needs {}",
            others.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        );
        let features = self.ancestors(tensor, None);
        let head = self.ancestors(output, Some(tensor));
        let head = head.difference(&features).chain(head.intersection(&features));
        // What is in both depends on no image, or it would be needed beside the tensor.
        let mut head: Vec<usize> = head.copied().collect();
        head.sort_unstable();
        Ok(Cut { features: features.into_iter().collect(), head })
    }

    /// Values that `output` needs beside `tensor`; `None` if it does not need `tensor`.
    pub(crate) fn beside(&self, tensor: &str, output: &str) -> Option<Vec<&'a str>> {
        let features = self.ancestors(tensor, None);
        let after = self.ancestors(output, Some(tensor));
        let reads = |index: &usize| self.proto.node[*index].input.iter().map(String::as_str);
        after.iter().flat_map(reads).find(|name| *name == tensor)?;
        let outside = after.difference(&features).flat_map(reads);
        let mut others: Vec<&str> = outside
            .filter(|name| *name != tensor && self.live.contains(name))
            .filter(|name| self.makers.get(name).is_none_or(|index| features.contains(index)))
            .collect();
        others.sort_unstable();
        others.dedup();
        Some(others)
    }

    /// The nodes that make a value, without those that are needed for `given` only.
    fn ancestors(&self, value: &str, given: Option<&str>) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut open = vec![value];
        while let Some(name) = open.pop() {
            if given == Some(name) {
                continue;
            }
            if let Some(&index) = self.makers.get(name)
                && found.insert(index)
            {
                open.extend(self.proto.node[index].input.iter().map(String::as_str));
            }
        }
        found
    }
}

/// An attribute of a node.
pub(crate) fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|attribute| attribute.name == name)
}

/// An attribute of integers.
pub(crate) fn ints<'a>(node: &'a NodeProto, name: &str) -> Option<&'a [i64]> {
    attribute(node, name).map(|attribute| attribute.ints.as_slice()).filter(|v| !v.is_empty())
}

/// An attribute that is one integer.
pub(crate) fn int(node: &NodeProto, name: &str, default: i64) -> i64 {
    attribute(node, name).map_or(default, |attribute| attribute.i)
}
