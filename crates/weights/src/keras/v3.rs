//! Keras 3's HDF5 layout: `layers/<class in snake case>[_n]/vars/<i>`, counted within each class
//! in the model's order, not by the layers' names. Keras 2.12 and 2.13 had other names for the same.

use std::collections::HashMap;
use std::path::Path;

use burncam_hdf5::{File, Group, Kind};
use burncam_net::{Op, Weight};

use crate::keras::config::{Graph, Node};
use crate::keras::h5::{StoredLayer, StoredWeight};
use crate::limits::check_parts;
use crate::shapes::weights;
use crate::{Error, keras};

/// Models within models lie this deep at most.
const DEEPEST: usize = 8;

/// What holds the groups of a model's layers.
const LAYERS: &str = "layers";

/// The same in files of Keras 2.12 and 2.13, which count a layer with weights twice.
const OLD_LAYERS: &str = "_layer_checkpoint_dependencies";

/// Whether a file has this layout.
pub(crate) fn has_layers(path: &Path, file: &File) -> Result<bool, Error> {
    Ok(group(path, file, LAYERS)?.is_some() || group(path, file, OLD_LAYERS)?.is_some())
}

fn is_old(path: &Path, file: &File) -> Result<bool, Error> {
    Ok(group(path, file, LAYERS)?.is_none() && group(path, file, OLD_LAYERS)?.is_some())
}

/// A group that may be there. That it cannot be read does not mean that it is not.
fn group(path: &Path, file: &File, place: &str) -> Result<Option<Group>, Error> {
    match file.group(place) {
        Ok(group) => Ok(Some(group)),
        Err(burncam_hdf5::Error::NoMember(_) | burncam_hdf5::Error::NotGroup) => Ok(None),
        Err(source) => Err(Error::of_hdf5(path, place, source)),
    }
}

/// The group of a layer that comes after `number` others of its class.
pub(crate) fn member(class: &str, number: usize) -> String {
    if number == 0 { class.to_owned() } else { format!("{class}_{number}") }
}

/// The members of a container that Keras 2.12 or 2.13 wrote, each after what all other versions call it.
fn numbered(mut members: Vec<String>) -> Vec<(String, String)> {
    members.sort_by_cached_key(|name| rank(name));
    let mut counts: HashMap<String, usize> = HashMap::new();
    let usual = |name: String| {
        let (class, _) = rank(&name);
        let count = counts.entry(class.clone()).or_default();
        let number = *count;
        *count = number.saturating_add(1);
        (member(&class, number), name)
    };
    members.into_iter().map(usual).collect()
}

/// A file of Keras 2.12 or 2.13, and the members of its containers so far, by their usual names.
struct Old<'a> {
    path: &'a Path,
    file: &'a File,
    containers: HashMap<String, HashMap<String, String>>,
}

impl Old<'_> {
    /// Where the file has a group of the usual layout.
    fn place(&mut self, usual: &str) -> Result<Option<String>, Error> {
        let mut place = String::new();
        for part in usual.split('/') {
            if part == LAYERS {
                let slash = if place.is_empty() { "" } else { "/" };
                place = format!("{place}{slash}{OLD_LAYERS}");
                continue;
            }
            if !self.containers.contains_key(&place) {
                let Some(container) = group(self.path, self.file, &place)? else {
                    return Ok(None);
                };
                let members = groups(self.path, &place, &container)?;
                self.containers.insert(place.clone(), numbered(members).into_iter().collect());
            }
            let Some(own) = self.containers.get(&place).and_then(|own| own.get(part)) else {
                return Ok(None);
            };
            place = format!("{place}/{own}");
        }
        Ok(Some(place))
    }
}

/// The layers that a configuration describes, with the weights that the file stores for them.
pub(crate) fn described(
    path: &Path,
    file: &File,
    graph: &Graph,
) -> Result<Vec<StoredLayer>, Error> {
    let old = is_old(path, file)?;
    let mut old = old.then(|| Old { path, file, containers: HashMap::new() });
    let layer = |node: &Node| {
        let place = old.as_mut().map_or(Ok(None), |old| old.place(&node.group))?;
        let group = place.unwrap_or_else(|| node.group.clone());
        let shapes = variables(path, file, &group)?;
        let names = weight_names(node);
        Ok(stored(node.name.clone(), &group, &names, shapes))
    };
    graph.nodes.iter().filter(|node| node.name == node.layer).map(layer).collect()
}

