//! Writing a checkpoint as one of Burncam's own files.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::Device;
use burncam_net::{Build, LoadError};

use crate::burncam_file::Description;
use crate::resolved::Taken;
use crate::scratch::Scratch;
use crate::store::BoxError;
use crate::{Checkpoint, Error, Resolved, burnpack, safetensors};

/// The formats that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// Burn's own format, `.bpk`.
    Burnpack,
    /// `.safetensors`.
    Safetensors,
}

impl Container {
    /// The format that a file's name asks for by its ending, in any case.
    #[must_use]
    pub fn from_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_lowercase().as_str() {
            "bpk" => Some(Self::Burnpack),
            "safetensors" => Some(Self::Safetensors),
            _ => None,
        }
    }
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Converted {
    /// Number of tensors.
    pub tensors: usize,
    /// Number of values in them.
    pub parameters: usize,
    /// Size of the file.
    pub bytes: u64,
}

impl Taken {
    /// What the weight is called in a file.
    pub(crate) fn tensor_name(&self) -> String {
        format!("{}/{}", self.layer, self.weight)
    }
}

/// The weights on their way from one file to the other, one at a time.
pub(crate) struct Weights {
    resolved: Resolved,
    /// Those that the network takes.
    pub(crate) taken: Vec<Taken>,
    failure: Mutex<Option<LoadError>>,
    /// Whether to give up.
    stop: fn() -> bool,
}

impl Weights {
    /// One weight, little-endian, or nothing and a failure that is kept.
    pub(crate) fn bytes(&self, index: usize) -> Option<Vec<u8>> {
        match self.read(index) {
            Ok(values) => Some(values.iter().flat_map(|value| value.to_le_bytes()).collect()),
            Err(error) => {
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                None
            }
        }
    }

    fn read(&self, index: usize) -> Result<Vec<f32>, LoadError> {
        match self.taken.get(index) {
            Some(Taken { layer, weight, .. }) if (self.stop)() => {
                let (layer, source) = (layer.clone(), "it was stopped".into());
                Err(LoadError::Read { layer, weight: *weight, source })
            }
            Some(Taken { layer, weight, shape }) => self.resolved.read(layer, *weight, shape),
            None => Err(LoadError::Head),
        }
    }

    fn failed(&self, source: LoadError) -> Error {
        let (path, arch) = (self.resolved.path().to_owned(), self.resolved.arch.name);
        Error::Weights { path, arch, source: Box::new(source) }
    }
}

impl Resolved {
    /// Writes the network, its weights and its head to `path`, so that the file alone can be
    /// opened as a [`Checkpoint`]. The file is there whole or not at all, and only after it was
    /// read back and found equal to the last bit.
    ///
    /// # Errors
    ///
    /// If `path` exists and `overwrite` is false, if a weight is missing, mis-shaped, not finite
    /// or left over, or if the file cannot be written.
    pub fn convert(
        self,
        path: &Path,
        container: Container,
        overwrite: bool,
    ) -> Result<Converted, Error> {
        self.convert_unless(path, container, overwrite, || false)
    }

    /// As [`convert`](Self::convert), for a program that may be told to end: `stop` is asked before
    /// each weight.
    ///
    /// # Errors
    ///
    /// As [`convert`](Self::convert), and if `stop` says so; then nothing is left behind.
    pub fn convert_unless(
        self,
        path: &Path,
        container: Container,
        overwrite: bool,
        stop: fn() -> bool,
    ) -> Result<Converted, Error> {
        if !overwrite && path.exists() {
            return Err(Error::Exists { path: path.to_owned() });
        }
        let description = Description::new(&self);
        let (classifier, taken) = self.fill(&Device::flex(), Build::default())?;
        let (tensors, parameters) = (taken.len(), classifier.parameters);
        drop(classifier);
        let (resolved, failure) = (self, Mutex::new(None));
        let weights = Arc::new(Weights { resolved, taken, failure, stop });

        let cannot = |source: BoxError| Error::Write { path: path.to_owned(), source };
        let scratch = Scratch::beside(path).map_err(|e| cannot(e.into()))?;
        write(scratch.path(), container, &description, &weights).map_err(|error| {
            let failure = weights.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
            failure.map_or_else(|| cannot(error), |failure| weights.failed(failure))
        })?;
        verify(scratch.path(), &description, &weights)?;
        let bytes = fs::metadata(scratch.path()).map_err(|e| cannot(e.into()))?.len();
        scratch.publish(overwrite).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Error::Exists { path: path.to_owned() },
            _ => cannot(error.into()),
        })?;
        Ok(Converted { tensors, parameters, bytes })
    }
}

fn write(
    path: &Path,
    container: Container,
    description: &Description,
    weights: &Arc<Weights>,
) -> Result<(), BoxError> {
    let description = serde_json::to_string(description)?;
    match container {
        Container::Burnpack => burnpack::write(path, &description, weights)?,
        Container::Safetensors => safetensors::write(path, &description, weights)?,
    }
    let failed = weights.failure.lock().unwrap_or_else(PoisonError::into_inner).is_some();
    if failed { Err("a weight cannot be read".into()) } else { Ok(()) }
}

/// Reads the new file back and compares it with the old one, bit by bit.
fn verify(path: &Path, description: &Description, weights: &Weights) -> Result<(), Error> {
    let differs = |what: String| Error::Write {
        path: path.to_owned(),
        source: format!("what was written differs from what was read: {what}").into(),
    };
    let old = &weights.resolved;
    let new = Checkpoint::open(path)?.resolve(&[old.arch], None)?;
    let again = Description::new(&new);
    if again != *description {
        return Err(differs(format!("{again:?}")));
    }
    for (index, taken) in weights.taken.iter().enumerate() {
        let old = weights.read(index).map_err(|source| weights.failed(source))?;
        let new = new
            .read(&taken.layer, taken.weight, &taken.shape)
            .map_err(|source| weights.failed(source))?;
        let equal = old.iter().map(|v| v.to_bits()).eq(new.iter().map(|v| v.to_bits()));
        if !equal {
            return Err(differs(taken.tensor_name()));
        }
    }
    Ok(())
}
