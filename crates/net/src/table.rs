//! The layers of an architecture, in order, as data.

use crate::{Op, Tap};

/// One layer of a [`LayerTable`].
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// The canonical name: the one that the network gives to a [`Trace`](crate::Trace).
    pub name: String,
    /// Whether Keras chose the name, so that a file may number it otherwise.
    pub auto_named: bool,
    /// What the layer computes.
    pub op: Op,
    /// Indices of the layers that it reads, in order.
    pub inputs: Vec<usize>,
    /// Shape of the output, `[height, width, channels]`.
    pub output: [usize; 3],
    /// Whether the output has height and width, and is made by a layer: only such can be tapped.
    pub is_map: bool,
}

/// The layers of one variant from its input to the input of the head, in the order in which
/// Keras code would create them. A layer reads the one before it unless told otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerTable {
    layers: Vec<Layer>,
    /// What the next layer reads.
    current: usize,
    /// Where automatic names start to count, by class.
    first_numbers: Vec<(&'static str, usize)>,
    /// Parts of a checkpoint that are no part of this network, see [`Self::leave_out`].
    left_out: Vec<(&'static str, &'static str)>,
    /// See [`Self::with_heads`].
    heads: &'static [&'static str],
    /// See [`Self::with_children`].
    children: &'static [&'static str],
}

impl LayerTable {
    /// The layers with height and width that add an offset to each channel: convolutions with a bias, and batch
    /// normalisations.
    #[must_use]
    pub fn with_offsets(&self) -> Vec<String> {
        let has = |layer: &&Layer| match layer.op {
            Op::Conv2D { use_bias, .. }
            | Op::DepthwiseConv2D { use_bias, .. }
            | Op::SeparableConv2D { use_bias, .. }
            | Op::Conv2DTranspose { use_bias, .. } => use_bias && layer.is_map,
            Op::BatchNormalization { .. } => layer.is_map,
            _ => false,
        };
        self.layers.iter().filter(has).map(|layer| layer.name.clone()).collect()
    }

    /// A table that holds the input alone, `[height, width, channels]`.
    #[must_use]
    pub fn new(input: &str, [height, width, channels]: [usize; 3]) -> Self {
        let mut table = Self {
            layers: Vec::new(),
            current: 0,
            first_numbers: Vec::new(),
            left_out: Vec::new(),
            heads: &[],
            children: &[],
        };
        let op = Op::InputLayer { height, width, channels };
        table.add(input.to_owned(), true, op, Vec::new());
        table
    }

    /// Starts the automatic names of a class at this number instead of 0: Keras numbers go on
    /// over all networks that a process builds.
    #[must_use]
    pub fn number_from(mut self, auto_name: &'static str, number: usize) -> Self {
        self.first_numbers.push((auto_name, number));
        self
    }

    /// Lets a checkpoint have weights under this name, and says why they are not needed.
    pub fn leave_out(&mut self, name: &'static str, reason: &'static str) {
        self.left_out.push((name, reason));
    }

    /// Names that a checkpoint may have beside the layers, each with the reason why they are
    /// not needed.
    #[must_use]
    pub fn left_out(&self) -> &[(&'static str, &'static str)] {
        &self.left_out
    }

