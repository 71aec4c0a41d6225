//! One layer's `config` into an [`Op`], refusing every setting that has no place in it.

use burncam_net::{Activation, Interpolation, Op, Padding};
use serde_json::{Map, Value, json};

/// Why a layer cannot be represented.
#[derive(Clone, Debug)]
pub(crate) struct Refused(pub(crate) String);

pub(crate) type Config = Map<String, Value>;

/// The operation of a layer of this class and configuration.
pub(crate) fn parse(class: &str, config: &Config) -> Result<Op, Refused> {
    match class {
        "InputLayer" => input(config),
        "Conv2D" => conv2d(config),
        "DepthwiseConv2D" => depthwise(config),
        "SeparableConv2D" => separable(config),
        "MaxPooling2D" => {
            let (pool_size, strides, padding) = pooling2d(config)?;
            Ok(Op::MaxPooling2D { pool_size, strides, padding })
        }
        "AveragePooling2D" => {
            let (pool_size, strides, padding) = pooling2d(config)?;
            Ok(Op::AveragePooling2D { pool_size, strides, padding })
        }
        "ZeroPadding2D" => zero_padding2d(config),
        "Add" => Ok(Op::Add),
        "Multiply" => Ok(Op::Multiply),
        "Average" => Ok(Op::Average),
        "Maximum" => Ok(Op::Maximum),
        "Minimum" => Ok(Op::Minimum),
        "Subtract" => Ok(Op::Subtract),
        "LayerScale" => Ok(Op::LayerScale),
        "LayerNormalization" => {
            only(config, "rms_scaling", false)?;
            Ok(Op::LayerNormalization {
                epsilon: epsilon(config)?,
                scale: flag(config, "scale"),
                center: flag(config, "center"),
            })
        }
        "GroupNormalization" => Ok(Op::GroupNormalization {
            groups: size_or(config, "groups", 32)?,
            epsilon: epsilon(config)?,
            scale: flag(config, "scale"),
            center: flag(config, "center"),
        }),
        "UnitNormalization" => Ok(Op::UnitNormalization),
        "ELU" => Ok(Op::ELU { alpha: number_or(config, "alpha", 1.0)? }),
        "Reshape" => match numbers(config.get("target_shape")).as_deref() {
            Some(&[height, width, channels]) => {
                Ok(Op::Reshape { target_shape: [height, width, channels] })
            }
            _ => Err(Refused("`target_shape` is not [height, width, channels]".to_owned())),
        },
        "LeakyReLU" => {
            let slope = config.get("negative_slope").or_else(|| config.get("alpha"));
            Ok(Op::LeakyReLU { negative_slope: slope.map_or(Ok(0.3), |v| float(v, "alpha"))? })
        }
        "Resizing" => resizing(config),
        "Concatenate" => {
            let axis = config.get("axis").unwrap_or(&json!(-1)).clone();
            match axis.as_i64() {
                Some(-1 | 3) => Ok(Op::Concatenate),
                _ => Err(Refused(format!("it joins along axis {axis}, not along the channels"))),
            }
        }
        "Rescaling" => rescaling(config),
        "Normalization" => normalization(config),
        _ if INACTIVE.contains(&class) => Ok(Op::Dropout),
        "Flatten" => only(config, "data_format", "channels_last").map(|()| Op::Flatten),
        "GlobalAveragePooling2D" => global(config).map(|()| Op::GlobalAveragePooling2D),
        "GlobalMaxPooling2D" => global(config).map(|()| Op::GlobalMaxPooling2D),
        "Dense" => Ok(Op::Dense {
            units: size(config, "units")?,
            use_bias: flag(config, "use_bias"),
            activation: activation(config.get("activation"))?,
        }),
        "BatchNormalization" => Ok(Op::BatchNormalization {
            epsilon: epsilon(config)?,
            scale: flag(config, "scale"),
            center: flag(config, "center"),
        }),
        "Activation" => Ok(Op::Activation { activation: activation(config.get("activation"))? }),
        "ReLU" => relu(config),
        "ThresholdedReLU" => {
            let threshold = number_or(config, "theta", 1.0)?;
            Ok(Op::ReLU { max_value: None, negative_slope: 0.0, threshold })
        }
        "Softmax" => softmax(config).map(|activation| Op::Activation { activation }),
        "Functional" | "Model" | "Sequential" => Err(Refused(
            "it is a whole model used as one layer; save the flat model instead".to_owned(),
        )),
        "Lambda" => Err(Refused(
            "it runs Python code, which no other program can\nhint: put layers in its place that \
             do the same (such as Rescaling or Normalization) and save the model again"
                .to_owned(),
        )),
        _ => Err(Refused("Burncam has no such layer".to_owned())),
    }
}

