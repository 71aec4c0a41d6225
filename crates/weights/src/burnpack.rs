//! Burn's own file format, `.bpk`.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use burn_pack::{Bytes, DType, Error, HEADER_SIZE, Header, Reader, Tensor, Writer};

use crate::burncam_file::{Contents, KEY};
use crate::convert::Weights;
use crate::limits::LARGEST_DESCRIPTION;
use crate::store::{BoxError, Store};

/// Reads everything but the numbers.
pub(crate) fn open(path: &Path) -> Result<Contents, BoxError> {
    // The reader itself allocates what the header says before it looks at the file's size.
    let mut file = File::open(path)?;
    let mut start = [0; HEADER_SIZE];
    file.read_exact(&mut start)?;
    let room = file.metadata()?.len().saturating_sub(HEADER_SIZE as u64);
    let described = u64::from(Header::from_bytes(&start)?.metadata_size);
    if described > room {
        return Err("its header says that it is longer".into());
    }
    if described > LARGEST_DESCRIPTION {
        return Err(format!("its header is larger than {} MiB", LARGEST_DESCRIPTION >> 20).into());
    }
    let reader = Reader::from_file_exact(path)?;
    let description = reader.metadata().get(KEY).cloned();
    let tensors = reader.into_tensors()?;
    if let Some(other) = tensors.iter().find(|tensor| tensor.dtype != DType::F32) {
        return Err(format!("`{}` holds {:?}, not F32", other.name, other.dtype).into());
    }
    let shapes = tensors.iter().map(|tensor| (tensor.name.clone(), tensor.shape.to_vec()));
    Ok(Contents { description, shapes: shapes.collect(), store: Store::Burnpack(tensors) })
}

/// Writes one weight after the other.
pub(crate) fn write(path: &Path, description: &str, weights: &Arc<Weights>) -> Result<(), Error> {
    let tensors = weights.taken.iter().enumerate().map(|(index, taken)| {
        let bytes = taken.bytes();
        let (weights, name) = (Arc::clone(weights), taken.tensor_name());
        let read = move || match weights.bytes(index) {
            Some(bytes) => Ok(Bytes::from_bytes_vec(bytes)),
            None => Err(Error::IoError("it cannot be read".to_owned())),
        };
        Tensor::deferred(name, DType::F32, taken.shape.clone(), None, bytes, read)
    });
    let writer = Writer::new(tensors.collect()).with_metadata(KEY, description);
    writer.auto_extension(false).write_to_file_in_place(path)
}
