//! Keras's `model_config`: which layers there are, what they compute, and what they read.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde_json::{Map, Value};

use crate::keras::calls::{self, Calls};
use crate::keras::op::Refused;
use crate::limits::{LARGEST_DESCRIPTION, MOST_INPUTS, MOST_PARTS};
use crate::{Error, keras};
use burncam_net::Op;

/// A network as its file describes it.
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    /// The names that the layers of each model that is used as a layer have among the nodes.
    pub(crate) models: Models,
    /// What the file calls the whole model, if it does.
    pub(crate) name: String,
    /// The layers that give the outputs.
    pub(crate) outputs: Vec<String>,
    /// The program that wrote the graph, where the file is of ONNX.
    pub(crate) producer: String,
}

/// One layer of the file.
pub(crate) struct Node {
    pub(crate) name: String,
    /// The layer that has its weights: another, where a layer is called more than once.
    pub(crate) layer: String,
    pub(crate) class: String,
    pub(crate) op: Result<Op, Refused>,
    pub(crate) inputs: Vec<String>,
    /// The layer's settings, and how it is called, where the file is of Keras.
    pub(crate) description: Description,
    /// What it computes in, where that is not `float32`.
    pub(crate) dtype: Option<String>,
    /// Where Keras 3's layout keeps its weights.
    pub(crate) group: String,
}

impl Node {
    /// A layer of which no file of Keras says more.
    pub(crate) fn without_description(
        name: String,
        class: &str,
        op: Result<Op, Refused>,
        inputs: Vec<String>,
    ) -> Self {
        Self {
            layer: name.clone(),
            name,
            class: class.to_owned(),
            op,
            inputs,
            description: Description::default(),
            dtype: None,
            group: String::new(),
        }
    }
}

/// A layer in Keras's words.
#[derive(Clone, Default)]
pub(crate) struct Description {
    pub(crate) config: Map<String, Value>,
    /// One of its `inbound_nodes`, whose tensors are its inputs, in order.
    pub(crate) call: Value,
    /// Where its class is defined.
    pub(crate) module: String,
}

/// Names of layers in their order, by the model that they belong to.
pub(crate) type Models = HashMap<String, Vec<String>>;

/// Models within models lie this deep at most.
pub(crate) const DEEPEST: usize = 8;

/// The longest name of a layer, in bytes.
const LONGEST_NAME: usize = 512;

impl Graph {
    /// Reads a functional or sequential model. Models used as layers are laid flat.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let bad = |reason: String| Error::Config { path: path.to_owned(), reason };
        if text.len() as u64 > LARGEST_DESCRIPTION {
            return Err(bad(format!("it is larger than {} MiB", LARGEST_DESCRIPTION >> 20)));
        }
        let json: Value = serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
        let (nodes, outputs, models) = flatten(&json, "", DEEPEST).map_err(bad)?;
        let name =
            json.pointer("/config/name").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Self { nodes, models, name, outputs, producer: String::new() })
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// Takes out a layer that reads only `input`: what read it reads that.
    pub(crate) fn remove(&mut self, name: &str, input: &str) {
        self.nodes.retain(|node| node.name != name);
        for node in &mut self.nodes {
            for read in node.inputs.iter_mut().filter(|read| *read == name) {
                input.clone_into(read);
            }
        }
    }

    /// The layers that read `name`.
    pub(crate) fn readers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.nodes.iter().filter(move |node| node.inputs.iter().any(|input| input == name))
    }
}

