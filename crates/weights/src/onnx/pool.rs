//! Pooling by windows.

use burncam_net::{Op, Padding};

use crate::keras::op::Refused;
use crate::onnx::graph::Lowering;
use crate::onnx::model::NodeProto;
use crate::onnx::op::only;
use crate::onnx::slide::{Window, around, border, odd, padding, pair, window, windows};
use crate::onnx::value::{Axis, Value};
use crate::onnx::window::{map, map_size, output};

pub(crate) fn pool(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let input = map(graph, node)?;
    let size = pair(node.ints("kernel_shape")).ok_or_else(|| odd("kernel_shape"))?;
    only(node, "storage_order", 0)?;
    if node.ints("dilations").is_some_and(|all| all.iter().any(|&one| one != 1)) {
        return Err(Refused("`dilations` are not 1".to_owned()));
    }
    let window = window(node, size)?;
    let sizes = map_size(&input);
    if (size, window.strides, window.pads) == ([1; 2], [1; 2], [[0; 2]; 2]) {
        // PyTorch's adaptive pooling of a map that has the size already.
        return Ok(Value::Flow(input));
    }
    // What a last window has past the border is never counted.
    let padded = window.pads != [[0; 2]; 2] || window.same;
    let is_max = node.op_type == "MaxPool";
    let counts = !is_max && padded && node.int("count_include_pad", 0) != 0;
    let padding = if counts { around(&window) } else { padding(&window, sizes) };
    let padding = padding.or_else(|| around(&window).filter(|_| is_max));
    let mut reads = input.node.clone();
    let padding = match padding {
        Some(padding) => padding,
        None => {
            let value = match is_max {
                true => Some(f32::MIN),
                false => Some(0.0).filter(|_| counts && !window.ceil),
            };
            reads = bordered(graph, node, reads, (&window, sizes, value))?;
            Padding::Valid
        }
    };
    let (pool_size, strides) = (size, window.strides);
    let op = match node.op_type.as_str() {
        "MaxPool" => Op::MaxPooling2D { pool_size, strides, padding },
        _ => Op::AveragePooling2D { pool_size, strides, padding },
    };
    let name = graph.push_node(node, Ok(op), vec![reads]);
    let channels = input.size(Axis::Channel);
    Ok(output(name, &input, channels, windows(&window, sizes)))
}

/// A layer that puts what a pooling pads by around the map, if a number does for it.
fn bordered(
    graph: &mut Lowering<'_>,
    node: &NodeProto,
    reads: String,
    (window, sizes, value): (&Window, [Option<usize>; 2], Option<f32>),
) -> Result<String, Refused> {
    let (Some(value), Some(padding)) = (value, border(window, sizes)) else {
        return Err(Refused(format!(
            "`pads` of {:?} are neither none, nor those of `same`, nor equal on all sides",
            window.pads
        )));
    };
    let op = match value {
        0.0 => Op::ZeroPadding2D { padding },
        value => Op::ConstantPadding2D { padding, value },
    };
    let label = format!("{} (pads)", node.label());
    Ok(graph.push_named(&label, node, Ok(op), vec![reads]))
}
