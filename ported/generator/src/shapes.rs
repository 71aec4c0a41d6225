//! Shapes of the values of a convolutional network, as far as they can be told.

use std::collections::HashMap;

use onnx_ir::{NodeProto, ValueInfoProto};

use crate::graph::{Graph, attribute, int, ints};
use crate::model;

/// Shape of a value, and whether a map has its channels last.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shape {
    pub(crate) dims: Vec<i64>,
    pub(crate) channels_last: bool,
}

/// Shapes by the value's name.
pub(crate) type Shapes = HashMap<String, Shape>;

/// Operators whose output has the shape of their first input.
const SAME: [&str; 32] = [
    "Abs",
    "BatchNormalization",
    "Cast",
    "Ceil",
    "Celu",
    "Clip",
    "Dropout",
    "Elu",
    "Erf",
    "Exp",
    "Floor",
    "Gelu",
    "GroupNormalization",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "InstanceNormalization",
    "LRN",
    "LayerNormalization",
    "LeakyRelu",
    "Log",
    "LogSoftmax",
    "Mish",
    "Neg",
    "PRelu",
    "Relu",
    "Selu",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Sqrt",
    "Tanh",
];

/// Operators whose inputs are brought to one shape.
const BROADCAST: [&str; 8] = ["Add", "Div", "Max", "Min", "Mul", "Pow", "Sub", "Sum"];

/// Shapes of the values that depend on the image, for a batch as the file has it, or of 1.
pub(crate) fn infer(graph: &Graph<'_>) -> Shapes {
    let mut shapes = Shapes::new();
    let told: HashMap<&str, Vec<i64>> = (graph.proto.value_info.iter())
        .chain(&graph.proto.output)
        .chain(&graph.proto.input)
        .filter_map(|value| Some((value.name.as_str(), dims(value)?)))
        .collect();
    if let Some(dims) = told.get(graph.input) {
        let channels_last = dims.len() == 4 && dims[3] == 3 && dims[1] != 3;
        shapes.insert(graph.input.to_owned(), Shape { dims: dims.clone(), channels_last });
    }
    for node in &graph.proto.node {
        let Some(name) = node.output.first() else { continue };
        let first = node.input.iter().find_map(|input| shapes.get(input));
        let channels_last = layout(node, first);
        let computed = output(graph, &shapes, node);
        for (at, name) in std::iter::once(name).chain(&node.output[1..]).enumerate() {
            let dims = if at == 0 { computed.clone() } else { None };
            if let Some(dims) = dims.or_else(|| told.get(name.as_str()).cloned()) {
                shapes.insert(name.clone(), Shape { dims, channels_last });
            }
        }
    }
    shapes
}

/// The sizes of a value, where the file tells all; a batch that is free counts as 1.
fn dims(value: &ValueInfoProto) -> Option<Vec<i64>> {
    let shape = value.type_.tensor_type().shape.as_ref()?;
    let sizes = shape.dim.iter().enumerate().map(|(axis, dim)| match dim.dim_value() {
        size if size > 0 => Some(size),
        _ if axis == 0 => Some(1),
        _ => None,
    });
    sizes.collect()
}

/// Whether the output has its channels last.
fn layout(node: &NodeProto, first: Option<&Shape>) -> bool {
    match (node.op_type.as_str(), ints(node, "perm")) {
        ("Transpose", Some([0, 2, 3, 1])) => true,
        ("Transpose", _) => false,
        ("Conv" | "MaxPool" | "AveragePool" | "BatchNormalization", _) => false,
        _ => first.is_some_and(|shape| shape.channels_last),
    }
}

fn output(graph: &Graph<'_>, shapes: &Shapes, node: &NodeProto) -> Option<Vec<i64>> {
    let input = |at: usize| -> Option<Vec<i64>> {
        let name = node.input.get(at)?;
        let constant = || graph.constant(name).map(|tensor| tensor.dims.clone());
        shapes.get(name).map(|shape| shape.dims.clone()).or_else(constant)
    };
    let values = |at: usize| model::ints(graph.constant(node.input.get(at)?)?);
    let x = input(0)?;
    match node.op_type.as_str() {
        same if SAME.contains(&same) => Some(x),
        op if BROADCAST.contains(&op) => {
            (1..node.input.len()).try_fold(x, |x, at| broadcast(&x, &input(at)?))
        }
        "Conv" => {
            let kernel = input(1)?;
            windows(node, &x, *kernel.first()?, kernel.get(2..)?)
        }
        "MaxPool" | "AveragePool" | "LpPool" => {
            windows(node, &x, *x.get(1)?, ints(node, "kernel_shape")?)
        }
        "GlobalAveragePool" | "GlobalMaxPool" => {
            Some(x.iter().enumerate().map(|(axis, &n)| if axis < 2 { n } else { 1 }).collect())
        }
        "ReduceMean" | "ReduceMax" | "ReduceSum" => {
            let axes = ints(node, "axes").map(<[i64]>::to_vec).or_else(|| values(1))?;
            reduce(&x, &axes, int(node, "keepdims", 1) != 0)
        }
        "Concat" => {
            let axis = place(int(node, "axis", 1), x.len())?;
            let mut sum = x.clone();
            for at in 1..node.input.len() {
                sum[axis] = sum[axis].checked_add(*input(at)?.get(axis)?)?;
            }
            Some(sum)
        }
        "Flatten" => {
            let axis = match int(node, "axis", 1) {
                axis if axis < 0 => place(axis, x.len())?,
                axis => place(axis, x.len() + 1)?,
            };
            Some(vec![product(&x[..axis])?, product(&x[axis..])?])
        }
        "Gemm" => {
            let columns = if int(node, "transB", 0) != 0 { 0 } else { 1 };
            Some(vec![*x.first()?, *input(1)?.get(columns)?])
        }
        "MatMul" => {
            let mut out = x.clone();
            *out.last_mut()? = *input(1)?.last()?;
            Some(out)
        }
        "Reshape" => reshape(&x, &values(1)?),
        "Transpose" => {
            let perm = ints(node, "perm")?;
            perm.iter().map(|&axis| x.get(usize::try_from(axis).ok()?).copied()).collect()
        }
        "Squeeze" => {
            let axes = ints(node, "axes").map(<[i64]>::to_vec).or_else(|| values(1))?;
            reduce(&x, &axes, false)
        }
        "Pad" => {
            let pads = ints(node, "pads").map(<[i64]>::to_vec).or_else(|| values(1))?;
            let added = |axis: usize| pads.get(axis)?.checked_add(*pads.get(axis + x.len())?);
            (0..x.len()).map(|axis| x[axis].checked_add(added(axis)?)).collect()
        }
        _ => None,
    }
}

