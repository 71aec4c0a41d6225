//! Which columns of a table name the images and their classes: by heading, else by content.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Result, anyhow, bail};
use burncam_imaging::is_image_name;
use csv::StringRecord;

use super::headings::{Heading, LabelColumns};
use super::keys;
use super::sheet::Sheet;
use super::understood::{as_columns, example};
use crate::classes::{Known, key};
use crate::data::{Image, stem};

/// How a table is read.
#[derive(Debug)]
pub(super) struct Columns {
    /// What the first row calls the columns, if it does.
    pub(super) headings: Option<StringRecord>,
    /// The column that names images.
    pub(super) image: usize,
    /// Where classes are.
    pub(super) class: ClassColumn,
}

/// Where the classes of a table are, and in which form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ClassColumn {
    /// Their names, in this column.
    Names(usize),
    /// Their numbers from 0, in this column.
    Numbers(usize),
    /// A column for each class, with a 1 in that of the image: column and class.
    OneHot(Vec<(usize, usize)>),
    /// In this column a 1 for the second class that is given, and a 0 for the first.
    Single(usize, [usize; 2]),
}

/// What a table is compared with.
pub(super) struct Wanted<'a> {
    /// Every way in which a table may name an image.
    pub(super) images: HashSet<String>,
    pub(super) example: &'a str,
    pub(super) classes: &'a [String],
    pub(super) known: Known,
    pub(super) columns: &'a LabelColumns,
}

/// What the cells of one column are.
#[derive(Clone, Default)]
struct Content {
    filled: usize,
    images: usize,
    /// Images by their file's name or path, ending and all.
    files: usize,
    classes: usize,
    /// Whole numbers below the number of classes.
    numbers: usize,
    /// 0 or 1.
    bits: usize,
}

impl Wanted<'_> {
    pub(super) fn is_image(&self, cell: &str) -> bool {
        keys(cell).any(|key| self.images.contains(&key))
    }
}

/// A whole number; spreadsheets and pandas write 1 as `1.0`, too.
pub(super) fn number(cell: &str) -> Option<usize> {
    cell.strip_suffix(".0").unwrap_or(cell).parse().ok()
}

/// What the first row calls the columns: it is none of the data if it names no image.
pub(super) fn headings(sheet: &Sheet, wanted: &Wanted<'_>) -> Result<Option<StringRecord>> {
    let Some(first) = sheet.rows().next().transpose()? else {
        bail!("the label file {} is empty{}", sheet.path.display(), example(wanted));
    };
    Ok((!first.1.iter().any(|cell| wanted.is_image(cell))).then_some(first.1))
}

/// Finds the columns of the images and of their classes.
pub(super) fn find(sheet: &Sheet, wanted: &Wanted<'_>) -> Result<Columns> {
    let headings = headings(sheet, wanted)?;
    let content = content(sheet, headings.is_some(), wanted)?;
    let table = Table { sheet, wanted, headings: headings.as_ref(), content: &content };
    let image = table.image(&[])?;
    let class = table.class(image)?;
    Ok(Columns { image, class, headings })
}

/// The column that names images, in a table of which this other column is read.
pub(super) fn find_image(
    sheet: &Sheet,
    wanted: &Wanted<'_>,
    headings: &StringRecord,
    other: usize,
) -> Result<usize> {
    let content = content(sheet, true, wanted)?;
    let table = Table { sheet, wanted, headings: Some(headings), content: &content };
    let image = table.image(&[other])?;
    // Each image may be a subject of its own.
    let is_other = table.content(other).images > table.content(image).images;
    Ok(if is_other { other } else { image })
}

