//! Keras's `.keras`: a zip of `metadata.json`, `config.json` and `model.weights.h5`.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use hdf5_pure::ReadSeekSource;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use crate::keras::config::Graph;
use crate::keras::numbers::{ACCESS, Hdf5};
use crate::store::Store;
use crate::{Checkpoint, Error, Format, keras};

/// Far more than any description of a network needs.
const LARGEST_JSON: u64 = 64 << 20;

/// Weights that are compressed have to be held in memory; Keras stores them as they are.
const LARGEST_COMPRESSED: u64 = 2 << 30;

/// Reads everything but the numbers.
pub(crate) fn read(path: &Path) -> Result<Checkpoint, Error> {
    let open = |source| Error::Open { path: path.to_owned(), source };
    let zip = |part: &str| {
        let (path, part) = (path.to_owned(), part.to_owned());
        move |source: ZipError| Error::Zip { path, part, source: Box::new(source) }
    };
    let mut archive =
        ZipArchive::new(File::open(path).map_err(open)?).map_err(zip("the table of contents"))?;
    let config = json(&mut archive, "config.json").map_err(zip("config.json"))?;
    let metadata = json(&mut archive, "metadata.json").map_err(zip("metadata.json"))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap_or_default();
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
        keras_version: metadata["keras_version"].as_str().map(str::to_owned),
        store: Store::Hdf5(file),
        description: None,
        graph: Some(graph),
        state: None,
        layers,
        named: true,
    })
}

fn json(archive: &mut ZipArchive<File>, name: &str) -> Result<String, ZipError> {
    let mut text = String::new();
    let entry = archive.by_name(name)?;
    if entry.size() > LARGEST_JSON {
        return Err(too_large(LARGEST_JSON));
    }
    // The declared size may be a lie.
    entry.take(LARGEST_JSON).read_to_string(&mut text)?;
    Ok(text)
}

/// The weights, read in place where they are stored as they are.
fn hdf5(
    archive: &mut ZipArchive<File>,
    path: &Path,
    name: &str,
) -> Result<Result<Hdf5, hdf5_pure::Error>, ZipError> {
    let entry = archive.by_name(name)?;
    let (start, length) = (entry.data_start(), entry.size());
    if let (CompressionMethod::Stored, Some(start)) = (entry.compression(), start) {
        let slice = Slice { file: File::open(path)?, start, length, position: 0 };
        let source = ReadSeekSource::new(slice).map_err(hdf5_pure::Error::Format);
        let file =
            source.and_then(|source| hdf5_pure::File::from_source_with_options(source, ACCESS));
        return Ok(file.map(|file| Hdf5::new(file, path, start, length)));
    }
    if length > LARGEST_COMPRESSED {
        return Err(too_large(LARGEST_COMPRESSED));
    }
    let mut bytes = Vec::new();
    entry.take(LARGEST_COMPRESSED).read_to_end(&mut bytes)?;
    Ok(hdf5_pure::File::from_bytes(bytes).map(Hdf5::in_memory))
}

fn too_large(limit: u64) -> ZipError {
    let text = format!("it is larger than {} MiB", limit >> 20);
    ZipError::Io(io::Error::new(io::ErrorKind::FileTooLarge, text))
}

/// A part of a file, as a file of its own.
struct Slice {
    file: File,
    start: u64,
    length: u64,
    position: u64,
}

impl Read for Slice {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(self.position);
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.file.seek(SeekFrom::Start(self.start.saturating_add(self.position)))?;
        let read = self.file.read(&mut buffer[..wanted])?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for Slice {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
