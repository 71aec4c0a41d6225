//! Operators that are functions of each number.

use std::f32::consts::FRAC_1_SQRT_2;

use burncam_net::{Activation, Op, Weight};

use crate::keras::op::Refused;
use crate::onnx::graph::Lowering;
use crate::onnx::model::NodeProto;
use crate::onnx::op::unary;
use crate::onnx::value::{Axis, Flow, Value};
use crate::onnx::weight_origin::{Order, WeightOrigin};
use crate::onnx::window::{shape, weight};

/// How far a constant of a known function may lie from what it should be.
const NEAR: f32 = 1e-5;

/// What the operator gives, if it is a function.
pub(crate) fn lower(graph: &mut Lowering<'_>, node: &NodeProto) -> Option<Result<Value, Refused>> {
    let activation = match node.op_type.as_str() {
        "Relu" => Activation::Relu,
        "Sigmoid" => Activation::Sigmoid,
        "Tanh" => Activation::Tanh,
        "Softplus" => Activation::Softplus,
        "Softsign" => Activation::Softsign,
        "Exp" => Activation::Exponential,
        "HardSwish" => Activation::HardSilu,
        "Mish" => Activation::Mish,
        "LeakyRelu" => {
            let negative_slope = node.float("alpha", 0.01);
            return Some(unary(graph, node, Op::LeakyReLU { negative_slope }));
        }
        "Elu" | "Celu" => return Some(elu(graph, node)),
        "Selu" => return Some(selu(graph, node)),
        "HardSigmoid" => return Some(hard_sigmoid(graph, node)),
        "Gelu" => return Some(gelu(graph, node)),
        "Clip" => return Some(clip(graph, node)),
        "PRelu" => return Some(prelu(graph, node)),
        "Softmax" | "LogSoftmax" => return Some(softmax(graph, node)),
        "Erf" => {
            return Some(Err(Refused("it is supported as a part of GELU only".to_owned())));
        }
        _ => return None,
    };
    Some(unary(graph, node, Op::Activation { activation }))
}

fn elu(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    match (node.op_type.as_str(), node.float("alpha", 1.0)) {
        ("Elu", alpha) if alpha.is_finite() => unary(graph, node, Op::ELU { alpha }),
        ("Celu", 1.0) => unary(graph, node, Op::ELU { alpha: 1.0 }),
        (_, alpha) => Err(Refused(format!("`alpha` is {alpha}"))),
    }
}

fn selu(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let (alpha, gamma) = (node.float("alpha", 1.673_263_2), node.float("gamma", 1.050_701));
    match near(alpha, 1.673_263_2) && near(gamma, 1.050_701) {
        true => unary(graph, node, Op::Activation { activation: Activation::Selu }),
        false => Err(Refused(format!("`alpha` is {alpha} and `gamma` {gamma}"))),
    }
}

fn hard_sigmoid(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let (alpha, beta) = (node.float("alpha", 0.2), node.float("beta", 0.5));
    let activation = match beta == 0.5 {
        true if near(alpha, 1.0 / 6.0) => Activation::HardSigmoid,
        true if near(alpha, 0.2) => Activation::HardSigmoid2,
        _ => return Err(Refused(format!("`alpha` is {alpha} and `beta` {beta}"))),
    };
    unary(graph, node, Op::Activation { activation })
}

fn gelu(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let activation = match node.text("approximate", "none") {
        "none" => Activation::Gelu,
        "tanh" => Activation::GeluTanh,
        other => return Err(Refused(format!("`approximate` is {other}"))),
    };
    unary(graph, node, Op::Activation { activation })
}

/// Limits, which make a rectifier where the lower one is 0.
fn clip(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let mut bound = |name: &str, index: usize, without: f32| match node.input(index) {
        Some(_) => graph.floats(node, index).and_then(|values| values.first().copied()),
        None if node.attributes.contains_key(name) => Some(node.float(name, f32::NAN)),
        None => Some(without),
    };
    let (low, high) = (bound("min", 1, f32::MIN), bound("max", 2, f32::MAX));
    let (Some(low), Some(high)) = (low, high) else {
        return Err(Refused("its limits are not known".to_owned()));
    };
    limited(graph, node, [low, high])
}

/// What lies outside these limits is brought to them.
pub(crate) fn limited(
    graph: &mut Lowering<'_>,
    node: &NodeProto,
    limits: [f32; 2],
) -> Result<Value, Refused> {
    // Infinite ones could not be written down.
    let [low, high] = limits.map(|limit| limit.clamp(f32::MIN, f32::MAX));
    let op = match [low, high] {
        _ if low.is_nan() || high.is_nan() || low > high => {
            return Err(Refused(format!("it clips to {low}..{high}")));
        }
        [0.0, f32::MAX] => Op::relu_layer(),
        [0.0, high] => Op::ReLU { max_value: Some(high), negative_slope: 0.0, threshold: 0.0 },
        [low, high] => Op::Clip {
            low: Some(low).filter(|low| *low > f32::MIN),
            high: Some(high).filter(|high| *high < f32::MAX),
        },
    };
    let flow = graph.flows(node).into_iter().next();
    let flow = flow.ok_or_else(|| Refused("it reads no layer".to_owned()))?;
    let name = graph.push_node(node, Ok(op), vec![flow.node.clone()]);
    Ok(Value::Flow(Flow { node: name, ..flow }))
}