/// The layers of a model, those of inner models in their place, the names of those that give its outputs, and
/// which are of inner models. `container` is where Keras 3's layout keeps the model's weights.
fn flatten(
    model: &Value,
    container: &str,
    depth: usize,
) -> Result<(Vec<Node>, Vec<String>, Models), String> {
    let class = model["class_name"].as_str().unwrap_or_default();
    let sequential = match class {
        "Functional" | "Model" => false,
        "Sequential" => true,
        _ => return Err(format!("class `{class}` is neither Functional nor Sequential")),
    };
    // Keras 2.2 wrote a sequential model's layers without a surrounding object.
    let config = model.get("config");
    let layers = config.and_then(|config| config.get("layers").unwrap_or(config).as_array());
    let layers = layers.ok_or("it has no list of layers")?;
    if layers.len() > MOST_PARTS {
        return Err(format!("it has more than {MOST_PARTS} layers"));
    }
    let mut flat = Flat::new(layers);
    let calls = Calls::new(layers, layer_name);
    let mut all_reads = Vec::with_capacity(layers.len());
    for layer in layers {
        let class = layer["class_name"].as_str().ok_or("a layer has no class")?;
        if sequential && flat.nodes.is_empty() && class != "InputLayer" {
            flat.nodes.push(implied_input(layer));
        }
        let (name, called) = (named(layer)?, &layer["inbound_nodes"]);
        calls::refuse_training(called, class, name)?;
        let reads = match flat.nodes.last() {
            Some(_) if sequential => Vec::new(),
            _ => calls::reads(called),
        };
        calls.check(&reads, &format!("layer `{name}`"))?;
        all_reads.push((name, reads));
        let own_calls = called.as_array().filter(|own| !sequential && own.len() > 1);
        let all = own_calls.map_or(std::slice::from_ref(called), Vec::as_slice);
        let group = flat.group(container, class);
        for (number, call) in all.iter().enumerate() {
            let inputs = match flat.nodes.last() {
                Some(_) if sequential => vec![flat.last.clone()],
                _ => calls::reads(call).iter().map(|read| calls.name(read)).collect(),
            };
            let call = match own_calls {
                None => call.get(0).unwrap_or(&Value::Null),
                Some(_) => call,
            };
            let called = Called { name: calls::call_name(name, number as u64), call, inputs };
            flat.add((layer, name, class), called, &group, depth)?;
        }
    }
    let all_reads = all_reads.iter().map(|(name, reads)| (*name, reads.as_slice()));
    let outputs = match calls::outputs(config, &calls, all_reads)? {
        None => vec![flat.last.clone()],
        Some(names) => names.iter().map(|name| flat.resolve(name)).collect(),
    };
    Ok((flat.nodes, outputs, flat.models))
}

/// One call of a layer.
struct Called<'a> {
    /// What it is called among all.
    name: String,
    /// How the file writes it.
    call: &'a Value,
    inputs: Vec<String>,
}

/// Layers laid flat so far.
struct Flat {
    nodes: Vec<Node>,
    /// The layer that a sequential model's next one reads.
    last: String,
    /// Names of the model's own layers.
    own: HashSet<String>,
    /// Names that are taken so far.
    names: HashSet<String>,
    /// How many layers these and those of inner models read.
    inputs: usize,
    /// What stands for an inner model's name: its last layer.
    aliases: HashMap<String, String>,
    /// The layers of inner models.
    models: Models,
    /// Layers of each class so far.
    counts: HashMap<String, usize>,
}

impl Flat {
    fn new(layers: &[Value]) -> Self {
        let own = layers.iter().filter_map(layer_name).map(str::to_owned).collect();
        Self {
            nodes: Vec::new(),
            last: "input".to_owned(),
            own,
            names: HashSet::new(),
            inputs: 0,
            aliases: HashMap::new(),
            models: Models::new(),
            counts: HashMap::new(),
        }
    }

    fn group(&mut self, container: &str, class: &str) -> String {
        let class = keras::v3::snake_case(class);
        let count = self.counts.entry(class.clone()).or_default();
        let number = *count;
        *count = number.saturating_add(1);
        format!("{container}layers/{}", keras::v3::member(&class, number))
    }

    /// Refuses more layers and inputs than a network has.
    fn check(&self) -> Result<(), String> {
        match self.nodes.len() > MOST_PARTS || self.inputs > MOST_INPUTS {
            true => Err(format!("it has more than {MOST_PARTS} layers, or {MOST_INPUTS} inputs")),
            false => Ok(()),
        }
    }

    /// Weights and inputs are found by name, so no two layers can have one.
    fn take_name(&mut self, name: &str) -> Result<(), String> {
        match self.names.insert(name.to_owned()) {
            true => Ok(()),
            false => Err(format!("two of its layers are called `{name}`")),
        }
    }

    /// Adds a layer, or the layers of a model that is one; it has a name and a class.
    fn add(
        &mut self,
        (layer, name, class): (&Value, &str, &str),
        called: Called<'_>,
        group: &str,
        depth: usize,
    ) -> Result<(), String> {
        self.take_name(&called.name)?;
        self.inputs = self.inputs.saturating_add(called.inputs.len());
        self.check()?;
        match calls::is_model(class) && depth > 0 {
            true => self.add_model(layer, &called, &format!("{group}/"), depth),
            false => {
                self.add_layer(layer, (name, class), called, group);
                Ok(())
            }
        }
    }

    fn resolve(&self, name: &str) -> String {
        self.aliases.get(name).map_or(name, String::as_str).to_owned()
    }

    fn add_layer(
        &mut self,
        layer: &Value,
        (name, class): (&str, &str),
        called: Called<'_>,
        group: &str,
    ) {
        let config = layer["config"].as_object().cloned().unwrap_or_default();
        let module = layer["module"].as_str().unwrap_or_default().to_owned();
        // A class of the user's own may be called like one of Keras's.
        let op = match module.is_empty() || module.starts_with("keras") {
            false => Err(Refused("it is a class of the file's author, not Keras's".to_owned())),
            true => keras::op::parse(class, &config),
        };
        let inputs = called.inputs.iter().map(|input| self.resolve(input)).collect();
        self.last.clone_from(&called.name);
        self.nodes.push(Node {
            name: called.name,
            layer: name.to_owned(),
            class: class.to_owned(),
            op,
            inputs,
            dtype: config.get("dtype").and_then(foreign_dtype),
            description: Description { config, call: called.call.clone(), module },
            group: group.to_owned(),
        });
    }

