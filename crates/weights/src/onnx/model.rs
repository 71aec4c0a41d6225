//! ONNX's messages: the model, its graph, and the nodes of that.
//!
//! Field numbers are those of `onnx.proto`
//! (<https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>).

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

use crate::class_names::{ClassNames, Form, LONGEST_ENTRY, Lists, TOO_LONG, is_entry};
use crate::limits::{LARGEST_DESCRIPTION, MOST_INPUTS, MOST_PARTS};
use crate::onnx::tensor::Tensor;
use crate::onnx::wire::{Wire, WireFile};
use crate::store::BoxError;

/// Longest list of numbers among a node's settings.
const LONGEST_LIST: usize = 4096;

/// What an `.onnx` file holds.
pub(crate) struct Model {
    /// The program that wrote it: `tf2onnx`, `pytorch`.
    pub(crate) producer: String,
    /// Version of the standard operators.
    pub(crate) opset: u64,
    /// In the order in which they run.
    pub(crate) nodes: Vec<NodeProto>,
    pub(crate) tensors: HashMap<String, Tensor>,
    pub(crate) inputs: Vec<ValueInfo>,
    pub(crate) outputs: Vec<ValueInfo>,
    /// What its metadata calls the classes.
    pub(crate) class_names: Vec<ClassNames>,
    /// How many values the nodes read and give.
    read: usize,
}

/// One operator's call.
pub(crate) struct NodeProto {
    pub(crate) name: String,
    pub(crate) op_type: String,
    /// Empty for the standard operators.
    pub(crate) domain: String,
    /// Names of values; one that is left out is empty.
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
    pub(crate) attributes: HashMap<String, Attribute>,
}

/// A setting of a node.
pub(crate) enum Attribute {
    Int(i64),
    Float(f32),
    Text(String),
    Ints(Vec<i64>),
    Tensor(Tensor),
    /// A graph, or a list of something else than numbers.
    Other,
}

/// A value that enters or leaves the graph.
pub(crate) struct ValueInfo {
    pub(crate) name: String,
    /// Its sizes, where they are known.
    pub(crate) sizes: Vec<Option<usize>>,
}

impl Model {
    /// Reads everything but the numbers.
    pub(crate) fn read(path: &Path) -> Result<(Self, WireFile), BoxError> {
        let mut file = WireFile::open(File::open(path)?)?;
        let (mut opset, mut graph, mut producer) = (None, None, String::new());
        let mut class_names = Lists::default();
        let whole = 0..file.size;
        for (number, wire) in file.fields(&whole)? {
            match (number, wire) {
                (2, Wire::Bytes(range)) => producer = file.text(&range)?,
                (7, Wire::Bytes(range)) => graph = Some(range),
                (8, Wire::Bytes(range)) => {
                    let (domain, version) = opset_import(&mut file, &range)?;
                    if domain.is_empty() || domain == "ai.onnx" {
                        opset = Some(version);
                    }
                }
                (14, Wire::Bytes(range)) => metadata(&mut file, &range, &mut class_names)?,
                _ => {}
            }
        }
        let mut model = Self {
            producer,
            opset: opset.ok_or("it does not say which operator set it uses")?,
            nodes: Vec::new(),
            tensors: HashMap::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            class_names: class_names.finish(),
            read: 0,
        };
        model.add_graph(&mut file, &graph.ok_or("it has no graph")?)?;
        // Before version 4 of the format, tensors were inputs too.
        let Self { inputs, tensors, .. } = &mut model;
        inputs.retain(|input| !tensors.contains_key(&input.name));
        Ok((model, file))
    }

    /// Names of the files beside it that have numbers of it.
    pub(crate) fn beside(&self) -> BTreeSet<&OsStr> {
        let settings = self.nodes.iter().flat_map(|node| node.attributes.values());
        let constants = settings.filter_map(|setting| match setting {
            Attribute::Tensor(tensor) => Some(tensor),
            _ => None,
        });
        self.tensors.values().chain(constants).filter_map(Tensor::beside).collect()
    }

