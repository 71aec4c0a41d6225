//! Operators whose window runs over a map: convolution, pooling, padding, resizing.

use burncam_net::{Activation, Op, Padding, Weight};

use crate::keras::op::Refused;
use crate::onnx::graph::Lowering;
use crate::onnx::model::NodeProto;
use crate::onnx::op::only;
use crate::onnx::slide::{around, odd, padding, pair, window, windows};
use crate::onnx::tensor::Tensor;
use crate::onnx::value::{Axis, Flow, NCHW, Value};
use crate::onnx::weight_origin::{Order, WeightOrigin};

/// Most layers that do not change a shape in a row between two dense layers.
const BETWEEN_DENSE: usize = 4;

/// The map that an operator reads, which must lie as ONNX has it.
pub(crate) fn map(graph: &Lowering<'_>, node: &NodeProto) -> Result<Flow, Refused> {
    let flow = graph.flow(node, 0)?;
    match flow.order() == NCHW {
        true => Ok(flow),
        false => Err(Refused(format!(
            "it reads {}, not [batch, channel, height, width]",
            flow.describe()
        ))),
    }
}

/// A weight of this layer, which must be `f32`.
pub(crate) fn weight(tensor: &Tensor) -> Result<&Tensor, Refused> {
    match tensor.is_float32() {
        true => Ok(tensor),
        false => Err(Refused(format!(
            "its weight `{}` holds {}; export in float32",
            tensor.name,
            tensor.kind()
        ))),
    }
}

/// A tensor's shape as sizes.
pub(crate) fn shape(tensor: &Tensor) -> Vec<usize> {
    tensor.shape.iter().map(|&size| usize::try_from(size).unwrap_or(usize::MAX)).collect()
}

pub(crate) fn conv(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let input = map(graph, node)?;
    let kernel = weight(graph.tensor(node, 1)?)?;
    let &[filters, channels, height, width] = shape(kernel).as_slice() else {
        return Err(Refused(format!("its kernel has the shape {:?}", kernel.shape)));
    };
    only(node, "group", 1)?;
    if node.ints("dilations").is_some_and(|all| all.iter().any(|&one| one != 1)) {
        return Err(Refused("`dilations` are not 1".to_owned()));
    }
    if input.size(Axis::Channel).is_some_and(|found| found != channels) {
        return Err(Refused(format!(
            "its kernel reads {channels} channels of {}",
            input.describe()
        )));
    }
    let window = window(node, [height, width])?;
    let sizes = map_size(&input);
    let (padding, before) = match padding(&window, sizes) {
        Some(padding) => (padding, None),
        None => (Padding::Valid, Some(window.pads)),
    };
    let bias = bias(graph, node, filters)?;
    let plain = padding == Padding::Valid && before.is_none();
    if plain && sizes == [Some(height), Some(width)] && covers(graph, &input, [height, width]) {
        let sizes = [filters, channels, height, width];
        return Ok(dense(graph, node, &input, (kernel, sizes), bias));
    }
    let mut reads = input.node.clone();
    if let Some(padding) = before {
        let label = format!("{} (pads)", node.label());
        reads = graph.push_named(&label, node, Ok(Op::ZeroPadding2D { padding }), vec![reads]);
    }
    let op = Op::Conv2D {
        filters,
        kernel_size: window.size,
        strides: window.strides,
        padding,
        use_bias: bias.is_some(),
        activation: Activation::Linear,
    };
    let name = graph.push_node(node, Ok(op), vec![reads]);
    let order = Order::Kernel([filters, channels, height, width]);
    let origin = WeightOrigin::Tensor(kernel.clone(), order);
    graph.add_weight(&name, Weight::Kernel, &[height, width, channels, filters], origin);
    if let Some(bias) = bias {
        let origin = WeightOrigin::Tensor(bias.clone(), Order::Same);
        graph.add_weight(&name, Weight::Bias, &[filters], origin);
    }
    Ok(output(name, &input, Some(filters), windows(&window, sizes)))
}

