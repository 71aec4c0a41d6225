//! Functions of TensorFlow and of Keras 3 that stand in a graph like layers.

#![expect(clippy::indexing_slicing, reason = "axes of shapes, which have three sizes")]

use burncam_net::{Activation, Op, Reduction};
use serde_json::Value;

use super::arguments::{Argument, Arguments, axis, by_channel};
use super::classes::{order, target_shape};
use super::slice::slice;
use crate::keras::config::Node;
use crate::keras::op;
use crate::slice::Slice;
use crate::table::{Place, Step};

/// What functions call the tensor that they read.
const TENSOR: [&str; 8] =
    ["x", "input", "inputs", "tensor", "input_tensor", "features", "value", "images"];

/// The operations of a function, by its name in TensorFlow (`math.truediv`) or Keras 3 (`true_divide`).
pub(super) fn lower(function: &str, node: &Node, inputs: &[Place]) -> Result<Vec<Step>, String> {
    let arguments = Arguments::parse(&node.description.call);
    let name = function.rsplit('.').next().unwrap_or(function);
    let input = match arguments.get(0, &TENSOR) {
        Some(Argument::Tensor(input)) => inputs.get(*input),
        _ => inputs.first(),
    };
    let input = input.ok_or("it reads no layer")?;
    let same = |op: Op| Ok(vec![Step::like(op, input)]);
    let config = &node.description.config;
    match name {
        "add" | "subtract" | "sub" | "multiply" | "mul" | "scalar_mul" | "truediv"
        | "true_divide" | "divide" | "div" | "realdiv" | "maximum" | "minimum" | "pow"
        | "power" => binary(name, &arguments, inputs),
        "bias_add" => {
            let bias = arguments.constant(1, &["bias"]).and_then(by_channel);
            let offset = bias.ok_or("its bias is not one number a channel")?;
            same(Op::Affine { scale: vec![1.0], offset })
        }
        "negative" | "neg" => same(Op::Affine { scale: vec![-1.0], offset: vec![0.0] }),
        "square" => same(Op::Power { exponent: 2.0 }),
        "sqrt" => same(Op::Power { exponent: 0.5 }),
        "rsqrt" => same(Op::Power { exponent: -0.5 }),
        "reciprocal" => same(Op::Power { exponent: -1.0 }),
        "abs" | "absolute" => same(Op::Absolute),
        "identity" => same(Op::Dropout),
        "cast" => {
            let dtype = arguments.constant(1, &["dtype"]).or_else(|| config.get("dtype"));
            match dtype.and_then(Value::as_str) {
                None | Some("float32") => same(Op::Dropout),
                Some(other) => Err(format!("it makes numbers of type {other}")),
            }
        }
        "exp" => same(Op::Activation { activation: Activation::Exponential }),
        "clip_by_value" | "clip" => {
            let low = arguments.number(1, &["clip_value_min", "x_min"]);
            let high = arguments.number(2, &["clip_value_max", "x_max"]);
            let setting = |key: &str| config.get(key).and_then(Value::as_f64).map(|v| v as f32);
            same(Op::Clip {
                low: Some(low.or_else(|| setting("x_min")).ok_or("its lower limit is no number")?),
                high: Some(
                    high.or_else(|| setting("x_max")).ok_or("its upper limit is no number")?,
                ),
            })
        }
        "l2_normalize" => match arguments.integers(1, &["axis"]).as_deref() {
            Some(&[own]) if axis(own, input)? == 2 => same(Op::UnitNormalization),
            _ => Err("it is not along the channels".to_owned()),
        },
        "reduce_mean" | "mean" => reduce(Reduction::Mean, &arguments, node, input),
        "reduce_sum" | "sum" => reduce(Reduction::Sum, &arguments, node, input),
        "reduce_max" | "max" | "amax" => reduce(Reduction::Maximum, &arguments, node, input),
        "reduce_min" | "min" | "amin" => reduce(Reduction::Minimum, &arguments, node, input),
        "concat" | "concatenate" => {
            let setting = config.get("axis").and_then(Value::as_i64).map(|axis| vec![axis]);
            let axes = arguments.integers(1, &["axis"]).or(setting).unwrap_or_default();
            match axes[..] {
                [own] if axis(own, input)? == 2 => same(Op::Concatenate),
                _ => Err("it joins along another axis than the channels".to_owned()),
            }
        }
        "stack" => {
            let setting = config.get("axis").and_then(Value::as_i64).map(|axis| vec![axis]);
            let axes = arguments.integers(1, &["axis"]).or(setting).unwrap_or_default();
            stack(&axes, inputs)
        }
        "getitem" | "get_item" => slice(arguments.constant(1, &["slice_spec", "key"]), input),
        "reverse" | "flip" => {
            let axes = arguments.integers(1, &["axis"]).or_else(|| settings(node, "axis"));
            let mut op = Slice::whole(input.shape);
            for own in axes.ok_or("it has no axis")? {
                let axis = axis(own, input)?;
                op.along(axis, (input.shape[axis].saturating_sub(1), -1, input.shape[axis]));
            }
            same(op.op())
        }
        "reshape" => {
            let shape = arguments.constant(1, &["shape", "newshape"]).cloned();
            let own = shape.or_else(|| config.get("newshape").cloned());
            let sizes = own.as_ref().and_then(Value::as_array).and_then(|sizes| sizes.get(1..));
            let sizes = sizes.map(|sizes| Value::Array(sizes.to_vec()));
            let (target_shape, rank) = target_shape(sizes.as_ref(), input)?;
            Ok(vec![Step { op: Op::Reshape { target_shape }, rank }])
        }
        "transpose" => {
            let axes = arguments.integers(1, &["perm", "axes"]).or_else(|| settings(node, "axes"));
            match axes.as_deref() {
                Some([0, rest @ ..]) => same(Op::Permute { dims: order(rest, input)? }),
                _ => Err("it moves the axis of the batch".to_owned()),
            }
        }
        "squeeze" => {
            let axes = arguments.integers(1, &["axis"]).or_else(|| settings(node, "axis"));
            let kept: Vec<i64> = input.shape[3_usize.saturating_sub(input.rank)..]
                .iter()
                .enumerate()
                .filter(|(place, size)| match &axes {
                    None => **size != 1,
                    Some(axes) => !axes.iter().any(|&own| {
                        axis(own, input)
                            == Ok(place.saturating_add(3_usize.saturating_sub(input.rank)))
                    }),
                })
                .map(|(_, size)| *size as i64)
                .collect();
            let sizes = Value::from(if kept.is_empty() { vec![1] } else { kept });
            let (target_shape, rank) = target_shape(Some(&sizes), input)?;
            Ok(vec![Step { op: Op::Reshape { target_shape }, rank }])
        }
        "expand_dims" => {
            let own = arguments.integers(1, &["axis"]).or_else(|| settings(node, "axis"));
            let Some(&[own]) = own.as_deref() else { return Err("it has no axis".to_owned()) };
            let rank = input.rank as i64;
            let own = if own < 0 { own.saturating_add(rank).saturating_add(2) } else { own };
            let at = usize::try_from(own.saturating_sub(1)).ok().filter(|at| *at <= input.rank);
            let at = at.ok_or("it makes an axis in front of the batch")?;
            let mut sizes: Vec<usize> = input.shape[3_usize.saturating_sub(input.rank)..].to_vec();
            sizes.insert(at, 1);
            let (target_shape, rank) = target_shape(Some(&Value::from(sizes)), input)?;
            Ok(vec![Step { op: Op::Reshape { target_shape }, rank }])
        }
        "leaky_relu" => {
            let slope = arguments.number(1, &["alpha", "negative_slope"]);
            let setting = config.get("negative_slope").and_then(Value::as_f64).map(|v| v as f32);
            same(Op::LeakyReLU { negative_slope: slope.or(setting).unwrap_or(0.2) })
        }
        "gelu" => {
            let setting = config.get("approximate").and_then(Value::as_bool);
            let given = arguments.constant(1, &["approximate"]).and_then(Value::as_bool);
            // TensorFlow's default is the exact function, that of Keras 3's operation is not.
            let default = !function.contains('.');
            let activation = match given.or(setting).unwrap_or(default) {
                true => Activation::GeluTanh,
                false => Activation::Gelu,
            };
            same(Op::Activation { activation })
        }
        "hard_sigmoid" => same(Op::Activation { activation: Activation::HardSigmoid }),
        "softmax" => {
            match arguments.integers(1, &["axis"]).or_else(|| settings(node, "axis")).as_deref() {
                None => same(Op::Activation { activation: Activation::Softmax }),
                Some(&[own]) if axis(own, input)? == 2 => {
                    same(Op::Activation { activation: Activation::Softmax })
                }
                _ => Err("it is not along the channels".to_owned()),
            }
        }
        name => match op::named(name) {
            Some(activation) if arguments.has_one() => same(Op::Activation { activation }),
            Some(_) => Err("it is called with settings that Burncam does not know".to_owned()),
            None => Err(format!("Burncam has no function `{function}`")),
        },
    }
}

