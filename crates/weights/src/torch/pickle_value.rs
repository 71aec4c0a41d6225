//! What a pickle is made of, as far as tensors need it.

use crate::torch::pickle_globals::Global;

/// Why a pickle was refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It needs this Python object.
    Forbidden(String),
    /// It is not what a pickler writes.
    Damaged(String),
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

pub(crate) fn damaged<T>(what: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Damaged(what.into()))
}

/// Index of a value.
pub(crate) type Id = u32;

/// One value, as far as tensors need it.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// None, a float, a set, an object of no interest.
    Other,
    Int(i64),
    /// The number that a legacy file begins with.
    Magic,
    /// A string or bytes: where they are in the file, and their text if it is short.
    Text(Option<String>, Bytes),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    /// The settings of a program, as a dict once its state is set.
    Namespace(Option<Id>),
    /// A NumPy data type in NumPy's spelling: `f4`.
    NumpyType(String),
    Storage(Storage),
    /// A NumPy array before its state is set.
    EmptyArray,
    Tensor(Box<Tensor>),
}

/// Bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bytes {
    pub(crate) start: u64,
    pub(crate) length: u64,
    /// Written as the UTF-8 of a string whose characters are the bytes.
    pub(crate) utf8: bool,
}

/// Type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    F64,
    F32,
    F16,
    BF16,
    /// Anything else, of so many bytes: never read.
    Other(u64),
}

impl Element {
    pub(crate) fn size(self) -> u64 {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::Other(size) => size,
        }
    }
}

/// A run of elements that tensors share.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    pub(crate) element: Element,
    pub(crate) key: String,
    pub(crate) length: u64,
}

/// A tensor's place, checked against its storage.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub(crate) element: Element,
    pub(crate) shape: Vec<u64>,
    /// In elements.
    pub(crate) strides: Vec<u64>,
    /// In elements.
    pub(crate) offset: u64,
    pub(crate) place: Place,
}

#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// In the storage of this key, which has so many elements.
    Storage(String, u64),
    /// In the pickle itself.
    Inline(Bytes),
}

impl Tensor {
    /// Elements from the start of the storage to the end of the tensor, if there can be so many.
    pub(crate) fn extent(&self) -> Option<u64> {
        if self.shape.len() != self.strides.len() {
            return None;
        }
        if self.shape.contains(&0) {
            return Some(self.offset);
        }
        let mut last = self.offset;
        for (&size, &stride) in self.shape.iter().zip(&self.strides) {
            last = last.checked_add(size.checked_sub(1)?.checked_mul(stride)?)?;
        }
        last.checked_add(1)
    }
}
