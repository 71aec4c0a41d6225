//! A layer and stored numbers: a rescaling, a bias, or a part of a batch normalisation.

use burncam_net::{Activation, Op, Weight};

use crate::keras::op::Refused;
use crate::onnx::activation::limited;
use crate::onnx::graph::Lowering;
use crate::onnx::model::NodeProto;
use crate::onnx::value::{Axis, Flow, Value};
use crate::onnx::weight_origin::{Order, WeightOrigin};
use crate::onnx::window::{shape, weight};

/// Numbers along an axis, in Keras's order.
pub(crate) fn along(flow: &Flow, axis: Axis, size: usize) -> Order {
    match axis {
        Axis::Flat => {
            Order::Rows { rows: size, columns: 1, transposed: false, flat: flow.flat.clone() }
        }
        _ => Order::Same,
    }
}

/// A layer and stored numbers.
pub(crate) fn with_numbers(
    graph: &mut Lowering<'_>,
    node: &NodeProto,
    flow: Flow,
) -> Result<Value, Refused> {
    let stored = (0..2).find(|&index| matches!(graph.value(node, index), Some(Value::Tensor(_))));
    let stored = stored.ok_or_else(|| Refused("it does not compute with numbers".to_owned()))?;
    let kind = match node.op_type.as_str() {
        "Sum" => "Add",
        kind => kind,
    };
    if matches!(kind, "Pow" | "Max" | "Min") {
        return with_one(graph, node, flow, stored);
    }
    let tensor = weight(graph.tensor(node, stored)?)?;
    let sizes = shape(tensor);
    // One unit has a bias of one number.
    let single = flow.axes.contains(&(Axis::Channel, Some(1))) && flow.alone && kind == "Add";
    let origin = WeightOrigin::Tensor(tensor.clone(), Order::Same);
    if single && sizes.iter().all(|&s| s == 1) && add_bias(graph, &flow.node, 1, &origin) {
        return Ok(Value::Flow(flow));
    }
    // They must not make the layer wider.
    if sizes.len() > flow.axes.len() {
        return Err(Refused(format!("its numbers have the shape {sizes:?}")));
    }
    let first = stored == 0;
    if sizes.iter().all(|&size| size == 1) {
        return rescaled(graph, node, flow, (kind, stored));
    }
    let (axis, size) = channels(&flow, &sizes).ok_or_else(|| {
        Refused(format!(
            "its numbers of shape {sizes:?} are not one a channel of {}",
            flow.describe()
        ))
    })?;
    let order = match (along(&flow, axis, size), kind) {
        (Order::Same, "Sub") if !first => Order::Negated,
        (Order::Same, "Div") if !first => Order::Inverse,
        (order, "Add" | "Mul") => order,
        (order @ Order::Same, "Sub" | "Div") => order,
        _ => return Err(Refused("it divides by numbers, or subtracts from a flat map".to_owned())),
    };
    let weight = if matches!(kind, "Mul" | "Div") { Weight::Gamma } else { Weight::Beta };
    let reversed = first && kind == "Sub";
    let origin = WeightOrigin::Tensor(tensor.clone(), order);
    let may_add = weight == Weight::Beta && flow.alone && !reversed;
    if may_add && add_bias(graph, &flow.node, size, &origin) {
        return Ok(Value::Flow(flow));
    }
    if let (Axis::Channel, 2..=MOST_OF_IMAGE) = (axis, size)
        && let Some(numbers) = graph.floats(node, stored)
        && let Some(op) = few(kind, first, numbers)
    {
        let name = graph.push_node(node, Ok(op), vec![flow.node.clone()]);
        return Ok(Value::Flow(Flow { node: name, ..flow }));
    }
    let flow = if first && kind == "Div" { inverse(graph, node, flow) } else { flow };
    scaled(graph, node, flow, (weight, origin, size, reversed))
}

/// Channels of images: numbers of so many are looked at, since they may prepare the input.
const MOST_OF_IMAGE: usize = 3;

