//! Keras's HDF5 layout: groups by layer, found through `layer_names` and `weight_names`.
//!
//! Layer names may hold `/`, so groups are never walked: `conv1/7x7_s2/bn` lies inside the group
//! of `conv1/7x7_s2`.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use burncam_hdf5::{File, Group};

use crate::keras::config::{DEEPEST, Graph, Node};
use crate::keras::numbers::Hdf5;
use crate::limits::check_parts;
use crate::store::Store;
use crate::{Checkpoint, Error, Format, Statement, keras};

/// One layer of the file and the weights stored for it.
pub(crate) struct StoredLayer {
    pub(crate) name: String,
    pub(crate) weights: Vec<StoredWeight>,
    /// It stood inside a model that was used as a layer, where only layers with weights are
    /// listed.
    pub(crate) inner: bool,
}

/// One weight, not yet read.
#[derive(Clone)]
pub(crate) struct StoredWeight {
    /// Its own name without the layer's: `kernel`.
    pub(crate) name: String,
    /// Where its numbers are.
    pub(crate) path: String,
    pub(crate) shape: Vec<u64>,
}

/// Reads everything but the numbers.
pub(crate) fn read(path: &Path) -> Result<Checkpoint, Error> {
    let at = |object: &str| {
        let object = object.to_owned();
        move |source| Error::of_hdf5(path, &object, source)
    };
    let open = |source| Error::Open { path: path.to_owned(), source };
    let found = std::fs::metadata(path).map_err(open)?.len();
    let store = Hdf5::open(path, 0, found).map_err(at("/"))?;
    let (file, expected) = (store.file.clone(), store.file.end());
    if found < expected {
        return Err(Error::Truncated { path: path.to_owned(), expected, found });
    }
    let root = file.group("").map_err(at("/"))?;
    let text = |name: &str| text(&root, name).map_err(at("/"));
    let config = text("model_config")?;
    let keras_version = text("keras_version")?;
    let full = config.is_some();
    let group = if full { "model_weights" } else { "" };
    let root = file.group(group).map_err(at(group))?;
    let graph = config.map(|config| Graph::parse(path, &config)).transpose()?;
    let (format, (layers, named)) = match names(&root, "layer_names").map_err(at(group))? {
        Some(names) => {
            check_parts(path, names.len())?;
            let mut reading = Reading { path, file: &file, weights: 0 };
            let mut models = graph.as_ref().map(Inner::all).unwrap_or_default();
            let mut layers = Vec::new();
            for name in names {
                let stored = reading.layer(group, name)?;
                let model = models.remove(stored.name.as_str());
                layers.extend(laid_flat(stored, model));
            }
            (if full { Format::KerasH5 } else { Format::KerasH5Weights }, (layers, true))
        }
        None if keras::v3::has_layers(path, &file)? => {
            (Format::KerasV3Weights, keras::v3::undescribed(path, &file)?)
        }
        None => {
            let found = "an HDF5 file without Keras's `layer_names`";
            return Err(Error::Format { path: path.to_owned(), found });
        }
    };
    Ok(Checkpoint {
        path: path.to_owned(),
        format,
        keras_version: keras_version.filter(|version| !version.is_empty()),
        store: Store::Hdf5(store),
        description: None,
        stated: Statement::default(),
        class_names: Vec::new(),
        graph,
        state: None,
        layers,
        named,
    })
}

/// A file of which layers are read, and how many weights they have so far.
struct Reading<'a> {
    path: &'a Path,
    file: &'a File,
    weights: usize,
}

impl Reading<'_> {
    fn layer(&mut self, group: &str, name: String) -> Result<StoredLayer, Error> {
        let place = join(group, &name);
        let at = |object: &str, source| Error::of_hdf5(self.path, object, source);
        let names = self.file.group(&place).and_then(|group| names(&group, "weight_names"));
        let names = names.map_err(|source| at(&place, source))?.unwrap_or_default();
        self.weights = self.weights.saturating_add(names.len());
        check_parts(self.path, self.weights)?;
        let weight = |weight: &String| {
            let path = join(&place, weight);
            let data = self.file.dataset(&path).map_err(|source| at(&path, source))?;
            let shape = data.shape().to_vec();
            let name = weight.split(':').next().unwrap_or(weight).to_owned();
            Ok(StoredWeight { name, path, shape })
        };
        let weights = names.iter().map(weight).collect::<Result<_, Error>>()?;
        Ok(StoredLayer { name, weights, inner: false })
    }
}