/// Layers that do nothing at inference.
const INACTIVE: [&str; 18] = [
    "Dropout",
    "SpatialDropout2D",
    "GaussianDropout",
    "GaussianNoise",
    "AlphaDropout",
    "ActivityRegularization",
    "RandomFlip",
    "RandomRotation",
    "RandomZoom",
    "RandomTranslation",
    "RandomShear",
    "RandomContrast",
    "RandomBrightness",
    "RandomHue",
    "RandomSaturation",
    "RandomColorJitter",
    "RandomSharpness",
    "Identity",
];

fn rescaling(config: &Config) -> Result<Op, Refused> {
    only(config, "data_format", "channels_last")?;
    let numbers = |key, default| config.get(key).map_or(Some([default; 3]), by_channel);
    match (numbers("scale", 1.0), numbers("offset", 0.0)) {
        (Some(scale), Some(offset)) if !scale.contains(&0.0) => Ok(Op::Rescaling { scale, offset }),
        _ => Err(Refused(
            "`scale` and `offset` are not one number, or three, and `scale` not 0".to_owned(),
        )),
    }
}

fn normalization(config: &Config) -> Result<Op, Refused> {
    let axes = match config.get("axis") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(axes)) => axes.iter().map(Value::as_i64).collect(),
        Some(axis) => vec![axis.as_i64()],
    };
    if !matches!(axes[..], [] | [Some(-1 | 3)]) {
        let axis = config.get("axis").unwrap_or(&Value::Null);
        return Err(Refused(format!(
            "`axis` is {axis}; only one mean and variance for each channel (-1) or for all (null) \
             are supported"
        )));
    }
    let given = |key| config.get(key).filter(|value| !value.is_null());
    let invert = config.get("invert").and_then(Value::as_bool).unwrap_or(false);
    match (given("mean"), given("variance")) {
        (None, None) => Ok(Op::Normalization { mean: None, variance: None, invert }),
        (Some(mean), Some(variance)) => match (by_channel(mean), by_channel(variance)) {
            (mean @ Some(_), variance @ Some(_)) => {
                Ok(Op::Normalization { mean, variance, invert })
            }
            _ => Err(Refused("`mean` and `variance` are not one number each, or three".to_owned())),
        },
        _ => Err(Refused("it has only one of `mean` and `variance`".to_owned())),
    }
}

/// One number for all channels, or one for each; a list may lie in lists, and Keras 3 writes
/// NumPy's arrays as `{"class_name": "__numpy__", "config": {"value": [..], ..}}`.
fn by_channel(value: &Value) -> Option<[f32; 3]> {
    let number = |value: &Value| value.as_f64().map(|v| v as f32).filter(|v| v.is_finite());
    match value {
        Value::Array(items) => match items.as_slice() {
            [all] => by_channel(all),
            [a, b, c] => Some([number(a)?, number(b)?, number(c)?]),
            _ => None,
        },
        Value::Object(fields) => by_channel(fields.get("config")?.get("value")?),
        all => number(all).map(|all| [all; 3]),
    }
}

