//! What a checkpoint holds, to be shown: layers, the shapes of their weights, what is ignored.
//!
//! Nothing here reads a number of the weights.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use burncam_net::{GRAPH, LayerTable, Op};
use serde::Serialize;

use crate::keras::h5::StoredLayer;
use crate::keras::numbers::Hdf5;
use crate::store::Store;
use crate::{Checkpoint, Error, Resolved, Structure};

/// One weight that a file stores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FileWeight {
    /// Its name without the layer's: `kernel`.
    pub name: String,
    /// Its shape, in the file's order.
    pub shape: Vec<u64>,
}

/// One layer as its file describes it, known to Burncam or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FileLayer {
    /// The file's name of it.
    pub name: String,
    /// Its Keras class, if the file says so.
    pub class: Option<String>,
    /// Number of values in its weights.
    pub parameters: u64,
    /// Its weights.
    pub weights: Vec<FileWeight>,
}

/// One layer of the network that a file was found to hold, or of its head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NetworkLayer {
    /// The network's name of it; for a layer of the head, the file's.
    pub name: String,
    /// The file's name of it; `None` where the file leaves it out.
    pub file_name: Option<String>,
    /// Its Keras class.
    pub class: &'static str,
    /// Shape of its output: `[height, width, channels]`, or `[units]` once the head is flat.
    pub shape: Vec<usize>,
    /// Number of values in its weights.
    pub parameters: u64,
    /// Its weights.
    pub weights: Vec<FileWeight>,
    /// Whether it can be explained.
    pub can_be_tapped: bool,
}

/// Something in a file that Burncam passes over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Ignored {
    /// The group, attribute or tensors.
    pub name: Cow<'static, str>,
    /// What it is and why it is not needed.
    pub reason: &'static str,
}

/// Groups that Keras writes beside the layers', at the root or beside the layers of a full model.
static IGNORED_GROUPS: [Ignored; 4] = [
    Ignored {
        name: Cow::Borrowed("optimizer_weights"),
        reason: "the optimizer's state; only going on with the training needs it",
    },
    Ignored {
        name: Cow::Borrowed("optimizer"),
        reason: "the optimizer's state; only going on with the training needs it",
    },
    Ignored {
        name: Cow::Borrowed("metrics"),
        reason: "the metrics' state; only going on with the training needs it",
    },
    Ignored {
        name: Cow::Borrowed("top_level_model_weights"),
        reason: "weights outside any layer; the networks that are supported have none",
    },
];

/// The attribute of a compiled model.
static TRAINING: Ignored = Ignored {
    name: Cow::Borrowed("training_config"),
    reason: "optimizer, loss and metrics; only going on with the training needs them",
};

impl Checkpoint {
    /// The layers in the file's order, whether or not Burncam knows them. Where the file
    /// describes its network, layers without weights are among them.
    #[must_use]
    pub fn file_layers(&self) -> Vec<FileLayer> {
        let nodes = self.graph.as_ref().map_or(&[][..], |graph| &graph.nodes);
        let described = nodes.iter().map(|node| (node.name.as_str(), Some(node.class.clone())));
        let names: HashSet<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
        let known = |name: &str| names.contains(name);
        let stored = self.layers.iter().map(|layer| (layer.name.as_str(), None));
        // Of two layers of one name the first counts, as elsewhere.
        let by_name = self.layers.iter().rev().map(|layer| (layer.name.as_str(), layer));
        let stored_by_name: HashMap<&str, &StoredLayer> = by_name.collect();
        described
            .chain(stored.filter(|(name, _)| !known(name)))
            .map(|(name, class)| {
                let weights = weights_of(stored_by_name.get(name).copied());
                FileLayer { name: name.to_owned(), class, parameters: count(&weights), weights }
            })
            .collect()
    }

    /// What the file calls its model and the models that are layers of it, as far as it says so.
    #[must_use]
    pub fn model_names(&self) -> Vec<&str> {
        let graphs = self.graph.iter();
        let names =
            graphs.flat_map(|graph| std::iter::once(&graph.name).chain(graph.models.keys()));
        let mut names: Vec<&str> =
            names.map(String::as_str).filter(|name| !name.is_empty()).collect();
        names.sort_unstable();
        names
    }

    /// Height and width of the images that the file's network takes, where it says so.
    #[must_use]
    pub fn input_size(&self) -> Option<[usize; 2]> {
        Structure::of_file(self).input
    }

    /// What of the file is not used.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn ignored(&self) -> Result<Vec<Ignored>, Error> {
        let Store::Hdf5(Hdf5 { file, .. }) = &self.store else {
            return Ok(self.state.as_ref().map_or(Vec::new(), |state| state.ignored.clone()));
        };
        let at = |error| Error::Hdf5 {
            path: self.path.clone(),
            object: "/".to_owned(),
            source: Box::new(error),
        };
        let stored = |name: &str| self.layers.iter().any(|layer| layer.name == name);
        let found = |name: &str| {
            let places = [name.to_owned(), format!("model_weights/{name}")];
            !stored(name) && places.iter().any(|place| file.group(place).is_ok())
        };
        let mut ignored: Vec<Ignored> =
            IGNORED_GROUPS.iter().filter(|group| found(&group.name)).cloned().collect();
        let root = file.group("").and_then(|root| root.strings(&TRAINING.name));
        if root.map_err(at)?.is_some() {
            ignored.push(TRAINING.clone());
        }
        Ok(ignored)
    }

    fn stored(&self, name: &str) -> Option<&StoredLayer> {
        self.layers.iter().find(|layer| layer.name == name)
    }

    fn weights_of(&self, name: &str) -> Vec<FileWeight> {
        weights_of(self.stored(name))
    }

    /// Whether the file lists or describes a layer of this name.
    fn has_layer(&self, name: &str) -> bool {
        let described = self.graph.as_ref().is_some_and(|graph| graph.get(name).is_some());
        described || self.stored(name).is_some()
    }
}

