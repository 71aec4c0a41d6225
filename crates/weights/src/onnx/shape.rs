//! Operators that change shapes only, and those that compute what a shape is to be.

use burncam_net::Op;

use crate::keras::op::Refused;
use crate::onnx::graph::Lowering;
use crate::onnx::model::NodeProto;
use crate::onnx::op::{only, unknown};
use crate::onnx::value::{Axis, Flow, Value, from_start};

/// Most sizes in one list: a list that is joined with itself again and again would fill memory.
const MOST_SIZES: usize = 64;

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
        "Shape" => {
            let flow = graph.flow(node, 0)?;
            let size = |(axis, size): &(Axis, Option<usize>)| match axis {
                Axis::Batch => None,
                _ => size.and_then(|size| i64::try_from(size).ok()),
            };
            Ok(Value::Sizes(flow.axes.iter().map(size).collect()))
        }
        "Gather" => gather(graph, node),
        "Slice" => slice(graph, node),
        _ => Err(unknown()),
    }
}

fn transpose(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
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
    let axes: Option<Vec<usize>> =
        axes.and_then(|axes| axes.into_iter().map(|axis| flow.axis(axis)).collect());
    let axes = axes.ok_or_else(|| Refused("`axes` are missing or out of range".to_owned()))?;
    let size = |place: usize| flow.axes.get(place).and_then(|(_, size)| *size);
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
    let (reshaped, flattens) = flow.reshape(inner)?;
    let pooled = graph.node_mut(&flow.node).is_some_and(|node| {
        matches!(node.op, Ok(Op::GlobalAveragePooling2D | Op::GlobalMaxPooling2D))
    });
    if !flattens || pooled {
        return Ok(Value::Flow(reshaped));
    }
    let name = graph.push_node(node, Ok(Op::Flatten), vec![flow.node]);
    Ok(Value::Flow(Flow { node: name, ..reshaped }))
}

/// A list of sizes, where the operator reads one.
fn sizes(graph: &mut Lowering<'_>, node: &NodeProto, index: usize) -> Option<Vec<Option<i64>>> {
    match graph.value(node, index)? {
        Value::Sizes(sizes) => Some(sizes),
        _ => graph.integers(node, index).map(|list| list.into_iter().map(Some).collect()),
    }
}

/// Joins lists of sizes.
pub(crate) fn concat(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let lists = (0..node.inputs.len()).map(|index| sizes(graph, node, index));
    let joined: Option<Vec<_>> = lists.collect();
    let joined = joined.map(|lists| lists.concat()).filter(|sizes| sizes.len() <= MOST_SIZES);
    joined.map(Value::Sizes).ok_or_else(|| Refused("it joins neither maps nor sizes".to_owned()))
}

fn gather(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let (list, indices) = (sizes(graph, node, 0), graph.integers(node, 1));
    let taken = list.zip(indices).and_then(|(list, indices)| {
        let place = |index: i64| from_start(index, list.len() as i64);
        let take = |index: i64| list.get(usize::try_from(place(index)).ok()?).copied();
        indices.into_iter().map(take).collect::<Option<Vec<_>>>()
    });
    taken.map(Value::Sizes).ok_or_else(|| Refused("it does not pick a size of a shape".to_owned()))
}

fn slice(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let mut bound = |name: &str, index: usize| match node.ints(name) {
        Some(values) => values.first().copied(),
        None => graph.integers(node, index).and_then(|values| values.first().copied()),
    };
    let (start, end, step) = (bound("starts", 1), bound("ends", 2), bound("steps", 4));
    let list = sizes(graph, node, 0);
    let part = list.zip(start.zip(end)).and_then(|(list, (start, end))| {
        let length = list.len() as i64;
        let [start, end] = [start, end].map(|at| from_start(at, length).clamp(0, length) as usize);
        list.get(start..end).map(<[_]>::to_vec).filter(|_| step.unwrap_or(1) == 1)
    });
    part.map(Value::Sizes).ok_or_else(|| Refused("it does not cut a shape".to_owned()))
}
