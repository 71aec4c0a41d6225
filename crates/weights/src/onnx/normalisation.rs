//! Operators that normalise: by stored statistics, or by a map's own.

use burncam_net::{Op, Weight};

use crate::keras::op::Refused;
use crate::onnx::graph::Lowering;
use crate::onnx::model::NodeProto;
use crate::onnx::numbers::along;
use crate::onnx::op::only;
use crate::onnx::tensor::Tensor;
use crate::onnx::value::{Axis, Flow, Value};
use crate::onnx::weight_origin::{Order, WeightOrigin};
use crate::onnx::window::{shape, weight};

pub(crate) fn batch(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
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

/// By the mean and variance of each position's channels.
pub(crate) fn layer(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let flow = graph.flow(node, 0)?;
    let axis = node.int("axis", -1);
    let last = flow.axes.len().checked_sub(1);
    let along = flow.axis(axis).filter(|&axis| Some(axis) == last);
    let Some(&(Axis::Channel, Some(size))) = along.and_then(|axis| flow.axes.get(axis)) else {
        return Err(Refused(format!(
            "it normalises {} from axis {axis} on; only channels that come last are supported",
            flow.describe()
        )));
    };
    let epsilon = epsilon(node)?;
    let weights = own(graph, node, &[size])?;
    let [scale, center] = weights.each_ref().map(Option::is_some);
    let op = Op::LayerNormalization { epsilon, scale, center };
    Ok(Value::Flow(with_weights(graph, node, &flow, op, (weights, size, Order::Same))))
}

/// By the mean and variance of groups of channels.
pub(crate) fn group(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let flow = graph.flow(node, 0)?;
    let Some(&(Axis::Channel, Some(size))) = flow.axes.get(1) else {
        return Err(Refused(format!("it reads {}, channels second", flow.describe())));
    };
    let groups = usize::try_from(node.int("num_groups", 0)).ok().filter(|&groups| groups > 0);
    let each = groups.and_then(|groups| {
        size.checked_div(groups).filter(|each| each.checked_mul(groups) == Some(size))
    });
    let Some((groups, each)) = groups.zip(each) else {
        return Err(Refused(format!("`num_groups` is {groups:?} of {}", flow.describe())));
    };
    let epsilon = epsilon(node)?;
    // Before operator set 21 it had weights for each group.
    let (count, order) = match graph.model.opset {
        ..21 => (groups, Order::Repeated(each)),
        _ => (size, Order::Same),
    };
    let weights = own(graph, node, &[count])?;
    let [scale, center] = weights.each_ref().map(Option::is_some);
    let op = Op::GroupNormalization { groups, epsilon, scale, center };
    Ok(Value::Flow(with_weights(graph, node, &flow, op, (weights, size, order))))
}

/// By the mean and variance of each channel, or of groups that were made of the channels before.
pub(crate) fn instance(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let flow = graph.flow(node, 0)?;
    let epsilon = epsilon(node)?;
    match *flow.axes {
        [_, (Axis::Channel, Some(size)), ..] => {
            let weights = own(graph, node, &[size])?;
            let op = Op::GroupNormalization { groups: size, epsilon, scale: true, center: true };
            Ok(Value::Flow(with_weights(graph, node, &flow, op, (weights, size, Order::Same))))
        }
        [_, (Axis::Group, Some(groups)), (Axis::Rest, _)] => {
            let mut all = |index: usize, value: f32| {
                let numbers = graph.floats(node, index).unwrap_or_default();
                numbers.len() == groups && numbers.iter().all(|&number| number == value)
            };
            if !all(1, 1.0) || !all(2, 0.0) {
                return Err(Refused("it scales groups of channels".to_owned()));
            }
            let op = Op::GroupNormalization { groups, epsilon, scale: false, center: false };
            let name = graph.push_node(node, Ok(op), vec![flow.node.clone()]);
            Ok(Value::Flow(Flow { node: name, ..flow }))
        }
        _ => Err(Refused(format!("it reads {}, channels second", flow.describe()))),
    }
}

fn epsilon(node: &NodeProto) -> Result<f32, Refused> {
    let epsilon = node.float("epsilon", 1e-5);
    match epsilon.is_finite() && epsilon >= 0.0 {
        true => Ok(epsilon),
        false => Err(Refused(format!("`epsilon` is {epsilon}"))),
    }
}

/// Scale and shift, where they are given.
fn own<'a>(
    graph: &Lowering<'a>,
    node: &NodeProto,
    sizes: &[usize],
) -> Result<[Option<&'a Tensor>; 2], Refused> {
    let tensor = |index: usize| match node.input(index) {
        None => Ok(None),
        Some(_) => match weight(graph.tensor(node, index)?)? {
            tensor if shape(tensor) == sizes => Ok(Some(tensor)),
            tensor => Err(Refused(format!("`{}` has the shape {:?}", tensor.name, tensor.shape))),
        },
    };
    Ok([tensor(1)?, tensor(2)?])
}

fn with_weights(
    graph: &mut Lowering<'_>,
    node: &NodeProto,
    flow: &Flow,
    op: Op,
    (weights, size, order): ([Option<&Tensor>; 2], usize, Order),
) -> Flow {
    let name = graph.push_node(node, Ok(op), vec![flow.node.clone()]);
    for (weight, tensor) in [Weight::Gamma, Weight::Beta].into_iter().zip(weights) {
        if let Some(tensor) = tensor {
            let origin = WeightOrigin::Tensor(tensor.clone(), order.clone());
            graph.add_weight(&name, weight, &[size], origin);
        }
    }
    Flow { node: name, ..flow.clone() }
}
