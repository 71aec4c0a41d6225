//! Why there is no figure.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The report cannot be read.
    #[error(transparent)]
    Record(#[from] burncam_record::Error),
    /// The list of images cannot be read, or names one that the report does not have.
    #[error("{}: {what}", path.display())]
    List {
        /// The list.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// What was asked for is not in the report, or is not understood.
    #[error("{0}")]
    Asked(String),
    /// The font file cannot be used.
    #[error("{}: {what}", path.display())]
    Font {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// No font of the figure has some of its characters.
    #[error("the figure's fonts have no {}, as in {}\nhint: --font FILE takes a .ttf or .otf that has them",
        listed(missing.iter().map(|one| format!("{one} (U+{:04X})", u32::from(*one)))),
        listed(places.iter().map(|text| format!("`{text}`"))))]
    Characters {
        /// The characters.
        missing: BTreeSet<char>,
        /// The texts that have them.
        places: BTreeSet<String>,
    },
    /// The figure cannot be drawn.
    #[error("the figure cannot be drawn: {0}")]
    Draw(String),
}

/// The first of many with commas between them.
fn listed(all: impl Iterator<Item = String>) -> String {
    /// How many are named.
    const NAMED: usize = 6;
    let mut named: Vec<String> = all.take(NAMED + 1).collect();
    if named.len() > NAMED {
        named[NAMED] = "…".to_owned();
    }
    named.join(", ")
}
