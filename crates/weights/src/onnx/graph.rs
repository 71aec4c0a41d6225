//! An ONNX graph as the layers that Burncam compares: what each operator computes, without the
//! transpositions, shapes and constants around it.

use std::collections::HashMap;
use std::path::Path;

use burncam_net::{Op, Weight};

use crate::keras::config::{Graph, Models, Node};
use crate::keras::h5::{StoredLayer, StoredWeight};
use crate::keras::op::Refused;
use crate::onnx;
use crate::onnx::model::{Model, NodeProto, ValueInfo};
use crate::onnx::tensor::Tensor;
use crate::onnx::value::{Axis, Flow, NCHW, NHWC, Value};
use crate::onnx::weight_origin::{Order, WeightOrigin};
use crate::onnx::wire::WireFile;
use crate::store::BoxError;

/// A graph on its way into layers.
pub(crate) struct Lowering<'a> {
    pub(crate) model: &'a Model,
    file: &'a mut WireFile,
    folder: &'a Path,
    values: HashMap<&'a str, Value>,
    /// Tensors that nodes give.
    constants: HashMap<&'a str, &'a Tensor>,
    /// How many operators read a value.
    uses: HashMap<&'a str, usize>,
    pub(crate) lowered: Lowered,
    /// Where each node is in the list, by name.
    places: HashMap<String, usize>,
}

/// The layers of a graph.
pub(crate) struct Lowered {
    pub(crate) graph: Graph,
    pub(crate) layers: Vec<StoredLayer>,
    pub(crate) origins: HashMap<String, WeightOrigin>,
}

/// Reads the nodes in their order; `size` is that of images whose height and width the file leaves open.
///
/// # Errors
///
/// If a node reads what no earlier one gives, or two give a value of the same name.
pub(crate) fn lower(
    model: &Model,
    size: Option<[usize; 2]>,
    file: &mut WireFile,
    folder: &Path,
) -> Result<Lowered, BoxError> {
    let producer = model.producer.clone();
    let (nodes, outputs, name) = (Vec::new(), Vec::new(), String::new());
    let graph = Graph { nodes, models: Models::new(), name, outputs, producer };
    let mut lowering = Lowering {
        model,
        file,
        folder,
        values: HashMap::new(),
        constants: HashMap::new(),
        uses: HashMap::new(),
        lowered: Lowered { graph, layers: Vec::new(), origins: HashMap::new() },
        places: HashMap::new(),
    };
    for name in model.nodes.iter().flat_map(|node| &node.inputs) {
        lowering.count_use(name);
    }
    model.inputs.iter().for_each(|input| lowering.add_input(input, size));
    for node in &model.nodes {
        lowering.add(node)?;
    }
    for output in &model.outputs {
        lowering.count_use(&output.name);
        let name = match lowering.values.get(output.name.as_str()).cloned() {
            Some(Value::Flow(flow)) => {
                onnx::shape::in_order(&mut lowering, &output.name, flow).node
            }
            _ => output.name.clone(),
        };
        lowering.lowered.graph.outputs.push(name);
    }
    lowering.add_unread();
    Ok(lowering.lowered)
}

impl<'a> Lowering<'a> {
    fn count_use(&mut self, name: &'a str) {
        let uses = self.uses.entry(name).or_default();
        *uses = uses.saturating_add(1);
    }

    fn add_input(&mut self, input: &'a ValueInfo, stated: Option<[usize; 2]>) {
        let size = |index: usize| input.sizes.get(index).copied().flatten();
        let swapped = |node: &NodeProto| {
            node.op_type == "Transpose"
                && node.input(0) == Some(&input.name)
                && node.ints("perm") == Some(&[0, 3, 1, 2])
        };
        let order = match (size(1), size(3)) {
            (Some(3), Some(3)) | (None, None) if self.model.nodes.iter().any(swapped) => NHWC,
            (Some(3), _) => NCHW,
            (_, Some(3)) => NHWC,
            (Some(1), _) => NCHW,
            (_, Some(1)) => NHWC,
            _ => NCHW,
        };
        let side = |axis, size: Option<usize>| match (axis, stated) {
            (Axis::Height, Some([height, _])) => size.or(Some(height)),
            (Axis::Width, Some([_, width])) => size.or(Some(width)),
            _ => size,
        };
        let axes = order.into_iter().zip((0..4).map(size));
        let axes = axes.map(|(axis, size)| (axis, side(axis, size))).collect();
        let name = self.free_name(&input.name);
        let flow = Flow::new(name.clone(), axes);
        let open = |axis| flow.size(axis).unwrap_or(0);
        let op = match input.sizes.len() {
            4 => Ok(Op::InputLayer {
                height: open(Axis::Height),
                width: open(Axis::Width),
                channels: open(Axis::Channel),
            }),
            _ => Err(Refused("its shape has not four sizes".to_owned())),
        };
        self.push(Node::without_description(name, "InputLayer", op, Vec::new()));
        self.values.insert(&input.name, Value::Flow(flow));
    }

