//! The layers of a graph as a layer table: every one from its input to its logits.

use std::collections::HashSet;
use std::path::Path;

use burncam_net::{LayerTable, Op, Padding, Weight};

use crate::Error;
use crate::keras::config::{Graph, Node};
use crate::keras::h5::StoredLayer;
use crate::keras::lower;
use crate::table::{Place, Step};

/// The table of a file's graph, the layer that has the logits last, by the file's own names.
///
/// # Errors
///
/// If one of the layers that the output depends on cannot be run.
pub(crate) fn table(path: &Path, graph: &Graph) -> Result<LayerTable, Error> {
    let [output] = graph.outputs.as_slice() else {
        let names: Vec<&str> = graph.outputs.iter().map(String::as_str).take(8).collect();
        let reason = format!("its outputs are {}, and one is needed", names.join(", "));
        return Err(Error::Graph { path: path.to_owned(), reason });
    };
    if graph.get(output).is_none() {
        let reason = format!("its output `{output}` is not computed from the images");
        return Err(Error::Graph { path: path.to_owned(), reason });
    }
    lower::table_of(path, graph, None, &|node, inputs| step(node, inputs).map(|step| vec![step]))
}

fn step(node: &Node, inputs: &[Place]) -> Result<Step, String> {
    let op = match node.op.clone().map_err(|refused| refused.0)? {
        Op::Rescaling { scale: [scale, ..], offset: [offset, ..] } => {
            Op::Affine { scale: vec![scale], offset: vec![offset] }
        }
        op => op,
    };
    let shapes: Vec<[usize; 3]> = inputs.iter().map(|place| place.shape).collect();
    let [height, width, _] = op.checked_output(&shapes, usize::MAX)?;
    Ok(Step { op, rank: if [height, width] == [1, 1] { 1 } else { 3 } })
}

/// Leaves out the factors of a batch normalisation that are all 1, so that it does not multiply.
pub(crate) fn leave_ones(graph: &Graph, layers: &mut [StoredLayer]) {
    let is_plain =
        |node: &&Node| matches!(node.op, Ok(Op::BatchNormalization { scale: false, .. }));
    let plain: HashSet<&str> =
        graph.nodes.iter().filter(is_plain).map(|node| node.name.as_str()).collect();
    for layer in layers.iter_mut().filter(|layer| plain.contains(layer.name.as_str())) {
        layer.weights.retain(|weight| weight.name != Weight::Gamma.name());
    }
}

/// Zeros around what a convolution reads become its own, where they are alike on all sides: then no map is copied.
pub(crate) fn take_zeros(graph: &mut Graph) {
    let zeros = |node: &Node| match node.op {
        Ok(Op::ZeroPadding2D { padding: sides @ [[zeros, _], _] }) if sides == [[zeros; 2]; 2] => {
            let input = node.inputs.first()?;
            Some((node.name.clone(), (input.clone(), zeros)))
        }
        _ => None,
    };
    let padded: std::collections::HashMap<String, (String, usize)> =
        graph.nodes.iter().filter_map(zeros).collect();
    for node in &mut graph.nodes {
        let (Ok(Op::Conv2D { padding, .. } | Op::DepthwiseConv2D { padding, .. }), [input]) =
            (&mut node.op, node.inputs.as_mut_slice())
        else {
            continue;
        };
        if let (Padding::Valid, Some((before, zeros))) = (*padding, padded.get(input)) {
            *padding = Padding::Around(*zeros);
            input.clone_from(before);
        }
    }
}
