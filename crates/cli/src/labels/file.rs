//! Classes from a CSV file.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::data::Image;

/// A label file is read whole; this is far more than any data set needs.
const LARGEST: u64 = 256 << 20;

/// Classes by path or image name.
pub(super) type Table = HashMap<String, usize>;

/// Reads `path or name, class` rows, separated by commas or semicolons; a first row whose second
/// cell is no class is a header.
pub(super) fn read(path: &Path, classes: &[String]) -> Result<Table> {
    let cannot = || format!("cannot read the label file {}", path.display());
    if std::fs::metadata(path).with_context(cannot)?.len() > LARGEST {
        bail!("the label file {} is larger than {} MiB", path.display(), LARGEST >> 20);
    }
    let text = std::fs::read_to_string(path).with_context(cannot)?;
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or_default();
    let delimiter = if first.contains(';') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut table = Table::new();
    for (row, record) in reader.records().enumerate() {
        let record = record.with_context(cannot)?;
        let place = || format!("{}, row {}", path.display(), row + 1);
        let (Some(image), Some(class)) = (record.get(0), record.get(1)) else {
            bail!("{}: two columns are needed, the image and its class", place());
        };
        let index = classes.iter().position(|known| known.eq_ignore_ascii_case(class));
        match index {
            Some(index) => add(&mut table, image, index).with_context(place)?,
            None if row == 0 => {}
            None => bail!("{}: {}", place(), super::unknown_class(class, classes)),
        }
    }
    Ok(table)
}

fn add(table: &mut Table, image: &str, class: usize) -> Result<()> {
    let key = image.trim_start_matches("./").replace('\\', "/");
    match table.insert(key, class) {
        Some(earlier) if earlier != class => bail!("`{image}` has two different classes"),
        _ => Ok(()),
    }
}

/// The class of an image by its path in the data folder, else by its name.
pub(super) fn find(table: &Table, image: &Image) -> Option<usize> {
    table.get(&image.path).or_else(|| table.get(&image.name)).copied()
}
