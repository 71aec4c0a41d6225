//! The Python objects that a dict of tensors consists of, and what they make.

use crate::torch::pickle::Machine;
use crate::torch::pickle_value::{
    Bytes, Element, Id, Place, Refusal, Storage, Tensor, Value, damaged,
};

/// What a name in a pickle stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Global {
    /// A dict, empty or of a list of pairs.
    Dict,
    /// A type of storage.
    Storage(Element),
    /// A tensor of storage, offset, shape and strides.
    Tensor,
    /// A tensor around a tensor.
    Parameter,
    /// A NumPy array whose state follows.
    Array,
    /// A NumPy array of bytes, type, shape and order.
    FilledArray,
    /// A NumPy data type.
    NumpyType,
    /// Bytes of a string and the name of its encoding.
    Encode,
    /// Settings of a program, by name.
    Namespace,
    /// Something that holds no weights; what it is called with does not matter.
    Passive,
}

/// module.name, what it stands for
const GLOBALS: [(&str, Global); 42] = [
    ("collections.OrderedDict", Global::Dict),
    ("collections.defaultdict", Global::Passive),
    ("torch.DoubleStorage", Global::Storage(Element::F64)),
    ("torch.FloatStorage", Global::Storage(Element::F32)),
    ("torch.HalfStorage", Global::Storage(Element::F16)),
    ("torch.BFloat16Storage", Global::Storage(Element::BF16)),
    ("torch.LongStorage", Global::Storage(Element::Other(8))),
    ("torch.IntStorage", Global::Storage(Element::Other(4))),
    ("torch.ShortStorage", Global::Storage(Element::Other(2))),
    ("torch.CharStorage", Global::Storage(Element::Other(1))),
    ("torch.ByteStorage", Global::Storage(Element::Other(1))),
    ("torch.BoolStorage", Global::Storage(Element::Other(1))),
    ("torch._utils._rebuild_tensor", Global::Tensor),
    ("torch._utils._rebuild_tensor_v2", Global::Tensor),
    ("torch._utils._rebuild_parameter", Global::Parameter),
    ("torch.nn.parameter.Parameter", Global::Passive),
    ("torch.Size", Global::Passive),
    ("torch.device", Global::Passive),
    ("torch.float64", Global::Passive),
    ("torch.float32", Global::Passive),
    ("torch.float16", Global::Passive),
    ("torch.bfloat16", Global::Passive),
    ("numpy.core.multiarray._reconstruct", Global::Array),
    ("numpy._core.multiarray._reconstruct", Global::Array),
    ("numpy.core.numeric._frombuffer", Global::FilledArray),
    ("numpy._core.numeric._frombuffer", Global::FilledArray),
    ("numpy.ndarray", Global::Passive),
    ("numpy.dtype", Global::NumpyType),
    ("numpy.core.multiarray.scalar", Global::Passive),
    ("numpy._core.multiarray.scalar", Global::Passive),
    ("_codecs.encode", Global::Encode),
    // What training scripts put beside the weights.
    ("argparse.Namespace", Global::Namespace),
    ("pathlib.PosixPath", Global::Passive),
    ("pathlib._local.PosixPath", Global::Passive),
    ("pathlib.WindowsPath", Global::Passive),
    ("datetime.datetime", Global::Passive),
    ("builtins.set", Global::Passive),
    ("builtins.list", Global::Passive),
    ("builtins.dict", Global::Passive),
    ("__builtin__.set", Global::Passive),
    ("__builtin__.list", Global::Passive),
    ("__builtin__.dict", Global::Passive),
];

/// More dimensions than any tensor here has.
const MAX_DIMENSIONS: usize = 8;

pub(crate) fn find(name: &str) -> Option<Global> {
    GLOBALS.iter().find(|(known, _)| *known == name).map(|(_, global)| *global)
}