    fn add(&mut self, node: &'a NodeProto) -> Result<(), BoxError> {
        let unknown = node.inputs.iter().find(|name| !name.is_empty() && !self.knows(name));
        if let Some(name) = unknown {
            return Err(format!(
                "node `{}` ({}) reads `{name}`, which no node before it gives",
                node.label(),
                node.op_type
            )
            .into());
        }
        let layers = self.lowered.graph.nodes.len();
        let values = match onnx::op::lower(self, node) {
            Ok(values) => values,
            Err(refused) => vec![self.refuse(node, refused); node.outputs.len()],
        };
        let new = self.lowered.graph.nodes.len() > layers;
        if let Some(twice) = node.outputs.iter().find(|output| self.knows(output)) {
            return Err(format!("two nodes give a value called `{twice}`").into());
        }
        for (output, mut value) in node.outputs.iter().zip(values) {
            if let Value::Flow(flow) = &mut value {
                flow.alone = (new || flow.alone) && self.read_once(output);
            }
            if !output.is_empty() {
                self.values.insert(output, value);
            }
        }
        Ok(())
    }

    fn knows(&self, name: &str) -> bool {
        self.values.contains_key(name) || self.model.tensors.contains_key(name)
    }

    /// A layer that cannot be used. What it gives goes on as if it were what it reads.
    fn refuse(&mut self, node: &NodeProto, refused: Refused) -> Value {
        let inputs: Vec<Flow> = self.flows(node);
        let axes = inputs.first().map_or(Vec::new(), |flow| flow.axes.clone());
        let names: Vec<String> = inputs.into_iter().map(|flow| flow.node).collect();
        let name = self.push_node(node, Err(refused), names);
        Value::Flow(Flow::new(name, axes))
    }

    /// What an operator reads at this place.
    pub(crate) fn value(&self, node: &NodeProto, index: usize) -> Option<Value> {
        let name = node.input(index)?;
        let known = self.values.get(name).cloned();
        known.or_else(|| self.model.tensors.contains_key(name).then(|| Value::Tensor(name.into())))
    }

    /// The layers that an operator reads.
    pub(crate) fn flows(&self, node: &NodeProto) -> Vec<Flow> {
        let values = (0..node.inputs.len()).filter_map(|index| self.value(node, index));
        values
            .filter_map(|value| match value {
                Value::Flow(flow) => Some(flow),
                _ => None,
            })
            .collect()
    }

    /// The layer that an operator reads at this place.
    pub(crate) fn flow(&self, node: &NodeProto, index: usize) -> Result<Flow, Refused> {
        match self.value(node, index) {
            Some(Value::Flow(flow)) => Ok(flow),
            _ => Err(Refused(format!("its input {index} is not computed from the images"))),
        }
    }