/// A rectifier with one slope, or one for each channel.
fn prelu(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let flow = graph.flow(node, 0)?;
    let slopes = weight(graph.tensor(node, 1)?)?;
    let sizes = shape(slopes);
    let missing = flow.axes.len().checked_sub(sizes.len());
    let along = missing.and_then(|missing| {
        let mut long = sizes.iter().enumerate().filter(|(_, size)| **size != 1);
        let Some((place, &size)) = long.next() else { return Some(1) };
        let &(axis, own) = flow.axes.get(missing.checked_add(place)?)?;
        (long.next().is_none() && axis == Axis::Channel && own == Some(size)).then_some(size)
    });
    let Some(count) = along else {
        return Err(Refused(format!("it has slopes of shape {sizes:?} for {}", flow.describe())));
    };
    let is_map = flow.map_shape().is_none_or(|[height, width, _]| [height, width] != [1, 1]);
    let name =
        graph.push_node(node, Ok(Op::PReLU { shape: [1, 1, count] }), vec![flow.node.clone()]);
    let own: &[usize] = if is_map { &[1, 1, count] } else { &[count] };
    let origin = WeightOrigin::Tensor(slopes.clone(), Order::Same);
    graph.add_weight(&name, Weight::Alpha, own, origin);
    Ok(Value::Flow(Flow { node: name, ..flow }))
}

/// Before operator set 13 all axes from `axis` on were one.
fn softmax(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let flow = graph.flow(node, 0)?;
    let before_13 = graph.model.opset < 13 && flow.axes.len() > 2;
    let axis = node.int("axis", if before_13 { 1 } else { -1 });
    let along = flow.axis(axis);
    let fits = along.is_some_and(|along| {
        let after = along.checked_add(1).and_then(|next| flow.axes.get(next..)).unwrap_or_default();
        let alone = !before_13 || after.iter().all(|(_, size)| *size == Some(1));
        let axis = flow.axes.get(along).map(|(axis, _)| *axis);
        alone && matches!(axis, Some(Axis::Channel | Axis::Flat))
    });
    if !fits {
        return Err(Refused(format!("`axis` is {axis} of {}", flow.describe())));
    }
    let output = node.outputs.first().map_or("", String::as_str);
    let activation = match node.op_type.as_str() {
        "LogSoftmax" if !graph.is_output(output) => Activation::LogSoftmax,
        _ => Activation::Softmax,
    };
    unary(graph, node, Op::Activation { activation })
}

/// A function that was written as a product of a value and another function of it.
pub(crate) fn product(
    graph: &mut Lowering<'_>,
    node: &NodeProto,
    [a, b]: [&Flow; 2],
) -> Option<Value> {
    let pair = [(a, b), (b, a)].into_iter();
    let (flow, activation) = pair
        .clone()
        .find_map(|(x, gate)| {
            let before = |name: &str| graph.node(name)?.inputs.first().map(String::as_str);
            let reads = |name: &str| before(name) == Some(&x.node);
            let is = |name: &str, activation| {
                let op = graph.node(name).map(|node| &node.op);
                matches!(op, Some(Ok(Op::Activation { activation: own })) if *own == activation)
            };
            let inner = before(&gate.node).unwrap_or_default();
            let activation = match () {
                () if reads(&gate.node) && is(&gate.node, Activation::Sigmoid) => Activation::Silu,
                () if reads(&gate.node) && is(&gate.node, Activation::HardSigmoid) => {
                    Activation::HardSilu
                }
                () if is(&gate.node, Activation::Tanh)
                    && is(inner, Activation::Softplus)
                    && reads(inner) =>
                {
                    Activation::Mish
                }
                () => return None,
            };
            Some((x.clone(), activation))
        })
        .map_or_else(|| None, Some)?;
    let op = Op::Activation { activation };
    let name = graph.push_node(node, Ok(op), vec![flow.node.clone()]);
    Some(Value::Flow(Flow { node: name, ..flow }))
}

/// GELU, where a product is its last or last but one operation: `x * (1 + erf(x / sqrt(2)))`, of which a half may be
/// taken anywhere.
pub(crate) fn gelu_of_parts(
    graph: &mut Lowering<'_>,
    node: &NodeProto,
    [a, b]: [&Flow; 2],
) -> Option<Value> {
    let (input, factor, flow) = [(a, b), (b, a)].into_iter().find_map(|(x, gate)| {
        let (erf, [scale, offset]) = scaled(graph, &gate.node);
        let erf = graph.node(erf).filter(|node| node.class == "Erf")?;
        let (inner, [narrow, none]) = scaled(graph, erf.inputs.first()?);
        let (outer, [times, nothing]) = scaled(graph, &x.node);
        let fits = inner == outer
            && near(narrow, FRAC_1_SQRT_2)
            && near(scale, offset)
            && none == 0.0
            && nothing == 0.0;
        fits.then(|| (inner.to_owned(), 2.0 * times * scale, x.clone()))
    })?;
    let op = Op::Activation { activation: Activation::Gelu };
    let mut name = graph.push_node(node, Ok(op), vec![input]);
    if !near(factor, 1.0) {
        let twice = Op::Rescaling { scale: [factor; 3], offset: [0.0; 3] };
        let label = format!("{} (scale)", node.label());
        name = graph.push_named(&label, node, Ok(twice), vec![name]);
    }
    Some(Value::Flow(Flow { node: name, ..flow }))
}

/// The layer behind products and sums with numbers, and the scale and offset that these are together.
fn scaled<'a>(graph: &'a Lowering<'_>, name: &'a str) -> (&'a str, [f32; 2]) {
    let (mut name, mut scale, mut offset) = (name, 1.0, 0.0);
    for _ in 0..3 {
        let Some(node) = graph.node(name) else { break };
        match (&node.op, node.inputs.first()) {
            (Ok(Op::Rescaling { scale: [by, ..], offset: [and, ..] }), Some(input)) => {
                (name, offset, scale) = (input, scale * and + offset, scale * by);
            }
            _ => break,
        }
    }
    (name, [scale, offset])
}

fn near(found: f32, expected: f32) -> bool {
    (found - expected).abs() < NEAR
}
