//! Where a checkpoint's numbers are.

use std::error::Error;

use crate::keras::numbers::Hdf5;
use crate::onnx::weight_origin::OnnxStore;
use crate::safetensors::Ranges;
use crate::tensors::{Tensors, floats};
use crate::torch::pickle_value::Element;

/// What reading failed with.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// An open file whose numbers are read one weight at a time.
pub(crate) enum Store {
    Hdf5(Hdf5),
    Burnpack(Vec<burn_pack::Tensor>),
    Safetensors(Ranges),
    Torch(Tensors),
    Onnx(OnnxStore),
}

impl Store {
    /// Whether there are numbers at a `path`, as far as it can be told without reading them.
    pub(crate) fn check(&self, path: &str) -> Result<(), BoxError> {
        match self {
            Self::Hdf5(hdf5) => hdf5.check(path),
            // What these hold was checked when they were opened.
            Self::Burnpack(_) | Self::Safetensors(_) | Self::Torch(_) | Self::Onnx(_) => Ok(()),
        }
    }

    /// The values at a [`StoredWeight`](crate::keras::h5::StoredWeight)'s `path`.
    pub(crate) fn read(&self, path: &str) -> Result<Vec<f32>, BoxError> {
        match self {
            Self::Hdf5(hdf5) => hdf5.read(path),
            Self::Burnpack(tensors) => {
                let tensor = tensors.iter().find(|tensor| tensor.name == path);
                let bytes = tensor.ok_or("there is no such tensor")?.to_bytes()?;
                floats(Element::F32, bytes.read(Default::default())?)
            }
            Self::Safetensors(ranges) => ranges.read(path),
            Self::Torch(tensors) => tensors.read(path),
            Self::Onnx(store) => store.read(path),
        }
    }
}
