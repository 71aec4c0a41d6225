//! Classes from a CSV file.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use csv::StringRecord;

use super::columns::{self, ClassColumn, Columns, Wanted, number};
use super::headings::LabelColumns;
use super::sheet::Sheet;
use super::understood::{example, shown};
use super::{ClassOrder, composed, keys, names};
use crate::classes::{Known, key};
use crate::data::Image;

/// Rows that are shown as they were understood.
const SHOWN: usize = 3;

/// Classes by path or image name, and how the table was read.
pub(super) struct Table {
    classes: HashMap<String, usize>,
    /// The columns, in words.
    pub(super) reading: String,
}

fn wanted<'a>(images: &'a [Image], classes: &'a [String], columns: &'a LabelColumns) -> Wanted<'a> {
    Wanted {
        images: columns::all_names(images),
        example: images.first().map_or("Fold0/a.png", |image| image.path.as_str()),
        classes,
        known: Known::new(classes),
        columns,
    }
}

/// Reads a table, its cells separated by semicolons, tabs or commas, its columns found by their
/// headings, else by what they hold.
pub(super) fn read(
    path: &Path,
    images: &[Image],
    (classes, order): (&[String], ClassOrder),
    columns: &LabelColumns,
) -> Result<Table> {
    let sheet = Sheet::read(path)?;
    let wanted = wanted(images, classes, columns);
    let columns = columns::find(&sheet, &wanted)?;
    if order == ClassOrder::Assumed && matches!(columns.class, ClassColumn::Numbers(_)) {
        return Err(assumed(&sheet, &columns, classes));
    }
    let mut table = Table { classes: HashMap::new(), reading: columns.in_words(classes) };
    for row in sheet.rows().skip(usize::from(columns.headings.is_some())) {
        let (at, row) = row?;
        let place = || format!("{}, row {at}", path.display());
        let image = row.get(columns.image).unwrap_or_default();
        let class = columns.class_of(&row, &wanted).map_err(|error| {
            let rows = columns.first_rows(&sheet, classes, &wanted);
            anyhow!("{}: {error}{rows}{}", place(), example(&wanted))
        });
        if !image.is_empty() {
            add(&mut table.classes, image, class?).with_context(place)?;
        }
    }
    if !images.iter().any(|image| table.find(image).is_some()) {
        bail!(
            "the label file {} labels none of the images ({}){}{}",
            path.display(),
            table.reading,
            columns.first_rows(&sheet, classes, &wanted),
            example(&wanted)
        );
    }
    Ok(table)
}

/// Numbers of classes whose order nobody has given.
fn assumed(sheet: &Sheet, columns: &Columns, classes: &[String]) -> anyhow::Error {
    let swapped: Vec<&str> = classes.iter().rev().map(String::as_str).collect();
    anyhow!(
        "{} has numbers for classes ({}), and the network's file does not say which class is its \
         first\nhint: --classes gives the names in the order of the numbers, which is that of the \
         network's outputs: --classes {} where 0 is {}, --classes {} where 0 is {}",
        sheet.path.display(),
        columns.in_words(&[]),
        classes.join(","),
        classes.first().map_or("", String::as_str),
        swapped.join(","),
        swapped.first().unwrap_or(&""),
    )
}

impl Columns {
    fn name(&self, column: usize) -> String {
        let heading = self.headings.as_ref().and_then(|headings| headings.get(column));
        match heading.filter(|heading| !heading.is_empty()) {
            Some(heading) => format!("`{}`", shown(heading)),
            None => format!("column {}", column.saturating_add(1)),
        }
    }

    /// Which columns are read, and what numbers in them mean.
    fn in_words(&self, classes: &[String]) -> String {
        let image = format!("images in {}", self.name(self.image));
        let class = |index: usize| classes.get(index).map_or("", String::as_str);
        match &self.class {
            ClassColumn::Names(column) => format!("{image}, classes in {}", self.name(*column)),
            ClassColumn::Numbers(column) => {
                let one = |(number, class): (usize, &String)| format!(", {number} is {class}");
                let numbers: String = classes.iter().enumerate().take(5).map(one).collect();
                format!("{image}, numbers of classes in {}{numbers}", self.name(*column))
            }
            ClassColumn::OneHot(columns) => {
                let names: Vec<String> = columns.iter().map(|(c, _)| self.name(*c)).collect();
                format!("{image}, a column for each class: {}", names.join(", "))
            }
            ClassColumn::Single(column, [no, yes]) => format!(
                "{image}, classes in {}, 1 is {} and 0 is {}",
                self.name(*column),
                class(*yes),
                class(*no)
            ),
        }
    }

