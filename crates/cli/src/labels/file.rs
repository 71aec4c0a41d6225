//! Classes from a CSV file.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
use unicode_normalization::UnicodeNormalization as _;

use crate::data::{Image, stem};

/// A label file is read whole; this is far more than any data set needs.
const LARGEST: u64 = 32 << 20;

/// As many as a spreadsheet program has.
const MOST_COLUMNS: usize = 16_384;

/// Classes by path or image name.
pub(super) type Table = HashMap<String, usize>;

/// Reads `path or name, class` rows, separated by semicolons, tabs or commas. A first row that
/// names none of the images is a header.
pub(super) fn read(path: &Path, images: &[Image], classes: &[String]) -> Result<Table> {
    let cannot = || format!("cannot read the label file {}", path.display());
    let text = text(path)?;
    let mut reader = reader(&text);
    let mut table = Table::new();
    let mut is_first = true;
    // The first of equal names counts.
    let known: HashMap<String, usize> = classes
        .iter()
        .enumerate()
        .rev()
        .map(|(at, name)| (name.to_ascii_lowercase(), at))
        .collect();
    for (row, record) in reader.records().enumerate() {
        let record = record.with_context(cannot)?;
        let place = || format!("{}, row {}", path.display(), row.saturating_add(1));
        // Spreadsheets may begin with `sep=;` and end in empty rows.
        if record.iter().all(str::is_empty) || record.get(0).is_some_and(|c| c.starts_with("sep="))
        {
            continue;
        }
        let (Some(image), Some(class)) = (record.get(0), record.get(1)) else {
            bail!("{}: two columns are needed, the image and its class", place());
        };
        let is_first = std::mem::take(&mut is_first);
        match known.get(&class.to_ascii_lowercase()) {
            Some(&index) => add(&mut table, image, index).with_context(place)?,
            None if is_first && !names_one_of(images, image) => {}
            None => bail!("{}: {}", place(), super::unknown_class(class, classes)),
        }
    }
    if !images.iter().any(|image| find(&table, image).is_some()) {
        bail!(
            "the label file {} labels none of the images\nhint: its first column holds paths such \
             as `{}`, or file names; its second classes such as `{}`",
            path.display(),
            images.first().map_or("Fold0/a.png", |image| &image.path),
            classes.first().map_or("Pain", String::as_str)
        );
    }
    Ok(table)
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

/// What another column holds, by path or image name. The first row that has so many cells names
/// the columns; rows where the column is empty are left out.
pub(crate) fn column(path: &Path, name: &str) -> Result<HashMap<String, String>> {
    let cannot = || format!("cannot read the label file {}", path.display());
    let text = text(path)?;
    let mut rows = reader(&text).into_records();
    let heading = loop {
        match rows.next() {
            Some(row) => {
                let row = row.with_context(cannot)?;
                let notice = row.get(0).is_some_and(|cell| cell.starts_with("sep="));
                if !notice && !row.iter().all(str::is_empty) {
                    break row;
                }
            }
            None => bail!("the label file {} is empty", path.display()),
        }
    };
    let mut places =
        heading.iter().enumerate().filter(|(_, known)| known.eq_ignore_ascii_case(name));
    let (first, second) = (places.next(), places.next());
    if second.is_some() {
        bail!("the label file {} has two columns `{name}`", path.display());
    }
    let Some((place, _)) = first else {
        bail!(
            "the label file {} has no column `{name}`\nhint: its first row names its columns; these \
             are {}",
            path.display(),
            heading.iter().collect::<Vec<_>>().join(", ")
        );
    };
    let mut found = HashMap::new();
    for row in rows {
        let row = row.with_context(cannot)?;
        if let (Some(image), Some(value)) = (row.get(0), row.get(place).filter(|v| !v.is_empty())) {
            for key in keys(image) {
                match found.insert(key, value.to_owned()) {
                    Some(earlier) if earlier != value => bail!(
                        "{}: `{image}` has two different values in column `{name}`: {earlier} and {value}",
                        path.display()
                    ),
                    _ => {}
                }
            }
        }
    }
    Ok(found)
}

fn add(table: &mut Table, image: &str, class: usize) -> Result<()> {
    for key in keys(image) {
        if table.insert(key, class).is_some_and(|earlier| earlier != class) {
            bail!("`{image}` has two different classes");
        }
    }
    Ok(())
}

/// What a row's image may be called: as it is written, and with the `/` that Windows' `\` stands for.
fn keys(image: &str) -> impl Iterator<Item = String> {
    let image = composed(image.trim_start_matches("./"));
    let other = image.contains('\\').then(|| image.replace('\\', "/"));
    other.into_iter().chain([image])
}

/// A name in Unicode's composed form: some systems write `é` as one character, others as two.
pub(crate) fn composed(name: &str) -> String {
    name.nfc().collect()
}

/// The class of an image by its path in the data folder, its name, or its name without
/// extension.
pub(super) fn find(table: &Table, image: &Image) -> Option<usize> {
    names(image).find_map(|name| table.get(&composed(name))).copied()
}

fn names_one_of(images: &[Image], cell: &str) -> bool {
    let cell = composed(cell);
    images.iter().any(|image| names(image).any(|name| composed(name) == cell))
}

fn names(image: &Image) -> impl Iterator<Item = &str> {
    [image.path.as_str(), &image.name, stem(&image.name)].into_iter()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn image(path: &str) -> Image {
        let (fold, name) = path.split_once('/').expect("a fold");
        Image {
            fold: fold.to_owned(),
            name: name.to_owned(),
            path: path.to_owned(),
            class_folder: None,
            file: PathBuf::new(),
        }
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), text).expect("a file");
        file
    }

    #[test]
    fn a_path_of_windows_and_a_name_with_its_separator_are_both_found() {
        let images = [image("A/1.png"), image(r"A/x\xFF.png")];
        let classes = ["Pain", "No_pain"].map(str::to_owned);
        let file = file(concat!(r"A\1.png,No_pain", "\n", r"A/x\xFF.png,Pain", "\n"));
        let table = read(file.path(), &images, &classes).expect("labels");
        assert_eq!(images.each_ref().map(|image| find(&table, image)), [Some(1), Some(0)]);
    }

    #[test]
    fn accents_may_be_characters_of_their_own() {
        let (one, two) = ("Jo\u{e3}o.png", "Joa\u{303}o.png");
        let classes = ["Pain".to_owned()];
        for (name, cell) in [(one, two), (two, one)] {
            let file = file(&format!("image,class,baby\n{cell},Pain,7\n"));
            let images = [image(&format!("A/{name}"))];
            let table = read(file.path(), &images, &classes).expect("labels");
            assert_eq!(find(&table, &images[0]), Some(0));
            assert_eq!(column(file.path(), "baby").expect("a column")[&composed(name)], "7");
        }
    }

    #[test]
    fn two_values_for_one_image_are_refused() {
        let own = file("image;class;baby\na.png;Pain;7\n./a.png;Pain;7\n");
        assert_eq!(column(own.path(), "baby").expect("a column")["a.png"], "7");
        let two = file("image;class;baby\na.png;Pain;7\na.png;Pain;8\n");
        let error = column(two.path(), "baby").expect_err("two babies").to_string();
        assert!(error.contains("`a.png`") && error.contains("7 and 8"), "{error}");
        let twice = file("image;class;baby;Baby\na.png;Pain;7;8\n");
        let error = column(twice.path(), "baby").expect_err("two columns").to_string();
        assert!(error.ends_with("has two columns `baby`"), "{error}");
        let wide = file(&format!("image,class{}\na.png,Pain\n", ",".repeat(20_000)));
        let error = column(wide.path(), "baby").expect_err("too many").to_string();
        assert!(error.ends_with("more than 16384 columns"), "{error}");
    }
}
