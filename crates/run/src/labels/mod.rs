//! The true class of an image, by rule.

#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
    )
)]

mod auto;
mod columns;
mod file;
mod headings;
mod sheet;
mod tokens;
mod understood;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use unicode_normalization::UnicodeNormalization as _;

use crate::classes::{self, Known};
use crate::data::{Image, stem};

pub use auto::{Decision, decide, without};
pub use file::column;
pub use headings::LabelColumns;
pub use tokens::notebook_doubts;

/// What `--labels` asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// The rule that suits the data.
    Auto,
    /// This one.
    Rule(Rule),
}

/// How images get their true class.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// The notebook's: `sem` or `rest` anywhere in the name is No_pain, all else is Pain.
    Notebook,
    /// Whole words of the name, the first class that fits.
    Tokens(Vec<(String, Vec<String>)>),
    /// The name of the folder inside the fold.
    Dirs,
    /// A CSV file of path or name, and class.
    File(PathBuf),
    /// None at all.
    Unlabelled,
}

/// Whether somebody has said in which order the classes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassOrder {
    /// The checkpoint or `--classes`, or the classes are called by their numbers.
    Given,
    /// Nobody: they are taken to be the architecture's.
    Assumed,
}

/// The true classes of images.
pub struct Labels {
    /// Of each image, as an index; `None` where no rule labels it.
    pub classes: Vec<Option<usize>>,
    /// How a table was read.
    pub reading: Option<String>,
}

impl Rule {
    /// The rule on one line, for records.
    pub fn describe(&self) -> String {
        match self {
            Self::Notebook => "notebook".to_owned(),
            Self::Tokens(classes) => {
                let one =
                    |(class, words): &(String, Vec<String>)| format!("{class}={}", words.join(","));
                format!("tokens:{}", classes.iter().map(one).collect::<Vec<_>>().join(";"))
            }
            Self::Dirs => "dirs".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Unlabelled => "none".to_owned(),
        }
    }
}

impl Asked {
    /// What was asked for, on one line.
    pub fn describe(&self) -> String {
        match self {
            Self::Auto => "auto".to_owned(),
            Self::Rule(rule) => rule.describe(),
        }
    }

    /// The table that was asked for.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Rule(Rule::File(path)) => Some(path),
            _ => None,
        }
    }
}

impl FromStr for Asked {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self::Rule(match text {
            "auto" => return Ok(Self::Auto),
            "notebook" => Rule::Notebook,
            "dirs" => Rule::Dirs,
            "none" => Rule::Unlabelled,
            _ if text.starts_with("tokens:") => Rule::Tokens(tokens::parse(text)?),
            _ if Path::new(text).is_file() => Rule::File(text.into()),
            _ => {
                return Err("it is neither `auto`, `dirs`, `notebook`, `none` or \
                            `tokens:CLASS=word,word;CLASS=word`, nor a CSV file that exists"
                    .to_owned());
            }
        }))
    }
}

/// The true class of each image as an index into `classes`.
pub fn label(
    rule: &Rule,
    images: &[Image],
    (classes, order): (&[String], ClassOrder),
    columns: &LabelColumns,
) -> Result<Labels> {
    let index = |class: &str| classes.iter().position(|known| known.eq_ignore_ascii_case(class));
    let mut reading = None;
    let labels = match rule {
        Rule::Notebook => {
            let (Some(pain), Some(no_pain)) = (index("Pain"), index("No_pain")) else {
                bail!(
                    "`--labels notebook` knows Pain and No_pain, and the classes are {}\n\
                     hint: use `--labels dirs`, `--labels tokens:…` or a label file",
                    classes::listed(classes)
                );
            };
            let of = |image: &Image| if tokens::notebook(&image.name) { no_pain } else { pain };
            images.iter().map(|image| Some(of(image))).collect()
        }
        Rule::Tokens(rules) => {
            let rules = rules.iter().map(|(class, words)| {
                let index = index(class).with_context(|| unknown_class(class, classes))?;
                Ok((index, words.as_slice()))
            });
            let rules = rules.collect::<Result<Vec<_>>>()?;
            images.iter().map(|image| tokens::first_match(&image.name, &rules)).collect()
        }
        Rule::Unlabelled => vec![None; images.len()],
        Rule::Dirs => {
            let known = Known::new(classes);
            let of =
                |image: &Image| image.class_folder.as_deref().and_then(|name| known.find(name));
            images.iter().map(of).collect()
        }
        Rule::File(path) => {
            let table = file::read(path, images, (classes, order), columns)?;
            let labels = images.iter().map(|image| table.find(image)).collect();
            reading = Some(table.reading);
            labels
        }
    };
    Ok(Labels { classes: labels, reading })
}

fn unknown_class(class: &str, classes: &[String]) -> String {
    // A cell may have several lines.
    let class = class.replace(char::is_control, " ");
    format!("there is no class `{class}`; the classes are {}", classes::listed(classes))
}

/// What a row's image may be called: as it is written, and with the `/` that Windows' `\` stands for.
fn keys(image: &str) -> impl Iterator<Item = String> {
    let image = composed(image.trim_start_matches("./"));
    let other = image.contains('\\').then(|| image.replace('\\', "/"));
    other.into_iter().chain([image])
}

/// A name in Unicode's composed form: some systems write `é` as one character, others as two.
pub fn composed(name: &str) -> String {
    name.nfc().collect()
}

/// What a table may call an image, the most telling first.
fn names(image: &Image) -> impl Iterator<Item = &str> {
    [image.path.as_str(), &image.name, stem(&image.name)].into_iter()
}

#[cfg(test)]
mod tests;
