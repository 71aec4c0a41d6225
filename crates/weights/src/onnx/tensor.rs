//! ONNX's tensors: their shapes, and their numbers when they are asked for.

use std::ffi::OsStr;
use std::fs::File;
use std::ops::Range;
use std::path::{Component, Path};

use crate::onnx::wire::{Wire, WireFile};
use crate::store::BoxError;

/// Most integers of a tensor that is read to understand the graph: a shape, a list of axes or of channels.
const MOST_INTEGERS: u64 = 4096;

/// Most `f32` of such a tensor: scales, and the factors of a batch normalisation.
const MOST_FLOATS: u64 = 4096;

/// `TensorProto.DataType`, by number.
const KINDS: [&str; 17] = [
    "undefined",
    "float32",
    "uint8",
    "int8",
    "uint16",
    "int16",
    "int32",
    "int64",
    "string",
    "bool",
    "float16",
    "float64",
    "uint32",
    "uint64",
    "complex64",
    "complex128",
    "bfloat16",
];
const FLOAT32: u64 = 1;
const INT32: u64 = 6;
const INT64: u64 = 7;

/// A tensor whose numbers are still in the file.
#[derive(Clone)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) shape: Vec<u64>,
    kind: u64,
    data: Data,
}

/// Where the numbers are.
#[derive(Clone)]
enum Data {
    None,
    /// Little-endian, as they are in memory.
    Plain(Range<u64>),
    Varints(Range<u64>),
    External {
        location: String,
        offset: u64,
        length: Option<u64>,
    },
    /// In a state_dict, at this path.
    StateDict(String),
    /// In a way that is not read.
    Other,
}

impl Tensor {
    /// Reads everything but the numbers.
    pub(crate) fn read(file: &mut WireFile, range: &Range<u64>) -> Result<Self, BoxError> {
        let mut tensor = Self { name: String::new(), shape: Vec::new(), kind: 0, data: Data::None };
        let (mut external, mut entries) = (false, Vec::new());
        for (number, wire) in file.fields(range)? {
            match (number, wire) {
                (1, Wire::Varint(size)) => tensor.shape.push(size),
                (1, Wire::Bytes(range)) => tensor.shape.extend(file.varints(&range, 64)?),
                (2, Wire::Varint(kind)) => tensor.kind = kind,
                // `float_data` packed is what `raw_data` is.
                (4 | 9, Wire::Bytes(range)) if matches!(tensor.data, Data::None) => {
                    tensor.data = Data::Plain(range);
                }
                (5 | 7, Wire::Bytes(range)) if matches!(tensor.data, Data::None) => {
                    tensor.data = Data::Varints(range);
                }
                (4 | 5 | 6 | 7 | 9 | 10 | 11, _) => tensor.data = Data::Other,
                (8, Wire::Bytes(range)) => tensor.name = file.text(&range)?,
                (13, Wire::Bytes(range)) => entries.push(range),
                (14, Wire::Varint(location)) => external = location == 1,
                _ => {}
            }
        }
        if external {
            tensor.data = external_data(file, &entries)?;
        }
        if tensor.shape.len() > 64 || tensor.count().is_none() {
            let Self { name, shape, .. } = &tensor;
            return Err(format!("the tensor `{name}` claims the shape {shape:?}").into());
        }
        Ok(tensor)
    }

    /// Takes the numbers of a state_dict at `path`.
    pub(crate) fn take_numbers(&mut self, path: String) {
        self.data = Data::StateDict(path);
    }