/// Arithmetic with a number for each channel.
fn few(kind: &str, first: bool, numbers: Vec<f32>) -> Option<Op> {
    if numbers.iter().any(|number| !number.is_finite()) {
        return None;
    }
    let (scale, offset) = match (kind, first) {
        ("Add", _) => (vec![1.0], numbers),
        ("Sub", false) => (vec![1.0], numbers.into_iter().map(|number| -number).collect()),
        ("Sub", true) => (vec![-1.0], numbers),
        ("Mul", _) => (numbers, vec![0.0]),
        ("Div", false) if !numbers.contains(&0.0) => {
            (numbers.into_iter().map(|number| 1.0 / number).collect(), vec![0.0])
        }
        _ => return None,
    };
    Some(Op::Affine { scale, offset })
}

/// 1 divided by each number of a layer.
fn inverse(graph: &mut Lowering<'_>, node: &NodeProto, flow: Flow) -> Flow {
    let label = format!("{} (inverse)", node.label());
    let op = Op::Power { exponent: -1.0 };
    let name = graph.push_named(&label, node, Ok(op), vec![flow.node.clone()]);
    Flow { node: name, ..flow }
}

/// A power, or a limit.
fn with_one(
    graph: &mut Lowering<'_>,
    node: &NodeProto,
    flow: Flow,
    stored: usize,
) -> Result<Value, Refused> {
    let whole = graph.integers(node, stored).map(|all| all.iter().map(|&n| n as f32).collect());
    let numbers: Option<Vec<f32>> = graph.floats(node, stored).or(whole);
    let Some(&[number]) = numbers.as_deref() else {
        return Err(Refused("it computes with another value than one stored number".to_owned()));
    };
    match node.op_type.as_str() {
        "Max" => limited(graph, node, [number, f32::MAX]),
        "Min" => limited(graph, node, [f32::MIN, number]),
        _ if stored == 1 && number.is_finite() => {
            let op = Op::Power { exponent: number };
            let name = graph.push_node(node, Ok(op), vec![flow.node.clone()]);
            Ok(Value::Flow(Flow { node: name, ..flow }))
        }
        _ => Err(Refused("its exponent is computed from the images".to_owned())),
    }
}

/// One number for all: a rescaling.
fn rescaled(
    graph: &mut Lowering<'_>,
    node: &NodeProto,
    flow: Flow,
    (kind, stored): (&str, usize),
) -> Result<Value, Refused> {
    let number = graph.floats(node, stored).and_then(|values| values.first().copied());
    let number = number.filter(|number| number.is_finite());
    let first = stored == 0;
    let (scale, offset) = match (kind, number) {
        ("Add", Some(offset)) => (1.0, offset),
        ("Sub", Some(offset)) if first => (-1.0, offset),
        ("Sub", Some(offset)) => (1.0, -offset),
        ("Mul", Some(scale)) if scale != 0.0 => (scale, 0.0),
        ("Div", Some(scale)) if first => (scale, 0.0),
        ("Div", Some(by)) if by != 0.0 => (1.0 / by, 0.0),
        _ => return Err(Refused("its number cannot be used".to_owned())),
    };
    let flow = if first && kind == "Div" { inverse(graph, node, flow) } else { flow };
    if let Some(whole) = before_scale(graph, &flow, scale).filter(|_| offset == 0.0) {
        return Ok(Value::Flow(Flow { node: whole, ..flow }));
    }
    let op = Op::Rescaling { scale: [scale; 3], offset: [offset; 3] };
    let name = graph.push_node(node, Ok(op), vec![flow.node.clone()]);
    Ok(Value::Flow(Flow { node: name, ..flow }))
}

/// The GELU that a layer gives twice, if this is its half.
fn before_scale(graph: &Lowering<'_>, flow: &Flow, scale: f32) -> Option<String> {
    let node = graph.node(&flow.node)?;
    let Ok(Op::Rescaling { scale: [by, ..], offset }) = node.op else { return None };
    let input = graph.node(node.inputs.first()?)?;
    let gelu = Op::Activation { activation: Activation::Gelu };
    let is_gelu = matches!(&input.op, Ok(op) if *op == gelu);
    let undone = offset == [0.0; 3] && (by * scale - 1.0).abs() < f32::EPSILON;
    (is_gelu && undone && flow.alone).then(|| input.name.clone())
}

