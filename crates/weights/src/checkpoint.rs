//! What a checkpoint holds, before its numbers are read.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use burncam_net::{Arch, HeadConfig, Variant};
use serde::Serialize;

use crate::burncam_file::{self, Description};
use crate::class_names::ClassNames;
use crate::keras::config::Graph;
use crate::keras::h5::StoredLayer;
use crate::limits::LARGEST_FILE;
use crate::statement::Statement;
use crate::store::Store;
use crate::torch::state::StateDict;
use crate::{Error, Resolved, burnpack, keras, matching, onnx, outputs, safetensors, torch};

/// Endings of the names that checkpoint files have, in lower case, without the dot.
pub const ENDINGS: [&str; 9] =
    ["h5", "hdf5", "keras", "bpk", "safetensors", "pt", "pth", "pkl", "onnx"];

/// Whether a file is called like a checkpoint.
#[must_use]
pub fn is_checkpoint_name(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// The file formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `model.save("x.h5")`: architecture and weights.
    KerasH5,
    /// `model.save_weights("x.h5")` of Keras 2: weights by layer name.
    KerasH5Weights,
    /// `model.save("x.keras")`: architecture and weights.
    Keras,
    /// `model.save_weights("x.weights.h5")` of Keras 3: weights counted by class.
    KerasV3Weights,
    /// An ONNX graph and its weights.
    Onnx,
    /// Burncam's own, in Burn's format.
    Burnpack,
    /// Burncam's own, as safetensors.
    Safetensors,
    /// `torch.save(model.state_dict(), "x.pt")`, a zip: weights by module name.
    PyTorch,
    /// The same before PyTorch 1.6: pickles and numbers.
    PyTorchLegacy,
    /// A pickled dict of NumPy arrays by module name.
    Pickle,
    /// A state_dict as safetensors: weights by module name.
    StateDict,
}

impl Format {
    /// Whether the file holds tensors by PyTorch's names, and nothing of Keras.
    #[must_use]
    pub fn is_state_dict(self) -> bool {
        matches!(self, Self::PyTorch | Self::PyTorchLegacy | Self::Pickle | Self::StateDict)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KerasH5 => "Keras .h5, full model",
            Self::KerasH5Weights => "Keras .h5, weights only",
            Self::Keras => "Keras .keras, full model",
            Self::KerasV3Weights => "Keras .weights.h5, weights only",
            Self::Onnx => "ONNX",
            Self::Burnpack => "Burncam .bpk",
            Self::Safetensors => "Burncam .safetensors",
            Self::PyTorch => "PyTorch state_dict",
            Self::PyTorchLegacy => "PyTorch state_dict, before 1.6",
            Self::Pickle => "Python pickle of arrays",
            Self::StateDict => "state_dict as .safetensors",
        })
    }
}

/// What a file is said to hold.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The architecture.
    pub arch: &'static Arch,
    /// Which of its variants, or any.
    pub variant: Option<&'static Variant>,
}

impl Wanted {
    /// Whether this variant of this architecture is meant.
    pub(crate) fn takes(self, arch: &Arch, variant: &Variant) -> bool {
        self.arch.name == arch.name && self.variant.is_none_or(|own| own.name == variant.name)
    }
}

/// A checkpoint file: its layers and the shapes of its weights, not yet its numbers.
pub struct Checkpoint {
    /// The file.
    pub path: PathBuf,
    /// What kind of file it is.
    pub format: Format,
    /// The Keras version that wrote it, if it says so.
    pub keras_version: Option<String>,
    pub(crate) store: Store,
    /// What Burncam's own files say of themselves.
    pub(crate) description: Option<Description>,
    /// What the user states of it.
    pub(crate) stated: Statement,
    pub(crate) graph: Option<Graph>,
    /// What the file calls its classes, as often as it says so.
    pub(crate) class_names: Vec<ClassNames>,
    /// What a state_dict has beside its tensors.
    pub(crate) state: Option<StateDict>,
    pub(crate) layers: Vec<StoredLayer>,
    /// Whether layers have their own names, not only ranks within their class.
    pub(crate) named: bool,
}

