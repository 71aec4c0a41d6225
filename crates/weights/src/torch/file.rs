//! PyTorch's `.pt` and `.pth`: a pickle that describes tensors, and their numbers.
//!
//! Since 1.6, `torch.save` writes a zip of `data.pkl` and one entry a storage, before that three
//! small pickles, the data's pickle, a list of the storages' keys, and their numbers. A plain
//! pickle of NumPy arrays is read too. Only the pickles are read here; numbers stay in the file
//! until a weight is asked for.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use crate::limits::check_parts;
use crate::store::Store;
use crate::tensors::{Numbers, Tensors};
use crate::torch;
use crate::torch::pickle::Pickle;
use crate::torch::pickle_source::Source;
use crate::torch::pickle_value::{Element, Id, Place, Refusal, Tensor, Value, damaged};
use crate::torch::state::PickledTensors;
use crate::zip_file::{Archive, open_zip};
use crate::{Checkpoint, Error, Format};

/// The version of the legacy format, its only one.
const LEGACY_VERSION: i64 = 1001;

/// Where storages lie in a file: start and length in bytes, by key.
type Places = HashMap<String, (u64, u64)>;

/// Whether a zip is PyTorch's.
pub(crate) fn is_torch_zip(path: &Path) -> bool {
    open_zip(path).is_ok_and(|archive| root(&archive).is_some())
}

/// Reads everything but the numbers of a zip.
pub(crate) fn read_zip(path: &Path) -> Result<Checkpoint, Error> {
    let format = Format::PyTorch;
    let read = || -> Result<(Pickle, Places), Refusal> {
        let mut archive = open_zip(path).map_err(zip)?;
        let Some(root) = root(&archive) else { return damaged("it has no `data.pkl`") };
        if archive.index_for_name(&format!("{root}constants.pkl")).is_some() {
            return Err(Refusal::Forbidden("a TorchScript program".to_owned()));
        }
        if let Some(order) = archive.index_for_name(&format!("{root}byteorder")) {
            let (start, length) = stored(&mut archive, order)?;
            check(&mut archive, order)?;
            let mut order = Source::new(File::open(path)?, start, start.saturating_add(length))?;
            if order.bytes(length.min(6))? != b"little" {
                return damaged(BIG_ENDIAN);
            }
        }
        let index = archive.index_for_name(&format!("{root}data.pkl")).unwrap_or_default();
        let (start, length) = stored(&mut archive, index)?;
        let end = start.saturating_add(length);
        // What it would run is told first, whether it is whole or not.
        let pickle = Pickle::read(&mut Source::new(File::open(path)?, start, end)?)?;
        check(&mut archive, index)?;
        let mut places = Places::new();
        let prefix = format!("{root}data/");
        for index in 0..archive.len() {
            let name = archive.name_for_index(index).and_then(Result::ok);
            let key = name.as_deref().and_then(|name| name.strip_prefix(&prefix));
            if let Some(key) = key.map(str::to_owned) {
                places.insert(key, stored(&mut archive, index)?);
                check(&mut archive, index)?;
            }
        }
        Ok((pickle, places))
    };
    let (pickle, places) = read().map_err(|refusal| refused(path, format, refusal))?;
    checkpoint(path, format, &pickle, &places)
}

/// Reads everything but the numbers of a pickle, or of several that are a legacy file.
pub(crate) fn read_pickle(path: &Path) -> Result<Checkpoint, Error> {
    let file = || -> std::io::Result<Source> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Source::new(file, 0, length)
    };
    let opened = file().map_err(|source| Error::Open { path: path.to_owned(), source })?;
    let (format, read) = legacy_or_plain(opened);
    let (pickle, places) = read.map_err(|refusal| refused(path, format, refusal))?;
    checkpoint(path, format, &pickle, &places)
}

fn legacy_or_plain(mut source: Source) -> (Format, Result<(Pickle, Places), Refusal>) {
    match Pickle::read(&mut source) {
        Ok(first) if matches!(first.get(first.root()), Value::Magic) => {
            (Format::PyTorchLegacy, legacy(&mut source))
        }
        plain => (Format::Pickle, plain.map(|pickle| (pickle, Places::new()))),
    }
}

