//! Operators that take a part of a map.

use crate::keras::op::Refused;
use crate::onnx::graph::Lowering;
use crate::onnx::model::NodeProto;
use crate::onnx::shape::in_order;
use crate::onnx::value::{Axis, Flow, Value};
use crate::slice::{Slice, from_start, range};

/// Most parts of one map.
const MOST_PARTS: usize = 1024;

/// All of a map, of which a part is to be taken.
fn whole(flow: &Flow) -> Result<Slice, Refused> {
    let size = flow.map_shape().ok_or_else(|| {
        Refused(format!("it takes a part of {}, which is open or no map", flow.describe()))
    })?;
    Ok(Slice::whole(size))
}

/// Adds the layer that gives the slice, and gives its output.
fn take(
    graph: &mut Lowering<'_>,
    label: &str,
    node: &NodeProto,
    (flow, slice): (&Flow, Slice),
) -> Flow {
    let name = graph.push_named(label, node, Ok(slice.op()), vec![flow.node.clone()]);
    let [height, width, channels] = slice.size;
    let axes = flow.axes.iter().map(|&(axis, own)| match axis {
        Axis::Height => (axis, Some(height)),
        Axis::Width => (axis, Some(width)),
        Axis::Channel => (axis, Some(channels)),
        _ => (axis, own),
    });
    Flow::new(name, axes.collect())
}

/// The map that is read, of which each axis is height, width or channels.
fn map(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Flow, Refused> {
    let flow = graph.flow(node, 0)?;
    let label = format!("{} (order)", node.label());
    let mut flow = in_order(graph, &label, flow);
    for (axis, _) in flow.axes.iter_mut().filter(|(axis, _)| *axis == Axis::Flat) {
        *axis = Axis::Channel;
    }
    Ok(flow)
}

pub(crate) fn split(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Vec<Value>, Refused> {
    let flow = map(graph, node)?;
    let axis = node.int("axis", 0);
    let all_of_it = whole(&flow)?;
    let (Some(place), Some(all)) = (flow.place(axis), size(&flow, axis)) else {
        return Err(Refused(format!("`axis` is {axis} of {}", flow.describe())));
    };
    let parts = node.outputs.len();
    let given = node.ints("split").map(<[i64]>::to_vec).or_else(|| graph.integers(node, 1));
    let sizes: Option<Vec<usize>> = match given {
        Some(sizes) => sizes.into_iter().map(|size| size.try_into().ok()).collect(),
        // The last one may be smaller.
        None => {
            let each = all.div_ceil(parts.max(1));
            let size = |part: usize| all.saturating_sub(part.saturating_mul(each)).min(each);
            Some((0..parts.min(MOST_PARTS)).map(size).collect())
        }
    };
    let sum = |sizes: &[usize]| sizes.iter().try_fold(0_usize, |sum, size| sum.checked_add(*size));
    let fits =
        |sizes: &Vec<usize>| sizes.len() == parts && sum(sizes) == Some(all) && !sizes.contains(&0);
    let Some(sizes) = sizes.filter(fits) else {
        return Err(Refused(format!("it splits {} into {parts} parts", flow.describe())));
    };
    let (mut begin, mut values) = (0_usize, Vec::new());
    for (output, size) in node.outputs.iter().zip(sizes) {
        let mut part = all_of_it;
        part.along(place, (begin, 1, size));
        begin = begin.saturating_add(size);
        values.push(Value::Flow(take(graph, output, node, (&flow, part))));
    }
    Ok(values)
}

fn size(flow: &Flow, axis: i64) -> Option<usize> {
    flow.axes.get(flow.axis(axis)?)?.1
}

/// Ranges along some axes.
pub(crate) fn slice(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let flow = map(graph, node)?;
    let mut list = |name: &str, index: usize| match node.ints(name) {
        Some(values) => Some(values.to_vec()),
        None => graph.integers(node, index),
    };
    let (starts, ends) = (list("starts", 1), list("ends", 2));
    let (Some(starts), Some(ends)) = (starts, ends) else {
        return Err(Refused("its ranges are not known".to_owned()));
    };
    let axes = list("axes", 3).unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = list("steps", 4).unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(Refused("it has not one range for each axis".to_owned()));
    }
    let mut part = None;
    for (((start, end), axis), step) in starts.into_iter().zip(ends).zip(axes).zip(steps) {
        let along = flow.axis(axis).and_then(|index| flow.axes.get(index));
        if let Some((Axis::Batch, _)) = along
            && (start, step) == (0, 1)
            && end >= i64::from(i32::MAX)
        {
            continue;
        }
        let bad = || Refused(format!("it cuts axis {axis} of {}", flow.describe()));
        let place = flow.place(axis).ok_or_else(bad)?;
        let range = range([start, end, step], size(&flow, axis).ok_or_else(bad)?);
        let part = match &mut part {
            Some(part) => part,
            None => part.insert(whole(&flow)?),
        };
        part.along(place, range.ok_or_else(bad)?);
    }
    Ok(Value::Flow(match part {
        Some(part) => take(graph, node.label(), node, (&flow, part)),
        None => flow,
    }))
}

/// All numbers of a layer, in their order and shape, as PyTorch writes a view by strides.
pub(crate) fn whole_row(
    graph: &mut Lowering<'_>,
    node: &NodeProto,
    flow: Flow,
) -> Result<Value, Refused> {
    let shape = &graph.tensor(node, 1)?.shape;
    let sizes = flow.axes.iter().map(|(_, size)| size.map(|size| size as u64));
    let same = sizes.eq(shape.iter().copied().map(Some)) && node.int("axis", 0) == 0;
    let indices = graph.integers(node, 1).filter(|_| same);
    match indices {
        Some(indices) if indices.iter().copied().eq(0..indices.len() as i64) => {
            Ok(Value::Flow(flow))
        }
        _ => Err(Refused(format!("it picks numbers of {}", flow.describe()))),
    }
}

/// One position of an axis, which goes, or positions at equal distances.
pub(crate) fn gather(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let flow = map(graph, node)?;
    let axis = node.int("axis", 0);
    let bad = || Refused(format!("it picks from axis {axis} of {}", flow.describe()));
    let rank = graph.tensor(node, 1)?.shape.len();
    let indices = graph.integers(node, 1).ok_or_else(bad)?;
    let (place, all) = flow.place(axis).zip(size(&flow, axis)).ok_or_else(bad)?;
    let index = |index: i64| {
        usize::try_from(from_start(index, i64::try_from(all).ok()?)).ok().filter(|&i| i < all)
    };
    let indices: Option<Vec<usize>> = indices.into_iter().map(index).collect();
    let indices = indices.ok_or_else(bad)?;
    let &[begin, ref rest @ ..] = indices.as_slice() else { return Err(bad()) };
    let distance = |from: usize, to: usize| to.checked_signed_diff(from);
    let step = rest.first().map_or(Some(1), |&next| distance(begin, next));
    let even = indices.windows(2).all(|pair| match *pair {
        [from, to] => distance(from, to) == step,
        _ => false,
    });
    let Some(step) = step.filter(|&step| even && step != 0 && rank <= 1) else {
        return Err(Refused(format!("it picks {indices:?} from axis {axis}")));
    };
    let mut part = whole(&flow)?;
    part.along(place, (begin, step, indices.len()));
    let mut taken = take(graph, node.label(), node, (&flow, part));
    if rank == 0
        && let Some(index) = flow.axis(axis)
    {
        taken.axes.remove(index);
    }
    Ok(Value::Flow(taken))
}
