//! Keras's layers, with the shapes that they read.

#![expect(clippy::indexing_slicing, reason = "axes of shapes, which have three sizes")]

use burncam_net::{Activation, Interpolation, Op, Reduction};
use serde_json::{Value, json};

use super::arguments::{axis, by_channel};
use crate::keras::config::Node;
use crate::keras::op::{self, Config, Refused};
use crate::table::{Place, Step};

/// The operations of a layer that is one of Keras's classes.
pub(super) fn lower(
    node: &Node,
    inputs: &[Place],
    keras_version: Option<&str>,
) -> Result<Vec<Step>, String> {
    let config = &node.description.config;
    let Some(input) = inputs.first() else { return Err("it reads nothing".to_owned()) };
    if inputs.iter().any(|other| other.rank != input.rank) {
        return Err("it joins values of different rank".to_owned());
    }
    let words = |refused: Refused| refused.0;
    let same = |op: Op| Ok(vec![Step::like(op, input)]);
    match node.class.as_str() {
        "Flatten" => {
            op::only(config, "data_format", "channels_last").map_err(words)?;
            Ok(vec![Step { op: Op::Flatten, rank: 1 }])
        }
        "GlobalAveragePooling2D" => global(config, input, Op::GlobalAveragePooling2D),
        "GlobalMaxPooling2D" => global(config, input, Op::GlobalMaxPooling2D),
        "GlobalAveragePooling1D" => rows(config, input, Reduction::Mean),
        "GlobalMaxPooling1D" => rows(config, input, Reduction::Maximum),
        "Reshape" => {
            let (target_shape, rank) = target_shape(config.get("target_shape"), input)?;
            Ok(vec![Step { op: Op::Reshape { target_shape }, rank }])
        }
        "Permute" => {
            let dims = config.get("dims").and_then(Value::as_array);
            let dims: Option<Vec<i64>> = dims.and_then(|d| d.iter().map(Value::as_i64).collect());
            same(Op::Permute { dims: order(&dims.unwrap_or_default(), input)? })
        }
        "Concatenate" => {
            last_axis(config, input)?;
            same(if inputs.len() == 1 { Op::Dropout } else { Op::Concatenate })
        }
        "Dot" => dot(config, input),
        "UpSampling2D" => {
            op::only(config, "data_format", "channels_last").map_err(words)?;
            let factors = op::pair(config, "size").map_err(words)?;
            let interpolation = interpolation(config)?;
            let [height, width] =
                [0, 1].map(|axis| input.shape[axis].saturating_mul(factors[axis]));
            same(Op::Resizing { height, width, interpolation })
        }
        "Cropping2D" => {
            op::only(config, "data_format", "channels_last").map_err(words)?;
            same(crop(config.get("cropping"), input)?)
        }
        "CenterCrop" => {
            op::only(config, "data_format", "channels_last").map_err(words)?;
            let (height, width) = (op::size(config, "height"), op::size(config, "width"));
            let size = [height.map_err(words)?, width.map_err(words)?, input.shape[2]];
            let [top, left] = [0, 1].map(|axis| input.shape[axis].checked_sub(size[axis]));
            let (Some(top), Some(left)) = (top, left) else {
                return Err("it crops to more than there is".to_owned());
            };
            let begin = [top.div_euclid(2), left.div_euclid(2), 0];
            same(Op::Slice { begin, step: [1; 3], size })
        }
        "Conv2DTranspose" => same(transposed(config, input).map_err(words)?),
        "Rescaling" => {
            let numbers = |key, default: f32| match config.get(key) {
                None => Ok(vec![default]),
                Some(value) => {
                    by_channel(value).ok_or(format!("`{key}` is not one number a channel"))
                }
            };
            same(Op::Affine { scale: numbers("scale", 1.0)?, offset: numbers("offset", 0.0)? })
        }
        "Normalization" => normalization(config, input),
        "Softmax" if is_over_places(config, input) => {
            let [height, width, channels] = input.shape;
            let places = height.saturating_mul(width);
            let ops = [
                Op::Reshape { target_shape: [1, places, channels] },
                Op::Permute { dims: [0, 2, 1] },
                Op::Activation { activation: Activation::Softmax },
                Op::Permute { dims: [0, 2, 1] },
                Op::Reshape { target_shape: input.shape },
            ];
            Ok(ops.into_iter().map(|op| Step::like(op, input)).collect())
        }
        "BatchNormalization" | "LayerNormalization" | "GroupNormalization"
        | "UnitNormalization" | "Softmax" => {
            last_axis(config, input)?;
            let own = match node.op.clone() {
                // All channels in groups of one.
                Ok(Op::GroupNormalization { epsilon, scale, center, .. })
                    if config.get("groups").and_then(Value::as_i64) == Some(-1) =>
                {
                    Op::GroupNormalization { groups: input.shape[2], epsilon, scale, center }
                }
                other => other.map_err(words)?,
            };
            same(own)
        }
        "PReLU" => {
            let shared = config.get("shared_axes").and_then(Value::as_array);
            let mut shape = input.shape;
            for shared in shared.into_iter().flatten().filter_map(Value::as_i64) {
                shape[axis(shared, input)?] = 1;
            }
            same(Op::PReLU { shape })
        }
        // InceptionResNetV2's scaled shortcut.
        "CustomScaleLayer" | "Custom>CustomScaleLayer" => scaled_sum(config.get("scale"), inputs),
        "Lambda" if is_scaled_sum(node) => {
            scaled_sum(config.get("arguments").and_then(|own| own.get("scale")), inputs)
        }
        _ => {
            let ops = with_version(node, keras_version)?;
            Ok(ops.into_iter().map(|op| Step::like(op, input)).collect())
        }
    }
}

