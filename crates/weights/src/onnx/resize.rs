//! Operators that bring a map to another size.

use burncam_net::{Interpolation, Op};

use crate::keras::op::Refused;
use crate::onnx::graph::Lowering;
use crate::onnx::model::NodeProto;
use crate::onnx::op::only;
use crate::onnx::value::{Axis, Flow, Value};
use crate::onnx::window::{map, map_size};

/// Bilinear interpolation with half-pixel centres, or each pixel a whole number of times.
pub(crate) fn resize(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let input = map(graph, node)?;
    let mode = node.text("mode", "nearest");
    let before_11 = graph.model.opset < 11;
    let centres = match before_11 {
        true => "asymmetric",
        false => node.text("coordinate_transformation_mode", "half_pixel"),
    };
    only(node, "antialias", 0)?;
    only(node, "exclude_outside", 0)?;
    if node.text("keep_aspect_ratio_policy", "stretch") != "stretch" || node.ints("axes").is_some()
    {
        return Err(Refused("it keeps the aspect ratio, or names its axes".to_owned()));
    }
    let scales = graph.floats(node, if before_11 { 1 } else { 2 });
    let sizes = match graph.value(node, 3) {
        Some(Value::Sizes(sizes)) => Some(sizes),
        _ => graph.integers(node, 3).map(|sizes| sizes.into_iter().map(Some).collect()),
    };
    let [height, width] = map_size(&input);
    let target = match (sizes.as_deref(), scales.as_deref()) {
        (Some(&[_, _, height, width]), _) => [height, width].map(|size| size?.try_into().ok()),
        (None, Some(&[1.0, 1.0, down, across])) => {
            [height.map(|h| scaled(h, down)), width.map(|w| scaled(w, across))]
        }
        _ => [None, None],
    };
    let ([Some(height), Some(width)], [Some(rows), Some(columns)]) = (target, [height, width])
    else {
        return Err(Refused("the size that it makes is not known".to_owned()));
    };
    let whole = height.checked_rem(rows) == Some(0) && width.checked_rem(columns) == Some(0);
    let rounding = node.text("nearest_mode", "round_prefer_floor");
    let interpolation = match (mode, centres) {
        ("linear", "half_pixel") => Interpolation::Bilinear,
        ("linear", "pytorch_half_pixel") if height > 1 && width > 1 => Interpolation::Bilinear,
        ("nearest", "asymmetric") if whole && (before_11 || rounding == "floor") => {
            Interpolation::Nearest
        }
        ("nearest", "half_pixel" | "pytorch_half_pixel")
            if whole && rounding.starts_with("round") =>
        {
            Interpolation::Nearest
        }
        ("nearest", "tf_half_pixel_for_nn") if rounding == "floor" => Interpolation::Nearest,
        _ => {
            return Err(Refused(format!(
                "it is {mode} with {centres} coordinates; only linear with half_pixel (operator set \
                 11 and later) is supported, and nearest where each pixel is repeated"
            )));
        }
    };
    Ok(resized(graph, node, input, ([height, width], interpolation)))
}

/// The operator of operator set 9, which repeats each pixel.
pub(crate) fn upsample(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let input = map(graph, node)?;
    let mode = node.text("mode", "nearest");
    let scales = graph.floats(node, 1);
    let Some(&[1.0, 1.0, down, across]) = scales.as_deref() else {
        return Err(Refused("its scales are not known".to_owned()));
    };
    let ([Some(height), Some(width)], "nearest") = (map_size(&input), mode) else {
        return Err(Refused(format!("it is {mode} of {}", input.describe())));
    };
    if down.fract() != 0.0 || across.fract() != 0.0 {
        return Err(Refused(format!("it scales by {down} and {across}")));
    }
    let size = [scaled(height, down), scaled(width, across)];
    Ok(resized(graph, node, input, (size, Interpolation::Nearest)))
}

fn scaled(size: usize, scale: f32) -> usize {
    (size as f64 * f64::from(scale)) as usize
}

fn resized(
    graph: &mut Lowering<'_>,
    node: &NodeProto,
    input: Flow,
    ([height, width], interpolation): ([usize; 2], Interpolation),
) -> Value {
    let op = Op::Resizing { height, width, interpolation };
    let name = graph.push_node(node, Ok(op), vec![input.node]);
    let axes = input.axes.into_iter().map(|(axis, size)| match axis {
        Axis::Height => (axis, Some(height)),
        Axis::Width => (axis, Some(width)),
        _ => (axis, size),
    });
    Value::Flow(Flow::new(name, axes.collect()))
}