    /// What its numbers are: `float32`.
    pub(crate) fn kind(&self) -> &'static str {
        usize::try_from(self.kind).ok().and_then(|kind| KINDS.get(kind)).unwrap_or(&"unknown")
    }

    pub(crate) fn is_float32(&self) -> bool {
        self.kind == FLOAT32
    }

    /// How many numbers it has, unless that is past counting.
    pub(crate) fn count(&self) -> Option<u64> {
        let count = self.shape.iter().try_fold(1_u64, |count, &size| count.checked_mul(size));
        count.filter(|&count| count < 1 << 48)
    }

    /// Its numbers, which must be `f32`. `folder` is where the model lies.
    pub(crate) fn floats(&self, file: &mut WireFile, folder: &Path) -> Result<Vec<f32>, BoxError> {
        if !self.is_float32() {
            return Err(format!("it holds {}, not float32", self.kind()).into());
        }
        if let Data::StateDict(path) = &self.data {
            return file.state.as_ref().ok_or("it has no numbers")?.read(path);
        }
        let bytes = self.bytes(file, folder, size_of::<f32>() as u64)?;
        let (numbers, _) = bytes.as_chunks::<4>();
        Ok(numbers.iter().copied().map(f32::from_le_bytes).collect())
    }

    /// The file beside the model that has its numbers, if that is where they are.
    pub(crate) fn beside(&self) -> Option<&OsStr> {
        match &self.data {
            Data::External { location, .. } => file_name(location),
            _ => None,
        }
    }

    /// Its numbers, few and integers.
    pub(crate) fn integers(&self, file: &mut WireFile, folder: &Path) -> Option<Vec<i64>> {
        let count = self.count().filter(|&count| count <= MOST_INTEGERS)?;
        match (self.kind, &self.data) {
            (INT32 | INT64, Data::Varints(range)) => {
                let values = file.varints(range, MOST_INTEGERS as usize).ok()?;
                let values = values.into_iter().map(u64::cast_signed);
                (values.len() as u64 == count).then(|| values.collect())
            }
            (INT64, _) => {
                let bytes = self.bytes(file, folder, 8).ok()?;
                Some(bytes.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b)).collect())
            }
            (INT32, _) => {
                let bytes = self.bytes(file, folder, 4).ok()?;
                Some(bytes.as_chunks().0.iter().map(|b| i32::from_le_bytes(*b).into()).collect())
            }
            _ => None,
        }
    }

    /// Its numbers, few and `f32`.
    pub(crate) fn small_floats(&self, file: &mut WireFile, folder: &Path) -> Option<Vec<f32>> {
        self.count().filter(|&count| count <= MOST_FLOATS)?;
        self.floats(file, folder).ok()
    }

    /// Its bytes, as many as its shape asks for; nothing is allocated before the file was found
    /// to have them.
    fn bytes(&self, file: &mut WireFile, folder: &Path, each: u64) -> Result<Vec<u8>, BoxError> {
        let expected = self.count().and_then(|count| count.checked_mul(each));
        let expected = expected.ok_or("its shape is past counting")?;
        let check = |found: u64| {
            let name = &self.name;
            match found == expected {
                true => Ok(()),
                false => {
                    Err(format!("`{name}` has {found} bytes, and its shape asks for {expected}"))
                }
            }
        };
        match &self.data {
            Data::Plain(range) => {
                check(range.end.saturating_sub(range.start))?;
                file.read(range)
            }
            Data::External { location, offset, length } => {
                check(length.unwrap_or(expected))?;
                read_external(folder, location, *offset, expected)
            }
            Data::None if expected == 0 => Ok(Vec::new()),
            Data::None => Err("it has no numbers".into()),
            Data::Varints(_) | Data::StateDict(_) | Data::Other => {
                Err("its numbers are not raw".into())
            }
        }
    }
}

/// `location`, `offset` and `length`, as text.
fn external_data(file: &mut WireFile, entries: &[Range<u64>]) -> Result<Data, BoxError> {
    let (mut location, mut offset, mut length) = (String::new(), 0, None);
    for entry in entries {
        let (mut key, mut value) = (String::new(), String::new());
        for (number, wire) in file.fields(entry)? {
            match (number, wire) {
                (1, Wire::Bytes(range)) => key = file.text(&range)?,
                (2, Wire::Bytes(range)) => value = file.text(&range)?,
                _ => {}
            }
        }
        match key.as_str() {
            "location" => location = value,
            "offset" => offset = value.parse()?,
            "length" => length = Some(value.parse()?),
            _ => {}
        }
    }
    Ok(Data::External { location, offset, length })
}

/// A location that is a file's name and nothing else.
fn file_name(location: &str) -> Option<&OsStr> {
    let mut parts = Path::new(location).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(only)), None) => Some(only),
        _ => None,
    }
}

/// Reads from a file beside the model. A name that leads elsewhere is refused.
fn read_external(folder: &Path, name: &str, offset: u64, count: u64) -> Result<Vec<u8>, BoxError> {
    let only = file_name(name)
        .ok_or_else(|| format!("its numbers are in `{name}`, which is not a file beside it"))?;
    let path = folder.join(only);
    let metadata = path.symlink_metadata();
    let metadata = metadata.map_err(|error| {
        format!("its numbers are in `{name}`, which must lie beside it ({error})")
    })?;
    if !metadata.is_file() {
        return Err(format!("its numbers are in `{name}`, which is no ordinary file").into());
    }
    let end = offset.checked_add(count).filter(|&end| end <= metadata.len());
    let end = end.ok_or_else(|| format!("`{name}` is shorter than the model says"))?;
    WireFile::open(File::open(path)?)?.read(&(offset..end))
}
