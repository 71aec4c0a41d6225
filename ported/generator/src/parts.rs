//! The two halves of a network, each an ONNX model of its own for any number of images.

use std::collections::HashSet;

use anyhow::{Context, Result, bail, ensure};
use onnx_ir::{GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};

use crate::graph::Graph;
use crate::model::{self, FLOAT};
use crate::shapes::{self, Shapes};

/// A network that is cut at one of its maps.
pub(crate) struct Parts {
    /// From the image to the map.
    pub(crate) features: ModelProto,
    /// From the map to the logits.
    pub(crate) head: ModelProto,
    /// The name of its input.
    pub(crate) input_name: String,
    /// `[height, width]` of its input.
    pub(crate) input: [i64; 2],
    /// Whether the input has its channels last.
    pub(crate) channels_last: bool,
    /// `[height, width, channels]` of the map.
    pub(crate) map: [i64; 3],
    /// Number of its outputs.
    pub(crate) units: i64,
    /// `softmax` or `sigmoid`: what was taken off the end, or is to be put there.
    pub(crate) output: &'static str,
}

/// A tensor at which the graph can be cut, and its `[height, width, channels]`.
pub(crate) type Place = (String, [i64; 3]);

/// The tensors at which a network can be cut, in its order.
pub(crate) fn places(graph: &Graph<'_>, shapes: &Shapes) -> Vec<Place> {
    let (logits, _) = logits(graph);
    let maps = graph.values().filter_map(|name| Some((name, map(shapes, name).ok()?)));
    let good = maps.filter(|(name, [height, width, _])| {
        let alone = || graph.beside(name, logits).is_some_and(|others| others.is_empty());
        height * width > 1 && alone()
    });
    good.map(|(name, map)| (name.to_owned(), map)).collect()
}

/// Cuts a model at `tensor`.
///
/// # Errors
///
/// If it cannot be cut there, or is no classifier of one RGB image for any number of images.
pub(crate) fn cut(proto: &ModelProto, tensor: &str) -> Result<Parts> {
    let graph = Graph::new(&proto.graph)?;
    let shapes = shapes::infer(&graph);
    let (input, channels_last) = image(&graph, &shapes)?;
    let (logits, output) = logits(&graph);
    let cut = graph.cut(tensor, logits)?;
    let map = map(&shapes, tensor)?;
    let units = match shapes.get(logits).map(|shape| shape.dims.as_slice()) {
        Some([_, units]) => *units,
        Some(other) => bail!("the output `{logits}` has the shape {other:?}, not [batch, classes]"),
        None => return Err(unknown(&graph, &shapes, logits)),
    };
    ensure!(
        !(units == 1 && output == "softmax" && logits != graph.output),
        "the output is a softmax over one neuron, which is always 1"
    );
    let output = if units == 1 { "sigmoid" } else { output };
    let [height, width, channels] = map;
    let nodes = Nodes::of(&graph, &shapes)?;
    let images = &shapes[graph.input].dims[1..];
    let at = (tensor, &[channels, height, width][..]);
    Ok(Parts {
        features: part(proto, &nodes, &cut.features, (graph.input, images), at)?,
        head: part(proto, &nodes, &cut.head, at, (logits, &[units]))?,
        input_name: graph.input.to_owned(),
        input,
        channels_last,
        map,
        units,
        output,
    })
}

/// `[height, width]` of the input, and whether its channels are last.
fn image(graph: &Graph<'_>, shapes: &Shapes) -> Result<([i64; 2], bool)> {
    let shape = shapes.get(graph.input).with_context(|| {
        format!(
            "the input `{}` has no fixed height and width\nhint: export the network for the size of \
             image that it was trained on; only the batch may be free",
            graph.input
        )
    })?;
    match (shape.dims.as_slice(), shape.channels_last) {
        (&[_, 3, height, width], false) => Ok(([height, width], false)),
        (&[_, height, width, 3], true) => Ok(([height, width], true)),
        (other, _) => bail!("the input `{}` is {other:?}, not a batch of RGB images", graph.input),
    }
}

/// The value before the last activation, and what that is.
fn logits<'a>(graph: &Graph<'a>) -> (&'a str, &'static str) {
    let mut name = graph.output;
    while let Some(node) = graph.maker(name) {
        let before = node.input.first().map_or(name, String::as_str);
        match node.op_type.as_str() {
            "Identity" => name = before,
            "Softmax" | "LogSoftmax" => return (before, "softmax"),
            "Sigmoid" => return (before, "sigmoid"),
            _ => break,
        }
    }
    (graph.output, "softmax")
}

/// `[height, width, channels]` of a map.
fn map(shapes: &Shapes, tensor: &str) -> Result<[i64; 3]> {
    match shapes.get(tensor) {
        Some(shape) if shape.channels_last => {
            bail!("`{tensor}` has its channels last; cut before it is turned round")
        }
        Some(shape) => match shape.dims[..] {
            [_, channels, height, width] => Ok([height, width, channels]),
            ref other => bail!("`{tensor}` has the shape {other:?}, so no height and width"),
        },
        None => bail!(
            "the shape of `{tensor}` is not known\nhint: `onnx.shape_inference.infer_shapes` in \
             Python writes shapes into a file"
        ),
    }
}