/// What calling a global gives.
pub(crate) fn call(
    machine: &mut Machine<'_>,
    function: Id,
    arguments: Id,
) -> Result<Value, Refusal> {
    let Value::Global(global) = *machine.get(function) else {
        return damaged("it calls what is no function");
    };
    let arguments = machine.tuple(arguments)?;
    match (global, arguments) {
        (Global::Dict, []) => Ok(Value::Dict(Vec::new())),
        (Global::Dict, &[items]) => dict(machine, items),
        (Global::Tensor, [storage, offset, shape, strides, ..]) => {
            tensor(machine, [*storage, *offset, *shape, *strides])
        }
        (Global::Parameter, [inner, ..]) => match machine.get(*inner) {
            Value::Tensor(tensor) => Ok(Value::Tensor(tensor.clone())),
            _ => damaged("a parameter holds no tensor"),
        },
        (Global::Array, _) => Ok(Value::EmptyArray),
        (Global::FilledArray, &[data, element, shape, order, ref axes @ ..]) => {
            let order = machine.text(order)?;
            let array = filled(machine, [shape, element, data], order == "F")?;
            match axes {
                // NumPy 2.3: the array is a transpose of what the bytes hold.
                &[axes] if order == "K" => transposed(array, machine, axes),
                _ if order == "K" => damaged("an array is transposed in no known way"),
                _ => Ok(array),
            }
        }
        (Global::NumpyType, [name, ..]) => {
            Ok(Value::NumpyType(machine.short_text(*name)?.to_owned()))
        }
        (Global::Encode, [text, _]) => match machine.get(*text) {
            Value::Text(_, bytes) => Ok(Value::Text(None, *bytes)),
            _ => damaged("a string is missing"),
        },
        (Global::Namespace, _) => Ok(Value::Namespace(None)),
        (Global::Passive, _) => Ok(Value::Other),
        _ => damaged("a function is called in a way that it cannot be"),
    }
}

/// `OrderedDict([[key, value], …])`, as Python 2 wrote it.
fn dict(machine: &mut Machine<'_>, items: Id) -> Result<Value, Refusal> {
    let items = machine.take_list(items)?;
    let pair = |item: &Id| match machine.get(*item) {
        Value::List(pair) | Value::Tuple(pair) => match pair.as_slice() {
            &[key, value] => Ok((key, value)),
            _ => damaged("a key has no value"),
        },
        _ => damaged("a key has no value"),
    };
    Ok(Value::Dict(items.iter().map(pair).collect::<Result<_, _>>()?))
}

/// A persistent id: `("storage", type, key, device, elements)`, and in legacy files a view.
pub(crate) fn storage(machine: &Machine<'_>, id: Id) -> Result<Value, Refusal> {
    let parts = machine.tuple(id)?;
    let [kind, element, key, _, length, view @ ..] = parts else {
        return damaged("a storage is not described in full");
    };
    let Value::Global(Global::Storage(element)) = machine.get(*element) else {
        return damaged("a storage has no type");
    };
    // A tuple may hold a million entries, and be the id of a million storages.
    let whole = view.len() <= 1 && view.iter().all(|&v| is_none(machine.get(v)));
    if machine.text(*kind)? != "storage" || !whole {
        return damaged("a storage is a view of another");
    }
    let (key, length) = (machine.short_text(*key)?.to_owned(), machine.size(*length)?);
    Ok(Value::Storage(Storage { element: *element, key, length }))
}

fn is_none(value: &Value) -> bool {
    matches!(value, Value::Other)
}

fn tensor(
    machine: &Machine<'_>,
    [storage, offset, shape, strides]: [Id; 4],
) -> Result<Value, Refusal> {
    let Value::Storage(Storage { element, key, length }) = machine.get(storage) else {
        return damaged("a tensor has no storage");
    };
    let sizes = |id| -> Result<Vec<u64>, Refusal> {
        let ids = machine.tuple(id)?;
        if ids.len() > MAX_DIMENSIONS {
            return damaged("a tensor has too many dimensions");
        }
        ids.iter().map(|&id| machine.size(id)).collect()
    };
    let place = Place::Storage(key.clone(), *length);
    let (shape, strides, offset) = (sizes(shape)?, sizes(strides)?, machine.size(offset)?);
    let tensor = Tensor { element: *element, shape, strides, offset, place };
    match tensor.extent() {
        Some(extent) if extent <= *length => Ok(Value::Tensor(Box::new(tensor))),
        _ => damaged(format!(
            "a tensor of shape {:?} with strides {:?} at {} does not fit its storage of {length} \
             elements",
            tensor.shape, tensor.strides, tensor.offset
        )),
    }
}

