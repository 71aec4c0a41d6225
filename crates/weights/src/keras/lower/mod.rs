//! The layers of Keras's description as a layer table: every layer of the file, from its input to its logits.

mod arguments;
mod classes;
mod operations;
mod slice;

use std::collections::{HashMap, HashSet};

use burncam_net::{LayerTable, Op};
use serde_json::Value;

use crate::Error;
use crate::keras::config::{Graph, Node};
use crate::table::{Place, Step, TableBuilder};

/// The table of a file's graph, the layer that has the logits last, by the file's own names; `size` is that of
/// images where the file leaves it open.
///
/// # Errors
///
/// If one of the layers that the output depends on cannot be run.
pub(crate) fn table(
    path: &std::path::Path,
    keras_version: Option<&str>,
    graph: &Graph,
    size: Option<[usize; 2]>,
) -> Result<LayerTable, Error> {
    table_of(path, graph, size, &|node, inputs| lower(node, inputs, keras_version))
}

/// The same, by a rule for the operations of a layer that reads these values.
pub(crate) fn table_of(
    path: &std::path::Path,
    graph: &Graph,
    size: Option<[usize; 2]>,
    lower: &Lower<'_>,
) -> Result<LayerTable, Error> {
    let ordered = ordered(path, graph)?;
    let mut builder: Option<TableBuilder> = None;
    let mut places: HashMap<&str, Place> = HashMap::new();
    for node in ordered {
        let unsupported = |reason: String| Error::Unsupported {
            path: path.to_owned(),
            layer: node.name.clone(),
            class: node.class.clone(),
            reason,
        };
        let Some(builder) = &mut builder else {
            let mut op = node.op.clone().map_err(|refused| unsupported(refused.0))?;
            if let (Op::InputLayer { height: height @ 0, width: width @ 0, .. }, Some(size)) =
                (&mut op, size)
            {
                [*height, *width] = size;
            }
            let (made, place) = TableBuilder::new(&node.name, &op).map_err(unsupported)?;
            builder = Some(made);
            places.insert(&node.name, place);
            continue;
        };
        if let Ok(Op::InputLayer { .. }) = node.op {
            return Err(unsupported("it is a second input".to_owned()));
        }
        let inputs: Option<Vec<Place>> =
            node.inputs.iter().map(|input| places.get(input.as_str()).cloned()).collect();
        let inputs =
            inputs.ok_or_else(|| unsupported("it reads no layer of the file".to_owned()))?;
        let steps = lower(node, &inputs).map_err(unsupported)?;
        let place = builder.add(&node.name, &inputs, steps).map_err(unsupported)?;
        places.insert(&node.name, place);
    }
    builder.map(TableBuilder::finish).ok_or_else(|| Error::Graph {
        path: path.to_owned(),
        reason: "it has no layers".to_owned(),
    })
}

/// What makes operations of a layer and what it reads.
type Lower<'a> = dyn Fn(&Node, &[Place]) -> Result<Vec<Step>, String> + 'a;

/// A layer as operations, one behind the other, of which the first reads the layer's inputs.
fn lower(node: &Node, inputs: &[Place], keras_version: Option<&str>) -> Result<Vec<Step>, String> {
    let module = &node.description.module;
    let is_operation = module.contains(".ops.") || module.ends_with(".ops");
    match node.class.as_str() {
        "TFOpLambda" | "SlicingOpLambda" => {
            let function = node.description.config.get("function").and_then(|f| f.as_str());
            operations::lower(function.unwrap_or_default(), node, inputs)
        }
        class if is_operation => operations::lower(&super::v3::snake_case(class), node, inputs),
        class if module.is_empty() && node.description.call.is_object() => {
            // The .h5 files of Keras 3 do not say where a class is defined; a layer that joins others is given a list.
            let name = super::v3::snake_case(class);
            let joins = ["Add", "Subtract", "Multiply", "Maximum", "Minimum"].contains(&class);
            let is_list = node.description.call.pointer("/args/0").is_some_and(Value::is_array);
            match classes::lower(node, inputs, keras_version) {
                _ if joins && !is_list => operations::lower(&name, node, inputs),
                Ok(steps) => Ok(steps),
                Err(reason) => operations::lower(&name, node, inputs).map_err(|_| reason),
            }
        }
        _ => classes::lower(node, inputs, keras_version),
    }
}

/// The layers that the output depends on, each behind those that it reads.
fn ordered<'a>(path: &std::path::Path, graph: &'a Graph) -> Result<Vec<&'a Node>, Error> {
    let bad = |reason: String| Error::Graph { path: path.to_owned(), reason };
    let nodes: HashMap<&str, &'a Node> =
        graph.nodes.iter().map(|node| (node.name.as_str(), node)).collect();
    let output = output(graph).map_err(bad)?;
    let mut ordered = Vec::new();
    let mut begun = HashSet::from([output.name.as_str()]);
    // Each with the inputs that were not looked at yet.
    let mut open = vec![(output, output.inputs.iter())];
    let mut done: HashSet<&str> = HashSet::new();
    while let Some((node, inputs)) = open.last_mut() {
        let Some(input) = inputs.next() else {
            done.insert(&node.name);
            ordered.push(*node);
            open.pop();
            continue;
        };
        let input = nodes.get(input.as_str()).ok_or_else(|| {
            bad(format!("layer `{}` reads `{input}`, which is none of its layers", node.name))
        })?;
        if begun.insert(&input.name) {
            open.push((input, input.inputs.iter()));
        } else if !done.contains(input.name.as_str()) {
            return Err(bad(format!("layer `{}` reads itself", input.name)));
        }
    }
    // Inputs come first, whatever is read first.
    ordered.sort_by_key(|node| node.class != "InputLayer" && !node.inputs.is_empty());
    Ok(ordered)
}

/// The layer that nothing reads.
fn output(graph: &Graph) -> Result<&Node, String> {
    if let Some(node) = graph.outputs.first().and_then(|name| graph.get(name)) {
        return Ok(node);
    }
    let read: HashSet<&str> =
        graph.nodes.iter().flat_map(|node| &node.inputs).map(String::as_str).collect();
    let ends = || graph.nodes.iter().filter(|node| !read.contains(node.name.as_str()));
    match (ends().next(), ends().nth(1)) {
        (Some(node), None) => Ok(node),
        _ => {
            let names: Vec<&str> = ends().map(|node| node.name.as_str()).take(8).collect();
            Err(format!("it has not one output, but {}", names.join(", ")))
        }
    }
}
