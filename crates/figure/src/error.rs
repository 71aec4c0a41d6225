//! Why there is no figure.

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
    /// The figure cannot be drawn.
    #[error("the figure cannot be drawn: {0}")]
    Draw(String),
}