impl Resolved {
    /// The file's name of a layer, given the network's; `None` if the network has no such layer
    /// or the file leaves it out.
    #[must_use]
    pub fn file_name(&self, canonical: &str) -> Option<&str> {
        let name = self.names.get(canonical).map(String::as_str);
        name.filter(|name| self.file.has_layer(name))
    }

    /// What of the file its network does without: what stands before its names, and layers, by the
    /// beginning of their names.
    #[must_use]
    pub fn left_out(&self) -> Vec<Ignored> {
        let state = self.file.state.as_ref();
        let prefix = state.map(|state| state.prefix.clone()).filter(|prefix| !prefix.is_empty());
        let prefix = prefix.map(|prefix| Ignored {
            name: prefix.into(),
            reason: "stands before the names of the network; left out here",
        });
        let unused = state.map_or(Vec::new(), |state| state.unused.clone());
        let own = self.layers.left_out().iter().filter_map(|(beginning, reason)| {
            let of = |name: &str| format!("{name}.").starts_with(beginning);
            let layers = self.file.layers.iter().filter(|layer| of(&layer.name));
            let tensors: usize = layers.map(|layer| layer.weights.len()).sum();
            let name = format!("{beginning}* ({tensors} tensors)").into();
            (tensors > 0).then_some(Ignored { name, reason })
        });
        prefix.into_iter().chain(unused).chain(own).collect()
    }

    /// Beginnings of the names of layers that the network does without.
    pub(crate) fn without(&self) -> Vec<&'static str> {
        self.layers.left_out().iter().map(|(beginning, _)| *beginning).collect()
    }

    /// Every layer from the input to the end of the head, in the network's order.
    #[must_use]
    pub fn layers(&self) -> Vec<NetworkLayer> {
        let mut layers = self.trunk_layers(&self.layers);
        let mut shape = self.layers.last().output.to_vec();
        for (name, op) in self.head_layers() {
            shape = output_of(&op, shape);
            let file_name = self.file.has_layer(&name).then(|| name.clone());
            layers.push(self.layer(name, file_name, &op, shape.clone()));
        }
        layers
    }

    /// The layers before the head.
    fn trunk_layers(&self, table: &LayerTable) -> Vec<NetworkLayer> {
        let layers = table.layers().iter().map(|layer| {
            let file_name = self.file_name(&layer.name).map(str::to_owned);
            let is_vector = self.arch.name == GRAPH.name && layer.output[..2] == [1, 1];
            let shape = match layer.output {
                [.., units] if is_vector && !layer.is_map => vec![units],
                shape => shape.to_vec(),
            };
            let name = layer.name.clone();
            let can_be_tapped = layer.is_map;
            NetworkLayer { can_be_tapped, ..self.layer(name, file_name, &layer.op, shape) }
        });
        layers.collect()
    }

    /// The head as the file has it: with the last activation, where that is a layer.
    fn head_layers(&self) -> Vec<(String, Op)> {
        let mut layers = self.head.layers().to_vec();
        let nodes = self.file.graph.as_ref().map_or(&[][..], |graph| &graph.nodes);
        let own = self.names.values().chain(layers.iter().map(|(name, _)| name));
        let mut known: HashSet<String> = own.cloned().collect();
        for node in nodes {
            if let Ok(op) = &node.op
                && known.insert(node.name.clone())
            {
                layers.push((node.name.clone(), op.clone()));
            }
        }
        layers
    }

    /// A layer that cannot be tapped, as those of the head.
    fn layer(
        &self,
        name: String,
        file_name: Option<String>,
        op: &Op,
        shape: Vec<usize>,
    ) -> NetworkLayer {
        let weights = file_name.as_deref().map_or(Vec::new(), |name| self.file.weights_of(name));
        let (class, parameters) = (op.class(), count(&weights));
        NetworkLayer { name, file_name, class, shape, parameters, weights, can_be_tapped: false }
    }
}

fn weights_of(layer: Option<&StoredLayer>) -> Vec<FileWeight> {
    let weights = layer.map_or(&[][..], |layer| &layer.weights);
    let one =
        |name: &str, shape: &[u64]| FileWeight { name: name.to_owned(), shape: shape.to_vec() };
    weights.iter().map(|weight| one(&weight.name, &weight.shape)).collect()
}

fn count(weights: &[FileWeight]) -> u64 {
    let sizes = weights.iter().map(|weight| {
        // A damaged file may claim any shape.
        weight.shape.iter().fold(1_u64, |size, &length| size.saturating_mul(length))
    });
    sizes.fold(0, u64::saturating_add)
}

/// The shape after a layer of the head.
pub(crate) fn output_of(op: &Op, shape: Vec<usize>) -> Vec<usize> {
    match op {
        Op::Flatten => vec![shape.iter().product()],
        Op::Dense { units, .. } => vec![*units],
        Op::Generated { output } => output.clone(),
        Op::GlobalConcatPooling2D => {
            shape.last().map(|channels| channels.saturating_mul(2)).into_iter().collect()
        }
        Op::GlobalAveragePooling2D | Op::GlobalMaxPooling2D => {
            shape.last().copied().into_iter().collect()
        }
        _ => shape,
    }
}