/// Whether a window of the map's own size makes a convolution a dense layer, as timm writes those
/// of VGG16: the first looks at a whole map, the others follow a dense layer.
fn covers(graph: &Lowering<'_>, input: &Flow, size: [usize; 2]) -> bool {
    size != [1; 2] || is_flat(graph, input)
}

/// Whether a map of one place comes from a dense layer.
pub(crate) fn is_flat(graph: &Lowering<'_>, flow: &Flow) -> bool {
    let mut name = flow.node.as_str();
    for _ in 0..BETWEEN_DENSE {
        let Some(node) = graph.node(name) else { return false };
        match (&node.op, node.inputs.first()) {
            (Ok(Op::Dense { .. }), _) => return map_size(flow) == [Some(1); 2],
            (Ok(Op::Activation { .. } | Op::Dropout), Some(input)) => name = input,
            _ => return false,
        }
    }
    false
}

/// A dense layer of a convolution that covers what it reads.
fn dense(
    graph: &mut Lowering<'_>,
    node: &NodeProto,
    input: &Flow,
    (kernel, sizes): (&Tensor, [usize; 4]),
    bias: Option<&Tensor>,
) -> Value {
    let [filters, channels, height, width] = sizes;
    let mut reads = input.node.clone();
    if [height, width] != [1; 2] {
        let label = format!("{} (flattens)", node.label());
        reads = graph.push_named(&label, node, Ok(Op::Flatten), vec![reads]);
    }
    let use_bias = bias.is_some();
    let op = Op::Dense { units: filters, use_bias, activation: Activation::Linear };
    let name = graph.push_node(node, Ok(op), vec![reads]);
    let order = Order::Kernel([filters, channels, height, width]);
    let rows = height.saturating_mul(width).saturating_mul(channels);
    let origin = WeightOrigin::Tensor(kernel.clone(), order);
    graph.add_weight(&name, Weight::Kernel, &[rows, filters], origin);
    if let Some(bias) = bias {
        let origin = WeightOrigin::Tensor(bias.clone(), Order::Same);
        graph.add_weight(&name, Weight::Bias, &[filters], origin);
    }
    output(name, input, Some(filters), [Some(1); 2])
}

/// The bias that an operator reads as its third input, one number for each of `count`.
pub(crate) fn bias<'a>(
    graph: &Lowering<'a>,
    node: &NodeProto,
    count: usize,
) -> Result<Option<&'a Tensor>, Refused> {
    let Some(_) = node.input(2) else { return Ok(None) };
    let bias = weight(graph.tensor(node, 2)?)?;
    match shape(bias).into_iter().filter(|&size| size != 1).collect::<Vec<_>>().as_slice() {
        [size] if *size == count => Ok(Some(bias)),
        [] if count == 1 => Ok(Some(bias)),
        _ => Err(Refused(format!("its bias has the shape {:?}, not [{count}]", bias.shape))),
    }
}

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
    let padded = window.pads != [[0; 2]; 2] || window.same || window.ceil;
    let counts = node.op_type == "AveragePool" && padded && node.int("count_include_pad", 0) != 0;
    let padding = if counts { around(&window) } else { padding(&window, sizes) };
    let padding = padding.or_else(|| around(&window).filter(|_| node.op_type == "MaxPool"));
    let padding = padding.ok_or_else(|| {
        Refused(format!(
            "`pads` of {:?} are neither none, nor those of `same`, nor equal on all sides",
            window.pads
        ))
    })?;
    let (pool_size, strides) = (size, window.strides);
    let op = match node.op_type.as_str() {
        "MaxPool" => Op::MaxPooling2D { pool_size, strides, padding },
        _ => Op::AveragePooling2D { pool_size, strides, padding },
    };
    let name = graph.push_node(node, Ok(op), vec![input.node.clone()]);
    let channels = input.size(Axis::Channel);
    Ok(output(name, &input, channels, windows(&window, sizes)))
}

