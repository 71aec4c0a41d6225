//! Operators whose window runs over a map: convolution and padding.

use burncam_net::{Activation, Op, Padding, Weight};

use crate::keras::op::Refused;
use crate::onnx::graph::Lowering;
use crate::onnx::model::NodeProto;
use crate::onnx::op::only;
use crate::onnx::slide::{odd, padding, pair_of, window, windows};
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
    let &[filters, deep, height, width] = shape(kernel).as_slice() else {
        return Err(Refused(format!("its kernel has the shape {:?}", kernel.shape)));
    };
    let groups = groups(node)?;
    let channels = deep.saturating_mul(groups);
    if input.size(Axis::Channel).is_some_and(|found| found != channels) {
        return Err(Refused(format!(
            "its kernel reads {channels} channels of {}",
            input.describe()
        )));
    }
    let window = window(node, [height, width])?;
    let dilation_rate = window.dilation;
    let sizes = map_size(&input);
    let (padding, before) = match padding(&window, sizes) {
        Some(padding) => (padding, None),
        None => (Padding::Valid, Some(window.pads)),
    };
    let bias = bias(graph, node, filters)?;
    let plain =
        padding == Padding::Valid && before.is_none() && groups == 1 && dilation_rate == [1; 2];
    if plain && sizes == [Some(height), Some(width)] && covers(graph, &input, [height, width]) {
        let sizes = [filters, channels, height, width];
        return Ok(dense(graph, node, &input, (kernel, sizes), bias));
    }
    let mut reads = input.node.clone();
    if let Some(padding) = before {
        let label = format!("{} (pads)", node.label());
        reads = graph.push_named(&label, node, Ok(Op::ZeroPadding2D { padding }), vec![reads]);
    }
    let (kernel_size, strides, use_bias) = (window.size, window.strides, bias.is_some());
    let activation = Activation::Linear;
    let multiplier = filters.checked_div(channels).filter(|_| groups > 1 && deep == 1);
    let (op, weight, sizes_of_kernel) = match multiplier {
        Some(depth_multiplier) => {
            let op = Op::DepthwiseConv2D {
                kernel_size,
                strides,
                padding,
                dilation_rate,
                depth_multiplier,
                use_bias,
                activation,
            };
            (op, Weight::DepthwiseKernel, [height, width, channels, depth_multiplier])
        }
        None => {
            let op = Op::Conv2D {
                filters,
                kernel_size,
                strides,
                padding,
                dilation_rate,
                groups,
                use_bias,
                activation,
            };
            (op, Weight::Kernel, [height, width, deep, filters])
        }
    };
    let name = graph.push_node(node, Ok(op), vec![reads]);
    // The filters of a channel lie together, so a depthwise kernel has the same order.
    let order = Order::Kernel([filters, deep, height, width]);
    let origin = WeightOrigin::Tensor(kernel.clone(), order);
    graph.add_weight(&name, weight, &sizes_of_kernel, origin);
    if let Some(bias) = bias {
        let origin = WeightOrigin::Tensor(bias.clone(), Order::Same);
        graph.add_weight(&name, Weight::Bias, &[filters], origin);
    }
    Ok(output(name, &input, Some(filters), windows(&window, sizes)))
}

fn groups(node: &NodeProto) -> Result<usize, Refused> {
    let groups = node.int("group", 1);
    let known = usize::try_from(groups).ok().filter(|&groups| groups > 0);
    known.ok_or_else(|| Refused(format!("`group` is {groups}")))
}

