//! ONNX files made to order: real ones of tf2onnx, altered, and with the reproducible weights.

use std::fs;
use std::path::Path;

use crate::{folder, tensor};

/// A protobuf message: numbered fields in the file's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message(pub Vec<(u64, Field)>);

/// One field of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    /// A number.
    Varint(u64),
    /// An `f32`.
    Float([u8; 4]),
    /// Text, numbers or a message.
    Bytes(Vec<u8>),
}

/// Fields of ONNX's messages.
pub mod field {
    #![expect(missing_docs, reason = "the names are those of onnx.proto")]
    pub const MODEL_GRAPH: u64 = 7;
    pub const MODEL_OPSET: u64 = 8;
    pub const OPSET_VERSION: u64 = 2;
    pub const GRAPH_NODE: u64 = 1;
    pub const GRAPH_TENSOR: u64 = 5;
    pub const GRAPH_INPUT: u64 = 11;
    pub const GRAPH_OUTPUT: u64 = 12;
    pub const VALUE_NAME: u64 = 1;
    pub const NODE_INPUT: u64 = 1;
    pub const NODE_OUTPUT: u64 = 2;
    pub const NODE_NAME: u64 = 3;
    pub const NODE_TYPE: u64 = 4;
    pub const NODE_ATTRIBUTE: u64 = 5;
    pub const NODE_DOMAIN: u64 = 7;
    pub const ATTRIBUTE_NAME: u64 = 1;
    pub const ATTRIBUTE_FLOAT: u64 = 2;
    pub const ATTRIBUTE_INT: u64 = 3;
    pub const ATTRIBUTE_GRAPH: u64 = 6;
    pub const ATTRIBUTE_INTS: u64 = 8;
    pub const TENSOR_DIMS: u64 = 1;
    pub const TENSOR_TYPE: u64 = 2;
    pub const TENSOR_NAME: u64 = 8;
    pub const TENSOR_RAW: u64 = 9;
    pub const TENSOR_EXTERNAL: u64 = 13;
    pub const TENSOR_LOCATION: u64 = 14;
}
use field::*;

impl Message {
    /// Reads a whole message.
    ///
    /// # Panics
    ///
    /// If the bytes are no message.
    #[must_use]
    pub fn parse(mut bytes: &[u8]) -> Self {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let key = varint(&mut bytes);
            let value = match key & 7 {
                0 => Field::Varint(varint(&mut bytes)),
                2 => {
                    let length = varint(&mut bytes) as usize;
                    Field::Bytes(bytes.split_off(..length).expect("bytes").to_vec())
                }
                5 => Field::Float(*bytes.split_off(..4).expect("bytes").as_array().expect("four")),
                kind => panic!("wire type {kind}"),
            };
            fields.push((key >> 3, value));
        }
        Self(fields)
    }

    /// The message in its wire format.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (number, field) in &self.0 {
            match field {
                Field::Varint(value) => {
                    push_varint(&mut bytes, number << 3);
                    push_varint(&mut bytes, *value);
                }
                Field::Float(value) => {
                    push_varint(&mut bytes, number << 3 | 5);
                    bytes.extend(value);
                }
                Field::Bytes(value) => {
                    push_varint(&mut bytes, number << 3 | 2);
                    push_varint(&mut bytes, value.len() as u64);
                    bytes.extend(value);
                }
            }
        }
        bytes
    }

    /// The same message with a further field.
    #[must_use]
    pub fn with(mut self, number: u64, field: Field) -> Self {
        self.0.push((number, field));
        self
    }

    /// The same message with a further text.
    #[must_use]
    pub fn text(self, number: u64, text: &str) -> Self {
        self.with(number, Field::Bytes(text.into()))
    }

    /// The same message with a further number.
    #[must_use]
    pub fn number(self, number: u64, value: u64) -> Self {
        self.with(number, Field::Varint(value))
    }

    /// The same message with a further message inside.
    #[must_use]
    pub fn message(self, number: u64, message: &Self) -> Self {
        self.with(number, Field::Bytes(message.encode()))
    }

    /// The first text of this number, or nothing.
    #[must_use]
    pub fn get(&self, number: u64) -> String {
        let texts = self.0.iter().filter(|(own, _)| *own == number);
        let mut texts = texts.filter_map(|(_, field)| match field {
            Field::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        });
        texts.next().unwrap_or_default()
    }

    /// All numbers of this number.
    #[must_use]
    pub fn numbers(&self, number: u64) -> Vec<u64> {
        let fields = self.0.iter().filter(|(own, _)| *own == number);
        fields
            .filter_map(|(_, field)| match field {
                Field::Varint(value) => Some(*value),
                _ => None,
            })
            .collect()
    }

    /// Takes all fields of this number out.
    pub fn remove(&mut self, number: u64) {
        self.0.retain(|(own, _)| *own != number);
    }

    /// Changes the messages of this number.
    pub fn each(&mut self, number: u64, mut change: impl FnMut(&mut Self)) {
        for (_, field) in self.0.iter_mut().filter(|(own, _)| *own == number) {
            if let Field::Bytes(bytes) = field {
                let mut message = Self::parse(bytes);
                change(&mut message);
                *bytes = message.encode();
            }
        }
    }
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.split_off_first().expect("a byte");
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