/// Names the first operator behind which shapes are lost.
fn unknown(graph: &Graph<'_>, shapes: &Shapes, name: &str) -> anyhow::Error {
    let lost = graph.values().find(|value| !shapes.contains_key(*value)).unwrap_or(name);
    let op = graph.maker(lost).map_or("", |node| &node.op_type);
    anyhow::anyhow!(
        "the shape of `{name}` is not known: it is lost at `{lost}` ({op})\nhint: \
         `onnx.shape_inference.infer_shapes` in Python writes shapes into a file"
    )
}

/// A graph's nodes as they are at inference, for any number of images.
struct Nodes {
    nodes: Vec<NodeProto>,
    /// New constants that they read.
    constants: Vec<TensorProto>,
}

impl Nodes {
    fn of(graph: &Graph<'_>, shapes: &Shapes) -> Result<Self> {
        let mut all = Self { nodes: Vec::new(), constants: Vec::new() };
        for node in &graph.proto.node {
            let mut node = node.clone();
            match node.op_type.as_str() {
                "Dropout" => {
                    node.op_type = "Identity".to_owned();
                    node.attribute.clear();
                    node.input.truncate(1);
                    node.output.truncate(1);
                }
                "Reshape" => all.free_batch(graph, shapes, &mut node)?,
                _ => {}
            }
            all.nodes.push(node);
        }
        Ok(all)
    }

    /// Makes a `Reshape` leave the number of images open.
    fn free_batch(
        &mut self,
        graph: &Graph<'_>,
        shapes: &Shapes,
        node: &mut NodeProto,
    ) -> Result<()> {
        let [input, shape, ..] = node.input.as_mut_slice() else { return Ok(()) };
        let Some(mut tensor) = graph.constant(shape).cloned() else { return Ok(()) };
        let Some(target) = model::ints(&tensor) else { return Ok(()) };
        let Some(from) = shapes.get(input) else {
            // Where the size of the batch is written down, it must be known what it is.
            let open = target.first().is_some_and(|&size| size <= 0);
            return if open { Ok(()) } else { Err(unknown(graph, shapes, input)) };
        };
        let to = shapes::reshape(&from.dims, &target);
        let made = &node.output[0];
        let Some(mut to) = to.filter(|to| to.first() == from.dims.first()) else {
            bail!("`{made}` (Reshape) makes {target:?} of {:?}: it mixes images", from.dims)
        };
        to[0] = -1;
        // A constant of its own, since the file's may be shared.
        *shape = format!("{made}/any_batch");
        tensor.name.clone_from(shape);
        model::set_ints(&mut tensor, to);
        self.constants.push(tensor);
        Ok(())
    }
}

/// A model of some of a graph's nodes.
fn part(
    proto: &ModelProto,
    all: &Nodes,
    indices: &[usize],
    from: (&str, &[i64]),
    to: (&str, &[i64]),
) -> Result<ModelProto> {
    let nodes: Vec<NodeProto> = indices.iter().map(|&index| all.nodes[index].clone()).collect();
    let used: HashSet<&str> =
        nodes.iter().flat_map(|node| &node.input).map(String::as_str).collect();
    let whole = &proto.graph;
    let initializer = whole.initializer.iter().chain(&all.constants);
    let initializer = initializer.filter(|tensor| used.contains(tensor.name.as_str()));
    let initializer = initializer.cloned().collect();
    let pattern = whole.input.iter().find(|input| input.name == from.0).or(whole.input.first());
    let pattern = pattern.context("the graph has no input")?;
    ensure!(
        pattern.type_.tensor_type().elem_type == FLOAT,
        "the network computes in another type than 32-bit floats"
    );
    let graph = GraphProto {
        name: whole.name.clone(),
        input: vec![value(pattern, from)],
        output: vec![value(pattern, to)],
        initializer,
        node: nodes,
        ..GraphProto::default()
    };
    Ok(ModelProto {
        ir_version: proto.ir_version,
        opset_import: proto.opset_import.clone(),
        graph: Some(graph).into(),
        ..ModelProto::default()
    })
}

/// An input or output of this name for any number of images of this shape.
fn value(pattern: &ValueInfoProto, (name, dims): (&str, &[i64])) -> ValueInfoProto {
    let mut value = pattern.clone();
    value.name = name.to_owned();
    let shape = value.type_.mut_or_insert_default().mut_tensor_type().shape.mut_or_insert_default();
    shape.dim.resize_with(dims.len() + 1, Default::default);
    shape.dim[0].set_dim_param("batch".to_owned());
    for (dim, &size) in shape.dim[1..].iter_mut().zip(dims) {
        dim.set_dim_value(size);
    }
    value
}