/// The operation as it stands in the file, and as the Keras that wrote it computes it. A layer whose activation is a
/// layer is both.
fn with_version(node: &Node, keras_version: Option<&str>) -> Result<Vec<Op>, String> {
    let mut config = node.description.config.clone();
    if config.get("activation") == Some(&json!("hard_sigmoid")) {
        let own = match keras_version.map(|version| version.starts_with('2')) {
            Some(true) => Activation::HardSigmoid2,
            Some(false) => Activation::HardSigmoid,
            None => {
                return Err(
                    "`hard_sigmoid` is another function in Keras 2 than in Keras 3, and the \
                            file does not say which wrote it"
                        .to_owned(),
                );
            }
        };
        config.insert("activation".to_owned(), json!("linear"));
        let mut op = op::parse(&node.class, &config).map_err(|refused| refused.0)?;
        match &mut op {
            Op::Activation { activation }
            | Op::Conv2D { activation, .. }
            | Op::DepthwiseConv2D { activation, .. }
            | Op::SeparableConv2D { activation, .. }
            | Op::Dense { activation, .. } => *activation = own,
            _ => return Err("it has no activation".to_owned()),
        }
        return Ok(vec![op]);
    }
    let inner = config.get("activation").and_then(activation_layer);
    if let (Err(_), Some(inner)) = (&node.op, inner) {
        config.insert("activation".to_owned(), json!("linear"));
        let op = op::parse(&node.class, &config).map_err(|refused| refused.0)?;
        return Ok(vec![op, inner.map_err(|refused| refused.0)?]);
    }
    node.op.clone().map(|op| vec![op]).map_err(|refused| refused.0)
}

/// The layer without weights that is a setting of another: `activation=LeakyReLU(0.1)`.
fn activation_layer(value: &Value) -> Option<Result<Op, Refused>> {
    let class = value["class_name"].as_str()?;
    let is_of_keras = value["module"].as_str().is_some_and(|module| module.starts_with("keras"));
    let known = matches!(class, "ELU" | "LeakyReLU" | "ReLU");
    let config = value["config"].as_object().filter(|_| is_of_keras && known)?;
    Some(op::parse(class, config))
}

fn global(config: &Config, input: &Place, op: Op) -> Result<Vec<Step>, String> {
    op::only(config, "data_format", "channels_last").map_err(|refused| refused.0)?;
    let keeps = config.get("keepdims").and_then(Value::as_bool).unwrap_or(false);
    Ok(vec![Step { op, rank: if keeps { input.rank } else { 1 } }])
}