    fn add_graph(&mut self, file: &mut WireFile, graph: &Range<u64>) -> Result<(), BoxError> {
        for (number, wire) in file.fields(graph)? {
            let Wire::Bytes(range) = wire else { continue };
            let values = self.inputs.len().saturating_add(self.outputs.len());
            if self.nodes.len().max(self.tensors.len()).max(values) > MOST_PARTS {
                return Err(format!("it has more than {MOST_PARTS} nodes or tensors").into());
            }
            if self.read > MOST_INPUTS {
                return Err(
                    format!("its nodes read and give more than {MOST_INPUTS} values").into()
                );
            }
            match number {
                1 => {
                    let node = NodeProto::read(file, &range)?;
                    let values = node.inputs.len().saturating_add(node.outputs.len());
                    self.read = self.read.saturating_add(values);
                    self.nodes.push(node);
                }
                5 => {
                    let tensor = Tensor::read(file, &range)?;
                    if let Some(twice) = self.tensors.insert(tensor.name.clone(), tensor) {
                        return Err(format!("it has two tensors called `{}`", twice.name).into());
                    }
                }
                11 => self.inputs.push(ValueInfo::read(file, &range)?),
                12 => self.outputs.push(ValueInfo::read(file, &range)?),
                15 => return Err("it has sparse tensors".into()),
                _ => {}
            }
        }
        Ok(())
    }
}

/// One entry of the metadata, if it is one that names classes.
fn metadata(
    file: &mut WireFile,
    range: &Range<u64>,
    class_names: &mut Lists,
) -> Result<(), BoxError> {
    let (mut key, mut value) = (String::new(), None);
    for (number, wire) in file.fields(range)? {
        match (number, wire) {
            // Others may be of any length.
            (1, Wire::Bytes(range)) if length(&range) <= LONGEST_ENTRY as u64 => {
                key = file.text(&range)?;
            }
            (2, Wire::Bytes(range)) => value = Some(range),
            _ => {}
        }
    }
    let Some(range) = value.filter(|_| is_entry(&key) && class_names.has_room()) else {
        return Ok(());
    };
    match length(&range) <= LARGEST_DESCRIPTION {
        true => {
            let text = file.read(&range)?;
            class_names.add_text(&key, &String::from_utf8_lossy(&text));
        }
        false => class_names.add(&key, Form::Unclear(TOO_LONG)),
    }
    Ok(())
}

fn length(range: &Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}

fn opset_import(file: &mut WireFile, range: &Range<u64>) -> Result<(String, u64), BoxError> {
    let (mut domain, mut version) = (String::new(), 0);
    for (number, wire) in file.fields(range)? {
        match (number, wire) {
            (1, Wire::Bytes(range)) => domain = file.text(&range)?,
            (2, Wire::Varint(value)) => version = value,
            _ => {}
        }
    }
    Ok((domain, version))
}

impl NodeProto {
    fn read(file: &mut WireFile, range: &Range<u64>) -> Result<Self, BoxError> {
        let mut node = Self {
            name: String::new(),
            op_type: String::new(),
            domain: String::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            attributes: HashMap::new(),
        };
        for (number, wire) in file.fields(range)? {
            let Wire::Bytes(range) = wire else { continue };
            match number {
                1 => node.inputs.push(file.text(&range)?),
                2 => node.outputs.push(file.text(&range)?),
                3 => node.name = file.text(&range)?,
                4 => node.op_type = file.text(&range)?,
                5 => {
                    let (name, attribute) = Attribute::read(file, &range)?;
                    node.attributes.insert(name, attribute);
                }
                7 => node.domain = file.text(&range)?,
                _ => {}
            }
        }
        if node.domain == "ai.onnx" {
            node.domain.clear();
        }
        Ok(node)
    }

    /// The node's name; where it has none, that of what it gives.
    pub(crate) fn label(&self) -> &str {
        match (self.name.as_str(), self.outputs.first()) {
            ("", Some(output)) => output,
            (name, _) => name,
        }
    }

