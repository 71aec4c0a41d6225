//! Operators that multiply and add layers: dense layers, sums and products.

use burncam_net::{Activation, Op, Weight};

use crate::keras::op::Refused;
use crate::onnx::graph::Lowering;
use crate::onnx::model::NodeProto;
use crate::onnx::numbers::with_numbers;
use crate::onnx::op::{only, same};
use crate::onnx::value::{Axis, Extent, Flow, Value};
use crate::onnx::weight_origin::{Order, WeightOrigin};
use crate::onnx::window::{bias, shape, weight};
use crate::onnx::{activation, sizes};

/// A dense layer. Its bias may follow as a sum.
pub(crate) fn dense(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let flow = graph.flow(node, 0)?;
    let (kernel, is_transposed) = graph.matrix(node, 1)?;
    let kernel = weight(kernel)?;
    let transposed = (node.int("transB", 0) != 0) != is_transposed;
    only(node, "transA", 0)?;
    if node.float("alpha", 1.0) != 1.0 || node.float("beta", 1.0) != 1.0 {
        return Err(Refused("`alpha` or `beta` is not 1".to_owned()));
    }
    let (rows, columns) = match (shape(kernel).as_slice(), transposed) {
        (&[rows, columns], false) | (&[columns, rows], true) => (rows, columns),
        _ => return Err(Refused(format!("its kernel has the shape {:?}", kernel.shape))),
    };
    let Some((&(axis, size), others)) = flow.axes.split_last() else {
        return Err(Refused("it reads nothing".to_owned()));
    };
    // Of a map it is one of each position.
    let is_place = |(axis, _): &Extent| matches!(axis, Axis::Height | Axis::Width | Axis::Place);
    let is_vector = others.len() == 1 && matches!(axis, Axis::Channel | Axis::Flat);
    let is_map = axis == Axis::Channel && others.iter().skip(1).all(is_place);
    if !is_vector && !is_map && (others.len() != 1 || size != Some(1)) {
        return Err(Refused(format!("it reads {}, not lists of channels", flow.describe())));
    }
    if size.is_some_and(|size| size != rows) || size.is_none() && axis == Axis::Flat {
        return Err(Refused(format!("its kernel reads {rows} numbers of {}", flow.describe())));
    }
    let bias = bias(graph, node, columns)?;
    let op = Op::Dense { units: columns, use_bias: bias.is_some(), activation: Activation::Linear };
    let name = graph.push_node(node, Ok(op), vec![flow.node.clone()]);
    let mut axes = others.to_vec();
    axes.push((Axis::Channel, Some(columns)));
    let flat = if is_vector { flow.flat } else { Vec::new() };
    let order = Order::Rows { rows, columns, transposed, flat };
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
    Ok(Value::Flow(Flow::new(name, axes)))
}

/// A sum, product or the like of layers, of a layer and stored numbers, or of sizes.
pub(crate) fn join(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let flows = graph.flows(node);
    match flows.as_slice() {
        [] => sizes::join(graph, node),
        [_] if node.inputs.len() == 1 => same(graph, node),
        [flow] if node.inputs.len() == 2 => with_numbers(graph, node, flow.clone()),
        all if all.len() == node.inputs.len() => of_flows(graph, node, all),
        _ => Err(Refused("it does not compute with layers, or with one and numbers".into())),
    }
}

fn of_flows(graph: &mut Lowering<'_>, node: &NodeProto, flows: &[Flow]) -> Result<Value, Refused> {
    let Some((first, rest)) = flows.split_first() else {
        return Err(Refused("it reads nothing".to_owned()));
    };
    let mut axes = first.axes.clone();
    for flow in rest {
        axes = spread(&axes, &flow.axes).filter(|_| flow.flat == first.flat).ok_or_else(|| {
            Refused(format!("it reads {} and {}", first.describe(), flow.describe()))
        })?;
    }
    let op = match node.op_type.as_str() {
        "Add" | "Sum" if flows.len() == 2 && rest == [first.clone()] => {
            Op::Rescaling { scale: [2.0; 3], offset: [0.0; 3] }
        }
        "Add" | "Sum" => Op::Add,
        "Mul" if rest == [first.clone()] => Op::Power { exponent: 2.0 },
        "Mul" => Op::Multiply,
        "Sub" => Op::Subtract,
        "Div" => Op::Divide,
        "Max" => Op::Maximum,
        "Min" => Op::Minimum,
        "Mean" => Op::Average,
        _ => return Err(Refused("its exponent is no stored number".to_owned())),
    };
    if let (Op::Multiply, [a, b]) = (&op, flows) {
        let known = activation::product(graph, node, [a, b]);
        let known = known.or_else(|| activation::gelu_of_parts(graph, node, [a, b]));
        if let Some(value) = known {
            return Ok(value);
        }
    }
    let inputs = match op {
        Op::Rescaling { .. } | Op::Power { .. } => vec![first.node.clone()],
        _ => flows.iter().map(|flow| flow.node.clone()).collect(),
    };
    let name = graph.push_node(node, Ok(op), inputs);
    Ok(Value::Flow(Flow { flat: first.flat.clone(), ..Flow::new(name, axes) }))
}

/// The axes of two values that are computed together: where one is 1 wide it is spread over the other.
fn spread(a: &[Extent], b: &[Extent]) -> Option<Vec<Extent>> {
    if a.len() != b.len() {
        return None;
    }
    let wider = |(&(axis, size), &(other, wide)): (&Extent, &Extent)| match (size, wide) {
        (Some(1) | None, _) if axis == other => Some((axis, wide)),
        _ if axis == other => Some((axis, size)),
        (Some(1), _) => Some((other, wide)),
        (_, Some(1)) => Some((axis, size)),
        _ => None,
    };
    a.iter().zip(b).map(wider).collect()
}