    /// States the heads that this family of networks has itself, each in the words of
    /// [`HeadSpec`](crate::HeadSpec): weights that fit one of them need no other word about
    /// activations and pooling.
    #[must_use]
    pub fn with_heads(mut self, heads: &'static [&'static str]) -> Self {
        self.heads = heads;
        self
    }

    /// The heads that this family of networks has itself.
    #[must_use]
    pub fn heads(&self) -> &'static [&'static str] {
        self.heads
    }

    /// States the modules that PyTorch's network has directly inside it, in its order: in
    /// `Sequential(*model.children())` they are called by their numbers.
    #[must_use]
    pub fn with_children(mut self, children: &'static [&'static str]) -> Self {
        self.children = children;
        self
    }

    /// A layer's name where the network's modules are called by their numbers: `layer1.0.conv1` is
    /// `4.0.conv1`.
    #[must_use]
    pub fn numbered_name(&self, name: &str) -> Option<String> {
        let (child, rest) = name.split_at(name.find('.').unwrap_or(name.len()));
        let number = self.children.iter().position(|known| *known == child)?;
        Some(format!("{number}{rest}"))
    }

    /// Name of the layer that the next one reads.
    #[must_use]
    pub fn current(&self) -> String {
        self.layers[self.current].name.clone()
    }

    /// Goes back to a layer: the next one reads it.
    ///
    /// # Panics
    ///
    /// If the table has no such layer.
    pub fn at(&mut self, name: &str) {
        self.current = self.index(name);
    }

    /// Adds a layer.
    pub fn push(&mut self, name: impl Into<String>, op: Op) {
        self.add(name.into(), false, op, vec![self.current]);
    }

    /// Adds a layer whose name Keras chooses.
    pub fn push_auto(&mut self, op: Op) {
        self.add(self.next_auto_name(&op), true, op, vec![self.current]);
    }

    /// Adds a layer that reads the named ones.
    ///
    /// # Panics
    ///
    /// If the table has no layer of such a name.
    pub fn join(&mut self, inputs: &[&str], name: impl Into<String>, op: Op) {
        self.add(name.into(), false, op, self.indices(inputs));
    }

    /// Adds a layer that reads the named ones and whose name Keras chooses.
    ///
    /// # Panics
    ///
    /// If the table has no layer of such a name.
    pub fn join_auto(&mut self, inputs: &[&str], op: Op) {
        self.add(self.next_auto_name(&op), true, op, self.indices(inputs));
    }

    /// Adds a layer that reads those at these places, without looking for others of its name; its output is
    /// `[height, width, channels]`, and a map or a vector.
    ///
    /// # Panics
    ///
    /// If there is no such place.
    pub fn append(
        &mut self,
        name: String,
        op: Op,
        inputs: Vec<usize>,
        (output, is_map): ([usize; 3], bool),
    ) {
        assert!(inputs.iter().all(|&input| input < self.layers.len()), "{name} reads no layer");
        self.layers.push(Layer { name, auto_named: false, op, inputs, output, is_map });
        self.current = self.layers.len() - 1;
    }

    /// The same table with other operations, whose outputs have the same shapes.
    ///
    /// # Panics
    ///
    /// If there are not as many.
    #[must_use]
    pub fn with_ops(&self, ops: Vec<Op>) -> Self {
        assert_eq!(ops.len(), self.layers.len(), "an operation for each layer");
        let mut table = self.clone();
        table.layers.iter_mut().zip(ops).for_each(|(layer, op)| layer.op = op);
        table
    }

    /// All layers, the input first.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The layer of this canonical name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.name == name)
    }

    /// The last layer: its output is the input of the head.
    ///
    /// # Panics
    ///
    /// Never: a table holds its input at least.
    #[must_use]
    pub fn last(&self) -> &Layer {
        self.layers.last().expect("a table holds its input at least")
    }

    /// For each layer whether it is the one called `name` or reads its output, directly or not.
    #[must_use]
    pub fn after(&self, name: &str) -> Vec<bool> {
        let mut after: Vec<bool> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            after.push(layer.name == name || layer.inputs.iter().any(|&input| after[input]));
        }
        after
    }

    /// For each layer whether a gradient passes it that is read at one of these taps.
    #[must_use]
    pub fn tracked(&self, taps: &[Tap]) -> Vec<bool> {
        let mut tracked = vec![false; self.layers.len()];
        for tap in taps {
            let after = self.after(tap.layer().unwrap_or(&self.layers[0].name));
            tracked.iter_mut().zip(after).for_each(|(tracked, after)| *tracked |= after);
        }
        tracked
    }

    /// Whether everything that the last layer computes goes through the layer called `name`: then the output of
    /// that layer is all that the layers behind it need.
    #[must_use]
    pub fn is_cut(&self, name: &str) -> bool {
        let mut reached = vec![false; self.layers.len()];
        for (at, layer) in self.layers.iter().enumerate() {
            let is_read = at == 0 || layer.inputs.iter().any(|&input| reached[input]);
            reached[at] = is_read && layer.name != name;
        }
        self.get(name).is_some() && reached.last() == Some(&false)
    }

    /// Whether its layers are generated code: then only the file that was made with the code fits.
    #[must_use]
    pub fn is_generated(&self) -> bool {
        self.layers.iter().any(|layer| matches!(layer.op, Op::Generated { .. }))
    }

    /// Number of channels that `layer` reads, over all its inputs.
    #[must_use]
    pub fn channels_in(&self, layer: &Layer) -> usize {
        layer.inputs.iter().map(|&input| self.layers[input].output[2]).sum()
    }

    fn add(&mut self, name: String, auto_named: bool, op: Op, inputs: Vec<usize>) {
        assert!(self.get(&name).is_none(), "two layers are called {name}");
        let shapes: Vec<_> = inputs.iter().map(|&input| self.layers[input].output).collect();
        let output = op.output(&shapes);
        let is_map = op.makes_map();
        self.layers.push(Layer { name, auto_named, op, inputs, output, is_map });
        self.current = self.layers.len() - 1;
    }

    fn index(&self, name: &str) -> usize {
        let found = self.layers.iter().position(|layer| layer.name == name);
        found.unwrap_or_else(|| panic!("no layer is called {name}"))
    }

    fn indices(&self, names: &[&str]) -> Vec<usize> {
        names.iter().map(|name| self.index(name)).collect()
    }

    fn next_auto_name(&self, op: &Op) -> String {
        let name = op.auto_name();
        let same = |layer: &&Layer| layer.auto_named && layer.op.auto_name() == name;
        let first = self.first_numbers.iter().find(|(class, _)| *class == name);
        let number =
            self.layers.iter().filter(same).count() + first.map_or(0, |(_, number)| *number);
        if number == 0 { name.to_owned() } else { format!("{name}_{number}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_names_count_within_their_class() {
        let mut table = LayerTable::new("input", [4, 4, 2]);
        table.push_auto(Op::Dropout);
        table.push("conv", Op::conv2d(5, 1));
        table.at("input");
        table.push_auto(Op::Dropout);
        table.join_auto(&["conv", "dropout_1"], Op::Concatenate);
        let names: Vec<_> = table.layers().iter().map(|layer| layer.name.as_str()).collect();
        assert_eq!(names, ["input", "dropout", "conv", "dropout_1", "concatenate"]);
        assert_eq!(table.last().output, [4, 4, 7]);
        assert_eq!(table.channels_in(table.last()), 7);
    }

    #[test]
    fn what_comes_after_a_layer_reads_it() {
        let mut table = LayerTable::new("input", [4, 4, 2]);
        table.push("a", Op::conv2d(5, 1));
        table.at("input");
        table.push("b", Op::conv2d(5, 1));
        table.join(&["a", "b"], "sum", Op::Add);
        assert_eq!(table.after("a"), [false, true, false, true]);
        assert_eq!(table.after("input"), [true; 4]);
    }

    #[test]
    fn a_cut_is_what_every_path_goes_through() {
        let mut table = LayerTable::new("input", [4, 4, 2]);
        table.push("stem", Op::conv2d(5, 1));
        table.push("a", Op::conv2d(5, 1));
        table.join(&["stem", "a"], "sum", Op::Add);
        table.push("last", Op::conv2d(5, 1));
        let cuts = ["input", "stem", "a", "sum", "last", "unknown"].map(|name| table.is_cut(name));
        assert_eq!(cuts, [true, true, false, true, true, false]);
    }

    #[test]
    fn a_gradient_passes_what_is_behind_its_taps() {
        let mut table = LayerTable::new("input", [4, 4, 2]);
        table.push("a", Op::conv2d(5, 1));
        table.at("input");
        table.push("b", Op::conv2d(5, 1));
        table.join(&["a", "b"], "sum", Op::Add);
        assert_eq!(table.tracked(&[Tap::Layer("b".to_owned())]), [false, false, true, true]);
        assert_eq!(table.tracked(&[Tap::Input]), [true; 4]);
        assert_eq!(table.tracked(&[]), [false; 4]);
    }

    #[test]
    fn modules_have_numbers_in_a_sequential() {
        let table = LayerTable::new("input", [4, 4, 2]).with_children(&["conv1", "bn1", "layer1"]);
        let numbered = ["conv1", "layer1.0.conv1", "bn12"].map(|name| table.numbered_name(name));
        assert_eq!(numbered, [Some("0".to_owned()), Some("2.0.conv1".to_owned()), None]);
    }

    #[test]
    fn auto_names_can_start_later() {
        let mut table = LayerTable::new("input", [4, 4, 2]).number_from("activation", 81);
        table.push_auto(Op::relu_layer());
        table.push_auto(Op::relu_layer());
        assert_eq!(table.last().name, "activation_82");
    }
}
