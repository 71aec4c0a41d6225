//! Operators that compute what a shape is to be.

use crate::keras::op::Refused;
use crate::onnx::graph::Lowering;
use crate::onnx::model::{Attribute, NodeProto};
use crate::onnx::value::{Axis, Value};
use crate::slice::from_start;

/// Most sizes in one list: a list that is joined with itself again and again would fill memory.
pub(crate) const MOST_SIZES: usize = 64;

/// The sizes of a map, of which the batch's is open, or of stored numbers.
pub(crate) fn shape(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let size = |(axis, size): &(Axis, Option<usize>)| match axis {
        Axis::Batch => None,
        _ => size.and_then(|size| i64::try_from(size).ok()),
    };
    let sizes: Vec<Option<i64>> = match graph.tensor(node, 0) {
        Ok(tensor) => tensor.shape.iter().map(|&size| i64::try_from(size).ok()).collect(),
        Err(_) => graph.flow(node, 0)?.axes.iter().map(size).collect(),
    };
    let count = sizes.len() as i64;
    let [start, end] = [node.int("start", 0), node.int("end", count)]
        .map(|at| from_start(at, count).clamp(0, count) as usize);
    Ok(Value::Sizes(sizes.get(start..end).unwrap_or_default().to_vec()))
}

/// One number, or sizes, spread over a shape.
pub(crate) fn expand(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let bad = || Refused("it spreads neither one number nor a list of sizes".to_owned());
    if let Some(&[number]) = graph.floats(node, 0).as_deref() {
        return Ok(Value::Filled(number));
    }
    let list = sizes(graph, node, 0).ok_or_else(bad)?;
    let shape = graph.integers(node, 1).ok_or_else(bad)?;
    match (list.as_slice(), shape.as_slice()) {
        // A list that is as long as it is to be.
        (all, &[length]) if length == 1 || length == all.len() as i64 => Ok(Value::Sizes(list)),
        (&[Some(number)], _) => Ok(Value::Filled(number as f32)),
        _ => Err(bad()),
    }
}

/// Sums, differences, products and quotients of sizes.
pub(crate) fn join(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let bad = || Refused("it computes neither with a layer nor with sizes".to_owned());
    let (a, b) = (sizes(graph, node, 0), sizes(graph, node, 1));
    let (a, b) = a.zip(b).ok_or_else(bad)?;
    let apply: fn(i64, i64) -> Option<i64> = match node.op_type.as_str() {
        "Add" => i64::checked_add,
        "Sub" => i64::checked_sub,
        "Mul" => i64::checked_mul,
        "Div" => i64::checked_div,
        _ => return Err(bad()),
    };
    let count = a.len().max(b.len());
    let at = |list: &[Option<i64>], index: usize| match list {
        [one] => Some(*one),
        all => all.get(index).copied(),
    };
    let each = (0..count).map(|index| {
        let (a, b) = at(&a, index).zip(at(&b, index))?;
        Some(a.zip(b).and_then(|(a, b)| apply(a, b)))
    });
    each.collect::<Option<Vec<_>>>().map(Value::Sizes).ok_or_else(bad)
}

/// A list of sizes, where the operator reads one.
pub(crate) fn sizes(
    graph: &mut Lowering<'_>,
    node: &NodeProto,
    index: usize,
) -> Option<Vec<Option<i64>>> {
    match graph.value(node, index)? {
        Value::Sizes(sizes) => Some(sizes),
        _ => graph.integers(node, index).map(|list| list.into_iter().map(Some).collect()),
    }
}

/// The same number a number of times.
pub(crate) fn filled(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let number = match node.attributes.get("value") {
        Some(Attribute::Tensor(tensor)) => graph.integers_of(tensor),
        _ => None,
    };
    let count = match graph.integers(node, 0).as_deref() {
        Some(&[count]) => usize::try_from(count).ok().filter(|&count| count <= MOST_SIZES),
        _ => None,
    };
    match (number.as_deref(), count) {
        (Some(&[number]), Some(count)) => Ok(Value::Sizes(vec![Some(number); count])),
        _ => Err(Refused("it is no short list of integers".to_owned())),
    }
}

/// A list in two columns, or columns or rows as a list.
pub(crate) fn reshape(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let bad = || Refused("it reads neither a layer nor sizes".to_owned());
    let list = match graph.value(node, 0) {
        Some(Value::Tensor(_)) => sizes(graph, node, 0).map(Value::Sizes),
        value => value,
    };
    let target = graph.integers(node, 1).ok_or_else(bad)?;
    match (list, target.as_slice()) {
        (Some(Value::Pairs(pairs)), [-1]) => {
            Ok(Value::Sizes(pairs.into_iter().flatten().collect()))
        }
        (Some(Value::Rows(pairs)), [-1]) => {
            let column =
                |place: usize| pairs.iter().filter_map(move |pair| pair.get(place).copied());
            Ok(Value::Sizes(column(0).chain(column(1)).collect()))
        }
        (Some(Value::Sizes(list)), [-1]) => Ok(Value::Sizes(list)),
        (Some(Value::Sizes(list)), [-1, 2]) if list.len().is_multiple_of(2) => {
            Ok(Value::Pairs(list.as_chunks().0.to_vec()))
        }
        _ => Err(bad()),
    }
}

/// Joins lists of sizes.
pub(crate) fn concat(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let lists = (0..node.inputs.len()).map(|index| sizes(graph, node, index));
    let joined: Option<Vec<_>> = lists.collect();
    let joined = joined.map(|lists| lists.concat()).filter(|sizes| sizes.len() <= MOST_SIZES);
    joined.map(Value::Sizes).ok_or_else(|| Refused("it joins neither maps nor sizes".to_owned()))
}

pub(crate) fn gather(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let (list, indices) = (sizes(graph, node, 0), graph.integers(node, 1));
    let taken = list.zip(indices).and_then(|(list, indices)| {
        let place = |index: i64| from_start(index, list.len() as i64);
        let take = |index: i64| list.get(usize::try_from(place(index)).ok()?).copied();
        indices.into_iter().map(take).collect::<Option<Vec<_>>>()
    });
    taken.map(Value::Sizes).ok_or_else(|| Refused("it does not pick a size of a shape".to_owned()))
}

pub(crate) fn slice(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let value = graph.value(node, 0);
    let mut bound = |name: &str, index: usize| match node.ints(name) {
        Some(values) => values.first().copied(),
        None => graph.integers(node, index).and_then(|values| values.first().copied()),
    };
    let (start, end, step) = (bound("starts", 1), bound("ends", 2), bound("steps", 4));
    let axis = bound("axes", 3).unwrap_or(0);
    if let (Some(Value::Pairs(pairs)), Some(-1), Some(end), Some(-1), 0) =
        (value, start, end, step, axis)
        && end <= i64::from(i32::MIN)
    {
        return Ok(Value::Pairs(pairs.into_iter().rev().collect()));
    }
    let list = sizes(graph, node, 0);
    let part = list.zip(start.zip(end)).and_then(|(list, (start, end))| {
        let length = list.len() as i64;
        let [start, end] = [start, end].map(|at| from_start(at, length).clamp(0, length) as usize);
        list.get(start..end).map(<[_]>::to_vec).filter(|_| step.unwrap_or(1) == 1)
    });
    part.map(Value::Sizes).ok_or_else(|| Refused("it does not cut a shape".to_owned()))
}
