//! Operators that make one number of many.

use burncam_net::{Op, Reduction};

use crate::keras::op::Refused;
use crate::onnx::graph::Lowering;
use crate::onnx::model::NodeProto;
use crate::onnx::value::{Axis, Flow, Value};
use crate::onnx::window;

/// Pooling over height and width, which stay as 1.
pub(crate) fn global(graph: &mut Lowering<'_>, node: &NodeProto, op: Op) -> Result<Value, Refused> {
    let mut flow = window::map(graph, node)?;
    if window::is_flat(graph, &flow) {
        return Ok(Value::Flow(flow));
    }
    for (_, size) in flow.axes.iter_mut().skip(2) {
        *size = Some(1);
    }
    let name = graph.push_node(node, Ok(op), vec![flow.node]);
    Ok(Value::Flow(Flow::new(name, flow.axes)))
}

/// The same, over axes that are named and may go.
pub(crate) fn reduce(
    graph: &mut Lowering<'_>,
    node: &NodeProto,
    reduction: Reduction,
) -> Result<Value, Refused> {
    let flow = graph.flow(node, 0)?;
    let axes = node.ints("axes").map(<[i64]>::to_vec).or_else(|| graph.integers(node, 1));
    let axes: Option<Vec<usize>> =
        axes.and_then(|axes| axes.into_iter().map(|axis| flow.axis(axis)).collect());
    let over: Vec<Axis> =
        axes.iter().flatten().filter_map(|&index| Some(flow.axes.get(index)?.0)).collect();
    let place = over.contains(&Axis::Place);
    let is_over = [Axis::Height, Axis::Width, Axis::Channel]
        .map(|axis| over.contains(&axis) || place && axis != Axis::Channel);
    let sound =
        |axis: &Axis| matches!(axis, Axis::Height | Axis::Width | Axis::Place | Axis::Channel);
    let grouped = flow.axes.iter().any(|(axis, _)| matches!(axis, Axis::Group | Axis::Member));
    if over.is_empty() || !over.iter().all(sound) || is_over[2] && grouped {
        return Err(Refused(format!("it reduces {over:?} of {}", flow.describe()).to_lowercase()));
    }
    let op = match (is_over, reduction) {
        ([true, true, false], Reduction::Mean) => Op::GlobalAveragePooling2D,
        ([true, true, false], Reduction::Maximum) => Op::GlobalMaxPooling2D,
        (axes, reduction) => Op::Reduce { reduction, axes },
    };
    let flat = !is_over[2] && window::is_flat(graph, &flow);
    let mut axes = flow.axes;
    match node.int("keepdims", 1) {
        0 => axes.retain(|(axis, _)| !over.contains(axis)),
        _ => {
            for (axis, size) in axes.iter_mut().filter(|(axis, _)| over.contains(axis)) {
                *size = Some(1);
                if *axis == Axis::Place {
                    *axis = Axis::Height;
                }
            }
        }
    }
    let name = match flat {
        true => flow.node,
        false => graph.push_node(node, Ok(op), vec![flow.node]),
    };
    Ok(Value::Flow(Flow::new(name, axes)))
}