    /// The class that a row gives its image.
    fn class_of(&self, row: &StringRecord, wanted: &Wanted<'_>) -> Result<usize> {
        let unknown = |cell: &str| anyhow!("{}", super::unknown_class(cell, wanted.classes));
        match &self.class {
            ClassColumn::Names(column) => {
                let Some(cell) = row.get(*column) else {
                    bail!("two columns are needed, the image and its class");
                };
                wanted.known.find(cell).ok_or_else(|| unknown(cell))
            }
            ClassColumn::Numbers(column) => {
                let cell = row.get(*column).unwrap_or_default();
                let class = number(cell).filter(|&class| class < wanted.classes.len());
                class.ok_or_else(|| unknown(cell))
            }
            ClassColumn::OneHot(columns) => {
                let marked = |column: usize| row.get(column).and_then(number) == Some(1);
                let mut marked = columns.iter().filter(|(column, _)| marked(*column));
                match (marked.next(), marked.next()) {
                    (Some((_, class)), None) => Ok(*class),
                    (None, _) => bail!("none of the columns of the classes has a 1"),
                    (Some((one, _)), Some((other, _))) => bail!(
                        "{} and {} both have a 1, and an image has one class",
                        self.name(*one),
                        self.name(*other)
                    ),
                }
            }
            ClassColumn::Single(column, classes) => {
                let cell = row.get(*column).unwrap_or_default();
                let class = number(cell).and_then(|bit| classes.get(bit)).copied();
                class.ok_or_else(|| unknown(cell))
            }
        }
    }

    /// The first rows as they were understood.
    fn first_rows(&self, sheet: &Sheet, classes: &[String], wanted: &Wanted<'_>) -> String {
        let mut text = String::new();
        for row in sheet.rows().skip(usize::from(self.headings.is_some())).take(SHOWN) {
            let Ok((at, row)) = row else { break };
            let image = shown(row.get(self.image).unwrap_or_default());
            let class = match self.class_of(&row, wanted) {
                Ok(class) => classes.get(class).cloned().unwrap_or_default(),
                Err(_) => "unclear".to_owned(),
            };
            text.push_str(&format!("\n  row {at}: image `{image}`, class {class}"));
        }
        text
    }
}

/// What another column holds, by path or image name. The first row names the columns; rows where
/// the column is empty are left out.
pub fn column(
    path: &Path,
    name: &str,
    images: &[Image],
    columns: &LabelColumns,
) -> Result<HashMap<String, String>> {
    let sheet = Sheet::read(path)?;
    let wanted = wanted(images, &[], columns);
    let Some((_, heading)) = sheet.rows().next().transpose()? else {
        bail!("the label file {} is empty", path.display());
    };
    let mut places = heading.iter().enumerate().filter(|(_, known)| key(known) == key(name));
    let (first, second) = (places.next(), places.next());
    if second.is_some() {
        bail!("the label file {} has two columns `{name}`", path.display());
    }
    let Some((place, _)) = first else {
        bail!(
            "the label file {} has no column `{name}`\nhint: its first row names its columns; these \
             are {}",
            path.display(),
            heading.iter().map(shown).collect::<Vec<_>>().join(", ")
        );
    };
    let image = columns::find_image(&sheet, &wanted, &heading, place)?;
    let mut found = HashMap::new();
    for row in sheet.rows().skip(1) {
        let (_, row) = row?;
        if let (Some(image), Some(value)) =
            (row.get(image), row.get(place).filter(|value| !value.is_empty()))
        {
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

fn add(table: &mut HashMap<String, usize>, image: &str, class: usize) -> Result<()> {
    for key in keys(image) {
        if table.insert(key, class).is_some_and(|earlier| earlier != class) {
            bail!("`{image}` has two different classes");
        }
    }
    Ok(())
}

impl Table {
    /// The class of an image by its path in the data folder, its name, or its name without
    /// extension.
    pub(super) fn find(&self, image: &Image) -> Option<usize> {
        names(image).find_map(|name| self.classes.get(&composed(name))).copied()
    }
}