/// 0 stands for a size that the file leaves open.
fn input(config: &Config) -> Result<Op, Refused> {
    let shape = ["batch_input_shape", "batch_shape"].iter().find_map(|key| config.get(*key));
    let shape = shape.and_then(Value::as_array).map(Vec::as_slice);
    let Some([_, height, width, channels]) = shape else {
        return Err(Refused("its shape is not [batch, height, width, channels]".to_owned()));
    };
    let open = |value: &Value| value.as_u64().unwrap_or(0) as usize;
    Ok(Op::InputLayer { height: open(height), width: open(width), channels: open(channels) })
}

fn conv2d(config: &Config) -> Result<Op, Refused> {
    let Convolution { kernel_size, strides, padding, dilation_rate, use_bias, activation } =
        Convolution::read(config)?;
    let (filters, groups) = (size(config, "filters")?, size_or(config, "groups", 1)?);
    Ok(Op::Conv2D {
        filters,
        kernel_size,
        strides,
        padding,
        dilation_rate,
        groups,
        use_bias,
        activation,
    })
}

/// A convolution of each channel.
fn depthwise(config: &Config) -> Result<Op, Refused> {
    let Convolution { kernel_size, strides, padding, dilation_rate, use_bias, activation } =
        Convolution::read(config)?;
    let depth_multiplier = size_or(config, "depth_multiplier", 1)?;
    Ok(Op::DepthwiseConv2D {
        kernel_size,
        strides,
        padding,
        dilation_rate,
        depth_multiplier,
        use_bias,
        activation,
    })
}

fn separable(config: &Config) -> Result<Op, Refused> {
    let Convolution { kernel_size, strides, padding, dilation_rate, use_bias, activation } =
        Convolution::read(config)?;
    let filters = size(config, "filters")?;
    let depth_multiplier = size_or(config, "depth_multiplier", 1)?;
    Ok(Op::SeparableConv2D {
        filters,
        kernel_size,
        strides,
        padding,
        dilation_rate,
        depth_multiplier,
        use_bias,
        activation,
    })
}

/// What all convolutions have.
struct Convolution {
    kernel_size: [usize; 2],
    strides: [usize; 2],
    padding: Padding,
    dilation_rate: [usize; 2],
    use_bias: bool,
    activation: Activation,
}

impl Convolution {
    fn read(config: &Config) -> Result<Self, Refused> {
        only(config, "data_format", "channels_last")?;
        Ok(Self {
            kernel_size: pair(config, "kernel_size")?,
            strides: pair_or(config, "strides", [1, 1])?,
            padding: padding(config)?,
            dilation_rate: pair_or(config, "dilation_rate", [1, 1])?,
            use_bias: flag(config, "use_bias"),
            activation: activation(config.get("activation"))?,
        })
    }
}

/// Size, strides and padding of a pooling.
fn pooling2d(config: &Config) -> Result<([usize; 2], [usize; 2], Padding), Refused> {
    only(config, "data_format", "channels_last")?;
    let pool_size = pair(config, "pool_size")?;
    let strides = match config.get("strides") {
        None | Some(Value::Null) => pool_size,
        Some(_) => pair(config, "strides")?,
    };
    Ok((pool_size, strides, padding(config)?))
}

/// `[[top, bottom], [left, right]]`, `[height, width]`, or one number for all four sides.
fn zero_padding2d(config: &Config) -> Result<Op, Refused> {
    only(config, "data_format", "channels_last")?;
    match config.get("padding").and_then(sides) {
        Some(padding) => Ok(Op::ZeroPadding2D { padding }),
        None => Err(Refused("`padding` is not [[top, bottom], [left, right]]".to_owned())),
    }
}

/// `[[top, bottom], [left, right]]`, written out or not.
pub(crate) fn sides(value: &Value) -> Option<[[usize; 2]; 2]> {
    if let Some(all) = value.as_u64() {
        return Some([[all as usize; 2]; 2]);
    }
    let [vertical, horizontal] = value.as_array()?.as_slice() else { return None };
    let side = |value: &Value| match value.as_u64() {
        Some(both) => Some([both as usize; 2]),
        None => numbers(Some(value))?.try_into().ok(),
    };
    Some([side(vertical)?, side(horizontal)?])
}

