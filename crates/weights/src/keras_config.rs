//! Keras's `model_config`: which layers there are, what they compute, and what they read.

use std::path::Path;

use serde_json::{Map, Value};

use crate::Error;
use crate::keras_op::{self, Refused};
use burncam_net::Op;

/// A network as its file describes it.
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    /// Weights were kept in another precision than `float32` while the network ran.
    pub(crate) mixed_precision: bool,
}

/// One layer of the file.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) class: String,
    pub(crate) op: Result<Op, Refused>,
    pub(crate) inputs: Vec<String>,
}

impl Graph {
    /// Reads a functional or sequential model.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let bad = |reason: &str| Error::Config { path: path.to_owned(), reason: reason.to_owned() };
        let json: Value = serde_json::from_str(text).map_err(|error| bad(&error.to_string()))?;
        let class = json["class_name"].as_str().unwrap_or_default();
        let sequential = match class {
            "Functional" | "Model" => false,
            "Sequential" => true,
            _ => return Err(bad(&format!("class `{class}` is neither Functional nor Sequential"))),
        };
        // Keras 2.2 wrote a sequential model's layers without a surrounding object.
        let layers = json["config"]["layers"].as_array().or_else(|| json["config"].as_array());
        let layers = layers.ok_or_else(|| bad("it has no list of layers"))?;
        let mut nodes: Vec<Node> = Vec::with_capacity(layers.len());
        for layer in layers {
            if sequential && nodes.is_empty() && layer["class_name"] != "InputLayer" {
                nodes.push(implied_input(layer));
            }
            let mut node = node(layer).ok_or_else(|| bad("a layer has no name or class"))?;
            if sequential && let Some(last) = nodes.last() {
                node.inputs = vec![last.name.clone()];
            }
            nodes.push(node);
        }
        let mixed_precision = layers.iter().any(|layer| mixed(&layer["config"]["dtype"]));
        Ok(Self { nodes, mixed_precision })
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// The layers that read `name`.
    pub(crate) fn readers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.nodes.iter().filter(move |node| node.inputs.iter().any(|input| input == name))
    }
}

fn node(layer: &Value) -> Option<Node> {
    let class = layer["class_name"].as_str()?;
    let empty = Map::new();
    let config = layer["config"].as_object().unwrap_or(&empty);
    let name = layer["name"].as_str().or_else(|| config.get("name")?.as_str())?;
    let mut inputs = Vec::new();
    collect_inputs(&layer["inbound_nodes"], &mut inputs);
    // Registered classes carry their package: `Custom>Resizing`.
    let class = class.rsplit('>').next().unwrap_or(class);
    Some(Node {
        name: name.to_owned(),
        class: class.to_owned(),
        op: keras_op::parse(class, config),
        inputs,
    })
}

/// A sequential model may give the input's shape on its first layer.
fn implied_input(first: &Value) -> Node {
    let config = first["config"].as_object().cloned().unwrap_or_default();
    Node {
        name: "input".to_owned(),
        class: "InputLayer".to_owned(),
        op: keras_op::parse("InputLayer", &config),
        inputs: Vec::new(),
    }
}

/// Keras 2 writes `["conv1_1", 0, 0, {}]`, Keras 3 `{"keras_history": ["conv1_1", 0, 0]}`.
fn collect_inputs(value: &Value, inputs: &mut Vec<String>) {
    match value {
        Value::Array(items) => match items.as_slice() {
            [Value::String(name), Value::Number(_), Value::Number(_), ..] => {
                inputs.push(name.clone());
            }
            items => items.iter().for_each(|item| collect_inputs(item, inputs)),
        },
        Value::Object(fields) => fields.values().for_each(|item| collect_inputs(item, inputs)),
        _ => {}
    }
}

/// `dtype` is a name, or a policy object with a name.
fn mixed(dtype: &Value) -> bool {
    let name = dtype.as_str().or_else(|| dtype["config"]["name"].as_str());
    name.is_some_and(|name| name.contains("16"))
}
