//! The reference's results.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use burncam_imaging::{DecodeOptions, Frame, Resize, decode, resize};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A golden face, and what a network says of it.
#[derive(Debug, Deserialize)]
pub struct Face {
    /// Its fold.
    pub fold: String,
    /// Its file name.
    pub image: String,
    /// The predicted class.
    pub index: usize,
}

/// What Keras computed for some faces, one entry a face.
pub struct Numbers {
    /// The faces.
    pub faces: Vec<Face>,
    /// Raw maps.
    pub raw: Vec<Vec<f32>>,
    /// Channel weights.
    pub pooled: Vec<Vec<f32>>,
    /// Logits.
    pub logits: Vec<Vec<f32>>,
    /// Probabilities.
    pub probs: Vec<Vec<f32>>,
}

impl Numbers {
    /// The numbers in a folder of goldens, such as `VGG16-keras-applications`.
    ///
    /// # Panics
    ///
    /// If they are not in place.
    #[must_use]
    pub fn read(goldens: &str) -> Self {
        let folder = folder().join(goldens);
        Self {
            faces: rows(&folder),
            raw: array(&folder.join("raw.npy")),
            pooled: array(&folder.join("pooled.npy")),
            logits: array(&folder.join("logits.npy")),
            probs: array(&folder.join("probs.npy")),
        }
    }
}

/// What the notebook made of one face.
#[derive(Debug, Deserialize)]
pub struct Row {
    /// The notebook's report row.
    pub csv_row: Vec<String>,
    /// CRC-32 of the resized RGB pixels.
    pub rgb_crc32: u32,
    /// CRC-32 of the preprocessed input, `[height, width, channels]`, `f32` little-endian.
    pub x_crc32: u32,
    /// CRC-32 of the small coloured map.
    pub jet_small_crc32: u32,
    /// CRC-32 of the enlarged coloured map.
    pub jet_big_crc32: u32,
    /// CRC-32 of the overlay's pixels.
    pub overlay_crc32: u32,
}

/// All results of one network in the notebook.
pub struct Golden {
    /// Of the faces, sorted by fold and name.
    pub numbers: Numbers,
    /// One row a face, in the same order.
    pub rows: Vec<Row>,
    /// `255 * map` as bytes.
    pub level: Vec<Vec<u8>>,
    /// The notebook's report, rows sorted.
    pub csv: String,
}

impl Golden {
    /// The results of one of the five, such as `VGG16` or `NCNN`.
    ///
    /// # Panics
    ///
    /// If the goldens are not in place.
    #[must_use]
    pub fn read(model: &str) -> Self {
        let folder = folder().join(model);
        Self {
            numbers: Numbers::read(model),
            rows: rows(&folder),
            level: array(&folder.join("level.npy")),
            csv: fs::read_to_string(folder.join(format!("{model}.csv"))).expect("the report"),
        }
    }
}

/// The rows of `rows.json`.
fn rows<T: DeserializeOwned>(folder: &Path) -> Vec<T> {
    let file = folder.join("rows.json");
    let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    serde_json::from_str(&text).expect("rows")
}

/// An array as one vector for each index of its first dimension.
///
/// # Panics
///
/// If the file is no such array.
#[must_use]
pub fn array<T: npyz::Deserialize>(path: &Path) -> Vec<Vec<T>> {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let file = npyz::NpyFile::new(&bytes[..]).expect("an .npy file");
    let count = file.shape()[0] as usize;
    let mut values = file.into_vec::<T>().expect("the array's type").into_iter();
    let each = values.len() / count;
    (0..count).map(|_| values.by_ref().take(each).collect()).collect()
}

/// Normalised maps and the CRC-32 of their overlays over `Fold0/S02_dor_01.png`, by name.
///
/// # Panics
///
/// If the goldens are not in place.
#[must_use]
pub fn edge_cases() -> Vec<(String, Vec<f32>, u32)> {
    #[derive(Deserialize)]
    struct Case {
        name: String,
        overlay_crc32: u32,
    }
    let rows: Vec<Case> = rows(&folder().join("edge"));
    let maps = array(&folder().join("edge/maps.npy"));
    rows.into_iter().zip(maps).map(|(row, map)| (row.name, map, row.overlay_crc32)).collect()
}

/// Where the goldens are.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("goldens")
}

/// Keys, shapes and CRC-32 of the reproducible weights.
///
/// # Panics
///
/// If the goldens are not in place.
#[must_use]
pub fn manifest() -> Vec<(String, Vec<usize>, u32)> {
    let text = fs::read_to_string(folder().join("weights_manifest.tsv")).expect("the manifest");
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let shape = cells[1].split('x').map(|size| size.parse().expect("a size")).collect();
        let crc = u32::from_str_radix(cells[2], 16).expect("a CRC-32");
        (cells[0].to_owned(), shape, crc)
    };
    text.lines().skip(1).map(row).collect()
}

/// A golden face at the network's size, with the pixels that Pillow gives.
///
/// # Panics
///
/// If the image cannot be read.
#[must_use]
pub fn pillow_frame(face: &Face, size: usize) -> Frame {
    let file = folder().join("faces").join(&face.fold).join(&face.image);
    let pixels = decode(&file, DecodeOptions::default()).expect("an image");
    resize(&pixels, size, size, Resize::Nearest)
}

/// The files of `jpeg.zip` by name: JPEGs, and tables of what Pillow makes of JPEGs.
///
/// # Panics
///
/// If the goldens are not in place.
#[must_use]
pub fn jpegs() -> BTreeMap<String, Vec<u8>> {
    let archive = File::open(folder().join("jpeg.zip")).expect("the archive");
    let mut archive = zip::ZipArchive::new(archive).expect("a zip");
    let count = archive.len();
    let file = |index| {
        let mut file = archive.by_index(index).expect("an entry");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("its bytes");
        (file.name().expect("a name").into_owned(), bytes)
    };
    (0..count).map(file).collect()
}

/// The rows of a table in `jpeg.zip`: cells, the last of which is a CRC-32.
///
/// # Panics
///
/// If there is no such table.
#[must_use]
pub fn jpeg_table(name: &str) -> Vec<(Vec<String>, u32)> {
    let text = jpegs().remove(name).expect("the table");
    let text = String::from_utf8(text).expect("a text");
    let row = |line: &str| {
        let mut cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
        let crc = cells.pop().and_then(|crc| crc.parse().ok()).expect("a CRC-32");
        (cells, crc)
    };
    text.lines().map(row).collect()
}

/// CRC-32 of bytes.
#[must_use]
pub fn crc32(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

/// CRC-32 of little-endian `f32` values.
#[must_use]
pub fn crc32_f32(values: &[f32]) -> u32 {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    crc32fast::hash(&bytes)
}