    /// An input, if it is not left out.
    pub(crate) fn input(&self, index: usize) -> Option<&str> {
        self.inputs.get(index).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// A setting, or what it is where it is not given. One of another type is a value that no
    /// operator takes.
    pub(crate) fn int(&self, name: &str, default: i64) -> i64 {
        match self.attributes.get(name) {
            Some(Attribute::Int(value)) => *value,
            Some(_) => i64::MIN,
            None => default,
        }
    }

    /// See [`int`](Self::int).
    pub(crate) fn float(&self, name: &str, default: f32) -> f32 {
        match self.attributes.get(name) {
            Some(Attribute::Float(value)) => *value,
            Some(_) => f32::NAN,
            None => default,
        }
    }

    /// See [`int`](Self::int).
    pub(crate) fn text(&self, name: &str, default: &'static str) -> &str {
        match self.attributes.get(name) {
            Some(Attribute::Text(value)) => value,
            Some(_) => "no text",
            None => default,
        }
    }

    /// See [`int`](Self::int).
    pub(crate) fn ints(&self, name: &str) -> Option<&[i64]> {
        match self.attributes.get(name)? {
            Attribute::Ints(values) => Some(values),
            _ => Some(&[i64::MIN]),
        }
    }
}

impl Attribute {
    fn read(file: &mut WireFile, range: &Range<u64>) -> Result<(String, Self), BoxError> {
        let mut name = String::new();
        // A list without entries has no field of its own; its kind is in field 20.
        let (mut value, mut kind) = (None, 0);
        for (number, wire) in file.fields(range)? {
            match (number, wire) {
                (1, Wire::Bytes(range)) => name = file.text(&range)?,
                (2, Wire::Float(number)) => value = Some(Self::Float(number)),
                (3, Wire::Varint(number)) => value = Some(Self::Int(number.cast_signed())),
                (4, Wire::Bytes(range)) => {
                    let text = file.text(&range).map(Self::Text);
                    value = Some(text.unwrap_or(Self::Other));
                }
                (5, Wire::Bytes(range)) => {
                    value = Some(Self::Tensor(Tensor::read(file, &range)?));
                }
                (8, Wire::Varint(number)) => push_ints(&mut value, &[number])?,
                (8, Wire::Bytes(range)) => {
                    let numbers = file.varints(&range, LONGEST_LIST)?;
                    push_ints(&mut value, &numbers)?;
                }
                (6 | 7 | 9.., _) if !matches!(number, 13 | 20 | 21) => value = Some(Self::Other),
                (20, Wire::Varint(number)) => kind = number,
                _ => {}
            }
        }
        // Floats and integers that are 0 may be left out.
        let value = value.unwrap_or(match kind {
            1 => Self::Float(0.0),
            2 => Self::Int(0),
            3 => Self::Text(String::new()),
            7 => Self::Ints(Vec::new()),
            _ => Self::Other,
        });
        Ok((name, value))
    }
}

/// A list may be in several pieces.
fn push_ints(value: &mut Option<Attribute>, numbers: &[u64]) -> Result<(), BoxError> {
    let so_far = if let Some(Attribute::Ints(list)) = value { list.len() } else { 0 };
    if so_far.saturating_add(numbers.len()) > LONGEST_LIST {
        return Err(format!("an attribute has more than {LONGEST_LIST} numbers").into());
    }
    let numbers = numbers.iter().map(|number| number.cast_signed());
    match value {
        Some(Attribute::Ints(list)) => list.extend(numbers),
        _ => *value = Some(Attribute::Ints(numbers.collect())),
    }
    Ok(())
}

impl ValueInfo {
    fn read(file: &mut WireFile, range: &Range<u64>) -> Result<Self, BoxError> {
        let mut info = Self { name: String::new(), sizes: Vec::new() };
        for (number, wire) in file.fields(range)? {
            match (number, wire) {
                (1, Wire::Bytes(range)) => info.name = file.text(&range)?,
                (2, Wire::Bytes(range)) => info.sizes = sizes(file, &range)?,
                _ => {}
            }
        }
        Ok(info)
    }
}

/// The sizes in a `TypeProto`: type, tensor type, shape, dimensions.
fn sizes(file: &mut WireFile, range: &Range<u64>) -> Result<Vec<Option<usize>>, BoxError> {
    let mut inner = |range: &Range<u64>, wanted: u64| -> Result<Vec<Range<u64>>, BoxError> {
        let fields = file.fields(range)?.into_iter();
        Ok(fields
            .filter_map(|(number, wire)| match wire {
                Wire::Bytes(range) if number == wanted => Some(range),
                _ => None,
            })
            .collect())
    };
    let mut sizes = Vec::new();
    for tensor in inner(range, 1)? {
        for shape in inner(&tensor, 2)? {
            for dimension in inner(&shape, 1)? {
                sizes.push(dimension);
            }
        }
    }
    let size = |file: &mut WireFile, range: &Range<u64>| -> Result<Option<usize>, BoxError> {
        let fields = file.fields(range)?;
        Ok(fields.into_iter().find_map(|(number, wire)| match wire {
            Wire::Varint(value) if number == 1 => usize::try_from(value).ok().filter(|&v| v > 0),
            _ => None,
        }))
    };
    sizes.iter().map(|range| size(file, range)).collect()
}
