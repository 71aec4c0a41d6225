//! Keras's HDF5 layout: groups by layer, found through `layer_names` and `weight_names`.
//!
//! Layer names may hold `/`, so groups are never walked: `conv1/7x7_s2/bn` lies inside the group
//! of `conv1/7x7_s2`.

use std::collections::HashMap;
use std::path::Path;

use hdf5_pure::{AttrValue, Group};

use crate::keras::config::Graph;
use crate::keras::numbers::Hdf5;
use crate::limits::check_parts;
use crate::store::Store;
use crate::{Checkpoint, Error, Format, keras};

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
    let opened = keras::source::open_file(std::fs::File::open(path).map_err(open)?);
    let (file, allowance) = opened.map_err(at("/"))?;
    let (expected, found) = (file.superblock().eof_address, file.file_size());
    if found < expected {
        return Err(Error::Truncated { path: path.to_owned(), expected, found });
    }
    let attributes = file.root().attrs().map_err(at("/"))?;
    let full = attributes.contains_key("model_config");
    let group = if full { "model_weights" } else { "" };
    let root = match full {
        true => file.group(group).map_err(at(group))?,
        false => file.root(),
    };
    let (format, (layers, named)) = match names(&root.attrs().map_err(at(group))?, "layer_names") {
        Some(names) => {
            let stored =
                |name| stored_layer(&file, group, name).map_err(|(object, e)| at(&object)(e));
            check_parts(path, names.len())?;
            let layers = names.into_iter().map(stored).collect::<Result<Vec<_>, _>>()?;
            let layers = layers.into_iter().flat_map(laid_flat).collect();
            let layers = (layers, true);
            (if full { Format::KerasH5 } else { Format::KerasH5Weights }, layers)
        }
        None if file.group("layers").is_ok() => {
            (Format::KerasV3Weights, keras::v3::undescribed(path, &file)?)
        }
        None => {
            let found = "an HDF5 file without Keras's `layer_names`";
            return Err(Error::Format { path: path.to_owned(), found });
        }
    };
    let graph = match attributes.get("model_config") {
        Some(config) => Some(Graph::parse(path, config.as_str().unwrap_or_default())?),
        None => None,
    };
    Ok(Checkpoint {
        path: path.to_owned(),
        format,
        keras_version: attributes
            .get("keras_version")
            .and_then(AttrValue::as_str)
            .map(str::to_owned),
        store: Store::Hdf5(Hdf5::new((file, allowance), path, 0, found)),
        description: None,
        graph,
        state: None,
        layers,
        named,
    })
}

fn stored_layer(
    file: &hdf5_pure::File,
    group: &str,
    name: String,
) -> Result<StoredLayer, (String, hdf5_pure::Error)> {
    let place = join(group, &name);
    let attributes = |g: Group| g.attrs();
    let attributes =
        file.group(&place).and_then(attributes).map_err(|error| (place.clone(), error))?;
    let mut weights = Vec::new();
    for weight in names(&attributes, "weight_names").unwrap_or_default() {
        let path = join(&place, &weight);
        let shape = file.dataset(&path).and_then(|data| data.shape());
        let shape = shape.map_err(|error| (path.clone(), error))?;
        let name = weight.split(':').next().unwrap_or(&weight).to_owned();
        weights.push(StoredWeight { name, path, shape });
    }
    Ok(StoredLayer { name, weights, inner: false })
}

/// Takes the layers' names off the weights' names. A model used as a layer holds the weights of
/// several layers, and each becomes a layer again.
fn laid_flat(stored: StoredLayer) -> Vec<StoredLayer> {
    let split = |weight: &StoredWeight| match weight.name.rsplit_once('/') {
        Some((layer, own)) => (layer.to_owned(), own.to_owned()),
        None => (stored.name.clone(), weight.name.clone()),
    };
    let first = stored.weights.first().map(|weight| split(weight).0);
    let several = stored.weights.iter().any(|weight| Some(split(weight).0) != first);
    if !several {
        let own = |weight: StoredWeight| StoredWeight { name: split(&weight).1, ..weight };
        let name = stored.name.clone();
        return vec![StoredLayer {
            name,
            weights: stored.weights.into_iter().map(own).collect(),
            inner: false,
        }];
    }
    let mut layers: Vec<StoredLayer> = Vec::new();
    for weight in stored.weights {
        let (layer, name) = match weight.name.rsplit_once('/') {
            Some((layer, own)) => (layer.to_owned(), own.to_owned()),
            None => (stored.name.clone(), weight.name.clone()),
        };
        let weight = StoredWeight { name, ..weight };
        // Running statistics come after all weights that are trained.
        match layers.iter_mut().find(|known| known.name == layer) {
            Some(known) => known.weights.push(weight),
            None => layers.push(StoredLayer { name: layer, weights: vec![weight], inner: true }),
        }
    }
    layers
}

fn join(group: &str, name: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{group}/{name}") }
}

/// The strings of an attribute, which Keras splits into `name0`, `name1`, … when they are long.
fn names(attributes: &HashMap<String, AttrValue>, name: &str) -> Option<Vec<String>> {
    let strings = |value: &AttrValue| value.as_strings().map(<[String]>::to_vec);
    if let Some(value) = attributes.get(name) {
        // An empty list is stored as numbers.
        return Some(strings(value).unwrap_or_default());
    }
    let parts = (0..).map_while(|part| attributes.get(&format!("{name}{part}")));
    let mut all = None;
    for part in parts {
        all.get_or_insert_with(Vec::new).extend(strings(part).unwrap_or_default());
    }
    all
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
            names(&laid_flat(base)),
            [
                ("conv", vec!["kernel"]),
                ("conv/bn", vec!["gamma", "moving_mean"]),
                ("last", vec!["kernel"])
            ]
        );
    }

    #[test]
    fn an_ordinary_layer_keeps_its_name() {
        let dense = stored("dense", &["model/dense/kernel", "model/dense/bias"]);
        assert_eq!(names(&laid_flat(dense)), [("dense", vec!["kernel", "bias"])]);
    }
}