fn push_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// A model that can be altered.
pub struct OnnxFile {
    model: Message,
    /// The graph inside.
    pub graph: Message,
}

impl OnnxFile {
    /// A file of `goldens/onnx`.
    ///
    /// # Panics
    ///
    /// If the goldens are not in place.
    #[must_use]
    pub fn golden(name: &str) -> Self {
        Self::read(&folder().join("onnx").join(name))
    }

    /// Any file.
    ///
    /// # Panics
    ///
    /// If it cannot be read.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let bytes = fs::read(path).expect("a file");
        let mut model = Message::parse(&bytes);
        let mut graph = Message::default();
        model.each(MODEL_GRAPH, |own| graph = own.clone());
        model.remove(MODEL_GRAPH);
        Self { model, graph }
    }

    /// The whole file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.model.clone().message(MODEL_GRAPH, &self.graph).encode()
    }

    /// Says that the file is of this operator set.
    pub fn set_opset(&mut self, version: u64) {
        self.model.each(MODEL_OPSET, |opset| {
            opset.remove(OPSET_VERSION);
            *opset = opset.clone().number(OPSET_VERSION, version);
        });
    }

    /// Changes the first node of this operator.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn node(&mut self, op_type: &str, change: impl FnOnce(&mut Message)) {
        let mut change = Some(change);
        self.graph.each(GRAPH_NODE, |node| {
            if node.get(NODE_TYPE) == op_type
                && let Some(change) = change.take()
            {
                change(node);
            }
        });
        assert!(change.is_none(), "there is no {op_type}");
    }

    /// Changes the tensor whose name contains this.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn tensor(&mut self, part: &str, change: impl FnOnce(&mut Message)) {
        let mut change = Some(change);
        self.graph.each(GRAPH_TENSOR, |tensor| {
            if tensor.get(TENSOR_NAME).contains(part)
                && let Some(change) = change.take()
            {
                change(tensor);
            }
        });
        assert!(change.is_none(), "there is no tensor {part}");
    }

    /// Fills the weights with the reproducible ones of `model` (`SENet50`), in a file of their own
    /// beside `path`, and writes the model there.
    ///
    /// # Panics
    ///
    /// If a tensor's name does not tell which weight it is, or a file cannot be written.
    pub fn write_filled(mut self, model: &str, path: &Path) {
        let mut numbers: Vec<u8> = Vec::new();
        self.graph.each(GRAPH_TENSOR, |tensor| {
            let data = tensor.0.iter().any(|(number, _)| (4..=13).contains(number) && *number != 8);
            if data {
                return;
            }
            let shape: Vec<usize> =
                tensor.numbers(TENSOR_DIMS).iter().map(|&size| size as usize).collect();
            let values = values(model, &tensor.get(TENSOR_NAME), &shape);
            let entry = |key: &str, value: String| Message::default().text(1, key).text(2, &value);
            let (offset, length) = (numbers.len(), values.len() * 4);
            numbers.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            *tensor = tensor
                .clone()
                .message(TENSOR_EXTERNAL, &entry("location", "weights.bin".to_owned()))
                .message(TENSOR_EXTERNAL, &entry("offset", offset.to_string()))
                .message(TENSOR_EXTERNAL, &entry("length", length.to_string()))
                .number(TENSOR_LOCATION, 1);
        });
        fs::write(path.with_file_name("weights.bin"), numbers).expect("the weights");
        fs::write(path, self.encode()).expect("the model");
    }
}