/// The layers of a model that is used as a layer, as the graph calls them.
struct Inner<'a> {
    names: HashSet<&'a str>,
    /// Those that have a weight of this name, in the model's order.
    with: HashMap<&'static str, std::vec::IntoIter<&'a str>>,
}

impl<'a> Inner<'a> {
    /// Every such model of a graph, by name.
    fn all(graph: &'a Graph) -> HashMap<&'a str, Self> {
        let nodes: HashMap<&str, &Node> =
            graph.nodes.iter().map(|node| (node.name.as_str(), node)).collect();
        let inner = |names: &'a Vec<String>| {
            let mut with: HashMap<&str, Vec<&str>> = HashMap::new();
            for node in names.iter().filter_map(|name| nodes.get(name.as_str())) {
                for weight in keras::v3::weight_names(node) {
                    with.entry(weight).or_default().push(&node.name);
                }
            }
            let with = with.into_iter().map(|(weight, nodes)| (weight, nodes.into_iter()));
            Self { names: names.iter().map(String::as_str).collect(), with: with.collect() }
        };
        graph.models.iter().map(|(model, names)| (model.as_str(), inner(names))).collect()
    }

    /// The layer that a weight of `model` belongs to. The names of models that hold it may stand before
    /// its own, and the graph may tell it from another layer by the model's name. A layer that was built
    /// before it came into the model has no name there.
    fn layer(&mut self, model: &str, weight: &StoredWeight) -> Option<String> {
        let Some((stored, _)) = weight.name.rsplit_once('/') else {
            return self.with.get_mut(weight.name.as_str())?.next().map(str::to_owned);
        };
        let ends =
            stored.rmatch_indices('/').filter_map(|(at, _)| stored.get(at.saturating_add(1)..));
        let mut ends: Vec<&str> = ends.take(DEEPEST).chain([stored]).collect();
        ends.sort_by_key(|end| std::cmp::Reverse(end.len()));
        let mut spellings =
            ends.iter().flat_map(|end| [(*end).to_owned(), format!("{model}/{end}")]);
        spellings.find(|name| self.names.contains(name.as_str()))
    }
}

/// Takes the layers' names off the weights' names. A model used as a layer holds the weights of
/// several layers, and each becomes a layer again; the graph, if there is one, has their names.
fn laid_flat(stored: StoredLayer, mut model: Option<Inner<'_>>) -> Vec<StoredLayer> {
    let split = |weight: &StoredWeight| match weight.name.rsplit_once('/') {
        Some((layer, own)) => (layer.to_owned(), own.to_owned()),
        None => (stored.name.clone(), weight.name.clone()),
    };
    let first = stored.weights.first().map(|weight| split(weight).0);
    let several = stored.weights.iter().any(|weight| Some(split(weight).0) != first);
    let mut layers: Vec<StoredLayer> = Vec::new();
    if !several && model.is_none() {
        let own = |weight: &StoredWeight| StoredWeight { name: split(weight).1, ..weight.clone() };
        let weights = stored.weights.iter().map(own).collect();
        layers.push(StoredLayer { name: stored.name.clone(), weights, inner: false });
        return layers;
    }
    // Running statistics come after all weights that are trained.
    let mut places: HashMap<String, usize> = HashMap::new();
    for weight in &stored.weights {
        let (layer, name) = split(weight);
        let known = model.as_mut().and_then(|model| model.layer(&stored.name, weight));
        let layer = known.unwrap_or(layer);
        let weight = StoredWeight { name, ..weight.clone() };
        match places.get(&layer).and_then(|&place| layers.get_mut(place)) {
            Some(known) => known.weights.push(weight),
            None => {
                places.insert(layer.clone(), layers.len());
                layers.push(StoredLayer { name: layer, weights: vec![weight], inner: true });
            }
        }
    }
    layers
}