/// The shape after a convolution or pooling.
fn windows(node: &NodeProto, x: &[i64], channels: i64, kernel: &[i64]) -> Option<Vec<i64>> {
    let rank = kernel.len();
    let list = |name, neutral| ints(node, name).map_or(vec![neutral; 2 * rank], <[i64]>::to_vec);
    let (strides, dilations, pads) = (list("strides", 1), list("dilations", 1), list("pads", 0));
    let auto = attribute(node, "auto_pad").map_or(&b"NOTSET"[..], |attribute| &attribute.s);
    let ceil = int(node, "ceil_mode", 0) != 0;
    let mut out = vec![*x.first()?, channels];
    for (axis, &length) in kernel.iter().enumerate() {
        let (size, stride) = (*x.get(axis + 2)?, *strides.get(axis)?);
        let reach = length.checked_sub(1)?.checked_mul(*dilations.get(axis)?)?;
        if stride <= 0 || reach < 0 {
            return None;
        }
        out.push(match auto {
            b"SAME_UPPER" | b"SAME_LOWER" => (size.checked_add(stride)? - 1) / stride,
            _ => {
                let pad = match auto {
                    b"VALID" => 0,
                    _ => pads.get(axis)?.checked_add(*pads.get(axis + rank)?)?,
                };
                let room = size.checked_add(pad)?.checked_sub(reach)?.checked_sub(1)?;
                let up = if ceil { stride - 1 } else { 0 };
                room.checked_add(up)? / stride + 1
            }
        });
    }
    Some(out)
}

fn broadcast(a: &[i64], b: &[i64]) -> Option<Vec<i64>> {
    let rank = a.len().max(b.len());
    let size = |dims: &[i64], axis: usize| {
        (axis + dims.len()).checked_sub(rank).map_or(1, |axis| dims[axis])
    };
    let one = |axis| match (size(a, axis), size(b, axis)) {
        (1, n) | (n, 1) => Some(n),
        (n, m) if n == m => Some(n),
        _ => None,
    };
    (0..rank).map(one).collect()
}

fn reduce(x: &[i64], axes: &[i64], keep: bool) -> Option<Vec<i64>> {
    let axes: Vec<usize> = axes.iter().map(|&axis| place(axis, x.len())).collect::<Option<_>>()?;
    let kept = (0..x.len()).filter(|axis| keep || !axes.contains(axis));
    Some(kept.map(|axis| if axes.contains(&axis) { 1 } else { x[axis] }).collect())
}

/// The shape that a `Reshape` gives, its `0` and `-1` worked out.
pub(crate) fn reshape(x: &[i64], target: &[i64]) -> Option<Vec<i64>> {
    let copied = target.iter().enumerate().map(|(axis, &size)| match size {
        0 => x.get(axis).copied(),
        size => Some(size),
    });
    let mut out: Vec<i64> = copied.collect::<Option<_>>()?;
    let known: Vec<i64> = out.iter().copied().filter(|&size| size != -1).collect();
    let known = product(&known)?;
    if let Some(open) = out.iter_mut().find(|size| **size == -1) {
        *open = product(x)?.checked_div(known)?;
    }
    (product(&out)? == product(x)?).then_some(out)
}

fn product(dims: &[i64]) -> Option<i64> {
    dims.iter().try_fold(1_i64, |product, &size| product.checked_mul(size))
}

/// An axis counted from the front.
fn place(axis: i64, rank: usize) -> Option<usize> {
    let rank = i64::try_from(rank).ok()?;
    let axis = if axis < 0 { axis + rank } else { axis };
    (0..rank).contains(&axis).then_some(axis as usize)
}