/// The numbers of a tensor that tf2onnx named: `model/conv1_1/Conv2D/ReadVariableOp:0`.
fn values(model: &str, name: &str, shape: &[usize]) -> Vec<f32> {
    let (_, name) = name.split_once('/').unwrap_or(("", name));
    let part = |suffix: &str| name.strip_suffix(suffix);
    let vector = |layer: &str, weight: &str| tensor(model, layer, weight, shape);
    if let Some(layer) = part("/Conv2D_weights_fused_bn") {
        let each: usize = shape[1..].iter().product();
        let factors = folded(model, layer, shape[0]).0;
        let kernel = kernel(model, layer, shape);
        let scaled = kernel.chunks(each).zip(factors);
        let times = |value: &f32, factor: f64| (f64::from(*value) * factor) as f32;
        scaled.flat_map(|(row, factor)| row.iter().map(move |v| times(v, factor))).collect()
    } else if let Some(layer) = part("/Conv2D_bias_fused_bn") {
        folded(model, layer, shape[0]).1
    } else if let Some(layer) = part("/Conv2D/ReadVariableOp:0") {
        kernel(model, layer, shape)
    } else if let Some(layer) = part("/MatMul/ReadVariableOp:0") {
        vector(layer, "kernel")
    } else if let Some(layer) = part("/BiasAdd/ReadVariableOp:0") {
        vector(layer, "bias")
    } else if let Some(layer) = part("/FusedBatchNormV3/ReadVariableOp:0") {
        vector(layer, "moving_mean")
    } else if let Some(layer) = part("/FusedBatchNormV3/ReadVariableOp_1:0") {
        vector(layer, "moving_variance")
    } else if let Some(layer) = part("/ReadVariableOp:0") {
        vector(layer, "gamma")
    } else if let Some(layer) = part("/ReadVariableOp_1:0") {
        vector(layer, "beta")
    } else {
        assert_eq!(shape, [0], "{name}: which weight is it?");
        Vec::new()
    }
}

/// A kernel as ONNX has it, `[out, in, height, width]`.
fn kernel(model: &str, layer: &str, shape: &[usize]) -> Vec<f32> {
    let &[out, inputs, height, width] = shape else { panic!("{layer}: {shape:?}") };
    let keras = tensor(model, layer, "kernel", &[height, width, inputs, out]);
    let mut values = Vec::with_capacity(keras.len());
    for filter in 0..out {
        for channel in 0..inputs {
            for position in 0..height * width {
                values.push(keras[(position * inputs + channel) * out + filter]);
            }
        }
    }
    values
}

/// What batch normalisation multiplies the convolution before it by, and adds.
fn folded(model: &str, conv: &str, channels: usize) -> (Vec<f64>, Vec<f32>) {
    // Keras numbers both alike.
    let norm = match conv.strip_prefix("conv2d") {
        Some(number) => format!("batch_normalization{number}"),
        None => format!("{conv}/bn"),
    };
    let (epsilon, scales) = match model {
        "SENet50" => (1e-4_f32, true),
        "IncepV3" => (1e-3, false),
        _ => (1e-3, true),
    };
    let weight = |weight: &str| tensor(model, &norm, weight, &[channels]);
    let gamma = if scales { weight("gamma") } else { vec![1.0; channels] };
    let (beta, mean) = (weight("beta"), weight("moving_mean"));
    let factors: Vec<f64> = (gamma.iter().zip(weight("moving_variance")))
        .map(|(&gamma, variance)| {
            f64::from(gamma) / (f64::from(variance) + f64::from(epsilon)).sqrt()
        })
        .collect();
    let offsets = beta.iter().zip(mean).zip(&factors);
    let offset = |((&beta, mean), factor): ((&f32, f32), &f64)| {
        (f64::from(beta) - f64::from(mean) * factor) as f32
    };
    let offsets = offsets.map(offset).collect();
    (factors, offsets)
}
