//! Operators that change shapes only.

use burncam_net::Op;

use crate::keras::op::Refused;
use crate::onnx::graph::Lowering;
use crate::onnx::model::NodeProto;
use crate::onnx::op::{only, unknown};
use crate::onnx::part;
use crate::onnx::sizes::{self, MOST_SIZES};
use crate::onnx::value::{Axis, Flow, Moved, Value};
use crate::slice::from_start;

/// What the operator gives.
pub(crate) fn lower(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    match node.op_type.as_str() {
        "Transpose" => transpose(graph, node),
        "Reshape" => reshape(graph, node),
        "Flatten" => {
            only(node, "axis", 1)?;
            reshaped(graph, node, &[-1])
        }
        "Squeeze" => squeeze(graph, node),
        "Unsqueeze" => unsqueeze(graph, node),
        "Shape" => sizes::shape(graph, node),
        "Expand" => sizes::expand(graph, node),
        "ConstantOfShape" => sizes::filled(graph, node),
        "Gather" if let Some(Value::Row(flow)) = graph.value(node, 0) => {
            part::whole_row(graph, node, flow)
        }
        "Gather" if !graph.flows(node).is_empty() => part::gather(graph, node),
        "Slice" if !graph.flows(node).is_empty() => part::slice(graph, node),
        "Gather" => sizes::gather(graph, node),
        "Slice" => sizes::slice(graph, node),
        _ => Err(unknown()),
    }
}

fn transpose(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    if let (Some(Value::Pairs(pairs)), Some([1, 0])) = (graph.value(node, 0), node.ints("perm")) {
        return Ok(Value::Rows(pairs));
    }
    if let Some(Value::Tensor(name)) = graph.value(node, 0)
        && graph.tensor(node, 0)?.shape.len() == 2
    {
        return Ok(Value::Transposed(name));
    }
    let flow = graph.flow(node, 0)?;
    let reversed: Vec<i64> = (0..flow.axes.len() as i64).rev().collect();
    let perm = node.ints("perm").unwrap_or(&reversed);
    let places: Option<Vec<usize>> = perm.iter().map(|&index| flow.axis(index)).collect();
    let mut sorted = places.clone().unwrap_or_default();
    sorted.sort_unstable();
    match places {
        Some(places) if sorted.into_iter().eq(0..flow.axes.len()) => {
            let axes =
                places.into_iter().filter_map(|place| flow.axes.get(place).copied()).collect();
            Ok(Value::Flow(Flow { axes, ..flow }))
        }
        _ => Err(Refused(format!("`perm` is {perm:?} of {}", flow.describe()))),
    }
}

fn reshape(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    if graph.flows(node).is_empty() {
        return sizes::reshape(graph, node);
    }
    let copies = node.int("allowzero", 0) == 0;
    let target = match graph.value(node, 1) {
        Some(Value::Sizes(sizes)) => Some(sizes),
        _ => graph.integers(node, 1).map(|sizes| sizes.into_iter().map(Some).collect()),
    };
    let target: Vec<Option<i64>> = target.unwrap_or_default();
    let Some(&first) = target.first() else {
        return Err(Refused("the shape that it makes is not known".to_owned()));
    };
    let flow = graph.flow(node, 0)?;
    if target == [Some(-1)] && flow.axes.first() == Some(&(Axis::Batch, Some(1))) {
        return Ok(Value::Row(flow));
    }
    let whole = |(index, size): (usize, &Option<i64>)| match size {
        // 0 copies a size, unless it is to stay 0.
        Some(0) if copies => {
            flow.axes.get(index).and_then(|(_, size)| *size).and_then(|s| s.try_into().ok())
        }
        size => *size,
    };
    let inner: Option<Vec<i64>> = target.iter().enumerate().skip(1).map(whole).collect();
    let inner = inner.ok_or_else(|| Refused("the shape that it makes is not known".to_owned()))?;
    let batch = match (first, flow.axes.first().and_then(|(_, size)| *size)) {
        (Some(0), _) => copies,
        (None | Some(-1), _) => true,
        (Some(size), Some(batch)) => usize::try_from(size).is_ok_and(|size| size == batch),
        (Some(size), None) => size == 1 && inner.contains(&-1),
    };
    if !batch || first == Some(-1) && inner.contains(&-1) {
        return Err(Refused(format!("it makes {target:?} of {}", flow.describe())));
    }
    reshaped(graph, node, &inner)
}

