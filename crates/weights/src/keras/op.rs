//! One layer's `config` into an [`Op`], refusing every setting that has no place in it.

use burncam_net::{Activation, Interpolation, Op, Padding};
use serde_json::{Map, Value, json};

/// Why a layer cannot be represented.
#[derive(Clone, Debug)]
pub(crate) struct Refused(pub(crate) String);

type Config = Map<String, Value>;

/// The operation of a layer of this class and configuration.
pub(crate) fn parse(class: &str, config: &Config) -> Result<Op, Refused> {
    match class {
        "InputLayer" => input(config),
        "Conv2D" => conv2d(config),
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
            epsilon: config.get("epsilon").map_or(Ok(1e-3), |v| float(v, "epsilon"))?,
            scale: flag(config, "scale"),
            center: flag(config, "center"),
        }),
        "Activation" => Ok(Op::Activation { activation: activation(config.get("activation"))? }),
        "ReLU" => relu(config).map(|activation| Op::Activation { activation }),
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
const INACTIVE: [&str; 17] = [
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
    only(config, "data_format", "channels_last")?;
    only(config, "dilation_rate", json!([1, 1]))?;
    only(config, "groups", 1)?;
    Ok(Op::Conv2D {
        filters: size(config, "filters")?,
        kernel_size: pair(config, "kernel_size")?,
        strides: pair(config, "strides")?,
        padding: padding(config)?,
        use_bias: flag(config, "use_bias"),
        activation: activation(config.get("activation"))?,
    })
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
    let sides = config.get("padding").and_then(|padding| {
        if let Some(all) = padding.as_u64() {
            return Some([[all as usize; 2]; 2]);
        }
        let [vertical, horizontal] = padding.as_array()?.as_slice() else { return None };
        let side = |value: &Value| match value.as_u64() {
            Some(both) => Some([both as usize; 2]),
            None => numbers(Some(value))?.try_into().ok(),
        };
        Some([side(vertical)?, side(horizontal)?])
    });
    match sides {
        Some(padding) => Ok(Op::ZeroPadding2D { padding }),
        None => Err(Refused("`padding` is not [[top, bottom], [left, right]]".to_owned())),
    }
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
fn only(config: &Config, key: &str, value: impl Into<Value>) -> Result<(), Refused> {
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

fn activation(value: Option<&Value>) -> Result<Activation, Refused> {
    let refused = || {
        let shown = value.unwrap_or(&Value::Null);
        Refused(format!("activation {shown} is not linear, relu, sigmoid or softmax"))
    };
    match value {
        None | Some(Value::Null) => Ok(Activation::Linear),
        Some(Value::String(name)) => match name.as_str() {
            "linear" => Ok(Activation::Linear),
            "relu" => Ok(Activation::Relu),
            "sigmoid" => Ok(Activation::Sigmoid),
            "softmax" => Ok(Activation::Softmax),
            _ => Err(refused()),
        },
        // A layer used as a function, {"module": "keras.layers", "class_name": "ReLU", ..}. A
        // function of the user's own, whatever its name, has another module.
        Some(object) => {
            let keras = object["module"].as_str().is_some_and(|module| module.starts_with("keras"));
            let class = object["class_name"].as_str().filter(|_| keras);
            match (class, object["config"].as_object()) {
                (Some("ReLU"), Some(config)) => relu(config),
                (Some("Softmax"), Some(config)) => softmax(config),
                _ => Err(refused()),
            }
        }
    }
}

/// The layer `ReLU`, as a plain rectifier.
fn relu(config: &Config) -> Result<Activation, Refused> {
    if let Some(limit) = config.get("max_value").filter(|value| !value.is_null()) {
        return Err(Refused(format!("`max_value` is {limit}; only null is supported")));
    }
    only(config, "negative_slope", 0.0)?;
    only(config, "threshold", 0.0)?;
    Ok(Activation::Relu)
}

/// The layer `Softmax`, along the last axis.
fn softmax(config: &Config) -> Result<Activation, Refused> {
    only(config, "axis", -1)?;
    Ok(Activation::Softmax)
}

fn padding(config: &Config) -> Result<Padding, Refused> {
    match config.get("padding").and_then(Value::as_str) {
        Some("same") => Ok(Padding::Same),
        Some("valid") | None => Ok(Padding::Valid),
        Some(other) => Err(Refused(format!("`padding` is \"{other}\""))),
    }
}

fn flag(config: &Config, key: &str) -> bool {
    config.get(key).and_then(Value::as_bool).unwrap_or(true)
}

fn size(config: &Config, key: &str) -> Result<usize, Refused> {
    let value = config.get(key).and_then(Value::as_u64).and_then(|v| usize::try_from(v).ok());
    value.filter(|&v| v > 0).ok_or_else(|| Refused(format!("`{key}` is not a positive number")))
}

fn pair(config: &Config, key: &str) -> Result<[usize; 2], Refused> {
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
