//! One ONNX operator as a layer, refusing every setting that has no place in it.
//!
//! (<https://onnx.ai/onnx/operators>)

use burncam_net::{Activation, Op};

use crate::keras::op::Refused;
use crate::onnx;
use crate::onnx::graph::Lowering;
use crate::onnx::model::{Attribute, NodeProto};
use crate::onnx::value::{Axis, Flow, Value};

/// What the operator gives; layers are added as it needs them.
pub(crate) fn lower<'a>(graph: &mut Lowering<'a>, node: &'a NodeProto) -> Result<Value, Refused> {
    if !node.domain.is_empty() {
        return Err(unknown());
    }
    match node.op_type.as_str() {
        "Identity" => same(graph, node),
        // In operator sets 12 and later, the third input turns training on.
        "Dropout" if node.input(2).is_none() => same(graph, node),
        "Dropout" => Err(Refused("it may be in training mode; export for inference".to_owned())),
        "Cast" => cast(graph, node),
        "Constant" => constant(graph, node),
        "Conv" => onnx::window::conv(graph, node),
        "MaxPool" | "AveragePool" => onnx::window::pool(graph, node),
        "Pad" => onnx::window::pad(graph, node),
        "Resize" => onnx::window::resize(graph, node),
        "BatchNormalization" => onnx::arithmetic::batch_norm(graph, node),
        "Add" | "Sub" | "Mul" | "Div" => onnx::arithmetic::binary(graph, node),
        "MatMul" | "Gemm" => onnx::arithmetic::dense(graph, node),
        "Relu" => unary(graph, node, relu()),
        "Clip" => clip(graph, node),
        "Sigmoid" => unary(graph, node, Op::Activation { activation: Activation::Sigmoid }),
        "LeakyRelu" => {
            let negative_slope = node.float("alpha", 0.01);
            unary(graph, node, Op::LeakyReLU { negative_slope })
        }
        "Softmax" => softmax(graph, node),
        "GlobalAveragePool" => global(graph, node, Op::GlobalAveragePooling2D),
        "GlobalMaxPool" => global(graph, node, Op::GlobalMaxPooling2D),
        "ReduceMean" => reduce(graph, node, Op::GlobalAveragePooling2D),
        "ReduceMax" => reduce(graph, node, Op::GlobalMaxPooling2D),
        "Concat" => concat(graph, node),
        _ => onnx::shape::lower(graph, node),
    }
}

pub(crate) fn unknown() -> Refused {
    Refused("Burncam has no such operator".to_owned())
}

/// A setting that has one meaning here: absent, or this value.
pub(crate) fn only(node: &NodeProto, name: &str, value: i64) -> Result<(), Refused> {
    match node.int(name, value) {
        found if found == value => Ok(()),
        found => Err(Refused(format!("`{name}` is {found}; only {value} is supported"))),
    }
}

/// The layer's output as its input was.
pub(crate) fn unary(graph: &mut Lowering<'_>, node: &NodeProto, op: Op) -> Result<Value, Refused> {
    let flow = graph.flow(node, 0)?;
    let name = graph.push_node(node, Ok(op), vec![flow.node.clone()]);
    Ok(Value::Flow(Flow { node: name, ..flow }))
}

fn relu() -> Op {
    Op::Activation { activation: Activation::Relu }
}

fn same(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    graph.value(node, 0).ok_or_else(|| Refused("it reads nothing".to_owned()))
}

/// Sizes may change their type; activations stay `float32`.
fn cast(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    match (same(graph, node)?, node.int("to", 0)) {
        (Value::Flow(_), to) if to != 1 => {
            Err(Refused(format!("it changes activations to type {to}, not float32")))
        }
        (Value::Tensor(_), _) => match graph.integers(node, 0) {
            Some(numbers) => Ok(Value::Sizes(numbers.into_iter().map(Some).collect())),
            None => Err(Refused("it changes the type of weights".to_owned())),
        },
        (value, _) => Ok(value),
    }
}

fn constant<'a>(graph: &mut Lowering<'a>, node: &'a NodeProto) -> Result<Value, Refused> {
    let output = node.outputs.first().map_or("", String::as_str);
    match (node.attributes.get("value"), node.attributes.get("value_int")) {
        (Some(Attribute::Tensor(tensor)), _) => return Ok(graph.add_constant(output, tensor)),
        (None, Some(Attribute::Int(number))) => return Ok(Value::Sizes(vec![Some(*number)])),
        _ => {}
    }
    let numbers = node.ints("value_ints");
    let sizes = numbers.map(|numbers| numbers.iter().copied().map(Some).collect());
    sizes.map(Value::Sizes).ok_or_else(|| Refused("it holds no tensor and no integers".to_owned()))
}

