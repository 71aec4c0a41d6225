//! Operators that multiply and add: batch normalisation, dense layers, sums and products.

use burncam_net::{Activation, Op, Weight};

use crate::keras::op::Refused;
use crate::onnx::graph::Lowering;
use crate::onnx::model::NodeProto;
use crate::onnx::op::only;
use crate::onnx::value::{Axis, Extent, Flow, Value};
use crate::onnx::weight_origin::{Order, WeightOrigin};
use crate::onnx::window::{bias, shape, weight};

pub(crate) fn batch_norm(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let flow = graph.flow(node, 0)?;
    only(node, "training_mode", 0)?;
    let epsilon = node.float("epsilon", 1e-5);
    if !epsilon.is_finite() || epsilon < 0.0 {
        return Err(Refused(format!("`epsilon` is {epsilon}")));
    }
    let (axis, size) = flow.axes.get(1).copied().unwrap_or((Axis::Batch, None));
    let size = size.filter(|_| matches!(axis, Axis::Channel | Axis::Flat));
    let Some(size) = size else {
        return Err(Refused(format!("it reads {}, channels second", flow.describe())));
    };
    const WEIGHTS: [Weight; 4] =
        [Weight::Gamma, Weight::Beta, Weight::MovingMean, Weight::MovingVariance];
    let mut tensors = Vec::new();
    for (index, name) in (1..).zip(WEIGHTS) {
        let tensor = weight(graph.tensor(node, index)?)?;
        if shape(tensor) != [size] {
            return Err(Refused(format!("`{}` has the shape {:?}", tensor.name, tensor.shape)));
        }
        tensors.push((name, tensor));
    }
    // Whether it scales at all is known by its numbers alone.
    let scale = graph.floats(node, 1).is_none_or(|gamma| gamma.iter().any(|&g| g != 1.0));
    let op = Op::BatchNormalization { epsilon, scale, center: true };
    let name = graph.push_node(node, Ok(op), vec![flow.node.clone()]);
    for (weight, tensor) in tensors {
        let origin = WeightOrigin::Tensor(tensor.clone(), along(&flow, axis, size));
        graph.add_weight(&name, weight, &[size], origin);
    }
    Ok(Value::Flow(Flow { node: name, ..flow }))
}

/// Numbers along an axis, in Keras's order.
fn along(flow: &Flow, axis: Axis, size: usize) -> Order {
    match axis {
        Axis::Flat => {
            Order::Rows { rows: size, columns: 1, transposed: false, flat: flow.flat.clone() }
        }
        _ => Order::Same,
    }
}

/// A dense layer. Its bias may follow as a sum.
pub(crate) fn dense(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let flow = graph.flow(node, 0)?;
    let kernel = weight(graph.tensor(node, 1)?)?;
    let transposed = node.int("transB", 0) != 0;
    only(node, "transA", 0)?;
    if node.float("alpha", 1.0) != 1.0 || node.float("beta", 1.0) != 1.0 {
        return Err(Refused("`alpha` or `beta` is not 1".to_owned()));
    }
    let (rows, columns) = match (shape(kernel).as_slice(), transposed) {
        (&[rows, columns], false) | (&[columns, rows], true) => (rows, columns),
        _ => return Err(Refused(format!("its kernel has the shape {:?}", kernel.shape))),
    };
    let &[batch, (axis, size)] = flow.axes.as_slice() else {
        return Err(Refused(format!("it reads {}, not one list of numbers", flow.describe())));
    };
    if size.is_some_and(|size| size != rows) || size.is_none() && axis == Axis::Flat {
        return Err(Refused(format!("its kernel reads {rows} numbers of {}", flow.describe())));
    }
    let bias = bias(graph, node, columns)?;
    let op = Op::Dense { units: columns, use_bias: bias.is_some(), activation: Activation::Linear };
    let name = graph.push_node(node, Ok(op), vec![flow.node.clone()]);
    let order = Order::Rows { rows, columns, transposed, flat: flow.flat };
    graph.add_weight(
        &name,
        Weight::Kernel,
        &[rows, columns],
        WeightOrigin::Tensor(kernel.clone(), order),
    );
    if let Some(bias) = bias {
        let origin = WeightOrigin::Tensor(bias.clone(), Order::Same);
        graph.add_weight(&name, Weight::Bias, &[columns], origin);
    }
    let axes = vec![batch, (Axis::Channel, Some(columns))];
    Ok(Value::Flow(Flow::new(name, axes)))
}