/// Sets the state of an object: the numbers of a NumPy array, and nothing else of interest.
pub(crate) fn set_state(machine: &mut Machine<'_>, object: Id, state: Id) -> Result<(), Refusal> {
    match machine.get(object) {
        Value::EmptyArray => {
            let array = array(machine, state)?;
            machine.set(object, array);
        }
        Value::NumpyType(name) => {
            // (version, byte order, …)
            let order = machine.tuple(state)?.get(1).and_then(|&id| machine.text(id).ok());
            // A state may be set again and again: only the first order counts.
            let name = match order {
                Some(">") if !name.starts_with('>') => format!(">{name}"),
                _ => name.clone(),
            };
            machine.set(object, Value::NumpyType(name));
        }
        Value::Namespace(_) => machine.set(object, Value::Namespace(Some(state))),
        _ => {}
    }
    Ok(())
}

/// `(version, shape, type, whether by columns, bytes)`, in old files without the version.
fn array(machine: &Machine<'_>, state: Id) -> Result<Value, Refusal> {
    let state = machine.tuple(state)?;
    let Some(&[shape, element, columns, data]) = state.last_chunk() else {
        return damaged("an array has no state");
    };
    filled(machine, [shape, element, data], machine.size(columns)? != 0)
}

fn filled(
    machine: &Machine<'_>,
    [shape, element, data]: [Id; 3],
    by_columns: bool,
) -> Result<Value, Refusal> {
    let Value::NumpyType(name) = machine.get(element) else {
        return damaged("an array has no type");
    };
    if [">f8", ">f4", ">f2"].contains(&name.as_str()) {
        return damaged(
            "its numbers are big-endian\nhint: save the arrays again, each `.astype(\"<f4\")`",
        );
    }
    let element = match name.as_str() {
        "f8" => Element::F64,
        "f4" => Element::F32,
        "f2" => Element::F16,
        // Other types are never read, so their size does not matter.
        _ => Element::Other(1),
    };
    let Value::Text(_, bytes) = machine.get(data) else { return damaged("an array has no data") };
    let ids = machine.tuple(shape)?;
    if ids.len() > MAX_DIMENSIONS {
        return damaged("an array has too many dimensions");
    }
    let shape: Vec<u64> = ids.iter().map(|&id| machine.size(id)).collect::<Result<_, _>>()?;
    let strides = packed(&shape, by_columns).filter(|_| shape.len() <= MAX_DIMENSIONS);
    let Some(strides) = strides else { return damaged("an array is too large") };
    let tensor = Tensor { element, shape, strides, offset: 0, place: Place::Inline(*bytes) };
    let fits = |extent: u64| {
        // How many bytes UTF-8 stands for is known once it is read.
        let Bytes { length, utf8, .. } = *bytes;
        let needed = extent.checked_mul(element.size());
        needed.is_some_and(|needed| needed <= length && (utf8 || needed == length))
    };
    let other = matches!(element, Element::Other(_));
    if other || tensor.extent().is_some_and(fits) {
        return Ok(Value::Tensor(Box::new(tensor)));
    }
    damaged(format!("an array of shape {:?} has {} bytes", tensor.shape, bytes.length))
}

/// The array whose axes are these of another.
fn transposed(array: Value, machine: &Machine<'_>, axes: Id) -> Result<Value, Refusal> {
    let Value::Tensor(mut tensor) = array else { return damaged("an array is missing") };
    let axes: Vec<u64> =
        machine.tuple(axes)?.iter().map(|&id| machine.size(id)).collect::<Result<_, _>>()?;
    let mut sorted = axes.clone();
    sorted.sort_unstable();
    if !sorted.into_iter().eq((0..).take(tensor.shape.len())) {
        return damaged("an array is transposed in no known way");
    }
    let of = |sizes: &[u64]| -> Vec<u64> {
        let size = |&axis: &u64| sizes.get(usize::try_from(axis).ok()?).copied();
        axes.iter().filter_map(size).collect()
    };
    (tensor.shape, tensor.strides) = (of(&tensor.shape), of(&tensor.strides));
    Ok(Value::Tensor(tensor))
}

/// Strides of an array without gaps.
fn packed(shape: &[u64], by_columns: bool) -> Option<Vec<u64>> {
    let mut step = 1_u64;
    let stride = |&size: &u64| {
        let stride = step;
        step = step.checked_mul(size.max(1))?;
        Some(stride)
    };
    if by_columns {
        return shape.iter().map(stride).collect();
    }
    let mut strides: Vec<u64> = shape.iter().rev().map(stride).collect::<Option<_>>()?;
    strides.reverse();
    Some(strides)
}
