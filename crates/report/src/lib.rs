//! Maps into overlays, tables and run records.
//!
//! A raw map and the frame that it explains become an [`overlay`], which [`encode`] turns into
//! a file's bytes and [`write_atomic`] into a file; [`ModelTree`] and [`assign`] say where. What
//! was measured, [`Rows`] that are read one at a time, becomes [`notebook_csv`],
//! [`predictions_csv`], [`failures_csv`] and [`run_json`]. Colours, sizes
//! and roundings are those of numpy, matplotlib, Pillow, Keras and pandas, to the last bit: only
//! the bytes of compressed files differ.
//!
//! This crate must never depend on Burn: it takes slices of numbers and images. It never writes
//! outside the folder it is given, never lets one image overwrite another, and never writes NaN
//! or infinity.
//!
//! ```
//! use burncam_report::{ALPHA, Format, ModelTree, Outcome, assign, encode, levels, overlay};
//! use burncam_report::{link_or_copy, write_atomic};
//!
//! # let out = std::env::temp_dir().join(format!("burncam-report-{}", std::process::id()));
//! let raw_map = [-0.5, 0.0, 0.5, 1.0];
//! let frame = vec![128.0; 120 * 120 * 3];
//! let picture = overlay(&levels(&raw_map), (2, 2), &frame, (120, 120), ALPHA);
//!
//! let places = assign(&[("Fold0", "S01.png")]);
//! let [all, fold] = ModelTree::new(&out, "NCNN").overlay_paths(&places[0], Outcome::Right);
//! write_atomic(&all, &encode(&picture, Format::of_name(&all)?)?)?;
//! link_or_copy(&all, &fold)?;
//! assert!(out.join("NCNN_GradCAM/Fold0/Right/NCNN_S01.png").exists());
//! # std::fs::remove_dir_all(&out)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod clean;
mod colormap;
mod colormap_tables;
mod csv_text;
mod encode;
mod error;
mod glyphs;
mod journal;
mod notebook_csv;
mod outcome;
mod overlay;
pub mod page;
mod peaks;
mod pillow;
mod prediction;
mod predictions;
mod rows;
mod run_json;
pub mod statistics;
mod summary;
mod time;
mod tree;
mod write;

pub use clean::{Style, clean_overlay, crossed_out};
pub use colormap::{Colormap, jet};
pub use encode::{Format, encode};
pub use error::Error;
pub use image::RgbImage;
pub use journal::{Entry, JOURNAL, Journal, Line, Written};
pub use notebook_csv::{confidence, notebook_csv};
pub use outcome::Outcome;
pub use overlay::{ALPHA, array_to_img, blended, coloured, enlarged, levels, overlay};
pub use peaks::Peaks;
pub use pillow::resize_bicubic;
pub use prediction::{Explained, Failure, MapFacts, Prediction, Stage};
pub use predictions::{Predictions, columns, failures_csv, predictions_csv};
pub use rows::Rows;
pub use run_json::{
    Counts, Data, Device, Labelling, Model, Options, Platform, Run, RunStatus, Warning, Weights,
    run_json,
};
pub use summary::{FoldScore, Summary};
pub use time::rfc3339;
pub use tree::{ModelTree, Place, assign};
pub use write::{is_temporary, link_or_copy, write_atomic, write_atomic_with};