/// One number a channel: a batch normalisation whose statistics change nothing.
fn scaled(
    graph: &mut Lowering<'_>,
    node: &NodeProto,
    flow: Flow,
    (weight, origin, size, reversed): (Weight, WeightOrigin, usize, bool),
) -> Result<Value, Refused> {
    // With an epsilon of 0 the neutral variance is 1.
    let op = Op::BatchNormalization { epsilon: 0.0, scale: true, center: true };
    let name = graph.push_node(node, Ok(op), vec![flow.node.clone()]);
    let other = match weight {
        Weight::Gamma => (Weight::Beta, 0.0),
        _ if reversed => (Weight::Gamma, -1.0),
        _ => (Weight::Gamma, 1.0),
    };
    graph.add_weight(&name, weight, &[size], origin);
    for (weight, value) in [other, (Weight::MovingMean, 0.0), (Weight::MovingVariance, 1.0)] {
        let origin = WeightOrigin::Filled { value, count: size };
        graph.add_weight(&name, weight, &[size], origin);
    }
    Ok(Value::Flow(Flow { node: name, ..flow }))
}

/// The axis along which numbers of this shape differ, when they are spread over a layer.
fn channels(flow: &Flow, sizes: &[usize]) -> Option<(Axis, usize)> {
    let skipped = flow.axes.len().checked_sub(sizes.len())?;
    let mut long = sizes.iter().enumerate().filter(|(_, size)| **size != 1);
    let ((place, &size), None) = (long.next()?, long.next()) else { return None };
    let &(axis, own) = flow.axes.get(skipped.checked_add(place)?)?;
    let fits = matches!(axis, Axis::Channel | Axis::Flat) && own == Some(size);
    fits.then_some((axis, size))
}

/// Gives the sum's numbers to the layer before it, if that has a place for them.
fn add_bias(graph: &mut Lowering<'_>, layer: &str, size: usize, origin: &WeightOrigin) -> bool {
    match graph.node_mut(layer).map(|node| &mut node.op) {
        Some(Ok(
            Op::Conv2D { use_bias, .. }
            | Op::DepthwiseConv2D { use_bias, .. }
            | Op::Conv2DTranspose { use_bias, .. }
            | Op::Dense { use_bias, .. },
        )) if !*use_bias => {
            *use_bias = true;
            graph.add_weight(layer, Weight::Bias, &[size], origin.clone());
            true
        }
        // A product with numbers, which has no offset of its own yet.
        Some(Ok(Op::BatchNormalization { epsilon: 0.0, .. })) => {
            graph.replace_filled(layer, Weight::Beta, origin.clone())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::value::{NCHW, NHWC};

    #[test]
    fn numbers_are_spread_along_the_channels_only() {
        let flow = |order: [Axis; 4], [a, b, c]: [usize; 3]| {
            let sizes = [None, Some(a), Some(b), Some(c)];
            Flow::new("a".to_owned(), order.into_iter().zip(sizes).collect())
        };
        let (first, last) = (flow(NCHW, [8, 5, 4]), flow(NHWC, [5, 4, 8]));
        assert_eq!(channels(&first, &[8, 1, 1]), Some((Axis::Channel, 8)));
        assert_eq!(channels(&first, &[1, 8, 1, 1]), Some((Axis::Channel, 8)));
        assert_eq!(channels(&last, &[8]), Some((Axis::Channel, 8)));
        for (flow, sizes) in [
            (&first, &[4][..]),
            (&first, &[8, 5, 1]),
            (&last, &[4, 1]),
            (&last, &[7]),
            (&last, &[1; 5]),
        ] {
            assert_eq!(channels(flow, sizes), None, "{sizes:?}");
        }
    }
}