/// The pooling of a row of vectors.
fn rows(config: &Config, input: &Place, reduction: Reduction) -> Result<Vec<Step>, String> {
    op::only(config, "data_format", "channels_last").map_err(|refused| refused.0)?;
    let keeps = config.get("keepdims").and_then(Value::as_bool).unwrap_or(false);
    let op = Op::Reduce { reduction, axes: [false, true, false] };
    Ok(vec![Step { op, rank: if keeps { input.rank } else { 1 } }])
}

/// The sizes that a file brings a value to, of which one may be open (-1), and how many there are.
pub(super) fn target_shape(
    value: Option<&Value>,
    input: &Place,
) -> Result<([usize; 3], usize), String> {
    let sizes = value.and_then(Value::as_array).filter(|sizes| (1..=3).contains(&sizes.len()));
    let sizes: Option<Vec<i64>> = sizes.and_then(|sizes| sizes.iter().map(Value::as_i64).collect());
    let sizes = sizes.ok_or("it does not make one, two or three sizes")?;
    let rank = sizes.len();
    let times = |count: usize, size: usize| count.checked_mul(size);
    let all = input.shape.into_iter().try_fold(1, times);
    let known = sizes.iter().filter_map(|&size| usize::try_from(size).ok()).try_fold(1, times);
    let open = all.zip(known).and_then(|(all, known)| all.checked_div(known)).unwrap_or(0);
    let mut target = [1; 3];
    for (place, size) in target.iter_mut().skip(3_usize.saturating_sub(rank)).zip(&sizes) {
        *place = usize::try_from(*size).unwrap_or(open);
    }
    Ok((target, rank))
}

/// The order of height, width and channels, of that of a file's axes, which count from 1.
pub(super) fn order(dims: &[i64], input: &Place) -> Result<[usize; 3], String> {
    if dims.len() != input.rank {
        return Err("it is no order of the axes of its input".to_owned());
    }
    let mut order = [0, 1, 2];
    let first = 3_usize.saturating_sub(input.rank);
    for (place, &dim) in order.iter_mut().skip(first).zip(dims) {
        *place = axis(dim, input)?;
    }
    Ok(order)
}

/// Whether an operation is along height and width.
fn is_over_places(config: &Config, input: &Place) -> bool {
    let axes = config.get("axis").and_then(Value::as_array);
    let axes: Option<Vec<i64>> = axes.and_then(|axes| axes.iter().map(Value::as_i64).collect());
    let places = axes.iter().flatten().map(|&own| axis(own, input).ok());
    input.rank == 3 && places.eq([Some(0), Some(1)])
}

/// Refuses an axis that is not that of the channels.
fn last_axis(config: &Config, input: &Place) -> Result<(), String> {
    let axes = match config.get("axis") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Array(axes)) => axes.clone(),
        Some(one) => vec![one.clone()],
    };
    for own in &axes {
        let own = own.as_i64().ok_or("`axis` is no number")?;
        if axes.len() > 1 || axis(own, input)? != 2 {
            let shown = config.get("axis").unwrap_or(&Value::Null);
            return Err(format!(
                "`axis` is {shown}, and only the last, of the channels, is supported"
            ));
        }
    }
    Ok(())
}

