//! What can go wrong while a run's results are written.

use std::io;
use std::path::{Path, PathBuf};

/// Why a result could not be encoded or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or its folder could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A row of a table has not one number per class.
    #[error("{path}: {found} {what} for {expected} classes")]
    Classes {
        /// The row's image.
        path: String,
        /// `logits` or `probabilities`.
        what: &'static str,
        /// The number of classes.
        expected: usize,
        /// The number of values.
        found: usize,
    },
    /// What takes a result piece by piece could not;
    /// [`write_atomic_with`](crate::write_atomic_with) makes it [`Error::Write`].
    #[error("cannot write the results")]
    Output(#[from] io::Error),
    /// A table could not be put into words.
    #[error("cannot write the table")]
    Table(#[from] csv::Error),
    /// The run record could not be put into words.
    #[error("cannot write the run record")]
    Record(#[from] serde_json::Error),
    /// A report could not be read.
    #[error("cannot read the report {}: {what}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Another process is writing results to the same folder.
    #[error("another run is using {}", path.display())]
    Busy {
        /// What it has locked.
        path: PathBuf,
    },
    /// Two reports that are to be one have results of one model for one image.
    #[error("{path} has two results of {model}")]
    Twice {
        /// The image.
        path: String,
        /// The model.
        model: String,
    },
    /// There is no report to be joined.
    #[error("there is no report")]
    Nothing,
    /// The page could not be put together; none that a caller could cause.
    #[error("cannot make the page")]
    Page(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// This error while `path` was written: where the operating system is what failed, it says so
    /// of the file.
    pub(crate) fn of_file(self, path: &Path) -> Self {
        let of_path = |source| Self::Write { path: path.to_owned(), source };
        match self {
            Self::Output(source) => of_path(source),
            Self::Record(error) if error.is_io() => of_path(error.into()),
            Self::Table(error) => match error.into_kind() {
                csv::ErrorKind::Io(source) => of_path(source),
                other => of_path(io::Error::other(format!("{other:?}"))),
            },
            other => other,
        }
    }
}