fn resizing(config: &Config) -> Result<Op, Refused> {
    let interpolation = match config.get("interpolation").and_then(Value::as_str) {
        None | Some("bilinear") => Interpolation::Bilinear,
        Some("nearest") => Interpolation::Nearest,
        Some(other) => {
            return Err(Refused(format!(
                "`interpolation` is \"{other}\"; only \"bilinear\" and \"nearest\" are supported"
            )));
        }
    };
    only(config, "data_format", "channels_last")?;
    for key in ["crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"] {
        only(config, key, false)?;
    }
    let (height, width) = (size(config, "height")?, size(config, "width")?);
    Ok(Op::Resizing { height, width, interpolation })
}

fn global(config: &Config) -> Result<(), Refused> {
    only(config, "data_format", "channels_last")?;
    only(config, "keepdims", false)
}

/// A setting that has one meaning here: absent, or this value.
pub(crate) fn only(config: &Config, key: &str, value: impl Into<Value>) -> Result<(), Refused> {
    let value = value.into();
    // Keras 2.2 wrote `{"type": "ndarray", "value": 0.0}`.
    let number = |value: &Value| value.as_f64().or_else(|| value["value"].as_f64());
    let same = |found: &Value| match (number(found), value.as_f64()) {
        (Some(found), Some(value)) => found == value,
        _ => *found == value,
    };
    match config.get(key) {
        Some(found) if !same(found) && !found.is_null() => {
            Err(Refused(format!("`{key}` is {found}; only {value} is supported")))
        }
        _ => Ok(()),
    }
}

pub(crate) fn activation(value: Option<&Value>) -> Result<Activation, Refused> {
    let refused = || {
        let shown = value.unwrap_or(&Value::Null);
        Refused(format!("activation {shown} is none that Burncam has"))
    };
    match value {
        None | Some(Value::Null) => Ok(Activation::Linear),
        Some(Value::String(name)) => match name.as_str() {
            // Keras 2 clips 0.2 x + 0.5, Keras 3 x / 6 + 0.5: a name alone does not say which.
            "hard_sigmoid" => Err(Refused(
                "`hard_sigmoid` is another function in Keras 2 than in Keras 3".to_owned(),
            )),
            _ => named(name).ok_or_else(refused),
        },
        // A layer used as a function, {"module": "keras.layers", "class_name": "ReLU", ..}. A
        // function of the user's own, whatever its name, has another module.
        Some(object) => {
            let keras = object["module"].as_str().is_some_and(|module| module.starts_with("keras"));
            let class = object["class_name"].as_str().filter(|_| keras);
            match (class, object["config"].as_object()) {
                (Some("ReLU"), Some(config)) => match relu(config)? {
                    Op::Activation { activation } => Ok(activation),
                    _ => Err(refused()),
                },
                (Some("Softmax"), Some(config)) => softmax(config),
                _ => Err(refused()),
            }
        }
    }
}

/// An activation by the name that it has in both Kerases.
pub(crate) fn named(name: &str) -> Option<Activation> {
    Some(match name {
        "linear" => Activation::Linear,
        "relu" => Activation::Relu,
        "relu6" => Activation::Relu6,
        "sigmoid" => Activation::Sigmoid,
        "tanh" => Activation::Tanh,
        // Of the slope that Keras gives it by default, the continuous one is the same.
        "elu" | "celu" => Activation::Elu,
        "selu" => Activation::Selu,
        "gelu" => Activation::Gelu,
        "silu" | "swish" => Activation::Silu,
        "hard_silu" | "hard_swish" => Activation::HardSilu,
        "softplus" => Activation::Softplus,
        "softsign" => Activation::Softsign,
        "exponential" => Activation::Exponential,
        "mish" => Activation::Mish,
        "leaky_relu" => Activation::LeakyRelu,
        "softmax" => Activation::Softmax,
        "log_softmax" => Activation::LogSoftmax,
        "log_sigmoid" => Activation::LogSigmoid,
        "hard_tanh" => Activation::HardTanh,
        "hard_shrink" => Activation::HardShrink,
        "soft_shrink" => Activation::SoftShrink,
        "tanh_shrink" => Activation::TanhShrink,
        "squareplus" => Activation::Squareplus,
        "sparse_sigmoid" => Activation::SparseSigmoid,
        "sparse_plus" => Activation::SparsePlus,
        _ => return None,
    })
}