/// Whole numbers of the layer's own settings.
fn settings(node: &Node, key: &str) -> Option<Vec<i64>> {
    match node.description.config.get(key)? {
        Value::Array(items) => items.iter().map(Value::as_i64).collect(),
        one => one.as_i64().map(|one| vec![one]),
    }
}

/// A function of two numbers, of which one may be a constant.
fn binary(name: &str, arguments: &Arguments, inputs: &[Place]) -> Result<Vec<Step>, String> {
    let first = arguments.get(0, &["x", "x1", "a", "scalar"]).ok_or("it has no first argument")?;
    let second = arguments.get(1, &["y", "x2", "b"]).ok_or("it has no second argument")?;
    let (constant, tensor, is_first) = match (first, second) {
        (Argument::Tensor(a), Argument::Tensor(b)) => {
            let (Some(a), Some(b)) = (inputs.get(*a), inputs.get(*b)) else {
                return Err("it reads no layer".to_owned());
            };
            if a.rank != b.rank {
                return Err("it joins values of different rank".to_owned());
            }
            let op = match name {
                "add" => Op::Add,
                "subtract" | "sub" => Op::Subtract,
                "multiply" | "mul" => Op::Multiply,
                "truediv" | "true_divide" | "divide" | "div" | "realdiv" => Op::Divide,
                "maximum" => Op::Maximum,
                "minimum" => Op::Minimum,
                _ => return Err("its exponent is no constant".to_owned()),
            };
            return Ok(vec![Step::like(op, a)]);
        }
        (Argument::Tensor(tensor), Argument::Constant(value)) => (value, tensor, false),
        (Argument::Constant(value), Argument::Tensor(tensor)) => (value, tensor, true),
        _ => return Err("its arguments are not two layers, or a layer and a constant".to_owned()),
    };
    let input = inputs.get(*tensor).ok_or("it reads no layer")?;
    let numbers = by_channel(constant).ok_or("its constant is not one number a channel")?;
    let each = |function: fn(f32) -> f32| numbers.iter().copied().map(function).collect();
    let affine =
        |scale: Vec<f32>, offset: Vec<f32>| Step::like(Op::Affine { scale, offset }, input);
    let one = || match numbers[..] {
        [one] => Ok(one),
        _ => Err("its constant is not one number".to_owned()),
    };
    Ok(match (name, is_first) {
        ("add", _) => vec![affine(vec![1.0], numbers)],
        ("subtract" | "sub", false) => vec![affine(vec![1.0], each(|value| -value))],
        ("subtract" | "sub", true) => vec![affine(vec![-1.0], numbers)],
        ("multiply" | "mul" | "scalar_mul", _) => vec![affine(numbers, vec![0.0])],
        ("truediv" | "true_divide" | "divide" | "div" | "realdiv", false) => {
            if numbers.contains(&0.0) {
                return Err("it divides by 0".to_owned());
            }
            vec![affine(each(|value| 1.0 / value), vec![0.0])]
        }
        ("truediv" | "true_divide" | "divide" | "div" | "realdiv", true) => {
            vec![Step::like(Op::Power { exponent: -1.0 }, input), affine(numbers, vec![0.0])]
        }
        ("maximum", _) => {
            vec![Step::like(Op::Clip { low: Some(one()?), high: None }, input)]
        }
        ("minimum", _) => {
            vec![Step::like(Op::Clip { low: None, high: Some(one()?) }, input)]
        }
        ("pow" | "power", false) => vec![Step::like(Op::Power { exponent: one()? }, input)],
        _ => return Err("its first argument is a constant".to_owned()),
    })
}