/// Layers without weights that say something of a network all the same: how it pools, and what it
/// does to its input.
const TELLING: [&str; 5] =
    ["global_average_pooling2d", "global_max_pooling2d", "rescaling", "resizing", "normalization"];

/// The layers of a file without a configuration, and whether the file has their own names
/// (Keras 3.15); else they are called like their groups. Layers without weights are left out, but
/// for those that tell.
pub(crate) fn undescribed(path: &Path, file: &File) -> Result<(Vec<StoredLayer>, bool), Error> {
    let old = is_old(path, file)?;
    let mut walk = Walk { path, file, old, groups: 0, layers: Vec::new() };
    walk.collect(if old { OLD_LAYERS } else { LAYERS }, DEEPEST)?;
    let mut layers = walk.layers;
    layers.sort_by_key(|(group, _)| rank(group));
    let named = layers.iter().any(|(group, layer)| *group != layer.name);
    Ok((layers.into_iter().map(|(_, layer)| layer).collect(), named))
}

/// Layers found so far, each with the name of its group.
struct Walk<'a> {
    path: &'a Path,
    file: &'a File,
    /// Whether Keras 2.12 or 2.13 wrote it.
    old: bool,
    /// Groups that were looked at. One may be the member of many, and of itself.
    groups: usize,
    layers: Vec<(String, StoredLayer)>,
}

impl Walk<'_> {
    fn collect(&mut self, container: &str, depth: usize) -> Result<(), Error> {
        let (path, file) = (self.path, self.file);
        let Some(own) = group(path, file, container)? else { return Ok(()) };
        let groups = groups(path, container, &own)?;
        let groups = match self.old {
            true => numbered(groups),
            false => groups.into_iter().map(|name| (name.clone(), name)).collect(),
        };
        for (name, own) in groups {
            self.groups = self.groups.saturating_add(1);
            check_parts(path, self.groups)?;
            let place = format!("{container}/{own}");
            let inner = format!("{place}/{}", if self.old { OLD_LAYERS } else { LAYERS });
            if depth > 0 && group(path, file, &inner)?.is_some() {
                self.collect(&inner, depth.saturating_sub(1))?;
                continue;
            }
            let shapes = variables(path, file, &place)?;
            let (class, _) = rank(&name);
            if shapes.is_empty() && !TELLING.contains(&class.as_str()) {
                continue;
            }
            let names = names_by_class(&class, shapes.len());
            let own = own_name(path, file, &format!("{place}/vars"))?;
            // Without weights, only the class tells what a layer does.
            let called = own.filter(|_| !shapes.is_empty()).unwrap_or_else(|| name.clone());
            self.layers.push((name, stored(called, &place, &names, shapes)));
        }
        Ok(())
    }
}

/// The name that Keras 3.15 keeps beside a layer's weights.
fn own_name(path: &Path, file: &File, vars: &str) -> Result<Option<String>, Error> {
    let Some(group) = group(path, file, vars)? else { return Ok(None) };
    let names = group.strings("name").map_err(|source| Error::of_hdf5(path, vars, source))?;
    Ok(names.and_then(|names| names.into_iter().next()))
}

/// The groups in a group, in the order of their names.
fn groups(path: &Path, place: &str, group: &Group) -> Result<Vec<String>, Error> {
    let members = group.members().map_err(|source| Error::of_hdf5(path, place, source))?;
    check_parts(path, members.len())?;
    let groups = members.into_iter().filter(|(_, kind)| *kind == Kind::Group);
    Ok(groups.map(|(name, _)| name).collect())
}

/// Shapes of a layer's weights, in order.
fn variables(path: &Path, file: &File, layer: &str) -> Result<Vec<Vec<u64>>, Error> {
    let vars = format!("{layer}/vars");
    let Some(group) = group(path, file, &vars)? else { return Ok(Vec::new()) };
    let members = group.members().map_err(|source| Error::of_hdf5(path, &vars, source))?;
    let count = members.iter().filter(|(_, kind)| *kind == Kind::Dataset).count();
    let shape = |index: usize| {
        let object = format!("{vars}/{index}");
        let data = file.dataset(&object);
        let data = data.map_err(|source| Error::of_hdf5(path, &object, source))?;
        Ok(data.shape().to_vec())
    };
    check_parts(path, count)?;
    (0..count).map(shape).collect()
}

