//! A checkpoint whose place is known, and its numbers.

use std::collections::HashSet;
use std::iter;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use burncam_net::{
    Arch, Build, Classifier, HeadConfig, InputSpec, LayerTable, LoadError, Outputs, Source,
    Variant, Weight,
};

use crate::keras::h5::StoredWeight;
use crate::matching::FileNames;
use crate::onnx::matching::KERNEL;
use crate::store::{BoxError, Store};
use crate::torch::head::Flattened;
use crate::{Checkpoint, Error, Format, limits, torch};

/// A checkpoint that fits an architecture in everything but its numbers, which are not read yet.
pub struct Resolved {
    /// The architecture that it belongs to.
    pub arch: &'static Arch,
    /// Which of its variants.
    pub variant: &'static Variant,
    /// Its layers, from the input to the input of the head: the variant's, or the file's own.
    pub layers: LayerTable,
    /// The layer that is explained unless another is asked for.
    pub cam_layer: String,
    /// Size and preprocessing of its input: the variant's, or what the file itself does.
    pub input: InputSpec,
    /// Whether `input` says how images are prepared; else only their size is known.
    pub is_prepared: bool,
    /// The head that the file has.
    pub head: HeadConfig,
    /// What had to be assumed, for the user to know.
    pub notes: Vec<String>,
    pub(crate) names: FileNames,
    /// What the file calls its layers before the network.
    pub(crate) front: Vec<String>,
    /// In a state_dict, what reads a map laid flat channel by channel.
    pub(crate) flattened: Option<Flattened>,
    pub(crate) file: Checkpoint,
}

impl Resolved {
    /// Height and width of its images, where the file leaves them open.
    #[must_use]
    pub fn size(&self) -> Option<[usize; 2]> {
        self.file.stated.size
    }

    /// The layer that gives the classes, where it was stated.
    #[must_use]
    pub fn output_layer(&self) -> Option<&str> {
        self.file.stated.output_layer.as_deref()
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// Whether the head is one sigmoid neuron of which nothing says which class it is for.
    #[must_use]
    pub fn has_unnamed_output(&self) -> bool {
        self.head.units() == 1 && !matches!(self.variant.outputs, Outputs::Named(_))
    }

    /// Every file that has numbers of it: the checkpoint itself, and what an ONNX model keeps beside
    /// itself.
    #[must_use]
    pub fn files(&self) -> Vec<&Path> {
        let beside = match &self.file.store {
            Store::Onnx(store) => store.beside.as_slice(),
            _ => &[],
        };
        iter::once(self.path()).chain(beside.iter().map(PathBuf::as_path)).collect()
    }

    /// What kind of file it is.
    #[must_use]
    pub fn format(&self) -> Format {
        self.file.format
    }

    /// The Keras version that wrote it, if it says so.
    #[must_use]
    pub fn keras_version(&self) -> Option<&str> {
        self.file.keras_version.as_deref()
    }

    /// The network's own name of a layer, given the file's spelling or that; where a name is
    /// both, the file's counts, unless the file has only ranks: Keras shows these to nobody. A
    /// PyTorch module that holds others is its last layer: `layer4` is `layer4.2`.
    #[must_use]
    pub fn canonical_name<'a>(&'a self, layer: &'a str) -> Option<&'a str> {
        let layer = layer.strip_prefix(self.file.prefix()).unwrap_or(layer);
        // Several of the network's layers may be one of the file's; the last has its name.
        let by_file = || {
            let same = self.names.get_key_value(layer).filter(|(_, file)| *file == layer);
            same.or_else(|| self.names.iter().find(|(_, file)| *file == layer))
        };
        let by_own = || self.names.get_key_value(layer).filter(|_| !self.in_front(layer));
        let found = match self.file.named {
            true => by_file().or_else(by_own),
            false => by_own().or_else(by_file),
        };
        let found = found.or_else(|| {
            let inside = format!("{layer}.");
            let last = self.layers.layers().iter().rfind(|own| own.name.starts_with(&inside));
            last.and_then(|own| self.names.get_key_value(&own.name))
        });
        found.map(|(own, _)| own.as_str())
    }

    fn in_front(&self, layer: &str) -> bool {
        self.front.iter().any(|name| name == layer)
    }

    /// Whether the file has batch normalisation folded into this layer, by the network's name, so
    /// that what the layer itself gives is not what it gave in training.
    #[must_use]
    pub fn is_folded(&self, canonical: &str) -> bool {
        self.names.get(canonical).is_some_and(|file| file.ends_with(KERNEL))
    }

    /// Reads the numbers and builds the network on `device`.
    ///
    /// # Errors
    ///
    /// If a weight is missing, mis-shaped, not finite or cannot be read, or if the file has
    /// weights that the network has no place for.
    pub fn build(&self, device: &Device) -> Result<Classifier, Error> {
        self.build_with(device, Build::default())
    }

    /// As [`build`](Self::build), with a choice of how.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn build_with(&self, device: &Device, how: Build<'_>) -> Result<Classifier, Error> {
        self.fill(device, how).map(|(classifier, _)| classifier)
    }