fn dot(config: &Config, input: &Place) -> Result<Vec<Step>, String> {
    let axes = match config.get("axes") {
        Some(Value::Array(axes)) => axes.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    let is_last = |own: &Value| own.as_i64().is_some_and(|own| axis(own, input) == Ok(2));
    if input.rank != 1 || axes.is_empty() || !axes.iter().all(is_last) {
        return Err("it is no product of two vectors".to_owned());
    }
    let normalize = config.get("normalize").and_then(Value::as_bool).unwrap_or(false);
    Ok(vec![Step::like(Op::Dot { normalize }, input)])
}

fn interpolation(config: &Config) -> Result<Interpolation, String> {
    match config.get("interpolation").and_then(Value::as_str) {
        None | Some("nearest") => Ok(Interpolation::Nearest),
        Some("bilinear") => Ok(Interpolation::Bilinear),
        Some(other) => Err(format!(
            "`interpolation` is \"{other}\"; only \"nearest\" and \"bilinear\" are supported"
        )),
    }
}

/// `[[top, bottom], [left, right]]`, `[height, width]`, or one number for all four sides.
fn crop(value: Option<&Value>, input: &Place) -> Result<Op, String> {
    let pairs =
        value.and_then(op::sides).ok_or("`cropping` is not [[top, bottom], [left, right]]")?;
    let mut size = input.shape;
    for (size, [before, after]) in size.iter_mut().zip(pairs) {
        let left = size.checked_sub(before).and_then(|left| left.checked_sub(after));
        *size = left.unwrap_or(0);
    }
    let [[top, _], [left, _]] = pairs;
    Ok(Op::Slice { begin: [top, left, 0], step: [1; 3], size })
}

fn transposed(config: &Config, input: &Place) -> Result<Op, Refused> {
    op::only(config, "data_format", "channels_last")?;
    op::only(config, "dilation_rate", json!([1, 1]))?;
    op::only(config, "groups", 1)?;
    let (kernel_size, strides) = (op::pair(config, "kernel_size")?, op::pair(config, "strides")?);
    let same = op::padding(config)? == burncam_net::Padding::Same;
    let extra = config.get("output_padding").filter(|extra| !extra.is_null());
    let extra = extra.map(|_| op::pair(config, "output_padding")).transpose()?;
    let (mut before, mut size) = ([0; 2], [0; 2]);
    for axis in 0..2 {
        let (kernel, stride) = (kernel_size[axis], strides[axis]);
        let steps = input.shape[axis].saturating_sub(1).saturating_mul(stride);
        size[axis] = match (extra, same) {
            (None, true) => steps.saturating_add(stride),
            (None, false) => steps.saturating_add(kernel.max(stride)),
            (Some(extra), true) => {
                let cut = kernel.div_euclid(2).saturating_mul(2);
                steps.saturating_add(kernel).saturating_sub(cut).saturating_add(extra[axis])
            }
            (Some(extra), false) => steps.saturating_add(kernel).saturating_add(extra[axis]),
        };
        // As much as the convolution that it is the transposed map of pads there.
        if same {
            let needed = steps.saturating_add(kernel).saturating_sub(size[axis]);
            before[axis] = needed.div_euclid(2);
        }
    }
    Ok(Op::Conv2DTranspose {
        filters: op::size(config, "filters")?,
        kernel_size,
        strides,
        before,
        size,
        use_bias: op::flag(config, "use_bias"),
        activation: op::activation(config.get("activation"))?,
    })
}

/// `(x - mean) / deviation`, of numbers that the description holds.
fn normalization(config: &Config, input: &Place) -> Result<Vec<Step>, String> {
    last_axis(config, input)?;
    op::only(config, "invert", false).map_err(|refused| refused.0)?;
    let numbers = |key| config.get(key).and_then(by_channel);
    let (Some(mean), Some(variance)) = (numbers("mean"), numbers("variance")) else {
        return Err(
            "its mean and variance are weights, and it stands behind other layers than those that \
                    prepare the input"
                .to_owned(),
        );
    };
    if variance.iter().any(|value| *value < 0.0) {
        return Err("its variance is negative".to_owned());
    }
    let centred = Op::Affine { scale: vec![1.0], offset: mean.iter().map(|mean| -mean).collect() };
    let scale = variance.iter().map(|value| 1.0 / value.sqrt().max(1e-7)).collect();
    let scaled = Op::Affine { scale, offset: vec![0.0] };
    Ok(vec![Step::like(centred, input), Step::like(scaled, input)])
}

/// The Python code of keras.applications' InceptionResNetV2: `inputs[0] + inputs[1] * scale`.
fn is_scaled_sum(node: &Node) -> bool {
    let block = ["block35_", "block17_", "block8_"];
    let number = block.iter().find_map(|block| node.layer.rsplit('/').next()?.strip_prefix(block));
    number.is_some_and(|number| number.parse::<u32>().is_ok())
}

fn scaled_sum(scale: Option<&Value>, inputs: &[Place]) -> Result<Vec<Step>, String> {
    let (scale, [shortcut, _]) = (scale.and_then(Value::as_f64), inputs) else {
        return Err("it reads not two layers, or has no `scale`".to_owned());
    };
    let scale = scale.ok_or("`scale` is no number")? as f32;
    Ok(vec![Step::like(Op::ScaledSum { scale }, shortcut)])
}
