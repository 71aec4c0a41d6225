//! What a run leaves behind.
//!
//! A [`Prediction`] belongs to an image and a network, an [`Attribution`] also to an explanation. The [`Journal`]
//! has a line for each image; [`Rows`] read it one at a time, and become [`notebook_csv`], [`predictions_csv`],
//! [`maps_csv`] and [`failures_csv`]. A [`Run`] is `run.json`, and its [`RunSpec`] everything that decides
//! the results. [`Tree`] and [`assign`] say where pictures go, and [`write_atomic`] puts a file there.
//!
//! This crate must never know Burn. It never writes outside the folder it is given, never lets one image
//! overwrite another, and never writes NaN or infinity.
//!
//! ```
//! use burncam_evaluation::Outcome;
//! use burncam_record::{Tree, assign, link_or_copy, write_atomic};
//!
//! # let out = std::env::temp_dir().join(format!("burncam-record-{}", std::process::id()));
//! let places = assign(&[("Fold0", "S01.png")]);
//! let [all, fold] = Tree::new(&out, "NCNN", "GradCAM").overlay_paths(&places[0], Outcome::Right);
//! write_atomic(&all, b"a picture")?;
//! link_or_copy(&all, &fold)?;
//! assert!(out.join("NCNN_GradCAM/Fold0/Right/NCNN_S01.png").exists());
//! # std::fs::remove_dir_all(&out)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod csv_text;
mod error;
mod journal;
mod measurements;
mod notebook_csv;
mod prediction;
mod predictions;
mod rows;
mod run;
mod run_spec;
mod summary;
mod time;
mod tree;
mod write;

pub use error::Error;
pub use journal::{Entry, JOURNAL, Journal, Line, Written};
pub use measurements::{Measurement, measures_csv};
pub use notebook_csv::{confidence, notebook_csv};
pub use prediction::{Attribution, Classification, Failure, MapMeasures, Prediction, Stage};
pub use predictions::{Predictions, columns, failures_csv, maps_csv, predictions_csv};
pub use rows::Rows;
pub use run::{
    Counts, Data, Device, Labelling, Model, Platform, Run, RunStatus, Warning, Weights, run_json,
};
pub use run_spec::{ExplanationSpec, ModelSpec, RunSpec};
pub use summary::{FoldScore, MapCounts, READABLE, Summary};
pub use time::rfc3339;
pub use tree::{Place, Tree, assign};
pub use write::{is_temporary, link_or_copy, write_atomic, write_atomic_with};
