//! A table as its file has it: rows of cells.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use csv::StringRecord;

/// A label file is read whole; this is far more than any data set needs.
const LARGEST: u64 = 32 << 20;

/// As many as a spreadsheet program has.
const MOST_COLUMNS: usize = 16_384;

/// The text of a table.
pub(super) struct Sheet {
    pub(super) path: PathBuf,
    text: String,
}

impl Sheet {
    /// Reads the file.
    pub(super) fn read(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_owned(), text: text(path)? })
    }

    /// Its rows with their numbers from 1, but for empty ones and a spreadsheet's `sep=;`.
    pub(super) fn rows(&self) -> impl Iterator<Item = Result<(usize, StringRecord)>> {
        let rows = reader(&self.text).into_records().enumerate();
        rows.filter_map(|(at, row)| match row {
            Ok(row) => {
                let notice = row.get(0).is_some_and(|cell| cell.starts_with("sep="));
                let empty = row.iter().all(str::is_empty);
                (!notice && !empty).then(|| Ok((at.saturating_add(1), row)))
            }
            Err(error) => Some(
                Err(error)
                    .with_context(|| format!("cannot read the label file {}", self.path.display())),
            ),
        })
    }
}

/// The file's text.
fn text(path: &Path) -> Result<String> {
    let cannot = || format!("cannot read the label file {}", path.display());
    // Opening a pipe would wait for its other end.
    if !std::fs::metadata(path).with_context(cannot)?.is_file() {
        bail!("the label file {} is no ordinary file", path.display());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(cannot)?;
    file.take(LARGEST.saturating_add(1)).read_to_end(&mut bytes).with_context(cannot)?;
    if bytes.len() as u64 > LARGEST {
        bail!("the label file {} is larger than {} MiB", path.display(), LARGEST >> 20);
    }
    let columns = |line: &[u8]| line.iter().filter(|byte| b",;\t".contains(byte)).count();
    if bytes.split(|byte| *byte == b'\n').any(|line| columns(line) > MOST_COLUMNS) {
        bail!("the label file {} has more than {MOST_COLUMNS} columns", path.display());
    }
    let Ok(text) = String::from_utf8(bytes) else {
        bail!(
            "the label file {} is not in UTF-8\nhint: a spreadsheet program saves such a file as \
             \"CSV UTF-8\"",
            path.display()
        );
    };
    Ok(text)
}

/// Its rows, separated as the first line is.
fn reader(text: &str) -> csv::Reader<&[u8]> {
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or_default();
    let delimiter =
        [b';', b'\t'].into_iter().find(|d| first.as_bytes().contains(d)).unwrap_or(b',');
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes())
}
