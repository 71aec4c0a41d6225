//! Keras's `.keras`: a zip of `metadata.json`, `config.json` and `model.weights.h5`.

use std::io::{self, Read};
use std::path::Path;

use serde_json::Value;
use zip::result::ZipError;

use crate::keras::config::Graph;
use crate::keras::numbers::Hdf5;
use crate::limits::LARGEST_DESCRIPTION;
use crate::store::Store;
use crate::zip_file::{Archive, open_zip};
use crate::{Checkpoint, Error, Format, Statement, keras};

/// Weights that are compressed have to be held in memory; Keras stores them as they are.
const LARGEST_COMPRESSED: u64 = 1 << 30;

/// How many times as large as compressed weights the weights may be, if they are large.
const MOST_UNPACKED: u64 = 100;

/// What is unpacked however small it is in the archive: 64 MiB.
const SURELY_UNPACKED: u64 = 64 << 20;

/// Reads everything but the numbers.
pub(crate) fn read(path: &Path) -> Result<Checkpoint, Error> {
    let zip = |part: &str| {
        let (path, part) = (path.to_owned(), part.to_owned());
        move |source: ZipError| Error::Zip { path, part, source: Box::new(source) }
    };
    let mut archive = open_zip(path).map_err(zip("the table of contents"))?;
    let config = json(&mut archive, "config.json").map_err(zip("config.json"))?;
    let metadata = json(&mut archive, "metadata.json").map_err(zip("metadata.json"))?;
    let metadata: Value = serde_json::from_str(&metadata).unwrap_or_default();
    let graph = Graph::parse(path, &config)?;
    let weights = "model.weights.h5";
    let file = hdf5(&mut archive, path, weights).map_err(zip(weights))?;
    let file = file.map_err(|source| Error::Hdf5 {
        path: path.to_owned(),
        object: weights.to_owned(),
        source: Box::new(source),
    })?;
    let layers = keras::v3::described(path, &file.file, &graph)?;
    Ok(Checkpoint {
        path: path.to_owned(),
        format: Format::Keras,
        keras_version: metadata.get("keras_version").and_then(Value::as_str).map(str::to_owned),
        store: Store::Hdf5(file),
        description: None,
        stated: Statement::default(),
        class_names: Vec::new(),
        graph: Some(graph),
        state: None,
        layers,
        named: true,
    })
}

fn json(archive: &mut Archive, name: &str) -> Result<String, ZipError> {
    let mut text = String::new();
    let entry = archive.entry(name)?;
    if entry.size() > LARGEST_DESCRIPTION {
        return Err(too_large(LARGEST_DESCRIPTION));
    }
    // The declared size may be a lie.
    entry.take(LARGEST_DESCRIPTION).read_to_string(&mut text)?;
    Ok(text)
}

/// The weights, read in place where they are stored as they are.
fn hdf5(
    archive: &mut Archive,
    path: &Path,
    name: &str,
) -> Result<Result<Hdf5, burncam_hdf5::Error>, ZipError> {
    let index = archive.index_for_name(name).ok_or(ZipError::FileNotFound)?;
    if let Some((start, length)) = archive.place(index)? {
        archive.check(index)?;
        return Ok(Hdf5::open(path, start, length));
    }
    let mut entry = archive.entry(name)?;
    let length = entry.size();
    if length > LARGEST_COMPRESSED {
        return Err(too_large(LARGEST_COMPRESSED));
    }
    let most = entry.compressed_size().saturating_mul(MOST_UNPACKED).max(SURELY_UNPACKED);
    if length > most {
        let text = format!("it unpacks to more than {MOST_UNPACKED} times its size");
        return Err(ZipError::Io(io::Error::new(io::ErrorKind::FileTooLarge, text)));
    }
    let mut bytes = Vec::new();
    entry.by_ref().take(length).read_to_end(&mut bytes)?;
    // Its checksum is compared where it ends.
    if entry.read(&mut [0])? > 0 {
        return Err(ZipError::InvalidArchive("it is longer than it says".into()));
    }
    Ok(Hdf5::in_memory(bytes))
}

fn too_large(limit: u64) -> ZipError {
    let text = format!("it is larger than {} MiB", limit >> 20);
    ZipError::Io(io::Error::new(io::ErrorKind::FileTooLarge, text))
}