fn reduce(
    reduction: Reduction,
    arguments: &Arguments,
    node: &Node,
    input: &Place,
) -> Result<Vec<Step>, String> {
    let own = arguments.integers(1, &["axis"]).or_else(|| settings(node, "axis"));
    let own = own.ok_or("it reduces the batch, too")?;
    let setting = node.description.config.get("keepdims").and_then(Value::as_bool).unwrap_or(false);
    let keeps = setting || arguments.flag(2, &["keepdims"]);
    let mut axes = [false; 3];
    for own in &own {
        axes[axis(*own, input)?] = true;
    }
    let reduced = Step::like(Op::Reduce { reduction, axes }, input);
    if keeps {
        return Ok(vec![reduced]);
    }
    // What is left moves together, to the last axes.
    let rank = input.rank.saturating_sub(own.len()).max(1);
    let kept: Vec<usize> =
        (0..3).filter(|&axis| !axes[axis]).map(|axis| input.shape[axis]).collect();
    let mut target_shape = [1; 3];
    for (place, size) in target_shape.iter_mut().rev().zip(kept.iter().rev()) {
        *place = *size;
    }
    Ok(vec![reduced, Step { op: Op::Reshape { target_shape }, rank }])
}

/// Planes of `[height, width]` as the channels of a map.
fn stack(axes: &[i64], inputs: &[Place]) -> Result<Vec<Step>, String> {
    let is_alike = |place: &&Place| {
        place.rank == 2 && Some(place.shape) == inputs.first().map(|first| first.shape)
    };
    let (true, Some(Place { shape: [_, height, width], .. })) =
        (matches!(axes, [-1 | 3]) && inputs.iter().all(|place| is_alike(&place)), inputs.first())
    else {
        return Err("it does not make a map of its channels".to_owned());
    };
    let step = |op: Op, rank: usize| Step { op, rank };
    Ok(vec![
        step(if inputs.len() == 1 { Op::Dropout } else { Op::Concatenate }, 2),
        step(Op::Reshape { target_shape: [*height, inputs.len(), *width] }, 3),
        step(Op::Permute { dims: [0, 2, 1] }, 3),
    ])
}