    /// The layers that hold the weights of an inner model, in the order of its own.
    fn layers_of(&self, model: &str) -> Option<Vec<String>> {
        let layers: HashMap<&str, &String> =
            self.nodes.iter().map(|node| (node.name.as_str(), &node.layer)).collect();
        let own = self.models.get(model)?;
        own.iter().map(|name| layers.get(name.as_str()).copied().cloned()).collect()
    }

    fn add_model(
        &mut self,
        model: &Value,
        Called { name: called, inputs, .. }: &Called<'_>,
        container: &str,
        depth: usize,
    ) -> Result<(), String> {
        let name = named(model)?;
        let (inner, outputs, _) = flatten(model, container, depth.saturating_sub(1))?;
        let [output] = outputs.as_slice() else {
            return Err(format!("the inner model `{name}` has {} outputs", outputs.len()));
        };
        let mut entries = inner.iter().filter(|node| node.class == "InputLayer");
        let (Some(entry), None) = (entries.next(), entries.next()) else {
            return Err(format!("the inner model `{name}` has not one input"));
        };
        // A sequential model may begin with an inner one; that one's input is then its own.
        let first = matches!(self.nodes.as_slice(), [only] if only.name == "input");
        let outer = match inputs.as_slice() {
            [input] => self.resolve(input),
            _ => return Err(format!("the inner model `{name}` does not read one layer")),
        };
        if first
            && let Some(input) = self.nodes.first_mut()
            && input.op.is_err()
        {
            input.op = entry.op.clone();
        }
        let entry = entry.name.clone();
        // Called again, its layers are others with the same weights.
        let weights = if called == name { None } else { self.layers_of(name) };
        // An inner layer that is called like one of the outer model's, or like one of another inner
        // model's, gets a longer name.
        let renamed = |inner: &str| match inner {
            _ if inner == entry => outer.clone(),
            _ if weights.is_some() => format!("{called}/{inner}"),
            _ if self.own.contains(inner) || self.names.contains(inner) => {
                format!("{name}/{inner}")
            }
            _ => inner.to_owned(),
        };
        let output = renamed(output);
        let outside = |mut node: Node| {
            node.inputs = node.inputs.iter().map(|input| renamed(input)).collect();
            node.name = renamed(&node.name);
            node.layer = renamed(&node.layer);
            node
        };
        let inner = inner.into_iter().filter(|node| node.name != entry);
        let mut inner: Vec<Node> = inner.map(outside).collect();
        for (node, layer) in inner.iter_mut().zip(weights.iter().flatten()) {
            node.layer.clone_from(layer);
        }
        if weights.is_none() {
            let names = inner.iter().map(|node| node.name.clone()).collect();
            self.models.insert(name.to_owned(), names);
        }
        for node in inner {
            self.take_name(&node.name)?;
            self.inputs = self.inputs.saturating_add(node.inputs.len());
            self.nodes.push(node);
        }
        self.check()?;
        self.last.clone_from(&output);
        self.aliases.insert(called.clone(), output);
        Ok(())
    }
}

/// A layer's name, which the layers inside it may take over.
fn named(layer: &Value) -> Result<&str, String> {
    match layer_name(layer) {
        Some(name) if name.len() <= LONGEST_NAME => Ok(name),
        Some(_) => Err(format!("the name of a layer has more than {LONGEST_NAME} bytes")),
        None => Err("a layer has no name".to_owned()),
    }
}

fn layer_name<'a>(layer: &'a Value) -> Option<&'a str> {
    let name = |value: &'a Value| value.get("name").and_then(Value::as_str);
    name(layer).or_else(|| layer.get("config").and_then(name))
}

/// A sequential model may give the input's shape on its first layer.
fn implied_input(first: &Value) -> Node {
    let config = first["config"].as_object().cloned().unwrap_or_default();
    let op = keras::op::parse("InputLayer", &config);
    Node::without_description("input".to_owned(), "InputLayer", op, Vec::new())
}

/// A layer's `dtype`, a name or a policy object with a name, unless it is `float32`.
fn foreign_dtype(value: &Value) -> Option<String> {
    let policy = &value["config"];
    let names = [value, &policy["name"], &policy["mode"], &value["class_name"]];
    let name = names.into_iter().find_map(Value::as_str)?;
    (name != "float32").then(|| name.to_owned())
}