/// Counts what the cells below the headings are.
fn content(sheet: &Sheet, has_headings: bool, wanted: &Wanted<'_>) -> Result<Vec<Content>> {
    let mut columns: Vec<Content> = Vec::new();
    for row in sheet.rows().skip(usize::from(has_headings)) {
        let (_, row) = row?;
        if row.len() > columns.len() {
            columns.resize(row.len(), Content::default());
        }
        for (column, cell) in columns.iter_mut().zip(&row).filter(|(_, cell)| !cell.is_empty()) {
            let number = number(cell).filter(|&number| number < wanted.classes.len());
            let count = |place: &mut usize, is: bool| *place = place.saturating_add(is.into());
            count(&mut column.filled, true);
            let is_image = wanted.is_image(cell);
            count(&mut column.images, is_image);
            count(&mut column.files, is_image && is_image_name(Path::new(cell)));
            count(&mut column.classes, wanted.known.find(cell).is_some());
            count(&mut column.numbers, number.is_some());
            count(&mut column.bits, number.is_some_and(|number| number < 2));
        }
    }
    Ok(columns)
}

/// A table of which the columns are looked for.
struct Table<'a> {
    sheet: &'a Sheet,
    wanted: &'a Wanted<'a>,
    headings: Option<&'a StringRecord>,
    content: &'a [Content],
}

