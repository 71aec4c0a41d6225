//! Where a checkpoint's numbers are.

use std::error::Error;

use crate::onnx_recipe::OnnxStore;
use crate::safetensors::Ranges;

/// What reading failed with.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// An open file whose numbers are read one weight at a time.
pub(crate) enum Store {
    Hdf5(Box<hdf5_pure::File>),
    Burnpack(Vec<burn_pack::Tensor>),
    Safetensors(Ranges),
    Onnx(OnnxStore),
}

impl Store {
    /// The values at a [`StoredWeight`](crate::keras_h5::StoredWeight)'s `path`.
    pub(crate) fn read(&self, path: &str) -> Result<Vec<f32>, BoxError> {
        match self {
            Self::Hdf5(file) => Ok(file.dataset(path)?.read_f32()?),
            Self::Burnpack(tensors) => {
                let tensor = tensors.iter().find(|tensor| tensor.name == path);
                let bytes = tensor.ok_or("there is no such tensor")?.to_bytes()?;
                Ok(floats(bytes.read(Default::default())?))
            }
            Self::Safetensors(ranges) => Ok(floats(&ranges.read(path)?)),
            Self::Onnx(store) => store.read(path),
        }
    }
}

/// Little-endian `f32` values.
fn floats(bytes: &[u8]) -> Vec<f32> {
    let (values, _) = bytes.as_chunks::<4>();
    values.iter().copied().map(f32::from_le_bytes).collect()
}