/// Zeros around the border.
pub(crate) fn pad(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let flow = graph.flow(node, 0)?;
    let mode = node.text("mode", "constant");
    if mode != "constant" {
        return Err(Refused(format!("`mode` is {mode}; only constant is supported")));
    }
    let value = match node.input(2) {
        Some(_) => graph.floats(node, 2).and_then(|values| values.first().copied()),
        None => Some(node.float("value", 0.0)),
    };
    let pads = node.ints("pads").map(<[i64]>::to_vec).or_else(|| graph.integers(node, 1));
    let pads = pads.ok_or_else(|| Refused("`pads` are not known".to_owned()))?;
    let pads: Option<Vec<usize>> = pads.iter().map(|&pad| pad.try_into().ok()).collect();
    let pads = pads.filter(|_| value == Some(0.0) && node.input(3).is_none());
    let rank = flow.axes.len();
    let halves = pads.as_deref().and_then(|pads| pads.split_at_checked(rank));
    let halves = halves.filter(|(before, after)| before.len() == after.len());
    let Some((before, after)) = halves else {
        return Err(Refused("it does not add zeros on each axis".to_owned()));
    };
    let ([mut vertical, mut horizontal], mut axes) = ([[0; 2]; 2], flow.axes.clone());
    for ((axis, size), (&before, &after)) in axes.iter_mut().zip(before.iter().zip(after)) {
        let both = [before, after];
        *size = size.and_then(|size| size.checked_add(before)?.checked_add(after));
        match axis {
            Axis::Height => vertical = both,
            Axis::Width => horizontal = both,
            _ if both == [0; 2] => {}
            _ => return Err(Refused("it pads another axis than height and width".to_owned())),
        }
    }
    let op = Op::ZeroPadding2D { padding: [vertical, horizontal] };
    let name = graph.push_node(node, Ok(op), vec![flow.node]);
    Ok(Value::Flow(Flow::new(name, axes)))
}

/// Bilinear interpolation with half-pixel centres.
pub(crate) fn resize(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let input = map(graph, node)?;
    let mode = node.text("mode", "nearest");
    let centres = node.text("coordinate_transformation_mode", "half_pixel");
    if graph.model.opset < 11 || mode != "linear" || centres != "half_pixel" {
        return Err(Refused(format!(
            "it is {mode} with {centres} coordinates; only linear with half_pixel (operator set \
             11 and later) is supported"
        )));
    }
    only(node, "antialias", 0)?;
    only(node, "exclude_outside", 0)?;
    if node.text("keep_aspect_ratio_policy", "stretch") != "stretch" || node.ints("axes").is_some()
    {
        return Err(Refused("it keeps the aspect ratio, or names its axes".to_owned()));
    }
    let sizes = graph.integers(node, 3).and_then(|sizes| <[i64; 4]>::try_from(sizes).ok());
    let scales = graph.floats(node, 2).and_then(|scales| <[f32; 4]>::try_from(scales).ok());
    let target = match (sizes, scales) {
        (Some([_, _, height, width]), _) => [height, width].map(|size| usize::try_from(size).ok()),
        (None, Some([1.0, 1.0, down, across])) => {
            let scaled = |size: usize, scale: f32| (size as f64 * f64::from(scale)) as usize;
            let [height, width] = map_size(&input);
            [height.map(|h| scaled(h, down)), width.map(|w| scaled(w, across))]
        }
        _ => [None, None],
    };
    let [Some(height), Some(width)] = target else {
        return Err(Refused("the size that it makes is not known".to_owned()));
    };
    let op = Op::bilinear([height, width]);
    let name = graph.push_node(node, Ok(op), vec![input.node]);
    let axes = input.axes.into_iter().map(|(axis, size)| match axis {
        Axis::Height => (axis, Some(height)),
        Axis::Width => (axis, Some(width)),
        _ => (axis, size),
    });
    Ok(Value::Flow(Flow::new(name, axes.collect())))
}

fn output(
    node: String,
    input: &Flow,
    channels: Option<usize>,
    [height, width]: [Option<usize>; 2],
) -> Value {
    let batch = input.axes.first().and_then(|(_, size)| *size);
    let sizes = [batch, channels, height, width];
    Value::Flow(Flow::new(node, NCHW.into_iter().zip(sizes).collect()))
}

fn map_size(flow: &Flow) -> [Option<usize>; 2] {
    [flow.size(Axis::Height), flow.size(Axis::Width)]
}
