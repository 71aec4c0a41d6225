//! An ONNX file, read whole.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path};

use anyhow::{Context, Result, bail, ensure};
use onnx_ir::{Message, ModelProto, TensorProto};

/// `TensorProto.DataLocation.EXTERNAL`.
const EXTERNAL: i32 = 1;

/// `TensorProto.DataType`: `FLOAT`, `INT32`, `INT64`.
pub(crate) const FLOAT: i32 = 1;
const INT32: i32 = 6;
const INT64: i32 = 7;

/// Reads a model and the files in which its weights lie.
///
/// # Errors
///
/// If a file is missing, damaged, or something that burn-onnx could not follow.
pub(crate) fn open(path: &Path) -> Result<ModelProto> {
    let cannot = || format!("cannot open {}", path.display());
    ensure!(fs::metadata(path).with_context(cannot)?.is_file(), "{} is no file", path.display());
    let bytes = fs::read(path).with_context(cannot)?;
    let mut model = ModelProto::parse_from_bytes(&bytes)
        .with_context(|| format!("{} is no ONNX file, or is damaged", path.display()))?;
    ensure!(
        model.graph.is_some() && !model.graph.node.is_empty(),
        "{} holds no ONNX graph",
        path.display()
    );
    ensure!(
        model.functions.is_empty(),
        "{} defines operators of its own (`functions`)\nhint: `onnx.inliner.inline_local_functions` \
         in Python lays them open",
        path.display()
    );
    let folder = path.parent().unwrap_or(Path::new(""));
    let graph = model.graph.mut_or_insert_default();
    let of_nodes = graph.node.iter_mut().flat_map(|node| &mut node.attribute);
    let of_nodes = of_nodes.filter_map(|attribute| attribute.t.as_mut());
    for tensor in graph.initializer.iter_mut().chain(of_nodes) {
        fetch(tensor, folder).with_context(|| format!("tensor `{}`", tensor.name))?;
    }
    Ok(model)
}

/// Reads a tensor that lies in a file of its own.
fn fetch(tensor: &mut TensorProto, folder: &Path) -> Result<()> {
    if tensor.data_location.value() != EXTERNAL {
        return Ok(());
    }
    let entry = |key: &str| {
        let entries = tensor.external_data.iter();
        entries.filter(|entry| entry.key == key).map(|entry| entry.value.as_str()).next()
    };
    let location = Path::new(entry("location").context("it does not say where its values lie")?);
    let inside = location.components().all(|part| matches!(part, Component::Normal(_)));
    ensure!(inside, "its values lie outside the model's folder, in {}", location.display());
    let number = |key: &str| entry(key).map(str::parse::<u64>).transpose();
    let (offset, length) = (number("offset")?.unwrap_or(0), number("length")?);

    let path = folder.join(location);
    let cannot = || format!("cannot read {}, which holds the model's weights", path.display());
    let mut file = File::open(&path).with_context(cannot)?;
    let size = file.metadata().with_context(cannot)?.len();
    let rest = size.saturating_sub(offset);
    let length = length.unwrap_or(rest);
    if length > rest {
        bail!("{} is cut short: {size} bytes of {}", path.display(), offset.saturating_add(length));
    }
    let mut values = vec![0; usize::try_from(length)?];
    file.seek(SeekFrom::Start(offset)).with_context(cannot)?;
    file.read_exact(&mut values).with_context(cannot)?;
    tensor.raw_data = values.into();
    tensor.external_data.clear();
    tensor.data_location = Default::default();
    Ok(())
}

/// The values of a tensor of integers.
pub(crate) fn ints(tensor: &TensorProto) -> Option<Vec<i64>> {
    let raw = tensor.raw_data.as_ref();
    let eights = raw.as_chunks::<8>().0.iter();
    let fours = raw.as_chunks::<4>().0.iter();
    match tensor.data_type {
        INT64 if raw.is_empty() => Some(tensor.int64_data.clone()),
        INT64 => Some(eights.map(|bytes| i64::from_le_bytes(*bytes)).collect()),
        INT32 if raw.is_empty() => Some(tensor.int32_data.iter().map(|&v| v.into()).collect()),
        INT32 => Some(fours.map(|bytes| i32::from_le_bytes(*bytes).into()).collect()),
        _ => None,
    }
}

/// Makes a tensor one of these integers.
pub(crate) fn set_ints(tensor: &mut TensorProto, values: Vec<i64>) {
    tensor.dims = vec![values.len() as i64];
    tensor.data_type = INT64;
    tensor.raw_data = Default::default();
    tensor.int32_data.clear();
    tensor.int64_data = values;
}
