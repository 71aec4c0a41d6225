//! Which of a network's outputs is explained.

use std::collections::{HashMap, HashSet};

use crate::keras::config::{Graph, Node};
use crate::matching::quoted;
use crate::{Checkpoint, Error};

/// Outputs that an error lists.
const LISTED: usize = 8;

/// Leaves of a network what the output depends on that is explained: its only one, or the layer that is stated.
///
/// # Errors
///
/// If it has several outputs and none is stated, if what is stated is no layer of it, or if it depends on several
/// images.
pub(crate) fn choose(file: &mut Checkpoint) -> Result<(), Error> {
    let bad = |reason: String| Error::Graph { path: file.path.clone(), reason };
    let stated = file.stated.output_layer.as_deref();
    let Some(graph) = &mut file.graph else {
        return match stated {
            None => Ok(()),
            Some(_) => Err(bad(
                "it holds weights only, and does not say which layers give its outputs\nhint: --output-layer is for \
                 files that describe their network"
                    .to_owned(),
            )),
        };
    };
    let outputs: Vec<&str> = graph.outputs.iter().map(String::as_str).collect();
    let output = match (stated, outputs.as_slice()) {
        (Some(name), _) if graph.get(name).is_some() => name.to_owned(),
        (Some(name), _) => {
            return Err(bad(format!(
                "it has no layer `{name}`\nhint: its outputs are {}",
                listed(&outputs)
            )));
        }
        (None, [] | [_]) => return refuse_inputs(file),
        (None, [first, ..]) => {
            return Err(bad(format!(
                "it has {} outputs, {}, and one is explained\nhint: --output-layer states it: --output-layer {first}",
                outputs.len(),
                listed(&outputs)
            )));
        }
    };
    let kept = ancestors(graph, &output);
    let dropped = graph.nodes.iter().filter(|node| !kept.contains(&node.name));
    let mut unread: HashSet<String> = dropped.map(|node| node.layer.clone()).collect();
    graph.nodes.retain(|node| kept.contains(&node.name));
    for node in &graph.nodes {
        unread.remove(&node.layer);
    }
    graph.outputs = vec![output];
    file.layers.retain(|layer| !unread.contains(&layer.name));
    refuse_inputs(file)
}

/// Refuses a network of several images, by their names.
fn refuse_inputs(file: &Checkpoint) -> Result<(), Error> {
    let Some(graph) = &file.graph else { return Ok(()) };
    let is_input = |node: &&Node| node.class == "InputLayer";
    let inputs: Vec<&str> =
        graph.nodes.iter().filter(is_input).map(|node| node.name.as_str()).collect();
    if inputs.len() < 2 {
        return Ok(());
    }
    Err(Error::Graph {
        path: file.path.clone(),
        reason: format!(
            "it has {} inputs, {}, and one image is explained\nhint: --output-layer states an output that \
             depends on one of them only",
            inputs.len(),
            listed(&inputs)
        ),
    })
}

/// A layer, and all that it is computed from.
fn ancestors(graph: &Graph, output: &str) -> HashSet<String> {
    let nodes: HashMap<&str, &Node> =
        graph.nodes.iter().map(|node| (node.name.as_str(), node)).collect();
    let (mut kept, mut open) = (HashSet::from([output.to_owned()]), vec![output]);
    while let Some(node) = open.pop().and_then(|name| nodes.get(name)) {
        for input in &node.inputs {
            if kept.insert(input.clone()) {
                open.push(input);
            }
        }
    }
    kept
}

fn listed(names: &[&str]) -> String {
    match names.split_at_checked(LISTED) {
        Some((shown, rest @ [_, ..])) => format!("{} and {} more", quoted(shown), rest.len()),
        _ => quoted(names),
    }
}