/// The transposed map of a convolution.
pub(crate) fn transposed(graph: &mut Lowering<'_>, node: &NodeProto) -> Result<Value, Refused> {
    let input = map(graph, node)?;
    let kernel = weight(graph.tensor(node, 1)?)?;
    let &[channels, filters, height, width] = shape(kernel).as_slice() else {
        return Err(Refused(format!("its kernel has the shape {:?}", kernel.shape)));
    };
    only(node, "group", 1)?;
    let window = window(node, [height, width])?;
    let [Some(rows), Some(columns)] = map_size(&input) else {
        return Err(Refused("the size of its input is not known".to_owned()));
    };
    let more = match node.ints("output_padding") {
        Some(more) => pair_of(Some(more), 0).ok_or_else(|| odd("output_padding"))?,
        None => [0; 2],
    };
    if window.dilation != [1; 2] || window.same || node.ints("output_shape").is_some() {
        return Err(Refused("it has dilations, or an output shape and no pads".to_owned()));
    }
    if input.size(Axis::Channel) != Some(channels) {
        let input = input.describe();
        return Err(Refused(format!("its kernel reads {channels} channels of {input}")));
    }
    let [[top, bottom], [left, right]] = window.pads;
    let [down, across] = window.strides;
    let along = |size: usize, stride: usize, kernel: usize, [before, after, more]: [usize; 3]| {
        let reach = size.checked_sub(1)?.checked_mul(stride)?.checked_add(kernel)?;
        reach.checked_add(more)?.checked_sub(before)?.checked_sub(after).filter(|&size| size > 0)
    };
    let [more_down, more_across] = more;
    let size = [
        along(rows, down, height, [top, bottom, more_down]),
        along(columns, across, width, [left, right, more_across]),
    ];
    let [Some(tall), Some(wide)] = size else {
        return Err(Refused("nothing is left of its output".to_owned()));
    };
    let bias = bias(graph, node, filters)?;
    let op = Op::Conv2DTranspose {
        filters,
        kernel_size: window.size,
        strides: window.strides,
        before: [top, left],
        size: [tall, wide],
        use_bias: bias.is_some(),
        activation: Activation::Linear,
    };
    let name = graph.push_node(node, Ok(op), vec![input.node.clone()]);
    let order = Order::Kernel([channels, filters, height, width]);
    let origin = WeightOrigin::Tensor(kernel.clone(), order);
    graph.add_weight(&name, Weight::Kernel, &[height, width, filters, channels], origin);
    if let Some(bias) = bias {
        let origin = WeightOrigin::Tensor(bias.clone(), Order::Same);
        graph.add_weight(&name, Weight::Bias, &[filters], origin);
    }
    Ok(output(name, &input, Some(filters), size))
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
    if node.input(2).is_none() || matches!(graph.value(node, 2), Some(Value::Filled(0.0))) {
        return Ok(None);
    }
    let bias = weight(graph.tensor(node, 2)?)?;
    match shape(bias).into_iter().filter(|&size| size != 1).collect::<Vec<_>>().as_slice() {
        [size] if *size == count => Ok(Some(bias)),
        [] if count == 1 => Ok(Some(bias)),
        _ => Err(Refused(format!("its bias has the shape {:?}, not [{count}]", bias.shape))),
    }
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
    let rank = flow.axes.len();
    let axes = match node.input(3) {
        Some(_) => graph.integers(node, 3),
        None => Some((0..rank as i64).collect()),
    };
    let pads = pads.filter(|_| value == Some(0.0));
    let pads = pads.zip(axes).and_then(|(pads, axes)| on_all_axes(&flow, &pads, &axes));
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

/// Pads of some axes as those of all: before each, then after each.
fn on_all_axes(flow: &Flow, pads: &[usize], axes: &[i64]) -> Option<Vec<usize>> {
    let rank = flow.axes.len();
    let (before, after) = pads.split_at_checked(axes.len())?;
    let mut all = vec![0; rank.checked_mul(2)?];
    if before.len() != after.len() {
        return None;
    }
    for ((axis, before), after) in axes.iter().zip(before).zip(after) {
        let axis = flow.axis(*axis)?;
        *all.get_mut(axis)? = *before;
        *all.get_mut(axis.checked_add(rank)?)? = *after;
    }
    Some(all)
}

pub(crate) fn output(
    node: String,
    input: &Flow,
    channels: Option<usize>,
    [height, width]: [Option<usize>; 2],
) -> Value {
    let batch = input.axes.first().and_then(|(_, size)| *size);
    let sizes = [batch, channels, height, width];
    Value::Flow(Flow::new(node, NCHW.into_iter().zip(sizes).collect()))
}

pub(crate) fn map_size(flow: &Flow) -> [Option<usize>; 2] {
    [flow.size(Axis::Height), flow.size(Axis::Width)]
}