fn squeeze(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    if let Some(sizes @ Value::Sizes(_)) = graph.value(node, 0) {
        return Ok(sizes);
    }
    let flow = graph.flow(node, 0)?;
    let axes = node.ints("axes").map(<[i64]>::to_vec).or_else(|| graph.integers(node, 1));
    let size = |place: usize| flow.axes.get(place).and_then(|(_, size)| *size);
    let axes: Option<Vec<usize>> = match axes {
        Some(axes) => axes.into_iter().map(|axis| flow.axis(axis)).collect(),
        None => Some((1..flow.axes.len()).filter(|&place| size(place) == Some(1)).collect()),
    };
    let axes = axes.ok_or_else(|| Refused("`axes` are out of range".to_owned()))?;
    let is_one = |&place: &usize| place > 0 && size(place) == Some(1);
    if !axes.iter().all(is_one) {
        return Err(Refused(format!("it takes axes {axes:?} from {}", flow.describe())));
    }
    let kept = (1..flow.axes.len()).filter(|place| !axes.contains(place));
    let target: Option<Vec<i64>> =
        kept.map(|place| size(place).and_then(|size| i64::try_from(size).ok())).collect();
    reshaped(graph, node, &target.ok_or_else(|| Refused("its sizes are open".to_owned()))?)
}

fn unsqueeze(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    match graph.value(node, 0) {
        // A size becomes a list of one size; both are lists here.
        Some(sizes @ Value::Sizes(_)) => return Ok(sizes),
        Some(Value::Tensor(_)) => {
            let numbers = graph.integers(node, 0);
            let sizes = numbers.map(|list| Value::Sizes(list.into_iter().map(Some).collect()));
            return sizes.ok_or_else(|| Refused("it reads no sizes".to_owned()));
        }
        _ => {}
    }
    let flow = graph.flow(node, 0)?;
    let axes = node.ints("axes").map(<[i64]>::to_vec).or_else(|| graph.integers(node, 1));
    let axes = axes.ok_or_else(|| Refused("`axes` are missing".to_owned()))?;
    if axes.len() > MOST_SIZES {
        return Err(Refused(format!("it adds {} axes", axes.len())));
    }
    let rank = flow.axes.len().saturating_add(axes.len()) as i64;
    let places: Vec<i64> = axes.iter().map(|&axis| from_start(axis, rank)).collect();
    let inner = flow.axes.iter().skip(1);
    let mut own = inner.map(|(_, size)| size.and_then(|s| s.try_into().ok()));
    let target: Option<Vec<i64>> = (1..rank)
        .map(|place| if places.contains(&place) { Some(1) } else { own.next()? })
        .collect();
    let target = target.filter(|_| !places.contains(&0));
    let target = target.ok_or_else(|| Refused(format!("it adds axes {axes:?}")))?;
    reshaped(graph, node, &target)
}

/// The input in another shape. Height and width that go into the channels are a flattening,
/// unless they were pooled away.
fn reshaped(graph: &mut Lowering<'_>, node: &NodeProto, inner: &[i64]) -> Result<Value, Refused> {
    let flow = graph.flow(node, 0)?;
    let (reshaped, moved) = flow.reshape(inner)?;
    let pooled = graph.node_mut(&flow.node).is_some_and(|node| {
        matches!(node.op, Ok(Op::GlobalAveragePooling2D | Op::GlobalMaxPooling2D))
    });
    let op = match moved {
        Moved::Nothing => return Ok(Value::Flow(reshaped)),
        Moved::Flat if pooled => return Ok(Value::Flow(reshaped)),
        Moved::Flat => Op::Flatten,
        Moved::Shuffled(groups) => Op::ChannelShuffle { groups },
    };
    let name = graph.push_node(node, Ok(op), vec![flow.node]);
    Ok(Value::Flow(Flow { node: name, ..reshaped }))
}

/// A map that was laid flat, in the file's order: a dense layer needs it in any, but what joins, cuts or gives it out
/// does not.
pub(crate) fn in_order(graph: &mut Lowering<'_>, label: &str, flow: Flow) -> Flow {
    const MAP: [Axis; 3] = [Axis::Height, Axis::Width, Axis::Channel];
    if flow.flat.is_empty() || !flow.axes.iter().any(|(axis, _)| *axis == Axis::Flat) {
        return flow;
    }
    let size = |axis| flow.flat.iter().find(|(own, _)| *own == axis).map_or(1, |(_, size)| *size);
    let order = flow.flat.iter().map(|(axis, _)| *axis);
    let missing = MAP.into_iter().filter(|axis| !flow.flat.iter().any(|(own, _)| own == axis));
    let places = order.chain(missing).filter_map(|axis| MAP.iter().position(|own| *own == axis));
    let Ok(dims) = <[usize; 3]>::try_from(places.collect::<Vec<_>>()) else { return flow };
    let mut name = flow.node.clone();
    if dims != [0, 1, 2] {
        let ops = [Op::Reshape { target_shape: MAP.map(size) }, Op::Permute { dims }, Op::Flatten];
        for (number, op) in ops.into_iter().enumerate() {
            let label = format!("{label} (order {number})");
            name = graph.push_derived(&label, Ok(op), vec![name]);
        }
    }
    Flow { node: name, flat: Vec::new(), ..flow }
}
