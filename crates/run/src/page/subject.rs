//! Whom an image shows.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Result, bail};
use regex_lite::Regex;

use crate::data::Image;
use crate::labels::{self, LabelColumns};

/// What marks a column of the label file.
const COLUMN: &str = "column:";

/// How images get their subject, as asked for.
#[derive(Clone, Debug)]
pub enum Subject {
    /// The group of a regular expression that is found in the path.
    Pattern(Regex),
    /// A column of the label file, by its heading.
    Column(String),
}

/// A label file, and what it is about.
#[derive(Clone, Copy)]
pub struct LabelFile<'a> {
    /// The file.
    pub path: &'a Path,
    /// Which of its columns are which, as far as that was said.
    pub columns: &'a LabelColumns,
    /// The images of the run.
    pub images: &'a [Image],
}

/// From an image's path to its subject.
pub(crate) type Reader<'a> = Box<dyn Fn(&str) -> Option<String> + 'a>;

impl Subject {
    /// What reads the subject of an image from its path; `labels` is the label file, if there is
    /// one, with the images that it is about.
    pub fn reader(&self, labels: Option<LabelFile<'_>>) -> Result<Reader<'_>> {
        match self {
            Self::Pattern(pattern) => Ok(Box::new(|path| {
                let subject = pattern.captures(path)?.get(1)?.as_str();
                (!subject.is_empty()).then(|| subject.to_owned())
            })),
            Self::Column(column) => {
                let Some(file) = labels else {
                    bail!(
                        "--subject {self} needs a label file\nhint: --labels labels.csv, whose first \
                         row names its columns; or a regular expression with one group"
                    );
                };
                let table = labels::column(file.path, column, file.images, file.columns)?;
                Ok(Box::new(move |path| find(&table, path)))
            }
        }
    }
}

/// By path, file name, or file name without its ending, as labels are found.
fn find(table: &HashMap<String, String>, path: &str) -> Option<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    [path, name, stem].iter().find_map(|key| table.get(&labels::composed(key))).cloned()
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(column) = text.strip_prefix(COLUMN) {
            return Ok(Self::Column(column.to_owned()));
        }
        let pattern = Regex::new(text).map_err(|error| error.to_string())?;
        match pattern.captures_len() {
            2 => Ok(Self::Pattern(pattern)),
            groups => Err(format!(
                "one group in round brackets is needed, which holds the subject, and there are {}: \
                 '(S[0-9]+)_' reads S01 from S01_dor.png; (?:…) is no group",
                groups - 1
            )),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pattern(pattern) => formatter.write_str(pattern.as_str()),
            Self::Column(column) => write!(formatter, "{COLUMN}{column}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rule: &str, path: &str) -> Option<String> {
        let rule: Subject = rule.parse().expect("a rule");
        rule.reader(None).expect("a reader")(path)
    }

    #[test]
    fn the_group_is_the_subject() {
        assert_eq!(read("(S[0-9]+)_", "Fold0/S01_dor_01.png").as_deref(), Some("S01"));
        assert_eq!(read("(S[0-9]+)_", "Fold0/x.png"), None);
        assert_eq!(read("Fold(x?)", "Fold0/x.png"), None);
    }

    #[test]
    fn exactly_one_group_is_needed() {
        for bad in ["S[0-9]+", "(a)(b)", "("] {
            assert!(bad.parse::<Subject>().is_err(), "{bad}");
        }
        assert!("(?:a|b)(c)".parse::<Subject>().is_ok());
    }

    #[test]
    fn a_column_needs_a_label_file() {
        let rule: Subject = "column:baby".parse().expect("a rule");
        assert!(rule.reader(None).is_err());
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("labels.csv");
        std::fs::write(&file, "image;class;baby\nFold0/a.png;Pain;7\nb.png;Pain;8\nc;Pain;\n")
            .expect("a file");
        let (images, columns) = ([], LabelColumns::default());
        let labels = || Some(LabelFile { path: &file, columns: &columns, images: &images });
        let read = rule.reader(labels()).expect("a reader");
        assert_eq!(read("Fold0/a.png").as_deref(), Some("7"));
        assert_eq!(read("Fold1/b.png").as_deref(), Some("8"));
        assert_eq!(read("Fold1/c.png"), None);
        let other: Subject = "column:child".parse().expect("a rule");
        let error = other.reader(labels()).err().expect("no such column").to_string();
        assert!(error.contains("child") && error.contains("baby"), "{error}");
    }
}
