//! The safetensors format.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize as _;
use serde_json::Value;

use safetensors::tensor::{Dtype, Metadata, SafeTensorError, View, serialize_to_file};

use crate::burncam_file::{self, Contents, KEY};
use crate::class_names::{ClassNames, Lists, is_entry};
use crate::convert::Weights;
use crate::limits::LARGEST_DESCRIPTION;
use crate::resolved::Taken;
use crate::store::{BoxError, Store};
use crate::tensors::{floats, read_f32};
use crate::torch::pickle_value::Element;
use crate::{Checkpoint, Error, Format, torch};

/// The longest header, in bytes, in which what is wrong is looked for.
const LONGEST_NAMED: usize = 1 << 20;

/// Length of the header, before the header.
const LENGTH_SIZE: u64 = 8;

/// An open file and where each tensor's bytes are in it.
pub(crate) struct Ranges {
    file: Mutex<File>,
    header: Metadata,
    data_start: u64,
}

impl Ranges {
    /// The values of one tensor, whose range the header's check has found inside the file.
    pub(crate) fn read(&self, name: &str) -> Result<Vec<f32>, BoxError> {
        let info = self.header.info(name).ok_or("there is no such tensor")?;
        let (start, end) = info.data_offsets;
        let past = "its numbers are past counting";
        let length = end.checked_sub(start).ok_or(past)?;
        let start = self.data_start.checked_add(start as u64).ok_or(past)?;
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(start))?;
        if info.dtype == Dtype::F32 {
            return Ok(read_f32(&mut *file, length.div_euclid(size_of::<f32>()))?);
        }
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes)?;
        floats(element(info.dtype), &bytes)
    }
}

/// The type of a tensor's elements.
fn element(dtype: Dtype) -> Element {
    match dtype {
        Dtype::F64 => Element::F64,
        Dtype::F32 => Element::F32,
        Dtype::F16 => Element::F16,
        Dtype::BF16 => Element::BF16,
        other => Element::Other(other.bitsize().div_ceil(8) as u64),
    }
}

/// Reads everything but the numbers: Burncam's own file, or a state_dict.
pub(crate) fn read(path: &Path) -> Result<Checkpoint, Error> {
    let bad = |format| {
        let path = path.to_owned();
        move |source| Error::Container { path, format, source }
    };
    let (contents, types, class_names) = open(path).map_err(bad(Format::Safetensors))?;
    // PyTorch puts a dot between module and weight, Burncam a slash.
    let modules = contents.shapes.iter().any(|(name, _)| name.contains('.'));
    if contents.description.is_none() && modules {
        let sizes = |shape: Vec<usize>| shape.iter().map(|&size| size as u64).collect();
        let tensors = contents.shapes.into_iter().zip(types);
        let tensors = tensors.map(|((name, shape), dtype)| (name, sizes(shape), element(dtype)));
        let (store, tensors) = (contents.store, tensors.collect());
        let file = torch::state::checkpoint(path, Format::StateDict, store, tensors, Vec::new())?;
        return Ok(Checkpoint { class_names, ..file });
    }
    let mut types = contents.shapes.iter().zip(&types);
    if let Some(((name, _), other)) = types.find(|(_, dtype)| **dtype != Dtype::F32) {
        return Err(bad(Format::Safetensors)(format!("`{name}` holds {other:?}, not F32").into()));
    }
    burncam_file::described(path, Format::Safetensors, contents)
}

