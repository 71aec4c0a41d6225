//! What can go wrong with an image, and whether the run can go on.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::anyhow;
use burncam_record::{Error, Failure, Stage};
use burncam_render::EncodeError;

use crate::text::bounded;

/// Why an image has no overlay.
pub(crate) enum ExplainError {
    /// It has to do with this image.
    Image(Failure),
    /// No image could be explained any more.
    Run(anyhow::Error),
}

impl From<Error> for ExplainError {
    fn from(error: Error) -> Self {
        match &error {
            Error::Write { source, .. } if is_for_all(source.kind()) => {
                let whole = whole(error);
                Self::Run(anyhow!(
                    "{whole}; nothing more is explained\nhint: what is done stays; make room there, \
                     or give the right to write, and go on with --resume"
                ))
            }
            _ => Self::Image(failure(Stage::Write, error)),
        }
    }
}

impl From<EncodeError> for ExplainError {
    fn from(error: EncodeError) -> Self {
        Self::Image(failure(Stage::Write, error))
    }
}

impl From<anyhow::Error> for ExplainError {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<Error>() {
            Ok(error) => error.into(),
            Err(error) => Self::Image(failure(Stage::Write, error)),
        }
    }
}

/// Whether what keeps one file from being written will keep all others too.
fn is_for_all(kind: ErrorKind) -> bool {
    use ErrorKind::{
        PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StaleNetworkFileHandle, StorageFull,
    };
    matches!(
        kind,
        PermissionDenied
            | QuotaExceeded
            | ReadOnlyFilesystem
            | StaleNetworkFileHandle
            | StorageFull
    )
}

/// What is recorded of an image that failed.
pub(crate) fn failure(stage: Stage, error: impl Into<anyhow::Error>) -> Failure {
    Failure { stage, reason: whole(error) }
}

/// An image that cannot be read, unless none can any more.
pub(crate) fn unread(data: &Path, failure: Failure) -> ExplainError {
    if failure.stage == Stage::Read && !data.exists() {
        return ExplainError::Run(anyhow!(
            "the data folder {} is not there any more; nothing more is explained\nhint: what is done \
             stays; bring the folder back and go on with --resume",
            data.display()
        ));
    }
    ExplainError::Image(failure)
}

/// An error and its causes on one line.
fn whole(error: impl Into<anyhow::Error>) -> String {
    let mut text = String::new();
    for cause in error.into().chain().map(ToString::to_string) {
        // Many libraries' errors quote what caused them.
        if !text.ends_with(&cause) {
            text.push_str(if text.is_empty() { "" } else { ": " });
            text.push_str(&cause);
        }
    }
    bounded(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(kind: ErrorKind) -> ExplainError {
        Error::Write { path: "out/x.png".into(), source: kind.into() }.into()
    }

    #[test]
    fn a_cause_is_told_once_and_in_bearable_length() {
        let error = anyhow!("too wide").context("cannot decode x.png: too wide").context("x.png");
        assert_eq!(whole(error), "x.png: cannot decode x.png: too wide");
        let long = whole(anyhow!("`{}` is no class", "ä".repeat(1_000_000)));
        assert!(long.len() < 6_000 && long.ends_with("ä` is no class"), "{}", long.len());
    }

    #[test]
    fn a_full_disk_ends_the_run_and_an_odd_name_does_not() {
        for kind in [ErrorKind::StorageFull, ErrorKind::ReadOnlyFilesystem] {
            match trouble(kind) {
                ExplainError::Run(error) => {
                    assert!(error.to_string().contains("out/x.png"), "{error}")
                }
                ExplainError::Image(failure) => panic!("{kind:?} is of one image: {failure:?}"),
            }
        }
        assert!(matches!(trouble(ErrorKind::InvalidFilename), ExplainError::Image(_)));
    }
}
