//! One ONNX operator as a layer, refusing every setting that has no place in it.
//!
//! (<https://onnx.ai/onnx/operators>)

use burncam_net::{Op, Reduction};

use crate::keras::op::Refused;
use crate::onnx::activation;
use crate::onnx::arithmetic;
use crate::onnx::graph::Lowering;
use crate::onnx::model::{Attribute, NodeProto};
use crate::onnx::normalisation;
use crate::onnx::part;
use crate::onnx::pool;
use crate::onnx::reduce::{global, reduce};
use crate::onnx::value::{Axis, Flow, Value};
use crate::onnx::{resize, shape, sizes, window};

/// What the operator gives, for each of its outputs; layers are added as it needs them.
pub(crate) fn lower<'a>(
    graph: &mut Lowering<'a>,
    node: &'a NodeProto,
) -> Result<Vec<Value>, Refused> {
    if !node.domain.is_empty() {
        return Err(unknown());
    }
    match node.op_type.as_str() {
        "Split" => part::split(graph, node),
        _ => one(graph, node).map(|value| vec![value]),
    }
}

/// The first output, which is the only one that is read.
fn one<'a>(graph: &mut Lowering<'a>, node: &'a NodeProto) -> Result<Value, Refused> {
    match node.op_type.as_str() {
        "Identity" => same(graph, node),
        // In operator sets 12 and later, the third input turns training on.
        "Dropout" if node.input(2).is_none() => same(graph, node),
        "Dropout" => Err(Refused("it may be in training mode; export for inference".to_owned())),
        "Cast" => cast(graph, node),
        // Of stored numbers, which are used as what they are needed for.
        "CastLike" if graph.flow(node, 0).is_err() => same(graph, node),
        "Constant" => constant(graph, node),
        "Conv" => window::conv(graph, node),
        "ConvTranspose" => window::transposed(graph, node),
        "MaxPool" | "AveragePool" => pool::pool(graph, node),
        "Pad" => window::pad(graph, node),
        "Resize" => resize::resize(graph, node),
        "Upsample" => resize::upsample(graph, node),
        "BatchNormalization" => normalisation::batch(graph, node),
        "LayerNormalization" => normalisation::layer(graph, node),
        "GroupNormalization" => normalisation::group(graph, node),
        "InstanceNormalization" => normalisation::instance(graph, node),
        "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Max" | "Min" | "Sum" | "Mean" => {
            arithmetic::join(graph, node)
        }
        "MatMul" | "Gemm" => arithmetic::dense(graph, node),
        "Neg" => unary(graph, node, Op::Affine { scale: vec![-1.0], offset: vec![0.0] }),
        "Sqrt" => unary(graph, node, Op::Power { exponent: 0.5 }),
        "Reciprocal" => unary(graph, node, Op::Power { exponent: -1.0 }),
        "Abs" => unary(graph, node, Op::Absolute),
        "GlobalAveragePool" => global(graph, node, Op::GlobalAveragePooling2D),
        "GlobalMaxPool" => global(graph, node, Op::GlobalMaxPooling2D),
        "ReduceMean" => reduce(graph, node, Reduction::Mean),
        "ReduceMax" => reduce(graph, node, Reduction::Maximum),
        "ReduceMin" => reduce(graph, node, Reduction::Minimum),
        "ReduceSum" => reduce(graph, node, Reduction::Sum),
        "Concat" => concat(graph, node),
        _ => match activation::lower(graph, node) {
            Some(value) => value,
            None => shape::lower(graph, node),
        },
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

pub(crate) fn same(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
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

/// Joins maps along their channels, or sizes.
fn concat(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let mut flows = graph.flows(node);
    if flows.is_empty() {
        return sizes::concat(graph, node);
    }
    for (number, flow) in flows.iter_mut().enumerate() {
        let label = format!("{} ({number})", node.label());
        *flow = shape::in_order(graph, &label, flow.clone());
    }
    let Some(first) = flows.first() else { return Err(unknown()) };
    let axis = first.axis(node.int("axis", 1));
    let along = axis.and_then(|index| first.axes.get(index)).map(|(axis, _)| *axis);
    let alike = flows.iter().all(|flow| flow.order() == first.order());
    let Some(along @ (Axis::Channel | Axis::Flat)) = along else {
        return Err(Refused("it does not join maps along their channels".to_owned()));
    };
    if flows.len() != node.inputs.len() || !alike {
        return Err(Refused("it does not join maps along their channels".to_owned()));
    }
    let channels = flows.iter().map(|flow| flow.size(along));
    let sum = |sum: Option<usize>, next: Option<usize>| sum?.checked_add(next?);
    let channels = channels.fold(Some(0), sum);
    let mut axes = first.axes.clone();
    axes.iter_mut().filter(|(axis, _)| *axis == along).for_each(|axis| axis.1 = channels);
    if flows.len() == 1 {
        return Ok(Value::Flow(first.clone()));
    }
    let inputs = flows.into_iter().map(|flow| flow.node).collect();
    let name = graph.push_node(node, Ok(Op::Concatenate), inputs);
    Ok(Value::Flow(Flow::new(name, axes)))
}