/// A rectifier, if it clips at 0 and nowhere else.
fn clip(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let mut bound = |name: &str, index: usize| match node.input(index) {
        Some(_) => graph.floats(node, index).and_then(|values| values.first().copied()),
        None if node.attributes.contains_key(name) => Some(node.float(name, f32::NAN)),
        None => Some(f32::INFINITY),
    };
    match (bound("min", 1), bound("max", 2)) {
        (Some(0.0), Some(f32::MAX | f32::INFINITY)) => unary(graph, node, relu()),
        (min, max) => Err(Refused(format!(
            "it clips to {min:?}..{max:?}; only a rectifier, 0 and no upper bound, is supported"
        ))),
    }
}

fn softmax(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let flow = graph.flow(node, 0)?;
    let axis = node.int("axis", -1);
    match flow.axes.len() {
        2 if matches!(axis, 1 | -1) => {
            unary(graph, node, Op::Activation { activation: Activation::Softmax })
        }
        _ => Err(Refused(format!("`axis` is {axis} of {}", flow.describe()))),
    }
}

/// Pooling over height and width, which stay as 1.
fn global(graph: &mut Lowering<'_>, node: &NodeProto, op: Op) -> Result<Value, Refused> {
    let mut flow = onnx::window::map(graph, node)?;
    if onnx::window::is_flat(graph, &flow) {
        return Ok(Value::Flow(flow));
    }
    for (_, size) in flow.axes.iter_mut().skip(2) {
        *size = Some(1);
    }
    let name = graph.push_node(node, Ok(op), vec![flow.node]);
    Ok(Value::Flow(Flow::new(name, flow.axes)))
}

/// The same, over axes that are named and may go.
fn reduce(graph: &mut Lowering<'_>, node: &NodeProto, op: Op) -> Result<Value, Refused> {
    let flow = graph.flow(node, 0)?;
    let axes = node.ints("axes").map(<[i64]>::to_vec).or_else(|| graph.integers(node, 1));
    let axes: Option<Vec<usize>> =
        axes.and_then(|axes| axes.into_iter().map(|axis| flow.axis(axis)).collect());
    let mut over: Vec<Axis> =
        axes.iter().flatten().filter_map(|&index| Some(flow.axes.get(index)?.0)).collect();
    over.sort_by_key(|axis| *axis == Axis::Width);
    if over != [Axis::Height, Axis::Width] {
        return Err(Refused(format!("it reduces {over:?} of {}", flow.describe()).to_lowercase()));
    }
    let flat = onnx::window::is_flat(graph, &flow);
    let mut axes = flow.axes;
    match node.int("keepdims", 1) {
        0 => axes.retain(|(axis, _)| !over.contains(axis)),
        _ => {
            let reduced = axes.iter_mut().filter(|(axis, _)| over.contains(axis));
            reduced.for_each(|(_, size)| *size = Some(1));
        }
    }
    let name = match flat {
        true => flow.node,
        false => graph.push_node(node, Ok(op), vec![flow.node]),
    };
    Ok(Value::Flow(Flow::new(name, axes)))
}

/// Joins maps along their channels, or sizes.
fn concat(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let flows = graph.flows(node);
    let Some(first) = flows.first() else { return onnx::shape::concat(graph, node) };
    let axis = first.axis(node.int("axis", 1));
    let along = axis.and_then(|index| first.axes.get(index)).map(|(axis, _)| *axis);
    let alike = flows.iter().all(|flow| flow.order() == first.order());
    if flows.len() != node.inputs.len() || along != Some(Axis::Channel) || !alike {
        return Err(Refused("it does not join maps along their channels".to_owned()));
    }
    let channels = flows.iter().map(|flow| flow.size(Axis::Channel));
    let sum = |sum: Option<usize>, next: Option<usize>| sum?.checked_add(next?);
    let channels = channels.fold(Some(0), sum);
    let mut axes = first.axes.clone();
    axes.iter_mut().filter(|(axis, _)| *axis == Axis::Channel).for_each(|axis| axis.1 = channels);
    let inputs = flows.into_iter().map(|flow| flow.node).collect();
    let name = graph.push_node(node, Ok(Op::Concatenate), inputs);
    Ok(Value::Flow(Flow::new(name, axes)))
}