    /// The tensor that an operator reads at this place.
    pub(crate) fn tensor(&self, node: &NodeProto, index: usize) -> Result<&'a Tensor, Refused> {
        match self.matrix(node, index)? {
            (tensor, false) => Ok(tensor),
            (tensor, true) => Err(Refused(format!("it reads the transpose of `{}`", tensor.name))),
        }
    }

    /// The same, and whether it is to be transposed.
    pub(crate) fn matrix(
        &self,
        node: &NodeProto,
        index: usize,
    ) -> Result<(&'a Tensor, bool), Refused> {
        let (name, is_transposed) = match self.value(node, index) {
            Some(Value::Tensor(name)) => (Some(name), false),
            Some(Value::Transposed(name)) => (Some(name), true),
            _ => (None, false),
        };
        let tensor = name.and_then(|name| {
            let constant = self.constants.get(name.as_str()).copied();
            constant.or_else(|| self.model.tensors.get(&name))
        });
        tensor
            .map(|tensor| (tensor, is_transposed))
            .ok_or_else(|| Refused(format!("its input {index} is not stored in the file")))
    }

    /// The tensor's numbers, if they are few integers.
    pub(crate) fn integers(&mut self, node: &NodeProto, index: usize) -> Option<Vec<i64>> {
        match self.value(node, index)? {
            Value::Sizes(sizes) => sizes.into_iter().collect(),
            Value::Tensor(_) => self.tensor(node, index).ok()?.integers(self.file, self.folder),
            _ => None,
        }
    }

    /// The numbers of a node's setting, if they are few integers.
    pub(crate) fn integers_of(&mut self, tensor: &Tensor) -> Option<Vec<i64>> {
        tensor.integers(self.file, self.folder)
    }

    /// The tensor's numbers, if they are few and `f32`.
    pub(crate) fn floats(&mut self, node: &NodeProto, index: usize) -> Option<Vec<f32>> {
        self.tensor(node, index).ok()?.small_floats(self.file, self.folder)
    }

    /// A constant that a node holds.
    pub(crate) fn add_constant(&mut self, name: &'a str, tensor: &'a Tensor) -> Value {
        self.constants.insert(name, tensor);
        Value::Tensor(name.to_owned())
    }

    /// Whether only one operator reads what this layer gives.
    fn read_once(&self, value: &str) -> bool {
        self.uses.get(value) == Some(&1) && !self.is_output(value)
    }

    /// Whether the value leaves the graph.
    pub(crate) fn is_output(&self, value: &str) -> bool {
        self.model.outputs.iter().any(|output| output.name == value)
    }

    /// The layer of this name.
    pub(crate) fn node_mut(&mut self, name: &str) -> Option<&mut Node> {
        let place = *self.places.get(name)?;
        self.lowered.graph.nodes.get_mut(place)
    }

    /// A node that was pushed.
    pub(crate) fn node(&self, name: &str) -> Option<&Node> {
        self.places.get(name).and_then(|&place| self.lowered.graph.nodes.get(place))
    }

    /// Adds a layer for an operator and gives its name.
    pub(crate) fn push_node(
        &mut self,
        node: &NodeProto,
        op: Result<Op, Refused>,
        inputs: Vec<String>,
    ) -> String {
        self.push_named(node.label(), node, op, inputs)
    }

    /// The same, under another name.
    pub(crate) fn push_named(
        &mut self,
        label: &str,
        node: &NodeProto,
        op: Result<Op, Refused>,
        inputs: Vec<String>,
    ) -> String {
        let name = self.free_name(label);
        let class = match node.domain.as_str() {
            "" => node.op_type.clone(),
            domain => format!("{domain}.{}", node.op_type),
        };
        self.push(Node::without_description(name.clone(), &class, op, inputs));
        name
    }

    /// Adds a layer that no operator is.
    pub(crate) fn push_derived(
        &mut self,
        label: &str,
        op: Result<Op, Refused>,
        inputs: Vec<String>,
    ) -> String {
        let name = self.free_name(label);
        let class = op.as_ref().map_or("", |op| op.class());
        self.push(Node::without_description(name.clone(), class, op, inputs));
        name
    }

    fn push(&mut self, node: Node) {
        self.places.insert(node.name.clone(), self.lowered.graph.nodes.len());
        self.lowered.graph.nodes.push(node);
    }

    /// The name, or a longer one where a layer is called so already.
    fn free_name(&self, name: &str) -> String {
        let mut free = name.to_owned();
        // How many layers there are makes a name that is rarely taken, without counting up.
        for number in self.places.len().. {
            if !self.places.contains_key(&free) {
                break;
            }
            free = format!("{name} [{number}]");
        }
        free
    }

    /// Gives a layer a weight.
    pub(crate) fn add_weight(
        &mut self,
        layer: &str,
        weight: Weight,
        shape: &[usize],
        origin: WeightOrigin,
    ) {
        let source = match &origin {
            WeightOrigin::Tensor(tensor, _) => tensor.name.as_str(),
            WeightOrigin::Filled { .. } => "",
        };
        let path = format!("{layer} {weight} {source}");
        let shape = shape.iter().map(|&size| size as u64).collect();
        let stored = StoredWeight { name: weight.name().to_owned(), path: path.clone(), shape };
        self.lowered.origins.insert(path, origin);
        match self.lowered.layers.iter_mut().rev().find(|known| known.name == layer) {
            Some(known) => known.weights.push(stored),
            None => self.lowered.layers.push(StoredLayer {
                name: layer.to_owned(),
                weights: vec![stored],
                inner: false,
            }),
        }
    }

    /// Gives a weight that is the same number throughout other numbers instead, if it is one.
    pub(crate) fn replace_filled(
        &mut self,
        layer: &str,
        weight: Weight,
        origin: WeightOrigin,
    ) -> bool {
        let Lowered { layers, origins, .. } = &mut self.lowered;
        let stored = layers.iter().rev().find(|known| known.name == layer);
        let mut weights = stored.iter().flat_map(|stored| &stored.weights);
        let path = weights.find(|own| own.name == weight.name()).map(|own| &own.path);
        match path.and_then(|path| origins.get_mut(path)) {
            Some(filled @ WeightOrigin::Filled { .. }) => {
                *filled = origin;
                true
            }
            _ => false,
        }
    }

    /// Tensors that no operator reads are weights without a place.
    fn add_unread(&mut self) {
        let mut unread: Vec<&Tensor> = (self.model.tensors.values())
            .filter(|tensor| !self.uses.contains_key(tensor.name.as_str()))
            .collect();
        unread.sort_by(|a, b| a.name.cmp(&b.name));
        for tensor in unread {
            let weight = StoredWeight {
                name: "value".to_owned(),
                path: format!("unread {}", tensor.name),
                shape: tensor.shape.clone(),
            };
            let origin = WeightOrigin::Tensor(tensor.clone(), Order::Same);
            self.lowered.origins.insert(weight.path.clone(), origin);
            let name = tensor.name.clone();
            self.lowered.layers.push(StoredLayer { name, weights: vec![weight], inner: false });
        }
    }
}