fn join(group: &str, name: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{group}/{name}") }
}

/// The only string of an attribute, which is empty if it holds something else.
fn text(group: &Group, name: &str) -> Result<Option<String>, burncam_hdf5::Error> {
    let strings = group.strings(name)?;
    Ok(strings.map(|strings| strings.into_iter().next().unwrap_or_default()))
}

/// The strings of an attribute, which Keras splits into `name0`, `name1`, … when they are long. An
/// empty list is stored as numbers.
fn names(group: &Group, name: &str) -> Result<Option<Vec<String>>, burncam_hdf5::Error> {
    if let Some(strings) = group.strings(name)? {
        return Ok(Some(strings));
    }
    let mut all: Option<Vec<String>> = None;
    for part in 0.. {
        let Some(strings) = group.strings(&format!("{name}{part}"))? else { break };
        all.get_or_insert_default().extend(strings);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(name: &str, weights: &[&str]) -> StoredLayer {
        let weight = |name: &&str| StoredWeight {
            name: (*name).to_owned(),
            path: String::new(),
            shape: Vec::new(),
        };
        StoredLayer {
            name: name.to_owned(),
            weights: weights.iter().map(weight).collect(),
            inner: false,
        }
    }

    fn names(layers: &[StoredLayer]) -> Vec<(&str, Vec<&str>)> {
        layers
            .iter()
            .map(|l| (l.name.as_str(), l.weights.iter().map(|w| w.name.as_str()).collect()))
            .collect()
    }

    /// An inner model's trained weights come first, its running statistics after all of them.
    #[test]
    fn an_inner_model_becomes_its_layers() {
        let base =
            stored("base", &["conv/kernel", "conv/bn/gamma", "last/kernel", "conv/bn/moving_mean"]);
        assert_eq!(
            names(&laid_flat(base, None)),
            [
                ("conv", vec!["kernel"]),
                ("conv/bn", vec!["gamma", "moving_mean"]),
                ("last", vec!["kernel"])
            ]
        );
    }

    /// As Keras 2 and 3 name the weights of a model that is used as a layer.
    #[test]
    fn layers_of_a_model_have_their_names_of_the_graph() {
        let laid = |weights: &[&str], layers: &[&str]| -> Vec<String> {
            let layers = layers.to_vec();
            let with = ["kernel", "bias"].map(|weight| (weight, layers.clone().into_iter()));
            let names = layers.into_iter().collect();
            let model = Inner { names, with: with.into_iter().collect() };
            let laid = laid_flat(stored("top", weights), Some(model));
            laid.into_iter().map(|layer| layer.name).collect()
        };
        for weights in [
            ["dense/kernel", "dense/bias"],
            ["top/dense/kernel", "top/dense/bias"],
            ["sequential/top/dense/kernel", "sequential/top/dense/bias"],
        ] {
            assert_eq!(laid(&weights, &["pool", "dense"]), ["dense"]);
            // The outer model has a `dense` of its own.
            assert_eq!(laid(&weights, &["pool", "top/dense"]), ["top/dense"]);
        }
        let deep = ["base/c1/kernel", "top/c3/kernel", "c3/bias", "other/kernel"];
        assert_eq!(laid(&deep, &["top/c1", "c3"]), ["top/c1", "c3", "other"]);
        assert!(laid(&[], &["pool"]).is_empty());
        // They were built before they came into the model.
        let unnamed = ["kernel", "bias", "kernel", "bias", "other"];
        assert_eq!(laid(&unnamed, &["dense", "dense_1"]), ["dense", "dense_1", "top"]);
    }

    #[test]
    fn an_ordinary_layer_keeps_its_name() {
        let dense = stored("dense", &["model/dense/kernel", "model/dense/bias"]);
        assert_eq!(names(&laid_flat(dense, None)), [("dense", vec!["kernel", "bias"])]);
    }
}
