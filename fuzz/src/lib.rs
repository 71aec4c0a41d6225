//! Reads one file in every way in which the program reads it.
//!
//! Each function takes a fuzzer's bytes, gives them to one reader through a file in the temporary
//! folder, and goes as far as the numbers: nothing is computed. A panic, a hang or memory beyond the
//! fuzzer's limit is a finding; any error is fine.

use std::fs;
use std::io::{Cursor, Write};
use std::path::PathBuf;
use std::sync::OnceLock;

use burn::tensor::Device;
use burncam_imaging::{DecodeOptions, Exif, Resize, decode, preprocess, resize};
use burncam_weights::Checkpoint;
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

#[allow(dead_code, missing_docs)]
#[path = "../../crates/cli/src/classes.rs"]
mod classes;
#[allow(dead_code, missing_docs, unused_imports)]
#[path = "../../crates/cli/src/data/mod.rs"]
mod data;
#[allow(dead_code, missing_docs, unused_imports)]
#[path = "../../crates/cli/src/labels/mod.rs"]
mod labels;
#[allow(dead_code, missing_docs)]
#[path = "../../crates/cli/src/npy.rs"]
mod npy;
#[allow(dead_code, missing_docs)]
#[path = "../../crates/cli/src/npz.rs"]
mod npz;
mod tiny;

/// Keeps panics that the readers catch from ending the fuzzer, which its own hook would do; each is
/// still told. Call it once, before the first file.
pub fn let_panics_be_caught() {
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
}

/// A checkpoint whose name ends so: what it holds, which network it is, and every number of it.
pub fn checkpoint(bytes: &[u8], ending: &str) {
    let path = file(bytes, ending);
    let Ok(checkpoint) = Checkpoint::open(&path) else { return };
    let _shown = (checkpoint.file_layers(), checkpoint.ignored());
    let Ok(resolved) = checkpoint.resolve(&[&tiny::TINY], None) else { return };
    let _layers = resolved.layers();
    let _network = resolved.build(&Device::flex());
}

/// A zip archive of these entries, none of them compressed.
///
/// # Panics
///
/// If two have one name.
#[must_use]
pub fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in entries {
        zip.start_file(*name, stored).expect("another name");
        zip.write_all(bytes).expect("room in memory");
    }
    zip.finish().expect("room in memory").into_inner()
}

/// An image, up to what a network is fed.
pub fn image(bytes: &[u8]) {
    let path = file(bytes, "png");
    for exif in [Exif::Ignore, Exif::Apply] {
        // As much as the fuzzer's memory allows for; the default is for 16 times as many pixels.
        let options = DecodeOptions {
            exif,
            max_pixels: 1 << 23,
            max_bytes: 1 << 27,
            ..DecodeOptions::default()
        };
        let Ok(pixels) = decode(&path, options) else { return };
        for rule in [Resize::Nearest, Resize::Bilinear] {
            let frame = resize(&pixels, 4, 4, rule);
            let _input = preprocess(&frame, &tiny::TINY.variants[0].input);
        }
    }
}

/// An `.npz` of activations, each array as large as it says, up to a limit.
pub fn npz(bytes: &[u8]) {
    let Ok(mut npz) = npz::Npz::open(&file(bytes, "npz")) else { return };
    for name in npz.names() {
        for shape in [&[][..], &[2], &[1, 2, 2, 2]] {
            let _values = npz.read(&name, shape);
        }
    }
}

/// A label file, as labels and as a column.
pub fn labels(bytes: &[u8]) {
    let path = file(bytes, "csv");
    let image = |name: &str| data::Image {
        fold: "Fold0".to_owned(),
        name: name.to_owned(),
        path: format!("Fold0/{name}"),
        class_folder: None,
        file: PathBuf::new(),
    };
    let images = [image("a.png"), image("b.png")];
    let classes = ["Pain".to_owned(), "No_pain".to_owned()];
    let (rule, columns) = (labels::Rule::File(path.clone()), labels::LabelColumns::default());
    for order in [labels::ClassOrder::Given, labels::ClassOrder::Assumed] {
        let _labels = labels::label(&rule, &images, (&classes, order), &columns);
    }
    let _subjects = labels::column(&path, "subject", &images, &columns);
}

/// A file of class names.
///
/// # Panics
///
/// If the temporary folder's name is not Unicode.
pub fn classes(bytes: &[u8]) {
    for ending in ["json", "txt"] {
        let _names = classes::names(file(bytes, ending).to_str().expect("a name in Unicode"));
    }
}

/// A `report.json`, joined with itself and made into a page.
pub fn report(bytes: &[u8]) {
    use burncam_page::{Language, compute, index_html, merge, read_report};
    let Ok(report) = read_report(&file(bytes, "json")) else { return };
    let Ok(again) = read_report(&file(bytes, "json")) else { return };
    let (first, second) = (("a".to_owned(), report), ("b".to_owned(), again));
    let _twice = merge(vec![first, second]);
    let Ok(report) = read_report(&file(bytes, "json")) else { return };
    let Ok(mut joined) = merge(vec![(".".to_owned(), report)]) else { return };
    // The number of draws is checked, and only costs time.
    joined.settings.resampling.resamples = joined.settings.resampling.resamples.min(4);
    if compute(&mut joined).is_ok() {
        let _page = index_html(&joined, Language::English, std::io::sink());
    }
}

/// An `images.jsonl`, as far as the tables that are made of it.
pub fn journal(bytes: &[u8]) {
    use burncam_record::{Error, Journal, Predictions, Rows, failures_csv, maps_csv, predictions_csv};
    let Ok((journal, _run)) = Journal::open(&file(bytes, "jsonl")) else { return };
    let mut lines = Vec::new();
    let _read = journal.each(|line, _entry| lines.push(line));
    let classes = ["Pain".to_owned(), "No_pain".to_owned()];
    let row = |index: usize| {
        let line = lines.get(index).copied().ok_or(Error::Nothing)?;
        Ok(journal.entry(line)?.row)
    };
    for top in [None, Some(3)] {
        let tables = [Predictions { classes: &classes, rows: Rows::new(lines.len(), row) }];
        let _table = predictions_csv(&tables, top, std::io::sink());
        let _maps = maps_csv(&tables, std::io::sink());
        let _failures = failures_csv(&tables, std::io::sink());
    }
}

/// A file of these bytes, the only one of its ending.
fn file(bytes: &[u8], ending: &str) -> PathBuf {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().expect("a temporary folder"));
    let path = folder.path().join(format!("input.{ending}"));
    fs::write(&path, bytes).expect("room in the temporary folder");
    path
}