impl Table<'_> {
    /// All columns that are not passed over.
    fn all(&self, without: &[usize]) -> Vec<usize> {
        let width = self.content.len().max(self.headings.map_or(0, StringRecord::len));
        (0..width).filter(|column| !without.contains(column)).collect()
    }

    fn heading(&self, column: usize) -> Option<&str> {
        self.headings.and_then(|headings| headings.get(column))
    }

    fn means(&self, column: usize, meaning: Heading) -> bool {
        self.heading(column).is_some_and(|heading| Heading::read(heading) == meaning)
    }

    fn content(&self, column: usize) -> Content {
        self.content.get(column).cloned().unwrap_or_default()
    }

    /// The column that an option names, by its heading or its number from 1.
    fn asked(&self, what: &str, asked: Option<&String>) -> Result<Option<usize>> {
        let Some(asked) = asked else { return Ok(None) };
        let all = self.all(&[]);
        let called = |column: &&usize| self.heading(**column).is_some_and(|h| key(h) == key(asked));
        let by_name: Vec<usize> = all.iter().filter(called).copied().collect();
        let by_number = asked.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        match (by_name.as_slice(), by_number.filter(|column| all.contains(column))) {
            (&[only], _) => Ok(Some(only)),
            (&[], Some(column)) => Ok(Some(column)),
            (&[], None) => {
                Err(self
                    .error(&format!("has no column `{asked}` (--label-columns {what}={asked})")))
            }
            _ => Err(self.error(&format!("has several columns `{asked}`"))),
        }
    }

    fn image(&self, without: &[usize]) -> Result<usize> {
        if let Some(column) = self.asked("image", self.wanted.columns.image.as_ref())? {
            return Ok(column);
        }
        let all = self.all(without);
        let images = |column: usize| self.content(column).images;
        let holding: Vec<usize> = all.iter().copied().filter(|&c| images(c) > 0).collect();
        let pick = |from: &[usize], meaning: Heading| -> Vec<usize> {
            from.iter().copied().filter(|&column| self.means(column, meaning)).collect()
        };
        let named = pick(&holding, Heading::Image);
        let most = |columns: &[usize]| columns.iter().map(|&c| images(c)).max().unwrap_or(0);
        let named_ones = !named.is_empty() && most(&named) >= most(&holding);
        let mut candidates = if named_ones { named } else { holding };
        // Row numbers may be names of files without their ending, too.
        let passed_over =
            |column: usize| self.means(column, Heading::Index) || self.content(column).files == 0;
        if !named_ones && !candidates.iter().all(|&column| passed_over(column)) {
            candidates.retain(|&column| !passed_over(column));
        }
        match candidates.as_slice() {
            [] => {
                let fallback = pick(&all, Heading::Image).first().copied();
                let first = || all.iter().find(|&&column| !self.means(column, Heading::Index));
                // Which it is does not matter where none labels an image.
                Ok(fallback.or_else(|| first().copied()).unwrap_or(0))
            }
            [only] => Ok(*only),
            several => {
                let alike = |a: &str, b: &str| same_image(a, b);
                self.same_in_all_rows(several, alike, "names the images", "image")?;
                let first_of_most = |&&c: &&usize| (images(c), usize::MAX.abs_diff(c));
                Ok(several.iter().max_by_key(first_of_most).copied().unwrap_or_default())
            }
        }
    }

    fn class(&self, image: usize) -> Result<ClassColumn> {
        if let Some(column) = self.asked("class", self.wanted.columns.class.as_ref())? {
            return Ok(self.form(column));
        }
        let without =
            |column: &usize| !self.means(*column, Heading::Image) || self.is_names(*column);
        let others: Vec<usize> = self.all(&[image]).into_iter().filter(without).collect();
        let named: Vec<usize> =
            others.iter().copied().filter(|&column| self.means(column, Heading::Class)).collect();
        let holding = |from: &[usize]| -> Vec<usize> {
            let all: Vec<usize> =
                from.iter().copied().filter(|&c| self.content(c).classes > 0).collect();
            let pure: Vec<usize> = all.iter().copied().filter(|&c| self.is_names(c)).collect();
            if pure.is_empty() { all } else { pure }
        };
        let by_heading = holding(&named);
        if !by_heading.is_empty() {
            return self.names(&by_heading);
        }
        let marks = self.marks(&others);
        let open: Vec<usize> = others
            .iter()
            .copied()
            .filter(|&c| !self.means(c, Heading::Predicted) && !self.means(c, Heading::Index))
            .collect();
        let by_content = if named.is_empty() { holding(&open) } else { Vec::new() };
        match (marks, by_content.as_slice(), named.as_slice()) {
            (Some(marks), [], _) => Ok(marks),
            (Some(_), [name, ..], _) => Err(self.error(&format!(
                "has classes in {} and in columns of their own\nhint: --label-columns class=COLUMN \
                 says which counts",
                self.quoted(*name)
            ))),
            (None, [_, ..], _) => self.names(&by_content),
            (None, [], &[only]) => Ok(self.form(only)),
            (None, [], [_, _, ..]) => {
                let filled: Vec<usize> =
                    named.iter().copied().filter(|&column| self.is_numbers(column)).collect();
                match filled.as_slice() {
                    [only] => Ok(ClassColumn::Numbers(*only)),
                    _ => Err(self.unclear(&named, "has the classes", "class")),
                }
            }
            (None, [], []) => match open.as_slice() {
                [only] => Ok(self.form(*only)),
                [] if self.all(&[]).len() < 2 => {
                    let (number, _) = self.sheet.rows().next().transpose()?.unwrap_or_default();
                    Err(anyhow!(
                        "{}, row {number}: two columns are needed, the image and its class{}",
                        self.sheet.path.display(),
                        example(self.wanted)
                    ))
                }
                _ => Err(self.error("has no column with a heading or names of classes")),
            },
        }
    }

    /// Columns that all say the same: the first of them.
    fn names(&self, columns: &[usize]) -> Result<ClassColumn> {
        let known = &self.wanted.known;
        let alike = |a: &str, b: &str| known.find(a) == known.find(b);
        self.same_in_all_rows(columns, alike, "has the classes", "class")?;
        Ok(ClassColumn::Names(columns.first().copied().unwrap_or_default()))
    }

    /// How a column gives classes.
    fn form(&self, column: usize) -> ClassColumn {
        match self.content(column).classes == 0 && self.is_numbers(column) {
            true => match self.single(column) {
                Some(classes) => ClassColumn::Single(column, classes),
                None => ClassColumn::Numbers(column),
            },
            false => ClassColumn::Names(column),
        }
    }

    fn is_names(&self, column: usize) -> bool {
        let content = self.content(column);
        content.classes > 0 && content.classes == content.filled
    }

    fn is_numbers(&self, column: usize) -> bool {
        let content = self.content(column);
        content.numbers > 0 && content.numbers == content.filled
    }

    /// The classes that 0 and 1 are in a column that is named after one of two classes.
    fn single(&self, column: usize) -> Option<[usize; 2]> {
        let content = self.content(column);
        let class = self.wanted.known.find(self.heading(column)?)?;
        let other = 1_usize.checked_sub(class)?;
        (self.wanted.classes.len() == 2 && content.bits == content.filled && content.filled > 0)
            .then_some([other, class])
    }

    /// Columns that are named after classes and hold 0 and 1.
    fn marks(&self, columns: &[usize]) -> Option<ClassColumn> {
        let class = |column: usize| {
            let content = self.content(column);
            let class = self.wanted.known.find(self.heading(column)?)?;
            (content.filled > 0 && content.bits == content.filled).then_some((column, class))
        };
        let marks: Vec<(usize, usize)> = columns.iter().filter_map(|&c| class(c)).collect();
        match marks.as_slice() {
            [] => None,
            &[(column, _)] => {
                self.single(column).map(|classes| ClassColumn::Single(column, classes))
            }
            _ => Some(ClassColumn::OneHot(marks)),
        }
    }

    /// Refuses columns that could all be the one that is looked for, and differ in a row.
    fn same_in_all_rows(
        &self,
        columns: &[usize],
        alike: impl Fn(&str, &str) -> bool,
        what: &str,
        option: &str,
    ) -> Result<()> {
        if columns.len() < 2 {
            return Ok(());
        }
        for row in self.sheet.rows().skip(usize::from(self.headings.is_some())) {
            let (_, row) = row?;
            let mut cells = columns.iter().filter_map(|&c| row.get(c)).filter(|c| !c.is_empty());
            let Some(first) = cells.next() else { continue };
            if !cells.all(|cell| alike(first, cell)) {
                return Err(self.unclear(columns, what, option));
            }
        }
        Ok(())
    }

    fn unclear(&self, columns: &[usize], what: &str, option: &str) -> anyhow::Error {
        let names: Vec<String> = columns.iter().map(|&column| self.quoted(column)).collect();
        let one = columns.first().map_or(String::new(), |&column| self.name(column));
        anyhow!(
            "{}: it is not clear which column {what}: {}{}\nhint: say which it is, as --label-columns \
             {option}={one}",
            self.sheet.path.display(),
            names.join(" or "),
            as_columns(self.sheet, self.headings)
        )
    }

    fn error(&self, what: &str) -> anyhow::Error {
        anyhow!(
            "the label file {} {what}{}{}",
            self.sheet.path.display(),
            as_columns(self.sheet, self.headings),
            example(self.wanted)
        )
    }

    /// A column's heading, or its number.
    fn name(&self, column: usize) -> String {
        let number = column.saturating_add(1).to_string();
        self.heading(column).filter(|heading| !heading.is_empty()).map_or(number, str::to_owned)
    }

    fn quoted(&self, column: usize) -> String {
        format!("`{}`", self.name(column))
    }
}

/// Whether two cells may name one image: a path, its end, and that without its ending.
fn same_image(a: &str, b: &str) -> bool {
    let plain = |cell: &str| cell.replace('\\', "/");
    let (a, b) = (plain(a), plain(b));
    let last = |cell: &str| cell.rsplit('/').next().unwrap_or_default().to_owned();
    let within = |path: &str, name: &str| {
        path == name || path.strip_suffix(name).is_some_and(|rest| rest.ends_with('/'))
    };
    let by_stem = |path: &str, name: &str| stem(&last(path)) == name;
    within(&a, &b) || within(&b, &a) || by_stem(&a, &b) || by_stem(&b, &a)
}

/// Every way in which a table may name these images.
pub(super) fn all_names(images: &[Image]) -> HashSet<String> {
    images.iter().flat_map(super::names).map(super::composed).collect()
}