/// The layer `ReLU`, with its limits.
fn relu(config: &Config) -> Result<Op, Refused> {
    let max_value = config.get("max_value").filter(|value| !value.is_null());
    let max_value = max_value.map(|value| float(value, "max_value")).transpose()?;
    let negative_slope = number_or(config, "negative_slope", 0.0)?;
    let threshold = number_or(config, "threshold", 0.0)?;
    Ok(match (max_value, negative_slope, threshold) {
        (None, 0.0, 0.0) => Op::Activation { activation: Activation::Relu },
        _ => Op::ReLU { max_value, negative_slope, threshold },
    })
}

fn epsilon(config: &Config) -> Result<f32, Refused> {
    number_or(config, "epsilon", 1e-3)
}

fn number_or(config: &Config, key: &str, default: f32) -> Result<f32, Refused> {
    let value = config.get(key).filter(|value| !value.is_null());
    value.map_or(Ok(default), |value| float(value, key))
}

fn size_or(config: &Config, key: &str, default: usize) -> Result<usize, Refused> {
    if config.contains_key(key) { size(config, key) } else { Ok(default) }
}

fn pair_or(config: &Config, key: &str, default: [usize; 2]) -> Result<[usize; 2], Refused> {
    if config.contains_key(key) { pair(config, key) } else { Ok(default) }
}

/// The layer `Softmax`, along the last axis.
fn softmax(config: &Config) -> Result<Activation, Refused> {
    only(config, "axis", -1)?;
    Ok(Activation::Softmax)
}

pub(crate) fn padding(config: &Config) -> Result<Padding, Refused> {
    match config.get("padding").and_then(Value::as_str) {
        Some("same") => Ok(Padding::Same),
        Some("valid") | None => Ok(Padding::Valid),
        Some(other) => Err(Refused(format!("`padding` is \"{other}\""))),
    }
}

pub(crate) fn flag(config: &Config, key: &str) -> bool {
    config.get(key).and_then(Value::as_bool).unwrap_or(true)
}

pub(crate) fn size(config: &Config, key: &str) -> Result<usize, Refused> {
    let value = config.get(key).and_then(Value::as_u64).and_then(|v| usize::try_from(v).ok());
    value.filter(|&v| v > 0).ok_or_else(|| Refused(format!("`{key}` is not a positive number")))
}

pub(crate) fn pair(config: &Config, key: &str) -> Result<[usize; 2], Refused> {
    let number = |value: &Value| value.as_u64().filter(|&v| v > 0).map(|v| v as usize);
    let pair = match config.get(key) {
        Some(Value::Array(items)) => match items.as_slice() {
            [a, b] => number(a).zip(number(b)),
            _ => None,
        },
        Some(value) => number(value).map(|v| (v, v)),
        None => None,
    };
    pair.map(|(a, b)| [a, b]).ok_or_else(|| Refused(format!("`{key}` is not a pair of sizes")))
}

fn numbers(value: Option<&Value>) -> Option<Vec<usize>> {
    let items = value?.as_array()?;
    items.iter().map(|item| item.as_u64().and_then(|n| usize::try_from(n).ok())).collect()
}

fn float(value: &Value, key: &str) -> Result<f32, Refused> {
    // Keras 2.2 and older write arrays as {"type": "ndarray", "value": 0.01}.
    let number = value.as_f64().or_else(|| value["value"].as_f64());
    number.map(|v| v as f32).ok_or_else(|| Refused(format!("`{key}` is not a number")))
}