fn open(path: &Path) -> Result<(Contents, Vec<Dtype>, Vec<ClassNames>), BoxError> {
    let mut file = File::open(path)?;
    let mut length = [0; LENGTH_SIZE as usize];
    file.read_exact(&mut length)?;
    let (length, size) = (u64::from_le_bytes(length), file.metadata()?.len());
    if length > size.saturating_sub(LENGTH_SIZE) {
        return Err("its header says that it is longer".into());
    }
    if length > LARGEST_DESCRIPTION {
        return Err(format!("its header is larger than {} MiB", LARGEST_DESCRIPTION >> 20).into());
    }
    let mut header = vec![0; length as usize];
    file.read_exact(&mut header)?;
    let header: Metadata = match serde_json::from_slice(&header) {
        Ok(header) => header,
        Err(error) => return Err(culprit(&header).unwrap_or_else(|| error.into())),
    };
    let data_start = LENGTH_SIZE.saturating_add(length);
    // Ranges follow each other without gaps, so the last one's end bounds them all.
    let expected = data_start.saturating_add(header.data_len() as u64);
    if expected != size {
        return Err(format!("it has {size} bytes, and its header says {expected}").into());
    }
    let tensors = header.offset_keys().into_iter().filter_map(|name| {
        let info = header.info(&name)?;
        Some(((name, info.shape.clone()), info.dtype))
    });
    let (shapes, types) = tensors.unzip();
    let metadata = header.metadata().as_ref();
    let description = metadata.and_then(|data| data.get(KEY)).cloned();
    let class_names = metadata.map_or_else(Vec::new, of_metadata);
    let ranges = Ranges { file: Mutex::new(file), header, data_start };
    let store = Store::Safetensors(ranges);
    Ok((Contents { description, shapes, store }, types, class_names))
}

/// What the metadata calls the classes, by entry.
fn of_metadata(metadata: &HashMap<String, String>) -> Vec<ClassNames> {
    let mut entries: Vec<_> = metadata.iter().filter(|(name, _)| is_entry(name)).collect();
    entries.sort();
    let mut lists = Lists::default();
    for (name, text) in entries {
        lists.add_text(name, text);
    }
    lists.finish()
}

/// The first tensor whose type, shape and range do not fit each other, which the library does not name.
fn culprit(header: &[u8]) -> Option<BoxError> {
    if header.len() > LONGEST_NAMED {
        return None;
    }
    let header: serde_json::Map<String, Value> = serde_json::from_slice(header).ok()?;
    header.iter().filter(|(name, _)| *name != "__metadata__").find_map(|(name, entry)| {
        let of_name = |reason: String| Some(format!("tensor `{name}` {reason}").into());
        let dtype = entry.get("dtype").unwrap_or(&Value::Null);
        let Ok(known) = Dtype::deserialize(dtype) else {
            return of_name(format!("is of an unknown type {dtype}"));
        };
        let shape = Vec::<usize>::deserialize(entry.get("shape")?).ok();
        let range = <[usize; 2]>::deserialize(entry.get("data_offsets")?).ok();
        let (Some(shape), Some([start, end])) = (shape, range) else {
            return of_name("has a shape or a range of no whole numbers".to_owned());
        };
        let bits = shape.iter().try_fold(known.bitsize(), |bits, &size| bits.checked_mul(size));
        let found = end.checked_sub(start);
        let fits = bits.is_some() && found.and_then(|bytes| bytes.checked_mul(8)) == bits;
        let shape = match shape.len() {
            ..=8 => format!("of shape {shape:?}"),
            many => format!("of {many} dimensions"),
        };
        match fits {
            true => None,
            false => of_name(format!("is {known:?} {shape}, and its bytes are {start} to {end}")),
        }
    })
}

/// Writes one weight after the other.
pub(crate) fn write(
    path: &Path,
    description: &str,
    weights: &Weights,
) -> Result<(), SafeTensorError> {
    let tensors = weights.taken.iter().enumerate();
    let tensors =
        tensors.map(|(index, taken)| (taken.tensor_name(), Tensor { weights, index, taken }));
    let metadata = HashMap::from([(KEY.to_owned(), description.to_owned())]);
    serialize_to_file(tensors, Some(metadata), path)
}

/// A weight that is read when it is written.
struct Tensor<'a> {
    weights: &'a Weights,
    index: usize,
    taken: &'a Taken,
}

impl View for Tensor<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.taken.shape
    }

    /// Nothing where the weight cannot be read: the writer is told afterwards.
    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned(self.weights.bytes(self.index).unwrap_or_default())
    }

    fn data_len(&self) -> usize {
        self.taken.bytes()
    }
}
