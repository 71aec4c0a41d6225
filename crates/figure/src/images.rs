//! The images of a figure: those to be seen first, a list, or those that conditions hold for.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use burncam_page::{ImageReport, Reason, Report, examples};

use crate::error::Error;
use crate::filter::Filter;

/// The columns of a list in which paths may stand.
const HEADINGS: [&str; 3] = ["path", "image", "file"];

/// A list is read whole.
const LARGEST: u64 = 1 << 26;

/// An image of a figure.
#[derive(Clone, Debug)]
pub struct Row {
    /// The image.
    pub image: ImageReport,
    /// Why it was chosen, if the figure chose it.
    pub reason: Option<Reason>,
}

/// The images that are asked for: a file that lists them, or conditions, as `outcome=wrong,fold=Fold0`, of which the
/// `first` images count. Without, those that the page shows first.
///
/// # Errors
///
/// [`Error::List`] and [`Error::Asked`] if there are none, or what is asked for is not understood; [`Error::Record`] if
/// the report's images cannot be read.
pub fn images(report: &Report<'_>, asked: Option<&str>, first: usize) -> Result<Vec<Row>, Error> {
    let chosen = |image| Row { image, reason: None };
    let Some(asked) = asked else { return first_examples(report) };
    if Path::new(asked).is_file() {
        return listed(report, Path::new(asked));
    }
    if !asked.contains('=') {
        return Err(Error::Asked(format!(
            "--images {asked}: there is no such file, and it is no condition\nhint: a file with a path a line, or \
             conditions such as outcome=wrong,fold=Fold0"
        )));
    }
    let filter = Filter::new(report, asked)?;
    let mut rows = Vec::new();
    for image in report.images.plain() {
        let image = image?;
        if rows.len() < first && filter.holds(&image) {
            rows.push(chosen(image));
        }
    }
    if rows.is_empty() {
        return Err(Error::Asked(format!(
            "no image is so: {asked}\nhint: predictions.csv has what is known of each image"
        )));
    }
    Ok(rows)
}

fn first_examples(report: &Report<'_>) -> Result<Vec<Row>, Error> {
    let chosen = examples(report)?;
    let mut reasons: BTreeMap<usize, (usize, Reason)> =
        chosen.into_iter().enumerate().map(|(rank, one)| (one.image, (rank, one.reason))).collect();
    let mut rows = Vec::new();
    for (place, image) in report.images.plain().enumerate() {
        if let Some((rank, reason)) = reasons.remove(&place) {
            rows.push((rank, Row { image: image?, reason: Some(reason) }));
        }
    }
    rows.sort_by_key(|(rank, _)| *rank);
    match rows.is_empty() {
        true => Err(Error::Asked(
            "the report has no image with a result\nhint: failures.csv says why images failed"
                .to_owned(),
        )),
        false => Ok(rows.into_iter().map(|(_, row)| row).collect()),
    }
}

/// The images of a list, in its order.
fn listed(report: &Report<'_>, list: &Path) -> Result<Vec<Row>, Error> {
    let wrong = |what: String| Error::List { path: list.to_owned(), what };
    let paths = read(list).map_err(wrong)?;
    let places: HashMap<&str, usize> =
        paths.iter().enumerate().map(|(place, path)| (path.as_str(), place)).collect();
    let mut found: Vec<Option<ImageReport>> = vec![None; paths.len()];
    let mut names = vec![0; paths.len()];
    for image in report.images.plain() {
        let image = image?;
        let place = |name: &str| places.get(name).copied();
        let exact = place(&image.path);
        // A file's name alone will do where no other image has it.
        let named = image.path.rsplit('/').next().and_then(place).filter(|named| {
            exact != Some(*named)
                && found[*named].as_ref().is_none_or(|one| one.path != paths[*named])
        });
        if let Some(named) = named {
            names[named] += 1;
            found[named] = Some(image.clone());
        }
        if let Some(exact) = exact {
            (found[exact], names[exact]) = (Some(image), 1);
        }
    }
    for (path, (found, names)) in paths.iter().zip(found.iter().zip(names)) {
        let hint = "paths are those of predictions.csv, such as Fold0/S01_dor_01.png";
        match (found, names) {
            (None, _) => {
                return Err(wrong(format!("the report has no image `{path}`\nhint: {hint}")));
            }
            (Some(_), 2..) => {
                return Err(wrong(format!("several images have the name `{path}`\nhint: {hint}")));
            }
            (Some(_), _) => {}
        }
    }
    Ok(found.into_iter().flatten().map(|image| Row { image, reason: None }).collect())
}

/// The paths of a list: the column `path` of a table with a heading, else the lines.
fn read(list: &Path) -> Result<Vec<String>, String> {
    let length = std::fs::metadata(list).map_err(|error| error.to_string())?.len();
    if length > LARGEST {
        return Err(format!("it has {length} bytes, and a list of images at most {LARGEST}"));
    }
    let text = std::fs::read(list).map_err(|error| error.to_string())?;
    let text = String::from_utf8(text).map_err(|_| {
        "it is no text\nhint: a list has a path a line, or a column `path`".to_owned()
    })?;
    let text = text.trim_start_matches('\u{feff}');
    let heading = text.lines().next().unwrap_or_default();
    let separator = if heading.contains(';') { b';' } else { b',' };
    let mut table =
        csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text.as_bytes());
    let headings = table.headers().map_err(|error| error.to_string())?;
    let column = headings
        .iter()
        .position(|name| HEADINGS.iter().any(|heading| heading.eq_ignore_ascii_case(name.trim())));
    let mut paths: Vec<String> = Vec::new();
    match column {
        Some(column) => {
            for row in table.records() {
                let row = row.map_err(|error| error.to_string())?;
                paths.extend(row.get(column).map(str::to_owned));
            }
        }
        None => paths.extend(text.lines().map(str::to_owned)),
    }
    let mut known = HashSet::new();
    let mut plain: Vec<String> = Vec::new();
    for path in paths.iter().map(|path| path.trim().replace('\\', "/")) {
        // A table of results has a row for each network.
        if !path.is_empty() && !path.starts_with('#') && known.insert(path.clone()) {
            plain.push(path);
        }
    }
    match plain.is_empty() {
        true => {
            Err("it lists no image\nhint: a list has a path a line, or a column `path`".to_owned())
        }
        false => Ok(plain),
    }
}