    /// Builds the network and tells which weights it took, in its order.
    pub(crate) fn fill(
        &self,
        device: &Device,
        how: Build<'_>,
    ) -> Result<(Classifier, Vec<Taken>), Error> {
        let mut weights =
            FileWeights { resolved: self, taken: Vec::new(), left: limits::MOST_IN_ALL };
        let (arch, variant) = (self.arch, self.variant);
        let (layers, head) = (self.layers.clone(), self.head.clone());
        let classifier =
            Classifier::build_layers(arch, variant, layers, head, &mut weights, device, how)
                .map_err(|source| Error::Weights {
                    path: self.path().to_owned(),
                    arch: arch.name,
                    source: Box::new(source),
                })?;
        self.unused(weights.taken.iter().map(|taken| (taken.layer.as_str(), taken.weight)))?;
        Ok((classifier, weights.taken))
    }
}

/// A weight that the network has a place for.
pub(crate) struct Taken {
    /// The layer, as the network calls it.
    pub(crate) layer: String,
    pub(crate) weight: Weight,
    /// In Keras's layout.
    pub(crate) shape: Vec<usize>,
}

impl Taken {
    /// How many bytes its numbers take.
    pub(crate) fn bytes(&self) -> usize {
        self.shape.iter().fold(size_of::<f32>(), |bytes, &size| bytes.saturating_mul(size))
    }
}

/// Reads weights by the network's layer names and remembers which were asked for.
struct FileWeights<'a> {
    resolved: &'a Resolved,
    taken: Vec<Taken>,
    /// How many numbers the network may still have.
    left: u64,
}

impl Resolved {
    /// The weights that the network has no place for, given those that it has.
    pub(crate) fn unused<'a>(
        &self,
        taken: impl Iterator<Item = (&'a str, Weight)>,
    ) -> Result<(), Error> {
        let found = taken.filter_map(|(layer, weight)| self.find(layer, weight));
        let used: HashSet<&str> = found.map(|stored| stored.path.as_str()).collect();
        let without = self.without();
        let is_left_out =
            |layer: &str| without.iter().any(|start| format!("{layer}.").starts_with(start));
        let layers = self.file.layers.iter();
        let all = layers.flat_map(|layer| layer.weights.iter().map(move |weight| (layer, weight)));
        let unused: Vec<String> = all
            .filter(|(_, weight)| !used.contains(weight.path.as_str()))
            .filter(|(layer, _)| !is_left_out(&layer.name))
            .map(|(layer, weight)| match self.file.state {
                Some(_) => format!("`{}` {:?}", weight.path, weight.shape),
                None if layer.name.is_empty() => format!("`{}` {:?}", weight.path, weight.shape),
                None => format!("`{}` {} {:?}", layer.name, weight.name, weight.shape),
            })
            .collect();
        if unused.is_empty() {
            return Ok(());
        }
        let (path, arch) = (self.path().to_owned(), self.arch.name);
        Err(Error::Unused { path, arch, weights: unused })
    }
}

impl Source for FileWeights<'_> {
    fn take(
        &mut self,
        layer: &str,
        weight: Weight,
        shape: &[usize],
    ) -> Result<Vec<f32>, LoadError> {
        let values = self.resolved.read(layer, weight, shape)?;
        let Some(left) = self.left.checked_sub(values.len() as u64) else {
            let source = format!("the network has more than {} numbers", limits::MOST_IN_ALL);
            let (layer, source) = (layer.to_owned(), source.into());
            return Err(LoadError::Read { layer, weight, source });
        };
        self.left = left;
        self.taken.push(Taken { layer: layer.to_owned(), weight, shape: shape.to_vec() });
        Ok(values)
    }
}