/// A sum or product of two layers, or of a layer and stored numbers.
pub(crate) fn binary(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let flows = graph.flows(node);
    match (flows.as_slice(), node.op_type.as_str()) {
        ([a, b], "Add" | "Mul") => {
            if a.order() != b.order() {
                let (a, b) = (a.describe(), b.describe());
                return Err(Refused(format!("it reads {a} and {b}")));
            }
            let op = if node.op_type == "Add" { Op::Add } else { Op::Multiply };
            // Where one is 1 wide it is spread over the other.
            let wider = |(&(axis, a), &(_, b)): (&Extent, &Extent)| match (a, b) {
                (Some(1) | None, size) | (size, _) => (axis, size),
            };
            let axes = a.axes.iter().zip(&b.axes).map(wider).collect();
            let inputs = vec![a.node.clone(), b.node.clone()];
            let name = graph.push_node(node, Ok(op), inputs);
            Ok(Value::Flow(Flow { flat: a.flat.clone(), ..Flow::new(name, axes) }))
        }
        ([flow], _) => with_numbers(graph, node, flow.clone()),
        _ => Err(Refused("it does not compute with two layers, or with one and numbers".into())),
    }
}

/// A layer and stored numbers: a rescaling, a bias, or a part of a batch normalisation.
fn with_numbers(graph: &mut Lowering<'_>, node: &NodeProto, flow: Flow) -> Result<Value, Refused> {
    let stored = (0..2).find(|&index| matches!(graph.value(node, index), Some(Value::Tensor(_))));
    let stored = stored.ok_or_else(|| Refused("it does not compute with numbers".to_owned()))?;
    let kind = node.op_type.as_str();
    if stored == 0 && matches!(kind, "Sub" | "Div") {
        return Err(Refused("it subtracts from, or divides, stored numbers".to_owned()));
    }
    let tensor = weight(graph.tensor(node, stored)?)?;
    let sizes = shape(tensor);
    // One unit has a bias of one number.
    let single = flow.size(Axis::Channel) == Some(1) && flow.alone && kind == "Add";
    let origin = WeightOrigin::Tensor(tensor.clone(), Order::Same);
    if single && sizes.iter().all(|&s| s == 1) && add_bias(graph, &flow.node, 1, &origin) {
        return Ok(Value::Flow(flow));
    }
    if sizes.iter().all(|&size| size == 1) {
        return rescaled(graph, node, flow, stored);
    }
    let (axis, size) = channels(&flow, &sizes).ok_or_else(|| {
        Refused(format!(
            "its numbers of shape {sizes:?} are not one a channel of {}",
            flow.describe()
        ))
    })?;
    let order = match (along(&flow, axis, size), kind) {
        (Order::Same, "Sub") => Order::Negated,
        (order, "Add" | "Mul") => order,
        _ => return Err(Refused("it divides by numbers, or subtracts from a flat map".to_owned())),
    };
    let weight = if kind == "Mul" { Weight::Gamma } else { Weight::Beta };
    let origin = WeightOrigin::Tensor(tensor.clone(), order);
    if weight == Weight::Beta && flow.alone && add_bias(graph, &flow.node, size, &origin) {
        return Ok(Value::Flow(flow));
    }
    scaled(graph, node, flow, (weight, origin, size))
}

/// One number for all: a rescaling.
fn rescaled(
    graph: &mut Lowering<'_>,
    node: &NodeProto,
    flow: Flow,
    stored: usize,
) -> Result<Value, Refused> {
    let number = graph.floats(node, stored).and_then(|values| values.first().copied());
    let number = number.filter(|number| number.is_finite());
    let rescaling = |scale, offset| Op::Rescaling { scale: [scale; 3], offset: [offset; 3] };
    let op = match (node.op_type.as_str(), number) {
        ("Add", Some(offset)) => rescaling(1.0, offset),
        ("Sub", Some(offset)) => rescaling(1.0, -offset),
        ("Mul", Some(scale)) if scale != 0.0 => rescaling(scale, 0.0),
        ("Div", Some(by)) if by != 0.0 => rescaling(1.0 / by, 0.0),
        _ => return Err(Refused("its number cannot be used".to_owned())),
    };
    let name = graph.push_node(node, Ok(op), vec![flow.node.clone()]);
    Ok(Value::Flow(Flow { node: name, ..flow }))
}

/// One number a channel: a batch normalisation whose statistics change nothing.
fn scaled(
    graph: &mut Lowering<'_>,
    node: &NodeProto,
    flow: Flow,
    (weight, origin, size): (Weight, WeightOrigin, usize),
) -> Result<Value, Refused> {
    // With an epsilon of 0 the neutral variance is 1.
    let op = Op::BatchNormalization { epsilon: 0.0, scale: true, center: true };
    let name = graph.push_node(node, Ok(op), vec![flow.node.clone()]);
    let other = if weight == Weight::Gamma { Weight::Beta } else { Weight::Gamma };
    graph.add_weight(&name, weight, &[size], origin);
    for (weight, one) in [
        (other, other == Weight::Gamma),
        (Weight::MovingMean, false),
        (Weight::MovingVariance, true),
    ] {
        let origin = WeightOrigin::Filled { value: f32::from(u8::from(one)), count: size };
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
        Some(Ok(Op::Conv2D { use_bias, .. } | Op::Dense { use_bias, .. })) if !*use_bias => {
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