/// What follows the magic number.
fn legacy(source: &mut Source) -> Result<(Pickle, Places), Refusal> {
    let version = Pickle::read(source)?;
    if !matches!(version.get(version.root()), Value::Int(LEGACY_VERSION)) {
        return damaged("its format version is unknown");
    }
    let system = Pickle::read(source)?;
    if let Value::Dict(entries) = system.get(system.root()) {
        let little = entries.iter().find(|(key, _)| system.text(*key) == Some("little_endian"));
        if little.is_some_and(|(_, value)| matches!(system.get(*value), Value::Int(0))) {
            return damaged(BIG_ENDIAN);
        }
    }
    let pickle = Pickle::read(source)?;
    let keys = Pickle::read(source)?;
    let Value::List(ids) = keys.get(keys.root()) else {
        return damaged("it has no list of storages");
    };
    let elements = pickle.storages();
    let mut places = Places::new();
    for &id in ids {
        let Some((key, element)) = keys.text(id).and_then(|key| elements.get_key_value(key)) else {
            return damaged("a storage has no description");
        };
        let count = source.number(8)?;
        let length = count.saturating_mul(element.size());
        places.insert((*key).to_owned(), (source.position(), length));
        source.skip(length)?;
    }
    Ok((pickle, places))
}

/// The folder of `data.pkl`, with its `/`.
fn root(archive: &Archive) -> Option<String> {
    let names = archive.file_names().filter_map(Result::ok);
    let mut roots = names.filter_map(|name| name.strip_suffix("data.pkl").map(str::to_owned));
    roots.find(|root| root.ends_with('/') && root.matches('/').count() == 1)
}

const BIG_ENDIAN: &str =
    "its numbers are big-endian\nhint: load it in PyTorch on another machine, and save it there";

/// Where an entry that is not compressed lies in the file.
fn stored(archive: &mut Archive, index: usize) -> Result<(u64, u64), Refusal> {
    match archive.place(index).map_err(zip)? {
        Some(place) => Ok(place),
        None => damaged(
            "a part of it is compressed, which torch.save never does\nhint: unpack the archive, and pack it \
             again without compression",
        ),
    }
}

/// Compares an entry with its checksum.
fn check(archive: &mut Archive, index: usize) -> Result<(), Refusal> {
    archive.check(index).map_err(|error| {
        let name = archive.name_for_index(index).and_then(Result::ok).unwrap_or_default();
        Refusal::Damaged(format!("`{name}`: {error}"))
    })
}

fn zip(error: zip::result::ZipError) -> Refusal {
    Refusal::Damaged(error.to_string())
}

fn refused(path: &Path, format: Format, refusal: Refusal) -> Error {
    let path = path.to_owned();
    match refusal {
        Refusal::Forbidden(name) => Error::Forbidden { path, name },
        Refusal::Damaged(what) => Error::Container { path, format, source: what.into() },
    }
}

/// Finds the tensors and where their numbers are.
fn checkpoint(
    path: &Path,
    format: Format,
    pickle: &Pickle,
    places: &Places,
) -> Result<Checkpoint, Error> {
    let PickledTensors { tensors, mut ignored } = torch::state::find(pickle)
        .map_err(|reason| Error::StateDict { path: path.to_owned(), reason })?;
    check_parts(path, tensors.len())?;
    let file = File::open(path).map_err(|source| Error::Open { path: path.to_owned(), source })?;
    let mut store = Tensors::new(file);
    let mut shapes = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        let numbers = numbers(tensor, places).map_err(|what| Error::Container {
            path: path.to_owned(),
            format,
            source: format!("`{name}`: {what}").into(),
        })?;
        shapes.push((name.clone(), tensor.shape.clone(), tensor.element));
        store.insert(name, numbers);
    }
    let class_names = torch::class_names::find(pickle);
    ignored.retain(|part| !class_names.iter().any(|own| own.entry == part.name));
    let store = Store::Torch(store);
    let mut file = torch::state::checkpoint(path, format, store, shapes, ignored)?;
    file.class_names = class_names;
    Ok(file)
}

/// Where a tensor's numbers are, found to lie in their storage.
fn numbers(tensor: &Tensor, places: &Places) -> Result<Numbers, &'static str> {
    let (start, length, utf8) = match &tensor.place {
        Place::Inline(bytes) => (bytes.start, bytes.length, bytes.utf8),
        Place::Storage(key, elements) => {
            let (start, length) = *places.get(key).ok_or("its storage is missing")?;
            let needed = elements.checked_mul(tensor.element.size());
            if needed.is_none_or(|needed| needed > length) {
                return Err("its storage is shorter than it should be");
            }
            (start, length, false)
        }
    };
    let Tensor { element, shape, strides, offset, .. } = tensor.clone();
    Ok(Numbers { element, shape, strides, offset, start, length, utf8 })
}

impl Pickle {
    /// Element type of each storage, by key.
    fn storages(&self) -> HashMap<&str, Element> {
        let storages = (0..self.len() as Id).filter_map(|id| match self.get(id) {
            Value::Storage(storage) => Some((storage.key.as_str(), storage.element)),
            _ => None,
        });
        storages.collect()
    }
}