impl Resolved {
    pub(crate) fn find(&self, layer: &str, weight: Weight) -> Option<&StoredWeight> {
        let name = self.names.get(layer).map_or(layer, String::as_str);
        let stored = self.file.layers.iter().find(|stored| stored.name == name)?;
        match self.file.state {
            Some(_) => torch::matching::find(stored, weight),
            None => {
                let named = |name: &str| stored.weights.iter().find(|own| own.name == name);
                // Keras 3 calls that of a depthwise convolution so, too.
                let other = (weight == Weight::DepthwiseKernel).then_some(Weight::Kernel.name());
                named(weight.name()).or_else(|| other.and_then(named))
            }
        }
    }

    /// Where the file has a weight of this shape, in Keras's layout; its numbers are not read.
    pub(crate) fn located(
        &self,
        layer: &str,
        weight: Weight,
        shape: &[usize],
    ) -> Result<&StoredWeight, LoadError> {
        let (layer, expected) = (layer.to_owned(), shape.to_vec());
        let Some(stored) = self.find(&layer, weight) else {
            return Err(LoadError::Missing { layer, weight, expected });
        };
        if !stored.shape.iter().copied().eq(shape.iter().map(|&size| size as u64)) {
            let found = sizes(&stored.shape);
            return Err(LoadError::Shape { layer, weight, expected, found });
        }
        match bearable(&stored.shape) {
            Ok(()) => Ok(stored),
            Err(source) => Err(LoadError::Read { layer, weight, source }),
        }
    }

    /// The values of one weight, by the network's layer name.
    pub(crate) fn read(
        &self,
        layer: &str,
        weight: Weight,
        shape: &[usize],
    ) -> Result<Vec<f32>, LoadError> {
        if self.file.state.is_some() {
            return self.read_torch(layer, weight, shape);
        }
        // The shape is checked before anything is read: it bounds what is allocated.
        let stored = self.located(layer, weight, shape)?;
        let (layer, expected) = (layer.to_owned(), shape.to_vec());
        let values = match self.file.store.read(&stored.path) {
            Ok(values) => values,
            Err(source) => return Err(LoadError::Read { layer, weight, source }),
        };
        if values.len() != shape.iter().product::<usize>() {
            let found = vec![values.len()];
            return Err(LoadError::Shape { layer, weight, expected, found });
        }
        sound(&layer, weight, shape, values)
    }
}

/// Refuses a weight of more numbers than any network has.
pub(crate) fn bearable(shape: &[u64]) -> Result<(), BoxError> {
    match limits::numbers(shape) {
        Some(_) => Ok(()),
        None => Err(format!("it has more than {} numbers", limits::MOST_NUMBERS).into()),
    }
}

/// Sizes for a message; those that are past counting are the largest.
pub(crate) fn sizes(shape: &[u64]) -> Vec<usize> {
    shape.iter().map(|&size| usize::try_from(size).unwrap_or(usize::MAX)).collect()
}

/// The values of a weight of this shape, if a network can compute with them.
pub(crate) fn sound(
    layer: &str,
    weight: Weight,
    shape: &[usize],
    values: Vec<f32>,
) -> Result<Vec<f32>, LoadError> {
    let layer = || layer.to_owned();
    if let Some(first) = values.iter().position(|value| !value.is_finite()) {
        let count = values.iter().filter(|value| !value.is_finite()).count();
        let first = place(first, shape);
        return Err(LoadError::NotFinite { layer: layer(), weight, count, first });
    }
    let negative = |(_, value): &(usize, &f32)| weight == Weight::MovingVariance && **value < 0.0;
    match values.iter().enumerate().find(negative) {
        Some((at, &value)) => {
            let place = place(at, shape);
            Err(LoadError::Negative { layer: layer(), weight, value, place })
        }
        None => Ok(values),
    }
}

/// An element's indices, given its place in row-major order.
fn place(at: usize, shape: &[usize]) -> Vec<usize> {
    let mut rest = at;
    let mut place: Vec<usize> = shape
        .iter()
        .rev()
        .map(|&size| {
            let index = rest.checked_rem(size).unwrap_or(0);
            rest = rest.checked_div(size).unwrap_or(0);
            index
        })
        .collect();
    place.reverse();
    place
}