fn stored(name: String, group: &str, names: &[&str], shapes: Vec<Vec<u64>>) -> StoredLayer {
    let weight = |(index, shape): (usize, Vec<u64>)| StoredWeight {
        name: names.get(index).map_or_else(|| index.to_string(), |&name| name.to_owned()),
        path: format!("{group}/vars/{index}"),
        shape,
    };
    StoredLayer {
        name,
        weights: shapes.into_iter().enumerate().map(weight).collect(),
        inner: false,
    }
}

/// The weights of a layer, in Keras's order.
pub(crate) fn weight_names(node: &Node) -> Vec<&'static str> {
    match &node.op {
        Ok(Op::Normalization { mean: None, .. }) => keras::front::WEIGHTS.to_vec(),
        Ok(op) => weights(op, 1).iter().map(|(weight, _)| weight.name()).collect(),
        // What these compute is known only with the size of their input, or with Keras's version.
        Err(_) => match node.class.as_str() {
            "Conv2D" | "Dense" | "Conv2DTranspose" => {
                [Weight::Kernel, Weight::Bias].map(Weight::name).to_vec()
            }
            "DepthwiseConv2D" => [Weight::DepthwiseKernel, Weight::Bias].map(Weight::name).to_vec(),
            "SeparableConv2D" => [Weight::DepthwiseKernel, Weight::PointwiseKernel, Weight::Bias]
                .map(Weight::name)
                .to_vec(),
            "PReLU" => vec![Weight::Alpha.name()],
            _ => Vec::new(),
        },
    }
}

/// The same where only class and count are known; of three, the scale is missing.
fn names_by_class(class: &str, count: usize) -> Vec<&'static str> {
    use Weight::{Beta, Bias, Gamma, Kernel, MovingMean, MovingVariance};
    let names = match (class, count) {
        ("normalization", 3) => return keras::front::WEIGHTS.to_vec(),
        ("conv2d" | "dense", _) => vec![Kernel, Bias],
        ("batch_normalization", 4) => vec![Gamma, Beta, MovingMean, MovingVariance],
        ("batch_normalization", 3) => vec![Beta, MovingMean, MovingVariance],
        ("batch_normalization", 2) => vec![MovingMean, MovingVariance],
        _ => Vec::new(),
    };
    names.into_iter().map(Weight::name).collect()
}

/// `conv2d_12` is the class `conv2d` and the number 12; the first has none.
pub(crate) fn rank(name: &str) -> (String, u64) {
    match name.rsplit_once('_').and_then(|(class, n)| Some((class, n.parse().ok()?))) {
        Some((class, number)) => (class.to_owned(), number),
        None => (name.to_owned(), 0),
    }
}

/// Keras's own rule for the name of a class's group: `BatchNormalization` is
/// `batch_normalization`, `LeakyReLU` is `leaky_re_lu`, `Conv2D` is `conv2d`.
pub(crate) fn snake_case(class: &str) -> String {
    let letters: Vec<char> = class.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
    let mut out = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| letters.get(before));
        let starts_word = letters.get(at.saturating_add(1)).is_some_and(char::is_ascii_lowercase);
        let after_small = before.is_some_and(|c| c.is_ascii_lowercase());
        if letter.is_ascii_uppercase() && (after_small || (before.is_some() && starts_word)) {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_named_as_keras_does() {
        for (class, group) in [
            ("Conv2D", "conv2d"),
            ("BatchNormalization", "batch_normalization"),
            ("LeakyReLU", "leaky_re_lu"),
            ("GlobalAveragePooling2D", "global_average_pooling2d"),
            ("InputLayer", "input_layer"),
            ("ReLU", "re_lu"),
            ("Dense", "dense"),
        ] {
            assert_eq!(snake_case(class), group);
        }
    }

    #[test]
    fn old_groups_are_numbered_by_their_order() {
        let members = ["dropout_1", "conv2d_4", "conv2d", "conv2d_10", "dropout", "conv2d_2"];
        let expected = [
            ("conv2d", "conv2d"),
            ("conv2d_1", "conv2d_2"),
            ("conv2d_2", "conv2d_4"),
            ("conv2d_3", "conv2d_10"),
            ("dropout", "dropout"),
            ("dropout_1", "dropout_1"),
        ];
        let expected = expected.map(|(usual, own)| (usual.to_owned(), own.to_owned()));
        assert_eq!(numbered(members.map(str::to_owned).to_vec()), expected);
    }

    #[test]
    fn ranks_are_numbers_at_the_end() {
        assert_eq!(rank("conv2d"), ("conv2d".to_owned(), 0));
        assert_eq!(rank("batch_normalization_12"), ("batch_normalization".to_owned(), 12));
    }
}
