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

mod file;
mod tokens;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, bail};

use crate::classes;
use crate::data::Image;

pub(crate) use file::{column, composed};
pub(crate) use tokens::notebook_doubts;

/// How images get their true class, as asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rule {
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

impl Rule {
    /// What is done unless a rule is asked for: the notebook's, if it knows the classes.
    pub(crate) fn default_for(classes: &[String]) -> Self {
        let known = |name: &str| classes.iter().any(|class| class.eq_ignore_ascii_case(name));
        if known("Pain") && known("No_pain") { Self::Notebook } else { Self::Unlabelled }
    }

    /// The rule on one line, for records.
    pub(crate) fn describe(&self) -> String {
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

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "notebook" => Ok(Self::Notebook),
            "dirs" => Ok(Self::Dirs),
            _ if text.starts_with("tokens:") => tokens::parse(text).map(Self::Tokens),
            _ if Path::new(text).is_file() => Ok(Self::File(text.into())),
            _ => Err("it is neither `notebook`, `dirs` or `tokens:CLASS=word,word;CLASS=word`, \
                      nor a CSV file that exists"
                .to_owned()),
        }
    }
}

/// The true class of each image as an index into `classes`; `None` where no rule labels it.
pub(crate) fn label(
    rule: &Rule,
    images: &[Image],
    classes: &[String],
) -> Result<Vec<Option<usize>>> {
    let index = |class: &str| classes.iter().position(|known| known.eq_ignore_ascii_case(class));
    match rule {
        Rule::Notebook => {
            let (Some(pain), Some(no_pain)) = (index("Pain"), index("No_pain")) else {
                bail!(
                    "`--labels notebook` knows Pain and No_pain, and the classes are {}\n\
                     hint: use `--labels dirs`, `--labels tokens:…` or a label file",
                    classes::listed(classes)
                );
            };
            let of = |image: &Image| if tokens::notebook(&image.name) { no_pain } else { pain };
            Ok(images.iter().map(|image| Some(of(image))).collect())
        }
        Rule::Tokens(rules) => {
            let rules = rules.iter().map(|(class, words)| {
                let index = index(class).with_context(|| unknown_class(class, classes))?;
                Ok((index, words.as_slice()))
            });
            let rules = rules.collect::<Result<Vec<_>>>()?;
            Ok(images.iter().map(|image| tokens::first_match(&image.name, &rules)).collect())
        }
        Rule::Unlabelled => Ok(vec![None; images.len()]),
        Rule::Dirs => {
            let of = |image: &Image| image.class_folder.as_deref().and_then(index);
            Ok(images.iter().map(of).collect())
        }
        Rule::File(path) => {
            let table = file::read(path, images, classes)?;
            Ok(images.iter().map(|image| file::find(&table, image)).collect())
        }
    }
}

fn unknown_class(class: &str, classes: &[String]) -> String {
    // A cell may have several lines.
    let class = class.replace(char::is_control, " ");
    format!("there is no class `{class}`; the classes are {}", classes::listed(classes))
}