impl Checkpoint {
    /// Reads what the file holds, without its numbers.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is of another kind, or holds a configuration that cannot be
    /// understood.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = match kind(path)? {
            Kind::Hdf5 => keras::h5::read(path),
            Kind::Zip if torch::file::is_torch_zip(path) => torch::file::read_zip(path),
            Kind::Zip => keras::zip::read(path),
            Kind::Pickle => torch::file::read_pickle(path),
            Kind::Onnx => onnx::read(path),
            Kind::Burnpack => burncam_file::read(path, Format::Burnpack, burnpack::open),
            Kind::Safetensors => safetensors::read(path),
        }?;
        file.check_names()?;
        Ok(file)
    }

    /// Reads the network of an ONNX file and the weights of a state_dict, which must be the same network's.
    ///
    /// # Errors
    ///
    /// As for [`Self::open`], or if one of the two has weights that the other lacks, by name and shape.
    pub fn open_like(weights: &Path, graph: &Path) -> Result<Self, Error> {
        let state = Self::open(weights)?;
        match kind(graph)? {
            Kind::Onnx => {}
            _ => {
                return Err(Error::Format {
                    path: graph.to_owned(),
                    found: "no ONNX file, which --like needs",
                });
            }
        }
        let file = onnx::read_like(graph, state)?;
        file.check_names()?;
        Ok(file)
    }

    /// Refuses names that could pass for lines of what is printed.
    fn check_names(&self) -> Result<(), Error> {
        let nodes = self.graph.iter().flat_map(|graph| &graph.nodes);
        let layers = self.layers.iter().flat_map(|layer| {
            let weights = layer.weights.iter().map(|weight| &weight.path);
            weights.chain([&layer.name])
        });
        let mut names = nodes.flat_map(|node| [&node.name, &node.class]).chain(layers);
        match names.find(|name| name.contains(char::is_control)) {
            None => Ok(()),
            Some(name) => Err(Error::Name { path: self.path.clone(), name: name.clone() }),
        }
    }

    /// States what the file leaves open.
    #[must_use]
    pub fn with_statement(self, stated: Statement) -> Self {
        Self { stated, ..self }
    }

    /// Refuses a head that the user has written where the file states its own.
    pub(crate) fn refuse_head(&self, own: &HeadConfig) -> Result<(), Error> {
        match self.stated.head {
            None => Ok(()),
            Some(_) => Err(Error::StatedHead { path: self.path.clone(), head: own.describe() }),
        }
    }

    /// What stands before every name of the file and is left out of its layers' names.
    pub(crate) fn prefix(&self) -> &str {
        self.state.as_ref().map_or("", |state| &state.prefix)
    }

    /// Names of the layers that the file lists, in its order.
    pub fn layer_names(&self) -> impl Iterator<Item = &str> {
        self.layers.iter().map(|layer| layer.name.as_str())
    }

    /// Finds the architecture among `archs` that the file belongs to, or checks that it is
    /// `wanted`, and reads the head.
    ///
    /// # Errors
    ///
    /// If a layer, its settings or its place in the network differ: the first difference from
    /// the architecture that fits best.
    pub fn resolve(
        mut self,
        archs: &[&'static Arch],
        wanted: Option<Wanted>,
    ) -> Result<Resolved, Error> {
        outputs::choose(&mut self)?;
        let resolved = match self.description.take() {
            Some(description) => burncam_file::resolve(self, description, archs, wanted),
            None if self.state.is_some() => torch::matching::resolve(self, archs, wanted),
            None => matching::resolve(self, archs, wanted),
        }?;
        let (stated, head) = (resolved.file.stated.output, &resolved.head);
        match stated.is_some_and(|stated| stated.rule(head.units()) != head.output()) {
            false => Ok(resolved),
            true => Err(Error::StatedOutput { head: head.describe(), path: resolved.file.path }),
        }
    }
}

/// What a file is by its first bytes.
enum Kind {
    Hdf5,
    Zip,
    Pickle,
    Onnx,
    Burnpack,
    Safetensors,
}

/// Tells by the first bytes what a file is, since a clear refusal beats an HDF5 error.
fn kind(path: &Path) -> Result<Kind, Error> {
    let open = |source| Error::Open { path: path.to_owned(), source };
    let mut start = Vec::new();
    check_size(path)?;
    let file = File::open(path).map_err(open)?;
    file.take(16).read_to_end(&mut start).map_err(open)?;
    let found = match start.as_slice() {
        [] => "an empty file",
        [0x89, b'H', b'D', b'F', ..] => return Ok(Kind::Hdf5),
        [b'P', b'K', 3, 4, ..] => return Ok(Kind::Zip),
        [b'N', b'R', b'U', b'B', ..] => return Ok(Kind::Burnpack),
        [_, _, _, _, _, _, _, _, b'{', ..] => return Ok(Kind::Safetensors),
        [0x80, 2..=5, ..] => return Ok(Kind::Pickle),
        start if onnx::begins_like(start) && named_onnx(path) => return Ok(Kind::Onnx),
        _ if begins_later(path).map_err(open)? => return Ok(Kind::Hdf5),
        _ => "a file of an unknown kind",
    };
    Err(Error::Format { path: path.to_owned(), found })
}

/// Whether it is an HDF5 file that begins behind a block of its user's.
fn begins_later(path: &Path) -> io::Result<bool> {
    const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    // Where the superblock may be: 512 and its doubles.
    for place in (9..u64::BITS).map(|power| 1_u64 << power) {
        let mut found = [0; SIGNATURE.len()];
        if place.saturating_add(found.len() as u64) > length {
            break;
        }
        file.seek(SeekFrom::Start(place))?;
        file.read_exact(&mut found)?;
        if found == SIGNATURE {
            return Ok(true);
        }
    }
    Ok(false)
}

/// That it is a file, and not one past all reading.
pub(crate) fn check_size(path: &Path) -> Result<(), Error> {
    // Opening a pipe would wait for its other end.
    let metadata = std::fs::metadata(path);
    let metadata = metadata.map_err(|source| Error::Open { path: path.to_owned(), source })?;
    let bytes = metadata.len();
    if metadata.is_file() && bytes > LARGEST_FILE {
        let reason =
            format!("it has {bytes} bytes, and a checkpoint {} GiB at most", LARGEST_FILE >> 30);
        return Err(Error::TooLarge { path: path.to_owned(), reason });
    }
    if metadata.is_file() {
        return Ok(());
    }
    let found = if metadata.is_dir() { "a folder" } else { "no ordinary file" };
    Err(Error::Format { path: path.to_owned(), found })
}

/// ONNX has no mark of its own, so the name has to say it too.
fn named_onnx(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"))
}
